//! Pictures for the page: what is shown is what is analysed.
//!
//! Comes in: decoded pictures as the formats' module writes them ([`RawPicture`]); no file is read here. Goes out: plain
//! objects and typed arrays. Fails by throwing `ImageError` or `UsageError`.

use js_sys::{Array, Float32Array, Float64Array, Object, Reflect, Uint8Array, Uint8ClampedArray};
use wasm_bindgen::prelude::*;

use crate::image::{self, Note, PixelHash, Pixels, RawNote, RawPicture, Rgb8, Shown, WindowChoice};
use crate::mvfa::Warning;
use crate::render;
use crate::web::error::WebError;
use crate::web::plain;

/// Width of the colour bar; the page stretches it.
const BAR_WIDTH_PX: usize = 256;

/// Shows a decoded picture through a window.
///
/// Returns `{ width, height, deep, values, inverted, synthetic, notes, warnings, window, pixels, input, hash }`: notes as `{ code, text }`,
/// warnings as `{ code, text, short, voids }`, the window as `{ low, high, padded, text }` or null where none applies,
/// pixels as RGBA, `values` as the numbers of deep grey or null, and `input` as RGB `[side, side, 3]` for the model whose side is given, or null; `hash` is equal for
/// equal inputs.
///
/// # Errors
/// Throws `ImageError` or, for a window that cannot be read, `UsageError`.
#[wasm_bindgen]
pub fn decode(bytes: &[u8], window: Option<String>, side_px: Option<usize>) -> Result<Object, JsValue> {
    let (raw, rgb, shown) = open(bytes, window.as_deref())?;
    let rgba: Vec<u8> = rgb.bytes.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
    let out = Object::new();
    set(&out, "width", &(rgb.width_px as f64).into());
    set(&out, "height", &(rgb.height_px as f64).into());
    set(&out, "deep", &raw.picture.is_deep().into());
    let values = match &raw.picture.pixels {
        Pixels::DeepGray { values, .. } => Float32Array::from(&values[..]).into(),
        _ => JsValue::NULL,
    };
    set(&out, "values", &values);
    set(&out, "inverted", &raw.inverted.into());
    set(&out, "synthetic", &raw.synthetic.into());
    set(&out, "notes", &raw.notes.iter().map(note).collect::<Array>());
    set(&out, "window", &shown.map_or(JsValue::NULL, |shown| window_of(&shown).into()));
    set(&out, "pixels", &Uint8ClampedArray::from(&rgba[..]));
    set(&out, "warnings", &plain(&Warning::of_image(&rgb))?);
    let input = side_px.map(|side| image::resize_bicubic(&rgb, side));
    let hash = input.as_ref().map(|input| PixelHash::of_rgb(input).to_string());
    set(&out, "hash", &hash.map_or(JsValue::NULL, JsValue::from));
    let input = input.map(|input| Uint8Array::from(&input.bytes[..]));
    set(&out, "input", &input.map_or(JsValue::NULL, JsValue::from));
    Ok(out)
}

/// A note as the page gets it: `{ code, text }`.
fn note(note: &RawNote) -> Object {
    let out = Object::new();
    set(&out, "code", &note.code.as_str().into());
    set(&out, "text", &note.text.as_str().into());
    out
}

/// What an analysis is given.
pub(crate) enum Source {
    /// A decoded picture, and how it is shown.
    Raw { bytes: Vec<u8>, window: Option<String> },
    /// What [`decode`] returned as `input`: nothing is resized again.
    Input(Vec<u8>),
}

impl Source {
    /// A decoded picture, unless the bytes are an `input`.
    pub(crate) fn new(bytes: Vec<u8>, is_input: bool, window: Option<String>) -> Self {
        if is_input { Self::Input(bytes) } else { Self::Raw { bytes, window } }
    }

    /// As 8-bit RGB for a model of this side, and the window where one applies.
    pub(crate) fn rgb(self, side_px: usize) -> Result<(Rgb8, Option<Shown>), WebError> {
        match self {
            Self::Raw { bytes, window } => {
                let (_, rgb, shown) = open(&bytes, window.as_deref())?;
                Ok((rgb, shown))
            }
            Self::Input(bytes) if bytes.len() == 3 * side_px * side_px => {
                Ok((Rgb8 { width_px: side_px, height_px: side_px, bytes }, None))
            }
            Self::Input(bytes) => Err(WebError::Usage(format!(
                "the decoded picture has {} values, this model reads {side_px} × {side_px} × 3; decode it in this session",
                bytes.len()
            ))),
        }
    }
}

/// A decoded picture as 8-bit RGB, with its window.
fn open(bytes: &[u8], window: Option<&str>) -> Result<(RawPicture, Rgb8, Option<Shown>), WebError> {
    let window: WindowChoice = match window {
        Some(text) => text.parse().map_err(|e| WebError::Usage(format!("{e}")))?,
        None => WindowChoice::Auto,
    };
    let raw = RawPicture::from_bytes(bytes)?;
    let (rgb, shown) = raw.shown(window);
    Ok((raw, rgb, shown))
}

/// How the grey values of a normal picture are spread, padding left out: `{ knots, padded }`, or null where no window
/// applies. For [`shared_window`].
///
/// # Errors
/// Throws `ImageError`.
#[wasm_bindgen(js_name = greySpread)]
pub fn grey_spread(bytes: &[u8]) -> Result<JsValue, JsValue> {
    let raw = RawPicture::from_bytes(bytes).map_err(WebError::from)?;
    Ok(raw.grey_spread().map_or(JsValue::NULL, |spread| {
        let out = Object::new();
        set(&out, "knots", &Float64Array::from(&spread.knots[..]));
        set(&out, "padded", &spread.is_padded.into());
        out.into()
    }))
}

/// The window that pictures have together, from the knots of all of them: `{ window, low, high, padded, text }`, or null
/// without any. `window` is the text that `decode` and `analyse` take.
#[wasm_bindgen(js_name = sharedWindow)]
pub fn shared_window(knots: &[f64], padded: bool) -> JsValue {
    image::pooled_range([knots]).map_or(JsValue::NULL, |range| {
        let out = window_of(&Shown { range, is_padded: padded });
        set(&out, "window", &WindowChoice::Between(range).to_string().into());
        out.into()
    })
}

/// `{ low, high, padded, text }`.
pub(crate) fn window_of(shown: &Shown) -> Object {
    let out = Object::new();
    set(&out, "low", &shown.range.low.into());
    set(&out, "high", &shown.range.high.into());
    set(&out, "padded", &shown.is_padded.into());
    set(&out, "text", &Note::Window(*shown).to_string().into());
    out
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
