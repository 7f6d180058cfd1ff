//! Narrowing: f32 values become the bytes of a stored tensor.
//!
//! Comes in: rows of f32 values and an element type. Goes out: little-endian bytes, and for i8 one
//! f32 scale per row. Fails with [`BundleError::HalfOverflow`] if f16 cannot hold a value.

use half::f16;

use crate::bundle::error::BundleError;
use crate::bundle::manifest::{Dtype, Group};

/// Largest magnitude of an i8 value: symmetric, so −128 is not used.
const I8_MAX: f32 = 127.0;

/// Element type a tensor is stored in when a bundle is to be of type `wanted`.
///
/// Vectors stay f32: they are small, and norms and biases are what rounding hurts most. So do the
/// position table, which is a sum's operand and not a product's, and text features, whose rounding
/// a factor of 100 would magnify in the logits.
pub fn stored_dtype(name: &str, shape: &[usize], group: Group, wanted: Dtype) -> Dtype {
    let keep = shape.len() < 2 || group == Group::Prompts || name.ends_with("position_embedding");
    if keep { Dtype::F32 } else { wanted }
}

/// Bytes of one element.
pub fn element_bytes(dtype: Dtype) -> usize {
    match dtype {
        Dtype::F32 => 4,
        Dtype::F16 => 2,
        Dtype::I8 => 1,
    }
}

/// Bytes of one row with its scale.
pub fn row_bytes(row_len: usize, dtype: Dtype) -> usize {
    row_len * element_bytes(dtype) + if dtype == Dtype::I8 { 4 } else { 0 }
}

/// Encoded rows.
pub struct Encoded {
    /// Values, row-major.
    pub bytes: Vec<u8>,
    /// f32 scales, one a row, for i8.
    pub scales: Option<Vec<u8>>,
}

/// Encodes `values`, whole rows of `row_len`. `first` is the index of the first value within the
/// whole tensor, for messages.
///
/// # Errors
/// [`BundleError::HalfOverflow`].
pub fn encode(name: &str, values: &[f32], row_len: usize, first: usize, dtype: Dtype) -> Result<Encoded, BundleError> {
    let mut bytes = Vec::with_capacity(values.len() * element_bytes(dtype));
    let mut scales = None;
    match dtype {
        Dtype::F32 => bytes.extend(values.iter().flat_map(|v| v.to_le_bytes())),
        Dtype::F16 => {
            for (n, value) in values.iter().enumerate() {
                let half = f16::from_f32(*value);
                if !half.is_finite() {
                    return Err(BundleError::HalfOverflow { name: name.to_owned(), index: first + n, value: *value });
                }
                bytes.extend(half.to_le_bytes());
            }
        }
        Dtype::I8 => {
            let mut row_scales = Vec::new();
            for row in values.chunks_exact(row_len.max(1)) {
                let largest = row.iter().fold(0.0f32, |m, v| m.max(v.abs()));
                let scale = largest / I8_MAX;
                row_scales.extend(scale.to_le_bytes());
                // A row of zeros (or of values too small for a scale) is stored as zeros.
                let quantised =
                    |v: &f32| if scale > 0.0 { (v / scale).round().clamp(-I8_MAX, I8_MAX) as i8 } else { 0 };
                bytes.extend(row.iter().map(|v| quantised(v) as u8));
            }
            scales = Some(row_scales);
        }
    }
    Ok(Encoded { bytes, scales })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i8_is_symmetric_per_row() {
        let encoded = encode("w", &[-2.0, 1.0, 0.0, 0.0, 127.0, -126.6], 2, 0, Dtype::I8).unwrap();
        assert_eq!(encoded.bytes, [(-127i8) as u8, 64, 0, 0, 127, (-127i8) as u8]);
        let scales = encoded.scales.unwrap();
        assert_eq!(scales[..4], (2.0f32 / 127.0).to_le_bytes());
        assert_eq!(scales[4..], [0.0f32.to_le_bytes(), 1.0f32.to_le_bytes()].concat());
    }

    #[test]
    fn f16_says_what_it_cannot_hold() {
        assert_eq!(encode("w", &[65504.0], 1, 0, Dtype::F16).unwrap().bytes, [0xff, 0x7b]);
        let error = encode("w", &[0.0, 65520.0], 2, 10, Dtype::F16).err().unwrap();
        assert!(matches!(error, BundleError::HalfOverflow { index: 11, .. }));
    }

    #[test]
    fn keeps_small_tensors_in_f32() {
        use Group::{Prompts, Vision};
        assert_eq!(stored_dtype("vision.ln_pre.bias", &[4], Vision, Dtype::F16), Dtype::F32);
        assert_eq!(stored_dtype("vision.position_embedding", &[5, 4], Vision, Dtype::I8), Dtype::F32);
        assert_eq!(stored_dtype("prompts.brain", &[4, 2], Prompts, Dtype::F16), Dtype::F32);
        assert_eq!(stored_dtype("vision.patch.weight", &[4, 5], Vision, Dtype::I8), Dtype::I8);
    }
}
