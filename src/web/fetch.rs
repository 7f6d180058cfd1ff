//! Model files over the network, same origin, with progress in bytes.

use gloo::net::http::Request;
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, ReadableStreamDefaultReader, Url};

use crate::bundle::error::BundleError;
use crate::mvfa::Cancelled;
use crate::web::error::{WebError, describe};

/// The address of `path` beside the manifest.
pub(crate) fn beside(manifest_url: &str, path: &str) -> Result<String, WebError> {
    Url::new_with_base(path, manifest_url)
        .map(|url| url.href())
        .map_err(|_| WebError::Usage(format!("{manifest_url:?} is not an address of a manifest.json")))
}

/// All bytes of `url`. Stops with an error once more than `limit_bytes` arrive; `on_bytes` hears
/// the bytes so far.
pub(crate) async fn fetch_bytes(
    url: &str,
    limit_bytes: u64,
    signal: &AbortSignal,
    mut on_bytes: impl FnMut(u64),
) -> Result<Vec<u8>, WebError> {
    let path = url.rsplit('/').next().unwrap_or(url).to_owned();
    let failed = |reason: String| {
        if signal.aborted() { WebError::Cancelled(Cancelled) } else { WebError::Fetch { path: path.clone(), reason } }
    };
    let response = Request::get(url).abort_signal(Some(signal)).send().await.map_err(|e| failed(e.to_string()))?;
    if response.status() == 404 {
        return Err(BundleError::MissingFile { path }.into());
    }
    if !response.ok() {
        return Err(failed(format!("the server answered {}", response.status())));
    }
    let Some(body) = response.body() else { return Err(failed("the answer has no body".to_owned())) };
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        let chunk = JsFuture::from(reader.read()).await.map_err(|e| failed(describe(&e)))?;
        let get = |key: &str| js_sys::Reflect::get(&chunk, &key.into()).unwrap_or(JsValue::UNDEFINED);
        if get("done").is_truthy() {
            return Ok(bytes);
        }
        let part: Uint8Array = get("value").unchecked_into();
        if bytes.len() as u64 + u64::from(part.length()) > limit_bytes {
            let _ = reader.cancel();
            let found = bytes.len() as u64 + u64::from(part.length());
            return Err(BundleError::Size { path, expected: limit_bytes, found }.into());
        }
        let start = bytes.len();
        bytes.resize(start + part.length() as usize, 0);
        part.copy_to(&mut bytes[start..]);
        on_bytes(bytes.len() as u64);
    }
}
