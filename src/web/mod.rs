//! The only code that knows a browser: what the worker calls.
//!
//! Comes in: URLs, file bytes and plain options from `pkg/worker.js`. Goes out: plain objects and
//! typed arrays. Fails by throwing an `Error` whose `name` says who can act ([`error`]).

mod engine;
mod error;
mod fetch;
mod gpu;
mod kernels;
mod pacer;
mod picture;

pub use engine::WebEngine;
pub use picture::{decode, render};
