//! Errors as the page sees them: an `Error` with a `name` that shows who can act.

use thiserror::Error;
use wasm_bindgen::JsValue;

use crate::bundle::error::BundleError;
use crate::compute::DeviceError;
use crate::image::RawPictureError;
use crate::mvfa::{Cancelled, EngineError, RegionError};

/// Everything that can cross to the page.
#[derive(Debug, Error)]
pub(crate) enum WebError {
    #[error(transparent)]
    Image(#[from] RawPictureError),
    #[error(transparent)]
    Model(#[from] BundleError),
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    #[error("the model file {path} could not be fetched: {reason}; check the connection and load the model again")]
    Fetch { path: String, reason: String },
    #[error("{0}")]
    Usage(String),
}

impl From<EngineError> for WebError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Model(e @ BundleError::UnknownObject { .. }) => Self::Usage(e.to_string()),
            EngineError::Model(e) => Self::Model(e),
            EngineError::Device(e) => Self::Device(e),
            EngineError::Cancelled(e) => Self::Cancelled(e),
            e @ (EngineError::NoReferences
            | EngineError::NoZeroShot { .. }
            | EngineError::UnknownView { .. }
            | EngineError::ForeignRows { .. }
            | EngineError::NotBilateral { .. }
            | EngineError::ForeignWords { .. }
            | EngineError::NoPatches { .. }
            | EngineError::NoPicture { .. }
            | EngineError::DamagedFacts) => Self::Usage(e.to_string()),
        }
    }
}

impl From<RegionError> for WebError {
    fn from(error: RegionError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl WebError {
    fn name(&self) -> &'static str {
        match self {
            Self::Image(_) => "ImageError",
            Self::Model(_) | Self::Fetch { .. } => "ModelError",
            Self::Device(_) => "DeviceError",
            // The name that fetch and every other abortable call of the platform uses.
            Self::Cancelled(_) => "AbortError",
            Self::Usage(_) => "UsageError",
        }
    }
}

impl From<WebError> for JsValue {
    fn from(error: WebError) -> Self {
        let js = js_sys::Error::new(&error.to_string());
        js.set_name(error.name());
        js.into()
    }
}

/// The message of a thrown value.
pub(crate) fn describe(value: &JsValue) -> String {
    use wasm_bindgen::JsCast;
    value.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{value:?}"), |e| String::from(e.message()))
}
