//! The frozen encoders: vision tower, text tower, tokenizer, prompts.

pub mod block;
pub mod config;
mod embedding_table;
mod gpu_block;
mod gpu_embedding;
pub mod packed_block;
mod packed_embedding;
pub(crate) mod product;
#[cfg(not(target_arch = "wasm32"))]
pub mod prompts;
#[cfg(not(target_arch = "wasm32"))]
pub mod text;
#[cfg(not(target_arch = "wasm32"))]
pub mod text_cleanup;
#[cfg(not(target_arch = "wasm32"))]
pub mod tokenizer;
pub mod vision;
mod warm_up;

pub use warm_up::warm_up;
