//! Training the adapters (spec §5 to §7).
//!
//! ```text
//! plan (few, zero) ─▶ items (tokens before the first adapter) ─▶ session (losses, Adam, validation) ─▶ publish
//! ```

mod error;
mod few;
mod items;
mod ledger;
mod losses;
mod model;
mod parameters;
mod prepare;
mod progress;
mod publish;
mod random;
mod record;
mod run;
mod sample;
mod session;
mod state;
mod synthesis;
mod token_store;
mod validate;
mod watch;
mod words;
mod zero;

pub use error::TrainError;
pub use few::{FewOptions, Selection, plan_few};
pub use items::LeftOut;
pub use losses::{LevelLosses, Target};
pub use model::Model;
pub use parameters::{Leaves, Parameters, Saved};
pub use progress::{Best, EpochRecord, MeanLosses, Progress, Validation};
pub use random::{Purpose, order};
pub use record::{DataRecord, DataSet};
pub use run::{Outcome, Plan, RunOptions, run};
pub use sample::{Change, Source};
pub use session::Pace;
pub use synthesis::{Synthetic, Task, synthesize};
pub use watch::{StepReport, Watch};
pub use zero::{Normals, ZeroOptions, find_datasets, plan_zero};
