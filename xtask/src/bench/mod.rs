//! The encoder against other programs: same weights, same picture, in alternation.
//!
//! ```text
//! options ─▶ models (bundles, graphs) ─▶ races (browser, native) ─▶ table
//!            peers (what is installed)
//! ```

mod memory;
mod models;
mod options;
mod peers;
mod race;
mod run;
mod table;

pub use options::Options;
pub use run::{run_all, run_for_json};
