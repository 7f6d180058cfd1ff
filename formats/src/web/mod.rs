//! What the decoder's worker calls (`pkg/formats-worker.js`).
//!
//! Comes in: bytes of files under numbers that the worker gives them. Goes out: descriptions of series as plain objects, and
//! frames as [`RawPicture`](crate::picture::RawPicture) bytes. Files themselves stay `Blob`s outside: here are only what is
//! known of them while they are being put together, and the few that were used last. Fails by throwing an `ImageError`
//! whose `kind` tells the worker what it can do about it.
//!
//! There are functions and no classes: objects of a module that was ended by a trap would outlive it.

mod describe;
mod error;
mod store;
mod write;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use self::error::thrown;
use self::store::with_store;
use crate::{Axis, Limits};

/// Largest file that is read: with what is unpacked of it, it fits into the memory of a module.
const MAX_FILE_BYTES: u64 = 1 << 30;

fn limits() -> Limits {
    Limits { max_file_bytes: MAX_FILE_BYTES, ..Limits::default() }
}

/// Largest file that is read, in bytes, so that a larger one need not be.
#[wasm_bindgen(js_name = maxFileBytes)]
pub fn max_file_bytes() -> f64 {
    MAX_FILE_BYTES as f64
}

/// Begins to put files together.
#[wasm_bindgen]
pub fn begin() {
    with_store(|store| store.gathered.clear());
}

/// Judges a file by its first bytes. True if that was enough; false if [`whole`] must be called for it.
///
/// # Errors
/// Throws `ImageError`.
#[wasm_bindgen]
pub fn head(file: usize, head: &[u8], file_bytes: f64) -> Result<bool, JsValue> {
    with_store(|store| store.head(file, head, file_bytes as u64)).map_err(|error| thrown(&error))
}

/// Refuses a file by its first bytes, if they are enough for that.
///
/// # Errors
/// Throws `ImageError`.
#[wasm_bindgen]
pub fn judge(head: &[u8], file_bytes: f64) -> Result<(), JsValue> {
    crate::open_head(head, file_bytes as u64, &limits()).map(|_| ()).map_err(|error| thrown(&error))
}

/// Opens a whole file, with the file of its pixels if it is the header of a pair.
///
/// # Errors
/// Throws `ImageError`.
#[wasm_bindgen]
pub fn whole(file: usize, bytes: &Uint8Array, pixels: Option<Uint8Array>) -> Result<(), JsValue> {
    with_store(|store| store.whole(file, bytes, pixels.as_ref())).map_err(|error| thrown(&error))
}

/// The series in all files since [`begin`]: see `describe.rs` for their fields.
#[wasm_bindgen]
pub fn grouped() -> Array {
    let series = with_store(|store| crate::dicom::group(std::mem::take(&mut store.gathered)));
    series.iter().map(describe::series).collect()
}

/// Names that the file with the pixels of this header may have, the likeliest first.
#[wasm_bindgen(js_name = companionNames)]
pub fn companion_names(name: &str, head: &[u8]) -> Vec<String> {
    crate::companion_names(name, head)
}

/// Whether a file is among those that were used last.
#[wasm_bindgen(js_name = isOpen)]
pub fn is_open(file: usize) -> bool {
    with_store(|store| store.is_open(file))
}

/// Opens a file, to ask for its frames.
///
/// # Errors
/// Throws `ImageError`.
#[wasm_bindgen(js_name = openFile)]
pub fn open_file(file: usize, bytes: &Uint8Array, pixels: Option<Uint8Array>) -> Result<(), JsValue> {
    with_store(|store| store.open(file, bytes, pixels.as_ref()).map(|_| ())).map_err(|error| thrown(&error))
}

/// Forgets a file.
#[wasm_bindgen]
pub fn forget(file: usize) {
    with_store(|store| store.forget(file));
}

/// Opens a file by its beginning. True if slices of it can be asked for with their bytes ([`part`]); false if [`open_file`]
/// must be called.
///
/// # Errors
/// Throws `ImageError`.
#[wasm_bindgen(js_name = openHead)]
pub fn open_head(file: usize, head: &[u8], file_bytes: f64) -> Result<bool, JsValue> {
    with_store(|store| store.open_head(file, head, file_bytes as u64)).map_err(|error| thrown(&error))
}

/// Where the bytes of a frame lie in a file that was opened by its beginning: the first, bytes of a run, from run to run,
/// runs of a line, from line to line, lines. Nothing where the whole file is open.
#[wasm_bindgen]
pub fn part(file: usize, frame: usize, axis: &str, volume: usize) -> Option<Vec<f64>> {
    let part = with_store(|store| store.part(file, frame, axis_of(axis), volume))?;
    let numbers = [part.start, part.run_bytes, part.run_step, part.runs, part.line_step, part.lines];
    Some(numbers.map(|number| number as f64).into())
}

/// A frame of an open file as raw picture: number `frame` of the file, or of one volume of it along an axis (`axial`,
/// `coronal`, `sagittal`); of the bytes that [`part`] names, where it does.
///
/// # Errors
/// Throws `ImageError`.
#[wasm_bindgen]
pub fn frame(
    file: usize,
    frame: usize,
    axis: &str,
    volume: usize,
    part: Option<Uint8Array>,
) -> Result<Vec<u8>, JsValue> {
    let picture = with_store(|store| store.frame(file, frame, axis_of(axis), volume, part.as_ref()));
    Ok(picture.map_err(|error| thrown(&error))?.to_bytes())
}

fn axis_of(name: &str) -> Axis {
    match name {
        "coronal" => Axis::Coronal,
        "sagittal" => Axis::Sagittal,
        _ => Axis::Axial,
    }
}

/// One file as one raw picture: of a volume the middle slice, of several frames the first, and a note that says so.
///
/// # Errors
/// Throws `ImageError`.
#[wasm_bindgen]
pub fn picture(bytes: &Uint8Array) -> Result<Vec<u8>, JsValue> {
    store::single(bytes).map(|picture| picture.to_bytes()).map_err(|error| thrown(&error))
}
