//! A graphics device as buffers come from it.
//!
//! Comes in: a burn device, and values. Goes out: buffers. Nothing fails here: a device without
//! memory reports it at the next read.

use burn::tensor::{Bytes, DType, Device, Tensor};
use burn_wgpu::{CubeBackend, CubeTensor, into_contiguous};

/// Where buffers are made and shaders run.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    /// Names the device; its one value is never read.
    any: CubeTensor,
}

impl Queue {
    /// None if `device` is no graphics device, or records gradients.
    pub(crate) fn of(device: &Device) -> Option<Self> {
        tensor(Tensor::<1>::empty([1], device)).map(|any| Self { any })
    }

    /// A buffer of `shape` for as long as the model lives: exactly as large as its values, where
    /// other buffers share pages that may be twice as large.
    pub(crate) fn kept<const D: usize>(&self, shape: [usize; D], dtype: DType) -> CubeTensor {
        let bytes = shape.iter().product::<usize>() * dtype.size();
        let handle = self.any.client.memory_persistent_allocation((), |()| self.any.client.empty(bytes));
        self.wrap(shape, handle, dtype)
    }

    /// Values `[count]` for as long as the model lives.
    pub(crate) fn kept_vector(&self, values: Vec<f32>) -> CubeTensor {
        let shape = [values.len()];
        let bytes = Bytes::from_elems(values);
        let handle = self.any.client.memory_persistent_allocation((), |()| self.any.client.create(bytes));
        self.wrap(shape, handle, DType::F32)
    }

    /// Words `[count]` that are needed for one dispatch.
    pub(crate) fn passing(&self, words: Bytes) -> CubeTensor {
        let shape = [words.len() / size_of::<u32>()];
        let handle = self.any.client.create(words);
        self.wrap(shape, handle, DType::U32)
    }

    /// Values that are computed with once.
    pub(crate) fn values(&self, values: Vec<f32>) -> CubeTensor {
        let shape = [values.len()];
        let handle = self.any.client.create(Bytes::from_elems(values));
        self.wrap(shape, handle, DType::F32)
    }

    /// A buffer of f32.
    pub(crate) fn empty<const D: usize>(&self, shape: [usize; D]) -> CubeTensor {
        empty_like(&self.any, shape)
    }

    /// Ends when everything that was asked of the device is done. A lost device ends it too: the next
    /// read from it reports that.
    pub(crate) fn done(&self) -> impl Future<Output = ()> + use<> {
        let done = self.any.client.sync();
        async {
            let _ = done.await;
        }
    }

    fn wrap<const D: usize>(&self, shape: [usize; D], handle: cubecl::server::Handle, dtype: DType) -> CubeTensor {
        CubeTensor::new_contiguous(self.any.client.clone(), self.any.device.clone(), shape.into(), handle, dtype)
    }
}

/// The buffer behind a tensor of a graphics device, row-major.
pub(crate) fn tensor<const D: usize>(tensor: Tensor<D>) -> Option<CubeTensor> {
    tensor.try_into_primitive::<CubeBackend>().ok().map(into_contiguous)
}

/// The rows `[rows, dim]` of a buffer, which has any leading axes.
pub(crate) fn rows_of(buffer: CubeTensor) -> Tensor<2> {
    let shape = buffer.meta.shape();
    let dim = shape.last().copied().unwrap_or(1);
    let rows = shape.num_elements() / dim.max(1);
    Tensor::<3>::from_primitive::<CubeBackend>(buffer).reshape([rows, dim])
}

/// A new buffer of f32 for `shape`, on the device of `like`.
pub(super) fn empty_like<const D: usize>(like: &CubeTensor, shape: [usize; D]) -> CubeTensor {
    let bytes = shape.iter().product::<usize>() * size_of::<f32>();
    let handle = like.client.empty(bytes);
    CubeTensor::new_contiguous(like.client.clone(), like.device.clone(), shape.into(), handle, DType::F32)
}
