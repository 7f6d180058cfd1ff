//! A series as a plain object for the page.
//!
//! `{ format, isPicture, frames, width, height, volumes, axes, positionsMm, spacingMm, sliceSpacingMm, plane, modality,
//! bodyPart, units, windows, notes, places }`: `frames` are those of one volume; `places` has the number of the file and of
//! the frame in it for each frame, volume by volume; everything else is as `SeriesInfo` in `pkg/index.d.ts`.

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

/// Frames in the order of volumes, and how many volumes there are: one if they are not of equal length, and for a film, whose
/// frames all lie in one place.
pub(super) fn order(series: &Series) -> (Vec<usize>, usize) {
    let mut volumes: Vec<Vec<usize>> = Vec::new();
    for n in 0..series.len() {
        let volume = series.info(n).map_or(0, |info| info.volume);
        if volume >= volumes.len() {
            volumes.resize(volume + 1, Vec::new());
        }
        volumes[volume].push(n);
    }
    let is_film = volumes.iter().all(|volume| volume.len() == 1);
    let is_even = volumes.iter().all(|volume| volume.len() == volumes[0].len());
    if is_even && !is_film { (volumes.concat(), volumes.len().max(1)) } else { ((0..series.len()).collect(), 1) }
}

fn axis(frames: usize, width_px: usize, height_px: usize, geometry: &Geometry) -> JsValue {
    let out = Object::new();
    set(&out, "frames", number(frames));
    set(&out, "width", number(width_px));
    set(&out, "height", number(height_px));
    set(&out, "spacingMm", optional(geometry.spacing_mm.map(pair)));
    out.into()
}

/// The object.
pub(super) fn series(series: &Series) -> JsValue {
    let (order, volumes) = order(series);
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
    set(&axes, "axial", axis(frames, series.width_px, series.height_px, &first));
    if let Some(volume) = series.volume() {
        for (name, across) in [("coronal", Axis::Coronal), ("sagittal", Axis::Sagittal)] {
            let (width_px, height_px) = volume.slice_size(across);
            set(&axes, name, axis(volume.slices(across), width_px, height_px, &volume.geometry(across, 0)));
        }
    }
    set(&out, "axes", axes);
    let depths: Option<Vec<f64>> =
        order[..frames].iter().map(|&n| series.info(n).and_then(|info| info.geometry.depth_mm())).collect();
    let spacing_mm = match (series.volume(), &depths) {
        (Some(_), _) => first.thickness_mm,
        (None, Some(depths)) => spacing_mm(depths),
        (None, None) => None,
    };
    set(&out, "positionsMm", optional(depths.map(|depths| Array::from(&Float64Array::from(&depths[..])))));
    set(&out, "spacingMm", optional(first.spacing_mm.map(pair)));
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
