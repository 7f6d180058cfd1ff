//! From published files to a bundle.
//!
//! Comes in: a CLIP or DINOv2 checkpoint, perhaps MVFA adapters, and choices. Goes out: a bundle
//! folder and its manifest. Fails with [`BundleError`](crate::bundle::BundleError); a bundle that was there before is still
//! there then. This room knows files and engine, so that neither has to know the other.
//!
//! ```text
//! options ─▶ plan ─▶ write (tensors, sentences, card) ─▶ make (self-test)
//! ```

mod card;
mod make;
mod options;
mod plan;
mod sentences;
mod write;

pub use make::convert;
pub use options::{ConvertOptions, DEFAULT_SIZE_PX, Progress, Teller, Told};
pub use sentences::Sentences;
pub use write::{Written, write};
