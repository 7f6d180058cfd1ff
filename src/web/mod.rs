//! The only code that knows a browser: what the worker calls.
//!
//! Comes in: model files, decoded pictures and plain options from `pkg/worker.js`. Goes out: plain objects and
//! typed arrays. Fails by throwing an `Error` whose `name` shows who can act ([`error`]).

mod data_set;
mod engine;
mod error;
mod fetch;
mod files;
mod gpu;
mod kernels;
mod loader;
mod pacer;
mod picture;
mod views;

pub use data_set::data_sets;
pub use engine::WebEngine;
pub use picture::{decode, render};
