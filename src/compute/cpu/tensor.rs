//! Values in and out of tensors on the processor.
//!
//! In: tensors and values of f32. Out: values and tensors. Nothing is converted, and nothing fails: tensors of a graphics
//! device and those that carry gradients give None.

use burn::tensor::{Device, Tensor, TensorData};
use burn_flex::{Flex, FlexTensor};

/// The values behind a tensor, row-major.
pub(crate) struct Values(FlexTensor);

impl Values {
    /// All of them.
    pub(crate) fn as_slice(&self) -> &[f32] {
        // Contiguous since `values` made it so, and of f32.
        self.0.as_slice().unwrap_or_default()
    }
}

/// The values of a tensor on the processor.
pub(crate) fn values<const D: usize>(tensor: &Tensor<D>) -> Option<Values> {
    let values = tensor.clone().try_into_primitive::<Flex>().ok()?;
    let values = Values(if values.is_contiguous() { values } else { values.to_contiguous() });
    let count: usize = tensor.dims().iter().product();
    (values.as_slice().len() == count).then_some(values)
}

/// A tensor on the processor.
pub(crate) fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_primitive::<Flex>(FlexTensor::from_data(TensorData::new(values, shape)))
}

/// A tensor on any device.
pub(crate) fn from_values<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    // Devices count as equal whether or not they record gradients.
    if *device == Device::flex() && !device.is_autodiff() {
        return tensor(values, shape);
    }
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_any_layout_come_row_by_row() {
        let x = tensor((0..6).map(|v| v as f32).collect(), [2, 3]);
        assert_eq!(values(&x).unwrap().as_slice(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(values(&x.clone().transpose()).unwrap().as_slice(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(values(&x.clone().slice_dim(0, 1..2)).unwrap().as_slice(), [3.0, 4.0, 5.0]);
        assert_eq!(values(&x.slice_dim(1, 1..2)).unwrap().as_slice(), [1.0, 4.0]);
    }

    #[test]
    fn tensors_with_gradients_stay_with_burn() {
        let device = Device::flex().autodiff();
        let x: Tensor<2> = from_values(vec![1.0, 2.0], [1, 2], &device);
        assert!(values(&x).is_none());
        assert!(x.device().is_autodiff());
        assert!(values(&(x.require_grad() * 2.0)).is_none());
    }
}
