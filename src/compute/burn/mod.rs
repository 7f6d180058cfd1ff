//! Burn's tensor operations: any geometry, any device, and gradients.

mod adapter;
mod block;
mod embedding;
mod product;
mod rows;

pub(crate) use adapter::Adapter;
pub(crate) use block::Block;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use block::Norm;
pub(crate) use embedding::Embedding;
pub(super) use embedding::feature;
pub(super) use rows::{logits, nearest, unit_rows};
