//! The only code that knows a browser: what the workers call.
//!
//! Comes in: model files, decoded pictures and plain options from `pkg/worker.js`; with the feature `lab`, checkpoints from
//! `pkg/lab-worker.js`. Goes out: plain objects and typed arrays. Fails by throwing an `Error` whose `name` shows who can act
//! ([`error`]).

#[cfg(not(feature = "lab"))]
mod data_set;
#[cfg(not(feature = "lab"))]
mod engine;
mod error;
#[cfg(not(feature = "lab"))]
mod fetch;
#[cfg(not(feature = "lab"))]
mod files;
#[cfg(not(feature = "lab"))]
mod gpu;
#[cfg(not(feature = "lab"))]
mod kernels;
#[cfg(feature = "lab")]
mod lab;
#[cfg(not(feature = "lab"))]
mod loader;
#[cfg(not(feature = "lab"))]
mod pacer;
#[cfg(not(feature = "lab"))]
mod picture;
#[cfg(not(feature = "lab"))]
mod views;
#[cfg(not(feature = "lab"))]
mod words;

use serde::Serialize;
use wasm_bindgen::JsValue;

use self::error::WebError;

#[cfg(not(feature = "lab"))]
pub use data_set::data_sets;
#[cfg(not(feature = "lab"))]
pub use engine::WebEngine;
#[cfg(feature = "lab")]
pub use lab::{WebConversion, WebTower, inspect, parse_manifest};
#[cfg(not(feature = "lab"))]
pub use picture::{decode, render};

/// A value as a plain object, `None` as `null`.
fn plain(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(|e| WebError::Usage(e.to_string()).into())
}
