//! Shaders of our own in burn's queue: what the WebGPU tier runs instead of one dispatch per tensor
//! operation.

mod attention;
mod joined;
mod kernel;
mod matmul;
mod matmul_text;
mod matrix;
mod norm;
mod patches;
#[cfg(any(target_arch = "wasm32", test))]
mod product;
mod queue;
mod rows;

pub(crate) use attention::Attention;
pub(crate) use joined::{JOIN_STEP, joined};
pub(crate) use matmul::{Activation, Arithmetic, Linear, Onto, is_supported};
pub(crate) use matrix::{Matrix, Packing, padded};
pub(crate) use norm::LayerNorm;
pub(crate) use patches::Patches;
#[cfg(any(target_arch = "wasm32", test))]
pub(crate) use product::product;
pub(crate) use queue::{Queue, tensor};
pub(crate) use rows::{logits, nearest, unit_rows};
