//! Measuring a model on labelled pictures.
//!
//! ```text
//! dataset, check ─▶ run (maps to disk, then fused) ─▶ sweep, pixel_stream (AUROC, AP, F1, PRO) ─▶ report
//!                                                     └▶ resample (confidence intervals)
//! ```

mod baseline;
mod bootstrap;
mod check;
mod dataset;
mod error;
mod mask;
mod mask_values;
mod pixel_stream;
mod plots;
mod regions;
mod report;
mod resample;
mod run;
mod scores;
mod spill;
mod sweep;
mod trained;
mod volumes;

pub use bootstrap::{Interval, bootstrap};
pub use check::{Contents, Subject};
pub(crate) use dataset::files_of;
pub use dataset::{Dataset, DatasetError, Sample, Split};
pub use error::EvalError;
pub use mask::{Mask, SmallMask, read_mask};
pub use mask_values::Coding;
pub use pixel_stream::{PixelMetrics, PixelStream, Resampling};
pub use regions::regions;
pub use report::{Heading, REPORT_MARK, Shown, report};
pub use resample::PixelIntervals;
pub use run::{EvalOptions, Method, Nearest, Watch, evaluate};
pub use scores::{Evaluation, ImageResult, Scores, Windows};
pub use sweep::{auroc, average_precision, f1_max, roc_curve};
pub use trained::Trained;
