//! Tensors of a bundle, waiting to be built into towers.
//!
//! Comes in: [`TensorPart`]s as shards are decoded. They wait in the element type they are stored
//! in, so that a bundle of 16-bit floats takes no more than its files; weights of linear layers for
//! a graphics device go there at once, so that the host copy can go. Goes out: whole tensors of the
//! shape asked for, widened on a device or as they are stored. Fails with
//! [`BundleError::MissingTensor`] or [`BundleError::Shape`].

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};
use burn_wgpu::{CubeBackend, CubeTensor};

use crate::bundle::error::BundleError;
#[cfg(not(target_arch = "wasm32"))]
use crate::bundle::manifest::Group;
use crate::bundle::names::is_linear;
use crate::bundle::source::TensorPart;
#[cfg(not(target_arch = "wasm32"))]
use crate::bundle::store::BundleFolder;
use crate::bundle::values::Values;
use crate::compute::cpu::from_values;
use crate::compute::gpu::{Matrix, Packing, Queue};

const COPY_HINT: &str = "copy the whole bundle folder, or convert the checkpoint again";

/// Rows of a tensor.
struct Rows {
    range: [usize; 2],
    /// None if the device has them.
    values: Option<Values>,
}

/// A tensor that is on a device.
enum OnDevice {
    /// Flattened.
    Tensor(Box<Tensor<1>>),
    /// A linear weight, which may still lack rows.
    Matrix(Box<Matrix>),
}

/// A tensor of which some rows have arrived.
struct Collected {
    shape: Vec<usize>,
    on_device: Option<OnDevice>,
    parts: Vec<Rows>,
}

impl Collected {
    /// Takes rows in; those that come in order lie together from the start, so that the memory of large matrices is
    /// asked for once.
    fn keep(&mut self, range: [usize; 2], mut values: Values, row_len: usize) {
        match self.parts.last_mut() {
            Some(Rows { range: before, values: Some(first) }) if before[1] == range[0] => {
                first.append(values);
                before[1] = range[1];
            }
            _ => {
                let rows = self.shape.first().copied().unwrap_or(1);
                values.reserve(rows.saturating_sub(range[1]).saturating_mul(row_len));
                self.parts.push(Rows { range, values: Some(values) });
            }
        }
    }
}

/// Tensors by canonical name, for one device.
pub struct Weights {
    tensors: BTreeMap<String, Collected>,
    device: Device,
    /// Of a graphics device.
    queue: Option<Queue>,
}

impl Weights {
    /// No tensors yet, for use on `device`.
    pub fn on(device: &Device) -> Self {
        Self { tensors: BTreeMap::new(), device: device.clone(), queue: Queue::of(device) }
    }

    /// The tensors of some groups of a bundle.
    ///
    /// # Errors
    /// As [`BundleFolder::visit`] and [`Weights::insert`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn load(bundle: &BundleFolder, groups: &[Group], device: &Device) -> Result<Self, BundleError> {
        let mut weights = Self::on(device);
        bundle.visit(groups, |part| weights.insert(part))?;
        Ok(weights)
    }

    /// Takes a part in.
    ///
    /// # Errors
    /// [`BundleError::Shape`] if the part has not as many values as its rows need, or does not go
    /// with an earlier part of the tensor; [`BundleError::Placement`] if it is stored in another type.
    pub fn insert(&mut self, part: TensorPart) -> Result<(), BundleError> {
        let range = part.row_range();
        let row_len: usize = part.shape.iter().skip(1).product();
        let count = part.values.len();
        if range[0] > range[1] || count != (range[1] - range[0]) * row_len {
            return Err(shape_error(&part.name, &part.shape, vec![count], "the file does not hold the listed rows"));
        }
        let queue = self.queue.as_ref().filter(|_| is_linear(&part.name));
        let entry = self.tensors.entry(part.name.clone()).or_insert_with(|| Collected {
            shape: part.shape.clone(),
            on_device: queue
                .and_then(|queue| Matrix::new(queue, &part.shape, Packing::of(&part.values)))
                .map(|matrix| OnDevice::Matrix(Box::new(matrix))),
            parts: Vec::new(),
        });
        if entry.shape != part.shape {
            return Err(shape_error(&part.name, &entry.shape, part.shape, "two files disagree about this tensor"));
        }
        if entry.parts.iter().any(|p| range[0] < p.range[1] && p.range[0] < range[1]) {
            return Err(shape_error(&part.name, &entry.shape, part.shape, "two files hold the same rows of it"));
        }
        match &entry.on_device {
            None => entry.keep(range, part.values, row_len),
            Some(OnDevice::Matrix(matrix)) if matrix.put(range[0], part.values) => {
                entry.parts.push(Rows { range, values: None });
            }
            Some(_) => {
                return Err(placement(
                    &part.name,
                    "two files store it in different types; get a fresh copy of the model",
                ));
            }
        }
        Ok(())
    }

    /// Puts in a whole tensor that is on the device already, flattened. Gradients flow through it.
    pub fn insert_flat(&mut self, name: &str, shape: &[usize], values: Tensor<1>) {
        let range = [0, shape.first().copied().unwrap_or(1)];
        let parts = vec![Rows { range, values: None }];
        let on_device = Some(OnDevice::Tensor(Box::new(values)));
        self.tensors.insert(name.to_owned(), Collected { shape: shape.to_vec(), on_device, parts });
    }

    /// Takes a whole tensor out, as f32 on its device.
    ///
    /// # Errors
    /// [`BundleError::MissingTensor`] if it, or some of its rows, never arrived;
    /// [`BundleError::Shape`] if it has another shape.
    pub fn take<const D: usize>(&mut self, name: &str, shape: [usize; D]) -> Result<Tensor<D>, BundleError> {
        let found = self.complete(name, &shape)?;
        Ok(match found.on_device {
            Some(OnDevice::Tensor(values)) => values.reshape(shape),
            Some(OnDevice::Matrix(matrix)) => {
                Tensor::<2>::from_primitive::<CubeBackend>(matrix.widened()).reshape(shape)
            }
            None => {
                let values = join(found.parts).into_f32();
                let count = values.len();
                from_values(values, [count], &self.device).reshape(shape)
            }
        })
    }

    /// Takes a whole tensor out as it is stored, its rows joined.
    ///
    /// # Errors
    /// As [`Weights::take`], and [`BundleError::Placement`] if a graphics device has its values.
    pub fn take_values(&mut self, name: &str, shape: &[usize]) -> Result<Values, BundleError> {
        let found = self.complete(name, shape)?;
        match found.on_device {
            None => Ok(join(found.parts)),
            Some(OnDevice::Tensor(values)) => values
                .into_data()
                .try_into_vec::<f32>()
                .map(Values::F32)
                .map_err(|e| placement(name, &format!("the device did not hand it back: {e}"))),
            Some(OnDevice::Matrix(_)) => {
                Err(placement(name, "it is on the graphics device; choose the cpu device, or kernels of this one"))
            }
        }
    }

    /// Takes a linear weight `[out, in]` out for a graphics device, as narrow as it is stored.
    ///
    /// # Errors
    /// As [`Weights::take`], and [`BundleError::Placement`] if there is no such device.
    pub(crate) fn take_matrix(&mut self, name: &str, shape: [usize; 2]) -> Result<Matrix, BundleError> {
        let found = self.complete(name, &shape)?;
        if let Some(OnDevice::Matrix(matrix)) = found.on_device {
            return Ok(*matrix);
        }
        // Rows of narrow values that fill no whole words were left here.
        let wide = self.queue.as_ref().and_then(|queue| Matrix::new(queue, &shape, Packing::F32));
        wide.filter(|wide| wide.put(0, Values::F32(join(found.parts).into_f32())))
            .ok_or_else(|| placement(name, "it is not on the graphics device; choose the cpu device"))
    }

    /// Takes values `[count]` out, as f32 in a buffer of the graphics device that has the weights.
    ///
    /// # Errors
    /// As [`Weights::take_values`], and [`BundleError::Placement`] if there is no graphics device.
    pub(crate) fn take_buffer(&mut self, name: &str, count: usize) -> Result<CubeTensor, BundleError> {
        let values = self.take_values(name, &[count])?.into_f32();
        let queue = self.queue.as_ref();
        let queue = queue.ok_or_else(|| placement(name, "there is no graphics device; choose the cpu device"))?;
        Ok(queue.kept_vector(values))
    }

    /// Removes a tensor, if it has this shape and all its rows are there, in order.
    fn complete(&mut self, name: &str, shape: &[usize]) -> Result<Collected, BundleError> {
        let mut found = self.tensors.remove(name).ok_or_else(|| missing(name))?;
        if found.shape != shape {
            return Err(shape_error(name, shape, found.shape, "the manifest and the model disagree; convert again"));
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
        Ok(found)
    }

    /// Takes a linear weight stored as `[out, in]` out, transposed to `[in, out]` for `x · W`.
    ///
    /// # Errors
    /// As [`Weights::take`].
    pub fn take_linear(&mut self, name: &str, shape: [usize; 2]) -> Result<Tensor<2>, BundleError> {
        Ok(self.take(name, shape)?.transpose())
    }
}

/// All rows together.
fn join(parts: Vec<Rows>) -> Values {
    let mut parts = parts.into_iter().filter_map(|p| p.values);
    let first = parts.next().unwrap_or_else(|| Values::F32(Vec::new()));
    parts.fold(first, Values::joined)
}

fn missing(name: &str) -> BundleError {
    BundleError::MissingTensor { name: name.to_owned(), hint: COPY_HINT.to_owned() }
}

/// A tensor that is not where it is needed, or in another type.
fn placement(name: &str, reason: &str) -> BundleError {
    BundleError::Placement { name: name.to_owned(), reason: reason.to_owned() }
}

fn shape_error(name: &str, expected: &[usize], found: Vec<usize>, hint: &str) -> BundleError {
    BundleError::Shape { name: name.to_owned(), expected: expected.to_vec(), found, hint: hint.to_owned() }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;

    fn part(rows: Option<[usize; 2]>, values: &[f32]) -> TensorPart {
        TensorPart { name: "w".to_owned(), shape: vec![3, 2], rows, values: Values::F32(values.to_vec()) }
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_to_vec::<f32>().unwrap()
    }

    #[test]
    fn joins_rows_in_any_order() {
        let mut weights = Weights::on(&Device::flex());
        weights.insert(part(Some([2, 3]), &[5.0, 6.0])).unwrap();
        weights.insert(part(Some([0, 2]), &[1.0, 2.0, 3.0, 4.0])).unwrap();
        assert_eq!(values(weights.take("w", [3, 2]).unwrap()), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert!(weights.take("w", [3, 2]).is_err(), "it leaves once");
    }

    #[test]
    fn keeps_the_stored_type() {
        let device = Device::flex();
        let halves = |values: &[f32]| Values::F16(values.iter().copied().map(half::f16::from_f32).collect());
        let mut weights = Weights::on(&device);
        for (rows, values) in [([1, 3], halves(&[3.0, 4.0, 5.0, 6.0])), ([0, 1], halves(&[1.0, 2.0]))] {
            let part = TensorPart { name: "w".to_owned(), shape: vec![3, 2], rows: Some(rows), values };
            weights.insert(part).unwrap();
        }
        assert_eq!(weights.take_values("w", &[3, 2]).unwrap(), halves(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        assert!(matches!(weights.take_values("w", &[3, 2]), Err(BundleError::MissingTensor { .. })));
        weights.insert_flat("w", &[2], Tensor::from_data(TensorData::from([1.0_f32, 2.0]), &device));
        assert_eq!(weights.take_values("w", &[2]).unwrap(), Values::F32(vec![1.0, 2.0]));
    }

    #[test]
    fn gives_linear_weights_transposed() {
        let mut weights = Weights::on(&Device::flex());
        weights.insert(part(None, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).unwrap();
        let w = weights.take_linear("w", [3, 2]).unwrap();
        assert_eq!(w.dims(), [2, 3]);
        assert_eq!(values(w), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    }

    #[test]
    fn says_what_is_missing_or_wrong() {
        let mut weights = Weights::on(&Device::flex());
        assert!(matches!(weights.take("w", [3, 2]), Err(BundleError::MissingTensor { .. })));
        weights.insert(part(Some([1, 3]), &[0.0; 4])).unwrap();
        assert!(matches!(weights.insert(part(Some([2, 3]), &[0.0; 2])), Err(BundleError::Shape { .. })));
        assert!(matches!(weights.insert(part(Some([0, 1]), &[0.0; 3])), Err(BundleError::Shape { .. })));
        let message = weights.take("w", [3, 2]).unwrap_err().to_string();
        assert!(message.contains("1..3 of 3"), "{message}");
        weights.insert(part(None, &[0.0; 6])).unwrap();
        assert!(matches!(weights.take("w", [2, 3]), Err(BundleError::Shape { .. })));
        weights.insert(part(None, &[0.0; 6])).unwrap();
        let message = weights.take_matrix("w", [3, 2]).unwrap_err().to_string();
        assert!(message.contains("graphics device") && !message.contains("shape"), "{message}");
    }
}
