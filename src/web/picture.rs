//! Pictures for the page: what is shown is what is analysed.

use js_sys::{Array, Float32Array, Object, Reflect, Uint8Array, Uint8ClampedArray};
use wasm_bindgen::prelude::*;

use crate::image::{self, Limits, Note, Picture, Rgb8, WindowChoice};
use crate::render;
use crate::web::error::WebError;

/// Width of the colour bar; the page stretches it.
const BAR_WIDTH_PX: usize = 256;

/// Decodes a file and shows it through a window.
///
/// Returns `{ width, height, deep, synthetic, notes, pixels, input }`: notes as `{ code, text }`, pixels
/// as RGBA, and `input` as RGB `[side, side, 3]` for the model whose side is given, or null.
///
/// # Errors
/// Throws `ImageError` or, for a window that cannot be read, `UsageError`.
#[wasm_bindgen]
pub fn decode(bytes: &[u8], window: Option<String>, side_px: Option<usize>) -> Result<Object, JsValue> {
    let (picture, rgb) = open(bytes, window.as_deref())?;
    let rgba: Vec<u8> = rgb.bytes.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
    let out = Object::new();
    set(&out, "width", &(rgb.width_px as f64).into());
    set(&out, "height", &(rgb.height_px as f64).into());
    set(&out, "deep", &picture.is_deep().into());
    set(&out, "synthetic", &image::is_synthetic(bytes).into());
    set(&out, "notes", &picture.notes.iter().map(note).collect::<Array>());
    set(&out, "pixels", &Uint8ClampedArray::from(&rgba[..]));
    let input = side_px.map(|side| Uint8Array::from(&image::resize_bicubic(&rgb, side).bytes[..]));
    set(&out, "input", &input.map_or(JsValue::NULL, JsValue::from));
    Ok(out)
}

/// A note as the page gets it: `{ code, text }`.
fn note(note: &Note) -> Object {
    let out = Object::new();
    set(&out, "code", &note.code().into());
    set(&out, "text", &note.to_string().into());
    out
}

/// What an analysis is given.
pub(crate) enum Source {
    /// A file, and how it is shown.
    File { bytes: Vec<u8>, window: Option<String> },
    /// What [`decode`] returned as `input`: nothing is decoded or resized again.
    Input(Vec<u8>),
}

impl Source {
    /// A file, unless the bytes are an `input`.
    pub(crate) fn new(bytes: Vec<u8>, is_input: bool, window: Option<String>) -> Self {
        if is_input { Self::Input(bytes) } else { Self::File { bytes, window } }
    }

    /// As 8-bit RGB for a model of this side.
    pub(crate) fn rgb(self, side_px: usize) -> Result<Rgb8, WebError> {
        match self {
            Self::File { bytes, window } => Ok(open(&bytes, window.as_deref())?.1),
            Self::Input(bytes) if bytes.len() == 3 * side_px * side_px => {
                Ok(Rgb8 { width_px: side_px, height_px: side_px, bytes })
            }
            Self::Input(bytes) => Err(WebError::Usage(format!(
                "the decoded picture has {} values, this model reads {side_px} × {side_px} × 3; decode it in this session",
                bytes.len()
            ))),
        }
    }
}

/// A file as 8-bit RGB.
fn open(bytes: &[u8], window: Option<&str>) -> Result<(Picture, Rgb8), WebError> {
    let window: WindowChoice = match window {
        Some(text) => text.parse().map_err(|e| WebError::Usage(format!("{e}")))?,
        None => WindowChoice::Auto,
    };
    let picture = image::decode(bytes, &Limits::default())?;
    let rgb = picture.to_rgb8(window);
    Ok((picture, rgb))
}

/// Colours a map `[side, side]` between `lo` and `hi`: `{ rgba, contours, bar }`. Below the
/// threshold the colours are transparent; contours are polylines `x, y, x, y …` in map pixels.
///
/// # Errors
/// Throws `UsageError` for an unknown colour map or a map of another size.
#[wasm_bindgen]
pub fn render(map: &[f32], side: usize, lo: f32, hi: f32, threshold: f32, colour_map: &str) -> Result<Object, JsValue> {
    let colour_map: render::ColourMap = colour_map.parse().map_err(WebError::Usage)?;
    if map.len() != side * side {
        return Err(
            WebError::Usage(format!("a map of side {side} has {} values, found {}", side * side, map.len())).into()
        );
    }
    let out = Object::new();
    let style = render::OverlayStyle { lo, hi, threshold, opacity: 1.0, colour_map };
    set(&out, "rgba", &Uint8ClampedArray::from(&render::map_rgba(map, &style)[..]));
    set(&out, "bar", &Uint8ClampedArray::from(&render::colour_bar(&style, BAR_WIDTH_PX)[..]));
    let contours = Array::new();
    for line in render::contours(map, side, threshold) {
        let points: Vec<f32> = line.into_iter().flatten().collect();
        contours.push(&Float32Array::from(&points[..]));
    }
    set(&out, "contours", &contours);
    Ok(out)
}

/// Sets a field of an object made here; that cannot fail.
pub(crate) fn set(object: &Object, key: &str, value: &JsValue) {
    let _ = Reflect::set(object, &key.into(), value);
}
