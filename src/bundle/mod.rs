//! Model files: manifest, shards, integrity, and readers for published checkpoints.

pub mod config;
pub mod error;
pub mod manifest;
mod manifest_checks;
pub mod names;
pub mod objects;
pub mod position;
pub mod scoring;
pub mod shard;
pub mod source;
pub mod values;

#[cfg(not(target_arch = "wasm32"))]
mod archive;
#[cfg(not(target_arch = "wasm32"))]
pub mod export;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub mod import;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub mod quantize;
#[cfg(not(target_arch = "wasm32"))]
pub mod store;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub mod writer;

pub use error::BundleError;
pub use shard::{decode_shard, visit_shard};
pub use source::{TensorPart, TensorSource, Unread};
pub use values::{ScaledRows, Values};
