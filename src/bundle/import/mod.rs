//! Published checkpoints: one file a container, one a naming.
//!
//! ```text
//! files ─▶ open ─▶ torch_zip (pickle, tree) or safetensors_file, sharded ─▶ raw tensors
//!       ─▶ tower (which of several), families (refused by name), scan (geometry) ─▶ layout ─▶ canonical tensors
//! ```
//!
//! Nothing in a checkpoint is ever executed, and no more than one tensor is read at a time.

pub mod checkpoint;
mod constant;
pub mod dinov2;
pub mod element;
mod families;
pub mod files;
pub mod geometry;
pub mod huggingface_clip;
pub mod layout;
pub mod mvfa_adapters;
pub mod open;
pub mod openai_names;
pub mod pickle;
pub mod safetensors_file;
mod scan;
mod sharded;
pub mod torch_zip;
mod tower;
pub mod tree;

pub use checkpoint::{Checkpoint, open_checkpoint};
pub use geometry::VisionGeometry;
pub use mvfa_adapters::AdapterFile;
