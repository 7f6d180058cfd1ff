//! Weights as a bundle stores them, and packed for the product.
//!
//! Comes in: [`NormWeights`] and [`LinearWeights`]. Goes out: what the arithmetic reads by address.
//! Fails with [`ShapeError`] if one has another length than the geometry requires. The element type
//! stays: weights of two bytes or one take two bytes or one.

use crate::raw::{LinearCall, NormCall, PANEL, Storage, pack_bytes, pack_columns};
use crate::shape::{ShapeError, check};

/// Weights of a layer norm.
#[derive(Clone, Debug)]
pub struct NormWeights {
    /// `[width]`
    pub gamma: Vec<f32>,
    /// `[width]`
    pub beta: Vec<f32>,
}

/// A matrix `[out, in]` in the type it is stored in.
#[derive(Clone, Debug)]
pub enum Matrix {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// Bit patterns of finite 16-bit floats.
    F16(Vec<u16>),
    /// Integers, and for each of the `out` rows what one of them is worth.
    I8 {
        /// `[out, in]`
        integers: Vec<i8>,
        /// `[out]`
        steps: Vec<f32>,
    },
}

/// Weights of an affine map.
#[derive(Clone, Debug)]
pub struct LinearWeights {
    /// `[out, in]`
    pub weight: Matrix,
    /// `[out]`
    pub bias: Vec<f32>,
    /// `[out]`: what the result is scaled by (a layer scale).
    pub scale: Option<Vec<f32>>,
}

/// A packed matrix.
#[derive(Clone, Debug)]
enum Packed {
    F32(Vec<f32>),
    F16(Vec<u16>),
    I8 { bytes: Vec<i8>, steps: Vec<f32>, totals: Vec<f32> },
}

/// An affine map with its weight packed.
#[derive(Clone, Debug)]
pub(crate) struct Linear {
    packed: Packed,
    bias: Vec<f32>,
    scale: Option<Vec<f32>>,
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
}

impl NormWeights {
    pub(crate) fn check(&self, what: &'static str, width: usize) -> Result<(), ShapeError> {
        check(what, width, self.gamma.len())?;
        check(what, width, self.beta.len())
    }

    pub(crate) fn call(&self) -> NormCall {
        NormCall { gamma: self.gamma.as_ptr(), beta: self.beta.as_ptr() }
    }
}

impl Packed {
    /// For `outputs` and `inputs` that are multiples of the packed panel.
    fn new(what: &'static str, weight: Matrix, outputs: usize, inputs: usize) -> Result<Self, ShapeError> {
        let count = outputs * inputs;
        let rows = (inputs, 1);
        let panel = (PANEL, inputs);
        Ok(match weight {
            Matrix::F32(values) => {
                check(what, count, values.len())?;
                // SAFETY: both hold a panel.
                Self::F32(by_panels(values, inputs, |from, to| unsafe { pack_columns(from, rows, panel, to) }))
            }
            Matrix::F16(values) => {
                check(what, count, values.len())?;
                // SAFETY: both hold a panel.
                Self::F16(by_panels(values, inputs, |from, to| unsafe { pack_columns(from, rows, panel, to) }))
            }
            Matrix::I8 { integers, steps } => {
                check(what, count, integers.len())?;
                check(what, outputs, steps.len())?;
                let total = |row: &[i8]| row.iter().map(|v| i32::from(*v)).sum::<i32>() as f32;
                let totals = integers.chunks_exact(inputs).zip(&steps).map(|(row, step)| total(row) * step).collect();
                // SAFETY: both hold a panel.
                let bytes = by_panels(integers, inputs, |from, to| unsafe { pack_bytes(from, panel, to) });
                Self::I8 { bytes, steps, totals }
            }
        })
    }
}

/// Packs a matrix `[out, in]` in its own memory: a panel of rows takes the same place before and after.
fn by_panels<T: Copy>(mut values: Vec<T>, inputs: usize, pack: impl Fn(*const T, *mut T)) -> Vec<T> {
    let mut rows = Vec::with_capacity(PANEL * inputs);
    for panel in values.chunks_exact_mut(PANEL * inputs) {
        rows.clear();
        rows.extend_from_slice(panel);
        pack(rows.as_ptr(), panel.as_mut_ptr());
    }
    values
}

impl Linear {
    /// For `outputs` and `inputs` that are multiples of the packed panel.
    pub(crate) fn new(
        what: &'static str,
        from: LinearWeights,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, ShapeError> {
        check(what, outputs, from.bias.len())?;
        if let Some(scale) = &from.scale {
            check(what, outputs, scale.len())?;
        }
        let packed = Packed::new(what, from.weight, outputs, inputs)?;
        Ok(Self { packed, bias: from.bias, scale: from.scale, outputs, inputs })
    }

    /// How this map is multiplied where bytes may be multiplied as bytes, or may not.
    pub(crate) fn storage(&self, by_bytes: bool) -> Storage {
        match self.packed {
            Packed::F32(_) => Storage::F32,
            Packed::F16(_) => Storage::F16,
            Packed::I8 { .. } if by_bytes => Storage::I8ByBytes,
            Packed::I8 { .. } => Storage::I8,
        }
    }

    pub(crate) fn call(&self, by_bytes: bool) -> LinearCall {
        let none = core::ptr::null;
        let (weight, steps, totals) = match &self.packed {
            Packed::F32(values) => (values.as_ptr().cast(), none(), none()),
            Packed::F16(values) => (values.as_ptr().cast(), none(), none()),
            Packed::I8 { bytes, steps, totals } => (bytes.as_ptr().cast(), steps.as_ptr(), totals.as_ptr()),
        };
        let scale = self.scale.as_ref().map_or(none(), |s| s.as_ptr());
        LinearCall { storage: self.storage(by_bytes), weight, steps, totals, bias: self.bias.as_ptr(), scale }
    }
}
