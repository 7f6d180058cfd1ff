//! One read from the device for everything a picture's scores need.
//!
//! Device-side results are collected as flat tensors and joined, so that a picture costs a single
//! transfer back (browsers answer a read in their own time, and each one stalls the queue).

use burn::tensor::Tensor;

use crate::compute::{DeviceError, OpenDevice, cpu, gpu};

/// Flat tensors waiting to be read together.
#[derive(Default)]
pub(crate) struct Reading {
    parts: Vec<Tensor<1>>,
    lengths: Vec<usize>,
}

impl Reading {
    /// Adds a tensor of any shape; the answer has its values row-major, at the same place in line.
    pub(crate) fn push<const D: usize>(&mut self, tensor: Tensor<D>) {
        let length = tensor.dims().iter().product();
        self.parts.push(tensor.reshape([length]));
        self.lengths.push(length);
    }

    /// The values of every tensor, in the order they were added, if the processor has them all.
    pub(crate) fn here(&self) -> Option<Vec<Vec<f32>>> {
        self.parts.iter().map(|part| cpu::values(part).map(|values| values.as_slice().to_vec())).collect()
    }

    /// The values of every tensor, in the order they were added.
    pub(crate) fn read(
        self,
        open: &OpenDevice,
    ) -> impl Future<Output = Result<std::vec::IntoIter<Vec<f32>>, DeviceError>> + use<> {
        let open = open.clone();
        async move {
            if let Some(values) = self.here() {
                return Ok(values.into_iter());
            }
            let (joined, step) = match gpu::joined(&self.parts) {
                Some(joined) => (joined, gpu::JOIN_STEP),
                None => (Tensor::cat(self.parts, 0), 1),
            };
            let data = joined.into_data_async().await.map_err(|e| open.lost(e.to_string()))?;
            let mut values = data.try_into_vec::<f32>().map_err(|e| open.lost(format!("{e:?}")))?.into_iter();
            let mut take = |length: usize| -> Vec<f32> {
                let mut part: Vec<f32> = values.by_ref().take(length.next_multiple_of(step)).collect();
                part.truncate(length);
                part
            };
            let parts: Vec<Vec<f32>> = self.lengths.iter().map(|n| take(*n)).collect();
            Ok(parts.into_iter())
        }
    }
}
