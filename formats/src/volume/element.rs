//! Types of voxels.

use crate::bytes::Order;
use crate::limits::reserved;
use crate::{FormatError, Samples};

/// Type of a voxel, or of one channel of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl Element {
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// The value at a byte.
    pub(crate) fn value(self, order: Order, bytes: &[u8], at: usize) -> Option<f64> {
        Some(match self {
            Self::U8 => f64::from(*bytes.get(at)?),
            Self::I8 => f64::from(bytes.get(at)?.cast_signed()),
            Self::U16 => f64::from(order.u16(bytes, at)?),
            Self::I16 => f64::from(order.i16(bytes, at)?),
            Self::U32 => f64::from(order.u32(bytes, at)?),
            Self::I32 => f64::from(order.u32(bytes, at)?.cast_signed()),
            Self::U64 => order.u64(bytes, at)? as f64,
            Self::I64 => order.u64(bytes, at)?.cast_signed() as f64,
            Self::F32 => f64::from(order.f32(bytes, at)?),
            Self::F64 => order.f64(bytes, at)?,
        })
    }

    /// Values of this type in the narrowest vector that holds them.
    pub(crate) fn samples(self, values: impl Iterator<Item = f64>, count: usize) -> Result<Samples, FormatError> {
        /// Collects with the room checked before.
        fn collect<T>(values: impl Iterator<Item = T>, count: usize) -> Result<Vec<T>, FormatError> {
            let mut collected = reserved(count)?;
            collected.extend(values.take(count));
            Ok(collected)
        }
        Ok(match self {
            Self::U8 => Samples::U8(collect(values.map(|v| v as u8), count)?),
            Self::U16 => Samples::U16(collect(values.map(|v| v as u16), count)?),
            Self::I8 | Self::I16 => Samples::I16(collect(values.map(|v| v as i16), count)?),
            Self::U32 => Samples::U32(collect(values.map(|v| v as u32), count)?),
            Self::I32 => Samples::I32(collect(values.map(|v| v as i32), count)?),
            Self::F32 => Samples::F32(collect(values.map(|v| v as f32), count)?),
            Self::U64 | Self::I64 | Self::F64 => Samples::F64(collect(values, count)?),
        })
    }
}
