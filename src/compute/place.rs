//! Where the values of a tensor are.

use burn::tensor::Tensor;
use burn_wgpu::CubeTensor;

use crate::compute::cpu::{self, Values};
use crate::compute::gpu;

/// Where they are, row-major; a view is copied together first.
pub(super) enum Place {
    /// In memory.
    Cpu(Values),
    /// In a buffer of a graphics device.
    Gpu(Box<CubeTensor>),
    /// Where only burn's operations lead: the tensor records gradients.
    Elsewhere,
}

impl Place {
    pub(super) fn of<const D: usize>(tensor: &Tensor<D>) -> Self {
        match cpu::values(tensor) {
            Some(values) => Self::Cpu(values),
            None => gpu::tensor(tensor.clone()).map_or(Self::Elsewhere, |buffer| Self::Gpu(Box::new(buffer))),
        }
    }
}
