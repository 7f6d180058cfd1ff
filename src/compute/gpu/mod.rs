//! Shaders of our own in burn's queue: what the WebGPU tier runs instead of one dispatch per tensor
//! operation.

mod adapter;
mod attention;
mod block;
mod embedding;
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

pub(crate) use adapter::Adapter;
pub(crate) use block::{Block, is_supported};
pub(crate) use embedding::Embedding;
pub(crate) use joined::{JOIN_STEP, joined};
pub(crate) use matmul::Arithmetic;
pub(crate) use matrix::{Matrix, Packing};
#[cfg(any(target_arch = "wasm32", test))]
pub(super) use product::product;
pub(crate) use queue::{Queue, rows_of, tensor};
pub(crate) use rows::{has_rows, logits, nearest, unit_rows};
