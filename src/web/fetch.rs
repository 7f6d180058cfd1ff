//! The bytes of a response, with progress.
//!
//! Comes in: a response that has begun. Goes out: all its bytes, each copied once, straight to where it
//! stays. Fails with [`WebError::Fetch`], [`WebError::Cancelled`], or [`BundleError`] for a file that is
//! missing or too long.

use gloo::net::http::Response;
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, ReadableStreamDefaultReader};

use crate::bundle::error::BundleError;
use crate::mvfa::Cancelled;
use crate::web::error::{WebError, describe};

/// How long a file is, as far as that is known before it is read.
#[derive(Clone, Copy)]
pub(crate) enum Length {
    /// Exactly, by the manifest.
    Known(u64),
    /// At most this many bytes.
    AtMost(u64),
}

/// All bytes of a response. Stops with an error once more arrive than there should be; `on_bytes` hears the
/// bytes so far.
pub(crate) async fn read_all(
    response: Response,
    path: &str,
    length: Length,
    signal: &AbortSignal,
    mut on_bytes: impl FnMut(u64),
) -> Result<Vec<u8>, WebError> {
    let failed = |reason| failure(path, reason, signal);
    if response.status() == 404 {
        return Err(BundleError::MissingFile { path: path.to_owned() }.into());
    }
    if !response.ok() {
        return Err(failed(format!("the server answered {}", response.status())));
    }
    let Some(body) = response.body() else { return Err(failed("the answer has no body".to_owned())) };
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let (limit_bytes, mut bytes) = match length {
        // A vector that grows as it fills would need up to three times the room.
        Length::Known(length) => (length, Vec::with_capacity(length as usize)),
        Length::AtMost(limit) => (limit, Vec::new()),
    };
    loop {
        let chunk = JsFuture::from(reader.read()).await.map_err(|e| failed(describe(&e)))?;
        let get = |key: &str| js_sys::Reflect::get(&chunk, &key.into()).unwrap_or(JsValue::UNDEFINED);
        if get("done").is_truthy() {
            return Ok(bytes);
        }
        let part: Uint8Array = get("value").unchecked_into();
        let found = bytes.len() as u64 + u64::from(part.length());
        if found > limit_bytes {
            let _ = reader.cancel();
            let path = path.to_owned();
            return Err(match length {
                Length::Known(expected) => BundleError::Size { path, expected, found },
                Length::AtMost(limit_bytes) => BundleError::TooLarge { path, limit_bytes },
            }
            .into());
        }
        let start = bytes.len();
        bytes.resize(found as usize, 0);
        part.copy_to(&mut bytes[start..]);
        on_bytes(found);
    }
}

/// A file that could not be read: because loading was stopped, or for `reason`.
pub(crate) fn failure(path: &str, reason: String, signal: &AbortSignal) -> WebError {
    if signal.aborted() {
        return WebError::Cancelled(Cancelled);
    }
    WebError::Fetch { path: path.to_owned(), reason }
}
