//! What `pkg/files.js` offers: the files of one model, from this browser's storage or the network.
//!
//! JavaScript decides where a file comes from and where it is kept; this side verifies the hash before the
//! bytes are used or kept.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::Response;

#[wasm_bindgen]
extern "C" {
    /// The files of one model.
    pub type ModelFiles;

    /// The manifest's answer, to be read once.
    #[wasm_bindgen(method, catch)]
    pub(crate) async fn manifest(this: &ModelFiles) -> Result<JsValue, JsValue>;

    /// Begins with the file that will be opened next; ends as soon as it is on its way.
    #[wasm_bindgen(method, catch)]
    pub(crate) async fn prepare(this: &ModelFiles, path: &str) -> Result<JsValue, JsValue>;

    /// An [`OpenedFile`], from wherever it is nearest.
    #[wasm_bindgen(method, catch)]
    pub(crate) async fn open(this: &ModelFiles, path: &str) -> Result<JsValue, JsValue>;

    /// An [`OpenedFile`] from the server; what was stored of it is deleted.
    #[wasm_bindgen(method, catch, js_name = openAgain)]
    pub(crate) async fn open_again(this: &ModelFiles, path: &str) -> Result<JsValue, JsValue>;

    /// SHA-256 in hexadecimal, computed beside other work; none if the browser keeps that from the page.
    #[wasm_bindgen(method)]
    pub(crate) fn sha256(this: &ModelFiles, bytes: &[u8]) -> Option<Promise>;

    /// One file, to be read and perhaps kept.
    pub(crate) type OpenedFile;

    /// The answer that holds its bytes.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn response(this: &OpenedFile) -> Response;

    /// Whether an earlier visit kept it.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn stored(this: &OpenedFile) -> bool;

    /// Whether it certainly comes from the server and from no store on the way.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn fresh(this: &OpenedFile) -> bool;

    /// Keeps a copy of the bytes for the next visit, if that is possible.
    #[wasm_bindgen(method)]
    pub(crate) fn keep(this: &OpenedFile, bytes: &[u8]);
}
