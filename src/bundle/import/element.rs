//! Element types of checkpoints, and how their bytes become f32.
//!
//! Comes in: a reader that stands at the first element. Goes out: f32 values. Fails with the
//! reader's error if the bytes end too early. Memory beside the values is one small buffer.

use std::io::{self, Read};

use half::{bf16, f16};

/// A multiple of every element size.
const BUFFER_BYTES: usize = 256 * 1024;

/// Type of a stored element. All are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// 64-bit float.
    F64,
    /// 32-bit float.
    F32,
    /// 16-bit float.
    F16,
    /// Upper half of a 32-bit float.
    BF16,
    /// 64-bit integer.
    I64,
    /// 32-bit integer.
    I32,
    /// 16-bit integer.
    I16,
    /// 8-bit integer.
    I8,
    /// 8-bit unsigned integer.
    U8,
    /// One byte, 0 or 1.
    Bool,
}

impl Element {
    /// Size in bytes.
    pub fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::BF16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// The type of a torch storage class such as `torch HalfStorage`.
    pub fn from_torch_storage(class: &str) -> Option<Self> {
        Some(match class.rsplit(['.', ' ']).next()? {
            "DoubleStorage" => Self::F64,
            "FloatStorage" => Self::F32,
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::BF16,
            "LongStorage" => Self::I64,
            "IntStorage" => Self::I32,
            "ShortStorage" => Self::I16,
            "CharStorage" => Self::I8,
            "ByteStorage" => Self::U8,
            "BoolStorage" => Self::Bool,
            _ => return None,
        })
    }

    /// The type of a safetensors `dtype`.
    pub fn from_safetensors(dtype: &str) -> Option<Self> {
        Some(match dtype {
            "F64" => Self::F64,
            "F32" => Self::F32,
            "F16" => Self::F16,
            "BF16" => Self::BF16,
            "I64" => Self::I64,
            "I32" => Self::I32,
            "I16" => Self::I16,
            "I8" => Self::I8,
            "U8" => Self::U8,
            "BOOL" => Self::Bool,
            _ => return None,
        })
    }

    /// Reads `count` elements.
    ///
    /// # Errors
    /// The reader's.
    pub fn read(self, reader: &mut dyn Read, count: usize) -> io::Result<Vec<f32>> {
        let mut values = Vec::with_capacity(count);
        let mut buffer = vec![0; BUFFER_BYTES.min(count.saturating_mul(self.size()))];
        while values.len() < count {
            let bytes = BUFFER_BYTES.min((count - values.len()) * self.size());
            let chunk = buffer.get_mut(..bytes).unwrap_or_default();
            reader.read_exact(chunk)?;
            self.widen(chunk, &mut values);
        }
        Ok(values)
    }

    fn widen(self, bytes: &[u8], values: &mut Vec<f32>) {
        match self {
            Self::F64 => values.extend(bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32)),
            Self::F32 => values.extend(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b))),
            Self::F16 => values.extend(bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32())),
            Self::BF16 => values.extend(bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32())),
            Self::I64 => values.extend(bytes.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f32)),
            Self::I32 => values.extend(bytes.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b) as f32)),
            Self::I16 => values.extend(bytes.as_chunks().0.iter().map(|b| f32::from(i16::from_le_bytes(*b)))),
            Self::I8 => values.extend(bytes.iter().map(|b| f32::from(*b as i8))),
            Self::U8 | Self::Bool => values.extend(bytes.iter().map(|b| f32::from(*b))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widens_every_type() {
        let read = |element: Element, bytes: &[u8]| element.read(&mut &bytes[..], 1).unwrap()[0];
        assert_eq!(read(Element::F64, &(-2.5f64).to_le_bytes()), -2.5);
        assert_eq!(read(Element::F32, &1.5f32.to_le_bytes()), 1.5);
        assert_eq!(read(Element::F16, &[0x00, 0x3e]), 1.5);
        assert_eq!(read(Element::BF16, &[0xc0, 0x3f]), 1.5);
        assert_eq!(read(Element::I64, &(-7i64).to_le_bytes()), -7.0);
        assert_eq!(read(Element::I32, &(-7i32).to_le_bytes()), -7.0);
        assert_eq!(read(Element::I16, &(-7i16).to_le_bytes()), -7.0);
        assert_eq!(read(Element::I8, &[0xf9]), -7.0);
        assert_eq!(read(Element::U8, &[0xf9]), 249.0);
        assert_eq!(read(Element::Bool, &[1]), 1.0);
    }

    #[test]
    fn crosses_buffers_and_notices_the_end() {
        let bytes: Vec<u8> = (0..200_000u32).flat_map(|v| (v as f32).to_le_bytes()).collect();
        let values = Element::F32.read(&mut bytes.as_slice(), 200_000).unwrap();
        assert!(values.iter().enumerate().all(|(n, v)| *v == n as f32));
        assert!(Element::F32.read(&mut bytes.as_slice(), 200_001).is_err());
    }
}
