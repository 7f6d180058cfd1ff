//! A transformer block as seven shaders of our own: what the WebGPU tier runs instead of one
//! dispatch per tensor operation.

mod attention;
mod block;
mod kernel;
mod matmul;
mod norm;
#[cfg(any(target_arch = "wasm32", test))]
mod product;

pub(crate) use block::{GpuBlock, is_supported};
#[cfg(any(target_arch = "wasm32", test))]
pub(crate) use product::product;
