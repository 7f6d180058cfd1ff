//! Arithmetic of our own on one core of a processor, for frozen weights.
//!
//! What burn does in one large function for all element types, ranks and broadcasts is done here by a few lines for f32:
//! a browser would first have to compile those large functions, which takes longer than a whole picture.

mod adapter;
mod block;
mod embedding;
#[cfg(any(target_arch = "wasm32", test))]
mod product;
mod rows;
mod tensor;
#[cfg(any(target_arch = "wasm32", test))]
mod warm_up;

pub(crate) use adapter::Adapter;
pub(crate) use block::{Block, Shared, is_supported};
pub(crate) use embedding::Embedding;
#[cfg(any(target_arch = "wasm32", test))]
pub(super) use product::product;
pub(crate) use rows::{dot, logits, nearest, unit_rows};
#[cfg(test)]
pub(crate) use tensor::tensor;
pub(crate) use tensor::{Values, from_values, values};
#[cfg(target_arch = "wasm32")]
pub(crate) use warm_up::warm_up;
