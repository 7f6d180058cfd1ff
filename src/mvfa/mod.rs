//! The method: adapters on the frozen tower, zero-shot and memory scores, their fusion.

mod analysis;
mod check;
mod clusters;
mod components;
mod coreset;
mod decide;
mod encoder;
mod engine;
mod error;
mod features;
mod fusion;
mod image_score;
mod likeness;
mod map_rule;
mod maps;
mod memory;
mod mirror;
mod mutual;
mod polarity;
mod prototypes;
mod references;
mod regions;
mod score;
mod self_test;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
mod streamed;
mod upsample;
mod views;
mod warning;
mod words;
mod zero_shot;

pub use analysis::{Analysis, Matching, Mode, Pacer, Progress, Request, Stage, Timings};
pub use coreset::compress;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use decide::{ImageParts, score_bank};
pub use encoder::{AdaptedEncoder, EncodeRun};
pub use engine::Engine;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use engine::normalised;
pub use error::{Cancelled, EngineError};
pub use features::{Bank, Features};
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use fusion::fuse;
pub use fusion::{default_calibration, min_max};
pub use image_score::ImageScore;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use map_rule::MapRule;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use maps::{maximum, sum_up};
pub use memory::{MemoryRows, ReferenceId, nearest_distances};
pub use mirror::MirrorAxis;
pub use references::Facts;
#[cfg(target_arch = "wasm32")]
pub(crate) use references::LEFT_OUT_AT_MOST;
pub use regions::{PixelBox, RegionError, Regions};
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub(crate) use streamed::StreamedTest;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use streamed::self_test_of;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use upsample::axis_weights;
pub use upsample::{Geometry, upsample};
pub use warning::Warning;
pub use words::Similarity;
pub use zero_shot::{detection_score, patch_logits, zero_shot_map};
