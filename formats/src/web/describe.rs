//! A series as a plain object for the page.
//!
//! `{ format, isPicture, frames, width, height, volumes, axes, positionsMm, spacingMm, isDetectorSpacing, sliceSpacingMm,
//! plane, modality, bodyPart, units, windows, notes, places }`: `frames` are those of one volume; `places` has the number of
//! the file and of the frame in it for each frame, and `positionsMm` its place in the body, volume by volume; everything else
//! is as `SeriesInfo` in `pkg/index.d.ts`.

use js_sys::{Array, Float64Array, Object, Reflect, Uint16Array, Uint32Array};
use wasm_bindgen::JsValue;

use crate::series::spacing_mm;
use crate::{Axis, Geometry, Series, WindowShape};

fn set(object: &Object, key: &str, value: impl Into<JsValue>) {
    // An object made here takes any field.
    let _ = Reflect::set(object, &key.into(), &value.into());
}

fn number(value: usize) -> JsValue {
    JsValue::from(value as f64)
}

fn optional(value: Option<impl Into<JsValue>>) -> JsValue {
    value.map_or(JsValue::NULL, Into::into)
}

fn pair([first, second]: [f64; 2]) -> JsValue {
    [first, second].into_iter().map(JsValue::from).collect::<Array>().into()
}

fn positions(depths: Option<&[f64]>) -> JsValue {
    optional(depths.map(|depths| Array::from(&Float64Array::from(depths))))
}

fn axis(frames: usize, (width_px, height_px): (usize, usize), geometry: &Geometry, depths: Option<&[f64]>) -> JsValue {
    let out = Object::new();
    set(&out, "frames", number(frames));
    set(&out, "width", number(width_px));
    set(&out, "height", number(height_px));
    set(&out, "spacingMm", optional(geometry.spacing_mm.map(pair)));
    set(&out, "positionsMm", positions(depths));
    out.into()
}

/// The object.
pub(super) fn series(series: &Series) -> JsValue {
    let (order, volumes) = series.in_volumes();
    let depths = series.positions_mm();
    let frames = order.len() / volumes;
    let first = order.first().and_then(|&n| series.info(n)).map(|info| info.geometry).unwrap_or_default();
    let out = Object::new();
    set(&out, "format", series.format);
    set(&out, "isPicture", series.is_picture());
    set(&out, "frames", number(frames));
    set(&out, "width", number(series.width_px));
    set(&out, "height", number(series.height_px));
    set(&out, "volumes", number(volumes));
    let axes = Object::new();
    set(
        &axes,
        "axial",
        axis(frames, (series.width_px, series.height_px), &first, depths.as_deref().map(|all| &all[..frames])),
    );
    if let Some(volume) = series.volume() {
        for (name, across) in [("coronal", Axis::Coronal), ("sagittal", Axis::Sagittal)] {
            let (slices, geometry) = (volume.slices(across), volume.geometry(across, 0));
            let depths = volume.positions_mm(across);
            set(&axes, name, axis(slices, volume.slice_size(across), &geometry, depths.as_deref()));
        }
    }
    set(&out, "axes", axes);
    let spacing_mm = match (series.volume(), &depths) {
        (Some(_), _) => first.thickness_mm,
        (None, Some(depths)) => spacing_mm(&depths[..frames]),
        (None, None) => None,
    };
    set(&out, "positionsMm", positions(depths.as_deref()));
    set(&out, "spacingMm", optional(first.spacing_mm.map(pair)));
    set(&out, "isDetectorSpacing", series.is_detector_spacing());
    set(&out, "sliceSpacingMm", optional(spacing_mm));
    set(&out, "plane", optional(first.plane()));
    set(&out, "modality", optional(series.modality.as_deref()));
    set(&out, "bodyPart", optional(series.body_part.as_deref()));
    set(&out, "units", optional(series.units.as_deref()));
    let windows = Array::new();
    for preset in &series.presets {
        let window = Object::new();
        set(&window, "name", optional(preset.name.as_deref()));
        let (curve, center, width) = match &preset.shape {
            WindowShape::Linear { center, width } => ("linear", *center, *width),
            WindowShape::LinearExact { center, width } => ("exact", *center, *width),
            WindowShape::Sigmoid { center, width } => ("sigmoid", *center, *width),
            WindowShape::Table(table) => {
                set(&window, "first", table.first);
                set(&window, "top", table.top());
                set(&window, "entries", Uint16Array::from(&table.entries[..]));
                let width = table.entries.len() as f64;
                ("table", f64::from(table.first) + width / 2.0, width)
            }
        };
        set(&window, "curve", curve);
        set(&window, "center", center);
        set(&window, "width", width);
        windows.push(&window);
    }
    set(&out, "windows", windows);
    set(&out, "notes", series.notes.iter().map(|note| JsValue::from(note.as_str())).collect::<Array>());
    let places: Vec<u32> =
        order.iter().filter_map(|&n| series.place(n)).flat_map(|(file, frame)| [file as u32, frame as u32]).collect();
    set(&out, "places", Uint32Array::from(&places[..]));
    out.into()
}
