//! Burn's tensor operations: any geometry, any device, and gradients.

mod adapter;
mod block;
mod embedding;
mod product;
mod rows;

pub(crate) use adapter::Adapter;
pub(crate) use block::Block;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub(crate) use block::Norm;
pub(crate) use embedding::Embedding;
pub(super) use embedding::feature;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub(crate) use product::product;
pub(super) use rows::{logits, nearest, unit_rows};
