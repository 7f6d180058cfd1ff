//! The module of what a person makes in the browser (feature `lab`): a model of a checkpoint, one with other adapters, and
//! text features of a person's own words. Called by `pkg/lab-worker.js`, which gives the files and puts away what is finished.

mod conversion;
mod given;
mod options;
mod shelf;
mod tower;

pub use conversion::{WebConversion, inspect, inspect_adapters, parse_manifest};
pub use tower::WebTower;
