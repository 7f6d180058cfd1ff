//! Stored sample values in the narrowest type that holds them exactly.

/// Stored sample values, before any rescaling.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// Unsigned, up to 8 bits.
    U8(Vec<u8>),
    /// Unsigned, up to 16 bits.
    U16(Vec<u16>),
    /// Signed, up to 16 bits.
    I16(Vec<i16>),
    /// Unsigned, up to 32 bits.
    U32(Vec<u32>),
    /// Signed, up to 32 bits.
    I32(Vec<i32>),
    /// Floating point.
    F32(Vec<f32>),
    /// Floating point, and integers of 64 bits.
    F64(Vec<f64>),
}

/// Runs an expression on the vector of whichever type it is.
macro_rules! each {
    ($samples:expr, $vector:ident => $body:expr) => {
        match $samples {
            Samples::U8($vector) => $body,
            Samples::U16($vector) => $body,
            Samples::I16($vector) => $body,
            Samples::U32($vector) => $body,
            Samples::I32($vector) => $body,
            Samples::F32($vector) => $body,
            Samples::F64($vector) => $body,
        }
    };
}

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        each!(self, v => v.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One sample. Every type but 64-bit integers above 2^53 is exact.
    pub fn get(&self, index: usize) -> Option<f64> {
        match self {
            Self::U8(v) => v.get(index).copied().map(f64::from),
            Self::U16(v) => v.get(index).copied().map(f64::from),
            Self::I16(v) => v.get(index).copied().map(f64::from),
            Self::U32(v) => v.get(index).copied().map(f64::from),
            Self::I32(v) => v.get(index).copied().map(f64::from),
            Self::F32(v) => v.get(index).copied().map(f64::from),
            Self::F64(v) => v.get(index).copied(),
        }
    }

    /// All samples in order.
    pub fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}
