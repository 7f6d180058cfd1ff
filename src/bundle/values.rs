//! Values of a tensor in the element type that a file stores them in.
//!
//! Comes in: numbers of one of three types. Goes out: the same, or widened to f32. Nothing here
//! fails.

use half::f16;
use half::slice::HalfFloatSliceExt;

/// Row-major values of a tensor, or of some rows of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// As they are computed with.
    F32(Vec<f32>),
    /// Half the memory.
    F16(Vec<f16>),
    /// A quarter of the memory.
    I8(ScaledRows),
}

/// Rows of 8-bit integers: a value is its integer times the scale of its row.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledRows {
    /// Row-major integers.
    pub integers: Vec<i8>,
    /// One factor a row along the first axis.
    pub scales: Vec<f32>,
}

impl Values {
    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F16(values) => values.len(),
            Self::I8(rows) => rows.integers.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first value that is no finite number.
    pub fn first_not_finite(&self) -> Option<usize> {
        match self {
            Self::F32(values) if floats_are_finite(values) => None,
            Self::F32(values) => values.iter().position(|v| !v.is_finite()),
            Self::F16(values) if halves_are_finite(values) => None,
            Self::F16(values) => values.iter().position(|v| !v.is_finite()),
            Self::I8(rows) => {
                // The lowest integer is -128.
                let row = rows.scales.iter().position(|scale| !(128.0 * scale).is_finite())?;
                Some(row * rows.row_len())
            }
        }
    }

    /// The values as f32.
    pub fn into_f32(self) -> Vec<f32> {
        match self {
            Self::F32(values) => values,
            Self::F16(values) => values.into_iter().map(f16::to_f32).collect(),
            Self::I8(rows) => rows.widened().collect(),
        }
    }

    /// Reserves room for more values without moving them later; a lack of memory is reported when they arrive.
    pub(crate) fn reserve(&mut self, more: usize) {
        let _ = match self {
            Self::F32(values) => values.try_reserve_exact(more),
            Self::F16(values) => values.try_reserve_exact(more),
            Self::I8(rows) => rows.integers.try_reserve_exact(more),
        };
    }

    /// These rows and those of `more` behind them.
    pub(crate) fn joined(mut self, more: Self) -> Self {
        self.append(more);
        self
    }

    /// Puts the rows of `more` behind these. Rows of two types become f32.
    pub fn append(&mut self, more: Self) {
        match (self, more) {
            (Self::F32(values), Self::F32(more)) => extend(values, more),
            (Self::F16(values), Self::F16(more)) => extend(values, more),
            (Self::I8(rows), Self::I8(more)) => {
                extend(&mut rows.integers, more.integers);
                extend(&mut rows.scales, more.scales);
            }
            (values, more) => {
                let mut widened = std::mem::replace(values, Self::F32(Vec::new())).into_f32();
                widened.extend(more.into_f32());
                *values = Self::F32(widened);
            }
        }
    }
}

/// A vector doubles when it grows, which for the largest matrices would be felt in a browser's memory.
fn extend<T>(values: &mut Vec<T>, more: Vec<T>) {
    values.reserve_exact(more.len());
    values.extend(more);
}

/// Whether no lane of a word has all the bits of `exponent`, which are neighbours with `lowest` the lowest of them and
/// one bit, `carry`, above: several numbers in one step, because all weights are checked while a person waits.
fn is_finite(word: u64, [exponent, lowest, carry]: [u64; 3]) -> bool {
    ((word & exponent) + lowest) & carry == 0
}

/// Whether all numbers of 16 bits are finite.
fn halves_are_finite(values: &[f16]) -> bool {
    let (first, words, last) = bytemuck::pod_align_to::<u16, u64>(values.reinterpret_cast());
    let lanes = [0x7c00, 0x0400, 0x8000].map(|lane: u64| lane * 0x0001_0001_0001_0001);
    let whole = words.iter().all(|word| is_finite(*word, lanes));
    whole && first.iter().chain(last).all(|bits| f16::from_bits(*bits).is_finite())
}

/// Whether all numbers of 32 bits are finite.
fn floats_are_finite(values: &[f32]) -> bool {
    let (first, words, last) = bytemuck::pod_align_to::<f32, u64>(values);
    let lanes = [0x7f80_0000, 0x0080_0000, 0x8000_0000].map(|lane: u64| lane * 0x0000_0001_0000_0001);
    words.iter().all(|word| is_finite(*word, lanes)) && first.iter().chain(last).all(|v| v.is_finite())
}

impl ScaledRows {
    /// Integers a row.
    pub fn row_len(&self) -> usize {
        // `max(1)`: a tensor without elements has no rows to walk, and 0 is no chunk size.
        (self.integers.len() / self.scales.len().max(1)).max(1)
    }

    fn widened(&self) -> impl Iterator<Item = f32> {
        let rows = self.integers.chunks_exact(self.row_len()).zip(&self.scales);
        rows.flat_map(|(row, scale)| row.iter().map(move |integer| f32::from(*integer) * scale))
    }
}

impl From<Vec<f32>> for Values {
    fn from(values: Vec<f32>) -> Self {
        Self::F32(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halves(values: &[f32]) -> Values {
        Values::F16(values.iter().copied().map(f16::from_f32).collect())
    }

    fn scaled(integers: &[i8], scales: &[f32]) -> Values {
        Values::I8(ScaledRows { integers: integers.to_vec(), scales: scales.to_vec() })
    }

    #[test]
    fn rows_of_one_type_keep_it_and_of_two_become_f32() {
        let mut values = scaled(&[1, -2], &[0.5]);
        values.append(scaled(&[3, 4], &[2.0]));
        assert_eq!(values, scaled(&[1, -2, 3, 4], &[0.5, 2.0]));
        assert_eq!(values.len(), 4);
        values.append(halves(&[7.0, 8.0]));
        assert_eq!(values, Values::F32(vec![0.5, -1.0, 6.0, 8.0, 7.0, 8.0]));
        let mut values = halves(&[1.5]);
        values.append(halves(&[-2.5]));
        assert_eq!(values, halves(&[1.5, -2.5]));
    }

    #[test]
    fn finds_what_is_not_finite() {
        // At every place of a word, and before and after whole words.
        let largest = half::f16::MAX.to_f32();
        for (wrong, at) in
            [f32::INFINITY, f32::NEG_INFINITY, f32::NAN].into_iter().flat_map(|v| (0..11).map(move |n| (v, n)))
        {
            let mut values = vec![-largest, 0.0, 1.0, largest, -1.5, 2.0, -largest, largest, 3.0, -0.0, 1e-7];
            assert_eq!(halves(&values).first_not_finite(), None);
            values[2] = f32::MIN;
            values[4] = f32::MAX;
            assert_eq!(Values::F32(values.clone()).first_not_finite(), None);
            values[at] = wrong;
            assert_eq!(Values::F32(values.clone()).first_not_finite(), Some(at));
            values[2] = if at == 2 { wrong } else { 1.0 };
            values[4] = if at == 4 { wrong } else { 1.0 };
            assert_eq!(halves(&values).first_not_finite(), Some(at));
        }
        assert_eq!(scaled(&[1, 2, 3, 4], &[1.0, f32::NAN]).first_not_finite(), Some(2));
        assert_eq!(scaled(&[1, 2], &[1.0]).first_not_finite(), None);
        assert!(scaled(&[], &[]).into_f32().is_empty());
    }
}
