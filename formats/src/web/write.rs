//! Files about a series, for the page to save.
//!
//! Comes in: the series that was put together last, numbers of slices in the order that `describe.rs` gives them, and a map
//! [side, side] for each. Goes out: the bytes of a file. Fails by throwing an `ImageError`.

use std::collections::HashMap;

use js_sys::Float32Array;
use wasm_bindgen::prelude::*;

use super::store::with_store;
use crate::Series;
use crate::map_at::at_pixel;
use crate::write::{Segment, Stamp, WriteError, nifti_labels, nifti_map, secondary_capture_head, segmentation};

/// Random bytes that three identifiers take.
const RANDOM_BYTES: usize = 48;

fn thrown(error: &WriteError) -> JsValue {
    let thrown = js_sys::Error::new(&error.to_string());
    thrown.set_name("ImageError");
    thrown.into()
}

/// The series of all files since `begin`; the one with most frames, should there be several.
fn last_series() -> Result<Series, JsValue> {
    let all = with_store(|store| crate::dicom::group(std::mem::take(&mut store.gathered)));
    all.into_iter().max_by_key(Series::len).ok_or_else(|| thrown(&WriteError::Nothing))
}

fn stamp(random: &[u8], unix_seconds: f64) -> Stamp {
    let mut numbers = [0; 3];
    for (number, bytes) in numbers.iter_mut().zip(random.chunks_exact(RANDOM_BYTES / 3)) {
        *number = bytes.iter().fold(0, |number: u128, &byte| (number << 8) | u128::from(byte));
    }
    Stamp { unix_seconds: unix_seconds as u64, random: numbers }
}

/// A file about the maps of some slices, [slices, side, side]: `map` (values as NIfTI), `labels` (what lies at `threshold` or
/// above, as NIfTI), `segmentation` (the same as DICOM).
///
/// # Errors
/// Throws `ImageError` where the source does not allow it.
#[wasm_bindgen(js_name = writeMaps)]
#[allow(clippy::too_many_arguments)] // The module has functions and no classes.
pub fn write_maps(
    kind: &str,
    slices: &[u32],
    maps: &Float32Array,
    side: usize,
    threshold: f32,
    model: &str,
    random: &[u8],
    unix_seconds: f64,
) -> Result<Vec<u8>, JsValue> {
    let series = last_series()?;
    let (order, _) = series.in_volumes();
    let maps = maps.to_vec();
    // Frame of the series to its map.
    let of: HashMap<usize, &[f32]> = slices
        .iter()
        .zip(maps.chunks_exact((side * side).max(1)))
        .filter_map(|(&slice, map)| order.get(slice as usize).map(|&frame| (frame, map)))
        .collect();
    let mut frames: Vec<usize> = of.keys().copied().collect();
    frames.sort_unstable();
    if frames.is_empty() {
        return Err(thrown(&WriteError::Nothing));
    }
    let (width_px, height_px) = (series.width_px, series.height_px);
    let value = |frame: usize, y: usize, x: usize| {
        of.get(&frame).map_or(f32::NAN, |map| at_pixel(map, side, (y, height_px), (x, width_px)))
    };
    let mut out = Vec::new();
    let written = match kind {
        "map" => nifti_map(&series, &mut out, value),
        "labels" => nifti_labels(&series, &mut out, |n, y, x| u8::from(value(n, y, x) >= threshold)),
        _ => {
            let description = format!("anomaly map at {threshold} or above");
            let segment = Segment { description: &description, algorithm: &format!("MVFA Web, {model}") };
            let mask = |n: usize| {
                let pixels = (0..height_px).flat_map(|y| (0..width_px).map(move |x| (y, x)));
                Ok(pixels.map(|(y, x)| value(n, y, x) >= threshold).collect())
            };
            segmentation(&series, &frames, &segment, &stamp(random, unix_seconds), mask).map(|bytes| out = bytes)
        }
    };
    written.map_err(|error| thrown(&error))?;
    Ok(out)
}

/// A DICOM Secondary Capture that refers to slices, up to its pixels: RGB of each slice follows, and a zero byte where all of
/// them are of an odd number of bytes.
///
/// # Errors
/// Throws `ImageError` where the source does not allow it.
#[wasm_bindgen(js_name = captureHead)]
pub fn capture_head(slices: &[u32], model: &str, random: &[u8], unix_seconds: f64) -> Result<Vec<u8>, JsValue> {
    let series = last_series()?;
    let (order, _) = series.in_volumes();
    let frames: Vec<usize> = slices.iter().filter_map(|&slice| order.get(slice as usize).copied()).collect();
    let description = format!("Anomaly map over the source, {model}; research and teaching, not for diagnosis");
    secondary_capture_head(&series, &frames, &description, &stamp(random, unix_seconds)).map_err(|error| thrown(&error))
}

/// A map [side, side] as a NumPy array.
///
/// # Errors
/// Throws `ImageError` for a map of another size.
#[wasm_bindgen(js_name = writeNpy)]
pub fn write_npy(map: &[f32], side: usize) -> Result<Vec<u8>, JsValue> {
    crate::write::npy(map, &[side, side]).map_err(|error| thrown(&error))
}

/// A map [side, side] as a PNG of 16 bits.
///
/// # Errors
/// Throws `ImageError` for a map of another size.
#[wasm_bindgen(js_name = writePng16)]
pub fn write_png16(map: &[f32], side: usize) -> Result<Vec<u8>, JsValue> {
    crate::write::png16(map, side, side).map_err(|error| thrown(&error))
}
