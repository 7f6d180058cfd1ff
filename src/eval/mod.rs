//! Measuring a model on labelled pictures.
//!
//! ```text
//! dataset ─▶ run (maps to disk, then fused) ─▶ sweep, pixel_stream (AUROC, AP, F1, PRO) ─▶ report
//! ```

mod bank;
mod baseline;
mod bootstrap;
mod dataset;
mod mask;
mod pixel_stream;
mod report;
mod run;
mod spill;
mod sweep;

pub use bank::compress;
pub use bootstrap::{Interval, bootstrap};
pub use dataset::{Dataset, DatasetError, Sample, Split};
pub(crate) use mask::check_size;
pub use mask::{read_mask, regions};
pub use pixel_stream::{PixelMetrics, PixelStream};
pub use report::{Heading, Shown, html};
pub use run::{EvalError, EvalOptions, Evaluation, ImageResult, Method, Scores, Watch, evaluate};
pub use sweep::{auroc, average_precision, f1_max, roc_curve};
