//! Reading numbers out of byte slices, and unpacking compressed ones within a bound.

use std::borrow::Cow;
use std::io::Read;

use crate::{FormatError, Limits};

/// Byte order of the numbers in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    /// The `N` bytes at `at`, in little-endian order.
    fn array<const N: usize>(self, bytes: &[u8], at: usize) -> Option<[u8; N]> {
        let mut array: [u8; N] = bytes.get(at..at.checked_add(N)?)?.try_into().ok()?;
        if self == Self::Big {
            array.reverse();
        }
        Some(array)
    }

    pub(crate) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        self.array(bytes, at).map(u16::from_le_bytes)
    }

    pub(crate) fn i16(self, bytes: &[u8], at: usize) -> Option<i16> {
        self.array(bytes, at).map(i16::from_le_bytes)
    }

    pub(crate) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        self.array(bytes, at).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        self.array(bytes, at).map(u64::from_le_bytes)
    }

    pub(crate) fn f32(self, bytes: &[u8], at: usize) -> Option<f32> {
        self.array(bytes, at).map(f32::from_le_bytes)
    }

    pub(crate) fn f64(self, bytes: &[u8], at: usize) -> Option<f64> {
        self.array(bytes, at).map(f64::from_le_bytes)
    }
}

/// Everything that `reader` unpacks, up to the limit of a file.
pub(crate) fn unpack(format: &'static str, reader: impl Read, limits: &Limits) -> Result<Vec<u8>, FormatError> {
    let mut unpacked = Vec::new();
    let outcome = reader.take(limits.max_file_bytes.saturating_add(1)).read_to_end(&mut unpacked);
    limits.check_bytes(unpacked.len() as u64)?;
    match outcome {
        Ok(_) => Ok(unpacked),
        Err(error) if error.kind() == std::io::ErrorKind::OutOfMemory => {
            Err(FormatError::Memory { needed_bytes: unpacked.len() as u64 })
        }
        // What came before the damage is kept: a header there still tells what is missing.
        Err(_) if !unpacked.is_empty() => Ok(unpacked),
        Err(_) => Err(FormatError::damaged(format, "its compressed content cannot be unpacked")),
    }
}

/// Text of a header: what is not UTF-8 is replaced.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
