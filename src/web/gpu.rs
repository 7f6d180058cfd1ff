//! What WebGPU the browser offers, queried before anything is started on it.
//!
//! The runtime panics on an adapter without `timestamp-query`, and a panic ends the worker, so
//! the browser is queried first.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// An adapter that can be used.
pub(crate) struct Adapter {
    /// Vendor and architecture, as far as the browser reports them.
    pub(crate) name: String,
    /// A processor that pretends to be a graphics card.
    pub(crate) is_software: bool,
}

/// The adapter, or why there is none to use.
pub(crate) async fn probe() -> Result<Adapter, String> {
    let gpu = get(&get(&js_sys::global(), "navigator"), "gpu");
    if gpu.is_undefined() || gpu.is_null() {
        // Browsers hide it from pages that came over plain http.
        let is_secure = get(&js_sys::global(), "isSecureContext").is_truthy();
        let reason = if is_secure {
            "this browser offers no WebGPU"
        } else {
            "WebGPU needs https; this page was opened without it"
        };
        return Err(reason.to_owned());
    }
    let options = js_sys::Object::new();
    let _ = Reflect::set(&options, &"powerPreference".into(), &"high-performance".into());
    let adapter = request_adapter(&gpu, &options).await.unwrap_or(JsValue::NULL);
    if adapter.is_undefined() || adapter.is_null() {
        return Err("this browser offers WebGPU but no adapter for it".to_owned());
    }
    let features = get(&adapter, "features");
    let has_timestamps = get(&features, "has")
        .dyn_into::<Function>()
        .and_then(|has| has.call1(&features, &"timestamp-query".into()))
        .is_ok_and(|v| v.is_truthy());
    if !has_timestamps {
        return Err("the WebGPU adapter lacks timestamp-query, which the runtime needs".to_owned());
    }
    let info = get(&adapter, "info");
    let text = |key: &str| get(&info, key).as_string().unwrap_or_default();
    let (vendor, architecture) = (text("vendor"), text("architecture"));
    let is_software = architecture == "swiftshader" || get(&info, "isFallbackAdapter").is_truthy();
    Ok(Adapter { name: format!("{vendor} {architecture}").trim().to_owned(), is_software })
}

async fn request_adapter(gpu: &JsValue, options: &JsValue) -> Result<JsValue, JsValue> {
    let request: Function = get(gpu, "requestAdapter").dyn_into()?;
    let promise: Promise = request.call1(gpu, options)?.dyn_into()?;
    JsFuture::from(promise).await
}

fn get(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED)
}
