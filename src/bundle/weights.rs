//! Tensors on a device, waiting to be built into towers.
//!
//! Comes in: [`TensorPart`]s as shards are decoded, handed to the device at once so that the host
//! copy can go. Goes out: whole tensors of the shape asked for. Fails with
//! [`BundleError::MissingTensor`] or [`BundleError::Shape`].

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};

use crate::bundle::error::BundleError;
use crate::bundle::source::TensorPart;

const COPY_HINT: &str = "copy the whole bundle folder, or convert the checkpoint again";

/// Rows of a tensor on the device.
struct Rows {
    range: [usize; 2],
    values: Tensor<1>,
}

/// A tensor of which some rows have arrived.
struct Collected {
    shape: Vec<usize>,
    parts: Vec<Rows>,
}

/// Tensors by canonical name.
#[derive(Default)]
pub struct Weights {
    tensors: BTreeMap<String, Collected>,
}

impl Weights {
    /// No tensors yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands a part to the device.
    ///
    /// # Errors
    /// [`BundleError::Shape`] where the part has not as many values as its rows need, or where an
    /// earlier part of the tensor named another shape or already brought one of the rows.
    pub fn insert(&mut self, part: TensorPart, device: &Device) -> Result<(), BundleError> {
        let range = part.row_range();
        let row_len: usize = part.shape.iter().skip(1).product();
        let count = part.values.len();
        if range[0] > range[1] || count != (range[1] - range[0]) * row_len {
            return Err(shape_error(&part.name, &part.shape, vec![count], "the file does not hold the listed rows"));
        }
        let entry = self
            .tensors
            .entry(part.name.clone())
            .or_insert_with(|| Collected { shape: part.shape.clone(), parts: Vec::new() });
        if entry.shape != part.shape {
            return Err(shape_error(&part.name, &entry.shape, part.shape, "two files disagree about this tensor"));
        }
        if entry.parts.iter().any(|p| range[0] < p.range[1] && p.range[0] < range[1]) {
            return Err(shape_error(&part.name, &entry.shape, part.shape, "two files hold the same rows of it"));
        }
        let values = Tensor::from_data(TensorData::new(part.values, [count]), device);
        entry.parts.push(Rows { range, values });
        Ok(())
    }

    /// Puts in a whole tensor that is on the device already, flattened. Gradients flow through it.
    pub fn insert_flat(&mut self, name: &str, shape: &[usize], values: Tensor<1>) {
        let range = [0, shape.first().copied().unwrap_or(1)];
        let whole = Collected { shape: shape.to_vec(), parts: vec![Rows { range, values }] };
        self.tensors.insert(name.to_owned(), whole);
    }

    /// Whether a tensor of this name has arrived, whole or in part.
    pub fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Shape of the whole tensor of this name.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|t| t.shape.as_slice())
    }

    /// Takes a whole tensor out.
    ///
    /// # Errors
    /// [`BundleError::MissingTensor`] where it, or some of its rows, never arrived;
    /// [`BundleError::Shape`] where it has another shape.
    pub fn take<const D: usize>(&mut self, name: &str, shape: [usize; D]) -> Result<Tensor<D>, BundleError> {
        self.take_optional(name, shape)?
            .ok_or_else(|| BundleError::MissingTensor { name: name.to_owned(), hint: COPY_HINT.to_owned() })
    }

    /// Takes a tensor out where there is one of this name.
    ///
    /// # Errors
    /// As [`Weights::take`], but `None` where the name is unknown.
    pub fn take_optional<const D: usize>(
        &mut self,
        name: &str,
        shape: [usize; D],
    ) -> Result<Option<Tensor<D>>, BundleError> {
        let Some(mut found) = self.tensors.remove(name) else { return Ok(None) };
        if found.shape != shape {
            return Err(shape_error(name, &shape, found.shape, "the manifest and the model disagree; convert again"));
        }
        found.parts.sort_by_key(|p| p.range[0]);
        let rows = shape.first().copied().unwrap_or(1);
        let end = found.parts.iter().try_fold(0, |end, p| (p.range[0] == end).then_some(p.range[1]));
        if end != Some(rows) {
            let there: Vec<_> = found.parts.iter().map(|p| format!("{}..{}", p.range[0], p.range[1])).collect();
            return Err(BundleError::MissingTensor {
                name: name.to_owned(),
                hint: format!("only rows {} of {rows} are there: {COPY_HINT}", there.join(", ")),
            });
        }
        let mut parts: Vec<Tensor<1>> = found.parts.into_iter().map(|p| p.values).collect();
        let whole = match parts.pop() {
            Some(only) if parts.is_empty() => only,
            Some(last) => {
                parts.push(last);
                Tensor::cat(parts, 0)
            }
            None => return Ok(None),
        };
        Ok(Some(whole.reshape(shape)))
    }

    /// Takes a linear weight stored as `[out, in]` out, transposed to `[in, out]` for `x · W`.
    ///
    /// # Errors
    /// As [`Weights::take`].
    pub fn take_linear(&mut self, name: &str, shape: [usize; 2]) -> Result<Tensor<2>, BundleError> {
        Ok(self.take(name, shape)?.transpose())
    }

    /// Names of what nobody has taken yet, sorted.
    pub fn remaining(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }
}

fn shape_error(name: &str, expected: &[usize], found: Vec<usize>, hint: &str) -> BundleError {
    BundleError::Shape { name: name.to_owned(), expected: expected.to_vec(), found, hint: hint.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(rows: Option<[usize; 2]>, values: &[f32]) -> TensorPart {
        TensorPart { name: "w".to_owned(), shape: vec![3, 2], rows, values: values.to_vec() }
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_to_vec::<f32>().unwrap()
    }

    #[test]
    fn joins_rows_in_any_order() {
        let device = Device::flex();
        let mut weights = Weights::new();
        weights.insert(part(Some([2, 3]), &[5.0, 6.0]), &device).unwrap();
        weights.insert(part(Some([0, 2]), &[1.0, 2.0, 3.0, 4.0]), &device).unwrap();
        assert_eq!(weights.remaining(), ["w"]);
        assert_eq!(values(weights.take("w", [3, 2]).unwrap()), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert!(weights.remaining().is_empty());
    }

    #[test]
    fn gives_linear_weights_transposed() {
        let device = Device::flex();
        let mut weights = Weights::new();
        weights.insert(part(None, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), &device).unwrap();
        let w = weights.take_linear("w", [3, 2]).unwrap();
        assert_eq!(w.dims(), [2, 3]);
        assert_eq!(values(w), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    }

    #[test]
    fn says_what_is_missing_or_wrong() {
        let device = Device::flex();
        let mut weights = Weights::new();
        assert!(matches!(weights.take("w", [3, 2]), Err(BundleError::MissingTensor { .. })));
        assert!(weights.take_optional("w", [3, 2]).unwrap().is_none());
        weights.insert(part(Some([1, 3]), &[0.0; 4]), &device).unwrap();
        assert!(matches!(weights.insert(part(Some([2, 3]), &[0.0; 2]), &device), Err(BundleError::Shape { .. })));
        assert!(matches!(weights.insert(part(Some([0, 1]), &[0.0; 3]), &device), Err(BundleError::Shape { .. })));
        let message = weights.take("w", [3, 2]).unwrap_err().to_string();
        assert!(message.contains("1..3 of 3"), "{message}");
        weights.insert(part(None, &[0.0; 6]), &device).unwrap();
        assert!(matches!(weights.take("w", [2, 3]), Err(BundleError::Shape { .. })));
    }
}
