//! From stored samples to values with a meaning, and from values to brightness.

use std::sync::Arc;

/// A lookup table: what is below its first input takes the first entry, what is above its last the last one.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Input that takes the first entry.
    pub first: i32,
    /// Outputs, shared by the frames of a file.
    pub entries: Arc<[u16]>,
    /// Bits of an output.
    pub bits: u8,
}

impl Table {
    /// The entry for an input; 0 from an empty table.
    pub fn look_up(&self, input: f64) -> f64 {
        let last = self.entries.len().saturating_sub(1);
        // `as usize` cuts negative and too large numbers to the range, and turns NaN into 0.
        let index = ((input.round() - f64::from(self.first)) as usize).min(last);
        self.entries.get(index).copied().map_or(0.0, f64::from)
    }

    /// Largest output.
    pub(crate) fn top(&self) -> f64 {
        f64::from(self.bits.clamp(1, 16)).exp2() - 1.0
    }
}

/// How a stored sample becomes a value.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueMap {
    /// `value = stored * slope + intercept`
    Linear {
        /// Factor.
        slope: f64,
        /// What is added.
        intercept: f64,
    },
    /// A modality lookup table.
    Table(Table),
}

impl ValueMap {
    /// Values are the stored samples.
    pub const STORED: Self = Self::Linear { slope: 1.0, intercept: 0.0 };

    /// The value of a stored sample.
    pub fn apply(&self, stored: f64) -> f64 {
        match self {
            Self::Linear { slope, intercept } => stored * slope + intercept,
            Self::Table(table) => table.look_up(stored),
        }
    }
}

/// The curve of a window.
#[derive(Debug, Clone, PartialEq)]
pub enum WindowShape {
    /// DICOM's LINEAR (PS3.3 C.11.2.1.2.1): half a unit narrower than it says.
    Linear {
        /// Value that becomes the middle.
        center: f64,
        /// Range from black to white, above 0.
        width: f64,
    },
    /// DICOM's LINEAR_EXACT.
    LinearExact {
        /// Value that becomes the middle.
        center: f64,
        /// Range from black to white, above 0.
        width: f64,
    },
    /// DICOM's SIGMOID.
    Sigmoid {
        /// Value that becomes the middle.
        center: f64,
        /// Width of the slope, above 0.
        width: f64,
    },
    /// A VOI lookup table.
    Table(Table),
}

/// A way to show the values that the file proposes.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// What the file calls it, if it does.
    pub name: Option<String>,
    /// Its curve.
    pub shape: WindowShape,
}

impl Preset {
    /// Brightness of a value, 0 to 1.
    pub fn apply(&self, value: f64) -> f64 {
        let level = match &self.shape {
            WindowShape::Linear { center, width } => {
                let reach = width - 1.0;
                let offset = value - (center - 0.5);
                // A width of 1 is a threshold.
                if reach <= 0.0 { f64::from(u8::from(offset > 0.0)) } else { offset / reach + 0.5 }
            }
            WindowShape::LinearExact { center, width } => (value - center) / width + 0.5,
            WindowShape::Sigmoid { center, width } => 1.0 / (1.0 + (-4.0 * (value - center) / width).exp()),
            WindowShape::Table(table) => table.look_up(value) / table.top(),
        };
        if level.is_nan() { 0.0 } else { level.clamp(0.0, 1.0) }
    }

    /// Center and width, where the curve has them.
    pub fn center_width(&self) -> Option<(f64, f64)> {
        match self.shape {
            WindowShape::Linear { center, width }
            | WindowShape::LinearExact { center, width }
            | WindowShape::Sigmoid { center, width } => Some((center, width)),
            WindowShape::Table(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preset(shape: WindowShape) -> Preset {
        Preset { name: None, shape }
    }

    #[test]
    fn windows_follow_the_standard() {
        // PS3.3 C.11.2.1.2.1, note 4: c = 2048, w = 4096 maps 0..4095 onto the whole range.
        let linear = preset(WindowShape::Linear { center: 2048.0, width: 4096.0 });
        assert_eq!([-1.0, 0.0, 4095.0, 9000.0].map(|v| linear.apply(v)), [0.0, 0.0, 1.0, 1.0]);
        let threshold = preset(WindowShape::Linear { center: 10.0, width: 1.0 });
        assert_eq!([9.0, 9.5, 10.0].map(|v| threshold.apply(v)), [0.0, 0.0, 1.0]);
        let exact = preset(WindowShape::LinearExact { center: 10.0, width: 20.0 });
        assert_eq!([0.0, 5.0, 10.0, 20.0].map(|v| exact.apply(v)), [0.0, 0.25, 0.5, 1.0]);
        let sigmoid = preset(WindowShape::Sigmoid { center: 10.0, width: 20.0 });
        assert_eq!(sigmoid.apply(10.0), 0.5);
        assert!((sigmoid.apply(15.0) - 1.0 / (1.0 + (-1f64).exp())).abs() < 1e-12);
        assert_eq!(exact.apply(f64::NAN), 0.0);
    }

    #[test]
    fn tables_hold_their_ends() {
        let table = Table { first: -2, entries: vec![5, 6, 7].into(), bits: 3 };
        assert_eq!([-9.0, -2.0, -1.0, 0.0, 9.0].map(|v| table.look_up(v)), [5.0, 5.0, 6.0, 7.0, 7.0]);
        assert_eq!(preset(WindowShape::Table(table)).apply(0.0), 1.0);
    }
}
