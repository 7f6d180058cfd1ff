//! Reading numbers out of byte slices, and unpacking compressed ones within a bound.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use crate::limits::reserved;
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

/// What deflate can make of one byte at most (1032, by its format).
const MOST_OF_A_BYTE: u64 = 1040;

/// The bytes of `reader`, in one piece of memory: never the volume twice. `count` says how many there are, from a header, and
/// `packed_bytes` how many they are packed in: a header that asks for more than these can hold costs no memory.
///
/// # Errors
/// [`FormatError::Truncated`] where there are fewer.
pub(crate) fn unpack_exactly(
    format: &'static str,
    mut reader: impl Read,
    count: u64,
    packed_bytes: usize,
    limits: &Limits,
) -> Result<Arc<[u8]>, FormatError> {
    limits.check_bytes(count)?;
    let cut_off =
        |found_bytes| FormatError::Truncated { format, part: "the volume", expected_bytes: count, found_bytes };
    let most_bytes = (packed_bytes as u64).saturating_mul(MOST_OF_A_BYTE);
    if count > most_bytes {
        let mut found_bytes = 0;
        let mut part = [0; 8192];
        while let Ok(read @ 1..) = reader.read(&mut part) {
            found_bytes += read as u64;
        }
        return Err(cut_off(found_bytes));
    }
    let mut bytes = room(count)?;
    let Some(place) = Arc::get_mut(&mut bytes) else { return Err(FormatError::Memory { needed_bytes: count }) };
    let mut at = 0;
    // Where the packed bytes are damaged they end.
    while let Ok(read @ 1..) = reader.read(place.get_mut(at..).unwrap_or_default()) {
        at += read;
    }
    if at < place.len() { Err(cut_off(at as u64)) } else { Ok(bytes) }
}

/// The same for content whose length nothing says: it is unpacked once to count it.
pub(crate) fn unpack_counted<R: Read>(
    format: &'static str,
    reader: impl Fn() -> R,
    limits: &Limits,
) -> Result<Arc<[u8]>, FormatError> {
    let mut counted = 0u64;
    let mut part = [0; 8192];
    let mut counting = reader();
    while let Ok(read @ 1..) = counting.read(&mut part) {
        counted += read as u64;
        limits.check_bytes(counted)?;
    }
    if counted == 0 {
        return Err(FormatError::damaged(format, "its compressed content cannot be unpacked"));
    }
    // What came before damage is kept: a header there still tells what is missing.
    let mut bytes = room(counted)?;
    let Some(place) = Arc::get_mut(&mut bytes) else { return Err(FormatError::Memory { needed_bytes: counted }) };
    let (mut reader, mut at) = (reader(), 0);
    while let Ok(read @ 1..) = reader.read(place.get_mut(at..).unwrap_or_default()) {
        at += read;
    }
    Ok(bytes)
}

/// Zeros, or an error where there is no memory for them.
fn room(count: u64) -> Result<Arc<[u8]>, FormatError> {
    let length = usize::try_from(count).map_err(|_| FormatError::Memory { needed_bytes: count })?;
    // Shared memory cannot be asked for with an answer: what is given back at once can be had again.
    drop(reserved::<u8>(length)?);
    Ok(std::iter::repeat_n(0, length).collect())
}

/// Text of a header: what is not UTF-8 is replaced.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
