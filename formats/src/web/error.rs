//! Errors as the page sees them: an `Error` named `ImageError`, with a `kind` for the worker.

use js_sys::{Error, Reflect};
use wasm_bindgen::JsValue;

use crate::FormatError;

/// What is thrown for an error.
pub(super) fn thrown(error: &FormatError) -> JsValue {
    let kind = match error {
        FormatError::Companion { .. } => "companion",
        FormatError::NoPicture { .. } => "no-picture",
        _ => "refused",
    };
    let thrown = Error::new(&error.to_string());
    thrown.set_name("ImageError");
    // An object made here takes any field.
    let _ = Reflect::set(&thrown, &"kind".into(), &kind.into());
    thrown.into()
}
