//! Published checkpoints: one file a container, one a naming.
//!
//! ```text
//! file ─▶ torch_zip (pickle, tree) or safetensors_file ─▶ raw tensors ─▶ layout ─▶ canonical tensors
//! ```
//!
//! Nothing in a checkpoint is ever executed, and no more than one tensor is read at a time.

pub mod checkpoint;
pub mod dinov2;
pub mod element;
pub mod huggingface_clip;
pub mod layout;
pub mod mvfa_adapters;
pub mod open;
pub mod openai_names;
pub mod pickle;
pub mod safetensors_file;
pub mod torch_zip;
pub mod tree;

pub use checkpoint::{Checkpoint, VisionGeometry, open_checkpoint};
pub use mvfa_adapters::AdapterFile;
