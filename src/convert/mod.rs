//! From published files to a bundle.
//!
//! Comes in: a CLIP or DINOv2 checkpoint, perhaps MVFA adapters, and choices; or a bundle whose adapters are to change. Goes out: a bundle
//! and its manifest. Fails with [`BundleError`](crate::bundle::BundleError). This room knows files and engine, so that
//! neither has to know the other. On the command line it reads and writes a disk, in a browser what a person chose and
//! the browser's storage.
//!
//! ```text
//! files ─▶ sources ─▶ plan ─▶ conversion (tensors, words, card, self-test), step by step ─▶ files
//! ```

mod card;
mod change;
mod conversion;
#[cfg(not(target_arch = "wasm32"))]
mod make;
mod options;
mod plan;
mod sources;

pub use change::{Change, FinishedModel, ReadFile};
pub use conversion::{Conversion, Stage};
#[cfg(not(target_arch = "wasm32"))]
pub use make::{ChangeOptions, change, convert};
pub use options::{ConvertOptions, DEFAULT_SIZE_PX, Progress, Teller, Told};
pub use plan::plan;
pub use sources::{Sources, adapters_alone, bundle_bytes};
