//! Tensors of a graphics device put together for one read.
//!
//! In: flat tensors. Out: one buffer that holds each from a multiple of [`JOIN_STEP`] on. One shader
//! serves all lengths, so that nothing is compiled when a picture asks for another number of values.

use burn::tensor::Tensor;
use burn_wgpu::{CubeBackend, CubeTensor};

use super::kernel::{Kernel, declare};
use super::queue::{empty_like, tensor};

/// Values between two places where a tensor may begin: 256 bytes, which every device allows.
pub(crate) const JOIN_STEP: usize = 64;
/// Invocations a workgroup.
const THREADS: usize = 64;

/// None if the tensors are not on a graphics device, or carry gradients.
pub(crate) fn joined(parts: &[Tensor<1>]) -> Option<Tensor<1>> {
    let parts: Vec<CubeTensor> = parts.iter().map(|part| tensor(part.clone())).collect::<Option<_>>()?;
    let lengths: Vec<usize> = parts.iter().map(|part| part.meta.shape().num_elements()).collect();
    let all = empty_like(parts.first()?, [lengths.iter().map(|n| n.next_multiple_of(JOIN_STEP)).sum()]);
    let kernel = Kernel::new("join".to_owned(), [THREADS as u32, 1, 1], text);
    let mut start = 0;
    for (part, length) in parts.iter().zip(lengths) {
        let mut place = all.clone();
        place.handle = place.handle.offset_start((start * size_of::<f32>()) as u64);
        kernel.launch([length.div_ceil(THREADS) as u32, 1, 1], &[part, &place]);
        start += length.next_multiple_of(JOIN_STEP);
    }
    Some(Tensor::from_primitive::<CubeBackend>(all))
}

fn text() -> String {
    format!(
        "{buffers}
@compute @workgroup_size({THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
    if (id.x < arrayLength(&part)) {{ place[id.x] = part[id.x]; }}
}}
",
        buffers = declare(&[("part", "f32"), ("place", "f32")]),
    )
}
