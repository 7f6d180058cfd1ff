//! Every sample file against `files/expected.json`: size, frames, photometric interpretation, geometry, windows and
//! values, with the tolerance given there. The values come from pydicom, pylibjpeg and nibabel (see `files/NOTICE.md`).
//!
//! `MVFA_FORMATS=FOLDER` runs the same table over a folder of one's own with its `expected.json`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use mvfa_formats::{Channels, Frame, Limits, Series, ValueMap, WindowShape, open};
use serde_json::Value;

/// Recorded values have six decimals.
const ROUNDING: f64 = 1e-6;

/// Errors of files that no decoder reads, or that only lenient ones read.
const ERRORS: [(&str, &str); 10] = [
    ("broken/MR_truncated.dcm", "cut off"),
    ("broken/CT_small_cut60.dcm", "cut off"),
    ("broken/CT_small_header_only.dcm", "no picture"),
    ("broken/JPEG2000-embedded-sequence-delimiter.dcm", "JPEG 2000"),
    ("broken/emri_small_jpeg_2k_lossless_too_short.dcm", ""),
    ("broken/meta_missing_tsyntax.dcm", "no picture"),
    ("broken/no_meta.dcm", "formats: DICOM"),
    ("broken/empty.dcm", "empty"),
    ("broken/badVR.dcm", ""),
    ("dicom/pydicom-data/liver_nonbyte_aligned_rle.dcm", ""),
];

/// Where one sample in ten thousand may differ by one: half values of lossy HTJ2K, which OpenJPEG computes in another
/// order (`expected.json` gives no tolerance for it, its README one of 1 for lossy JPEG 2000). Its mean then differs.
const MEAN_TOLERANCE: [(&str, f64); 1] = [("dicom/pydicom-data/HTJ2K_08_RGB.dcm", 1e-4)];

fn folder() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    std::env::var_os("MVFA_FORMATS").map_or_else(own, PathBuf::from)
}

/// What differs in one file.
struct Mismatches(Vec<String>);

impl Mismatches {
    fn equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: T, expected: T) {
        if found != expected {
            self.0.push(format!("{what}: found {found:?}, expected {expected:?}"));
        }
    }

    fn close(&mut self, what: &str, found: f64, expected: f64, tolerance: f64) {
        let allowed = tolerance + ROUNDING + expected.abs() * 1e-9;
        let difference = (found - expected).abs();
        if difference > allowed || difference.is_nan() {
            self.0.push(format!("{what}: found {found}, expected {expected}, tolerance {tolerance}"));
        }
    }

    fn all_close(&mut self, what: &str, found: &[f64], expected: &[f64]) {
        self.equal(&format!("{what}, how many"), found.len(), expected.len());
        found.iter().zip(expected).for_each(|(&f, &e)| self.close(what, f, e, 1e-5));
    }

    /// Statistics and sample pixels of values in [height, width, channels].
    fn stats(&mut self, what: &str, values: &[f64], shape: (usize, usize), e: &Value, tolerances: (f64, f64)) {
        let ((width, channels), (tolerance, mean)) = (shape, tolerances);
        let fold = |start: f64, f: fn(f64, f64) -> f64| values.iter().copied().fold(start, f);
        self.close(&format!("{what} min"), fold(f64::MAX, f64::min), float(&e["min"]), tolerance);
        self.close(&format!("{what} max"), fold(f64::MIN, f64::max), float(&e["max"]), tolerance);
        let sum: f64 = values.iter().sum();
        self.close(&format!("{what} mean"), sum / values.len() as f64, float(&e["mean"]), tolerance.max(mean));
        for sample in e["samples"].as_array().unwrap() {
            let (row, column) = (index(&sample["row"]), index(&sample["col"]));
            for (channel, expected) in floats(&sample["value"]).into_iter().enumerate() {
                let found = values[(row * width + column) * channels + channel];
                self.close(&format!("{what} at {row}, {column}, {channel}"), found, expected, tolerance);
            }
        }
    }
}

fn float(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// A number or a list of them.
fn floats(value: &Value) -> Vec<f64> {
    value.as_array().map_or_else(|| vec![float(value)], |list| list.iter().map(float).collect())
}

fn index(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn stored(frame: &Frame) -> Vec<f64> {
    frame.samples.iter().collect()
}

fn dicom(series: &Series, name: &str, e: &Value) -> Vec<String> {
    let mut m = Mismatches(Vec::new());
    let text = |key: &str| e[key].as_str();
    m.equal("rows", series.height_px, index(&e["rows"]));
    m.equal("columns", series.width_px, index(&e["cols"]));
    m.equal("frames", series.len(), index(&e["frames"]));
    m.equal("photometric", series.dicom().map(|file| file.photometric()), text("photometric"));
    m.equal("modality", series.modality.as_deref(), text("modality"));
    let (centers, widths) = (&e["window_center"], &e["window_width"]);
    if !centers.is_null() {
        let expected: Vec<(f64, f64)> =
            floats(centers).into_iter().zip(floats(widths)).filter(|(_, width)| *width > 0.0).collect();
        m.equal("windows", series.presets.iter().filter_map(|preset| preset.center_width()).collect(), expected);
    }
    if let Some(places) = e["frame_positions_mm"].as_array() {
        for (n, place) in places.iter().enumerate().filter(|(_, place)| !place.is_null()) {
            let found = series.info(n).and_then(|info| info.geometry.position_mm).unwrap_or([f64::NAN; 3]);
            m.all_close(&format!("position of frame {n}"), &found, &floats(place));
        }
    }
    if !e["pixel_spacing_mm"].is_null() {
        let found = series.info(0).and_then(|info| info.geometry.spacing_mm).unwrap_or([f64::NAN; 2]);
        m.all_close("pixel spacing", &found, &floats(&e["pixel_spacing_mm"]));
    }
    let frame = match series.frame(0) {
        Ok(frame) => frame,
        Err(error) => {
            m.0.push(format!("frame 0: {error}"));
            return m.0;
        }
    };
    if let Err(error) = series.frame(series.len() - 1) {
        m.0.push(format!("last frame: {error}"));
    }
    if !e["bits_stored"].is_null() {
        m.equal("bits", u64::from(frame.bits), e["bits_stored"].as_u64().unwrap());
    }
    let channels = if frame.channels == Channels::Gray { 1 } else { 3 };
    let tolerance = float(&e["tolerance"]);
    let mean = MEAN_TOLERANCE.iter().find(|(file, _)| *file == name).map_or(0.0, |(_, tolerance)| *tolerance);
    let meaning: Vec<f64> = (0..frame.samples.len()).map(|i| frame.value(i).unwrap()).collect();
    // `first_frame` is after the data set's own rescaling, before that of functional groups and tables.
    let is_own = !e["rescale_slope"].is_null() || channels == 3;
    let first = if is_own { meaning.clone() } else { stored(&frame) };
    if !e["first_frame"].is_null() {
        m.stats("frame 0", &first, (frame.width_px, channels), &e["first_frame"], (tolerance, mean));
    }
    if let Some([slope, intercept]) = e["frame0_rescale"].as_array().map(Vec::as_slice) {
        m.equal("rescale", &frame.map, &ValueMap::Linear { slope: float(slope), intercept: float(intercept) });
    }
    if !e["after_modality_lut"].is_null() {
        m.stats("after the modality table", &meaning, (frame.width_px, 1), &e["after_modality_lut"], (0.0, 0.0));
    }
    if !e["after_voi_lut"].is_null() {
        match frame.presets.iter().map(|preset| &preset.shape).find(|shape| matches!(shape, WindowShape::Table(_))) {
            Some(WindowShape::Table(table)) => {
                let shown: Vec<f64> = meaning.iter().map(|&value| table.look_up(value)).collect();
                m.stats("after the VOI table", &shown, (frame.width_px, 1), &e["after_voi_lut"], (0.0, 0.0));
            }
            _ => m.0.push("no VOI table was found".to_owned()),
        }
    }
    m.0
}

fn nifti(series: &Series, e: &Value) -> Vec<String> {
    let mut m = Mismatches(Vec::new());
    let Some(volume) = series.volume() else { return vec!["not a volume".to_owned()] };
    let size = volume.size();
    let mut found: Vec<usize> = size.to_vec();
    if volume.volumes() > 1 {
        found.push(volume.volumes());
    }
    m.equal("size", found, e["dim"].as_array().unwrap().iter().map(index).collect());
    m.all_close("spacing", &volume.spacing_mm(), &floats(&e["pixdim"])[..3]);
    m.equal("orientation", volume.orientation().as_str(), e["orientation"].as_str().unwrap());
    for (row, (found, expected)) in volume.affine_ras().iter().zip(e["affine"].as_array().unwrap()).enumerate() {
        m.all_close(&format!("affine row {row}"), found, &floats(expected));
    }
    let frame = series.frame(0).unwrap();
    if let ValueMap::Linear { slope, intercept } = frame.map {
        m.close("slope", slope, float(&e["scl_slope"]), 0.0);
        m.close("intercept", intercept, float(&e["scl_inter"]), 0.0);
    }
    let all: Vec<[usize; 3]> =
        (0..size[2]).flat_map(|k| (0..size[1]).flat_map(move |j| (0..size[0]).map(move |i| [i, j, k]))).collect();
    let values: Vec<f64> = all.iter().map(|&at| volume.value(at, 0).unwrap()).collect();
    let first = &e["first_volume"];
    m.close("min", values.iter().copied().fold(f64::MAX, f64::min), float(&first["min"]), 0.0);
    m.close("max", values.iter().copied().fold(f64::MIN, f64::max), float(&first["max"]), 0.0);
    m.close("mean", values.iter().sum::<f64>() / values.len() as f64, float(&first["mean"]), 0.0);
    for sample in first["samples"].as_array().unwrap() {
        let at: Vec<usize> = sample["ijk"].as_array().unwrap().iter().map(index).collect();
        let found = volume.value([at[0], at[1], at[2]], 0).unwrap();
        m.close(&format!("voxel {at:?}"), found, float(&sample["value"]), 0.0);
    }
    m.0
}

/// A plain picture: the samples of its first channels.
fn raster(series: &Series, e: &Value) -> Vec<String> {
    let mut m = Mismatches(Vec::new());
    m.equal("rows", series.height_px, index(&e["rows"]));
    m.equal("columns", series.width_px, index(&e["cols"]));
    let frame = series.frame(0).unwrap();
    let channels = if frame.channels == Channels::Gray { 1 } else { 3 };
    for sample in e["samples"].as_array().unwrap() {
        let (row, column) = (index(&sample["row"]), index(&sample["col"]));
        for (channel, expected) in floats(&sample["value"]).into_iter().take(channels).enumerate() {
            let found = frame.value((row * series.width_px + column) * channels + channel).unwrap();
            m.close(&format!("at {row}, {column}, {channel}"), found, expected, 0.0);
        }
    }
    m.0
}

/// Opens a file and decodes its first frame.
fn first_frame(bytes: Vec<u8>) -> Result<Series, mvfa_formats::FormatError> {
    let series = open(bytes, &Limits::default())?;
    series.frame(0).map(|_| series)
}

#[test]
fn every_file_is_as_expected() {
    let folder = folder();
    let table: Value = serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    let (mut passed, mut failed, mut absent) = (0, Vec::new(), Vec::new());
    for (name, e) in table["files"].as_object().unwrap() {
        let kind = e["kind"].as_str().unwrap();
        let Ok(bytes) = std::fs::read(folder.join(name)) else {
            absent.push(name.as_str());
            continue;
        };
        let outcome = first_frame(bytes);
        let expects_error = e["oracle_error"].as_str().is_some_and(|error| error != "none");
        let is_volume = matches!(kind, "Nifti1Image" | "Nifti2Image");
        let mismatches = match (&outcome, ERRORS.iter().find(|(file, _)| file == name)) {
            (Err(error), Some((_, part))) if expects_error && error.to_string().contains(part) => {
                println!("{name}: refused: {error}");
                Vec::new()
            }
            (Ok(_), Some((_, ""))) => {
                println!("{name}: read, although the table's decoder refuses it");
                Vec::new()
            }
            (Err(error), None) if expects_error => {
                println!("{name}: refused: {error}");
                Vec::new()
            }
            (Ok(_), None) if expects_error => Vec::new(),
            (Err(error), _) => vec![error.to_string()],
            (Ok(_), Some((_, part))) => vec![format!("was read, expected an error with {part:?}")],
            (Ok(series), None) if is_volume => nifti(series, e),
            (Ok(series), None) if kind == "raster" => raster(series, e),
            (Ok(series), None) => dicom(series, name, e),
        };
        if mismatches.is_empty() {
            passed += 1;
        } else {
            failed.push(format!("{name}:\n    {}", mismatches.join("\n    ")));
        }
    }
    println!("{passed} files as expected; not in the folder (see NOTICE.md): {}", absent.join(", "));
    assert!(passed > 0, "no file was found in {}", folder.display());
    assert!(failed.is_empty(), "{} files differ:\n{}", failed.len(), failed.join("\n"));
}

/// pydicom cannot read the first of these, which holds the second with its bits packed before they are run-length coded.
#[test]
fn one_bit_frames_are_the_same_with_and_without_rle() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/dicom/pydicom-data");
    let [packed, plain] = ["liver_nonbyte_aligned_rle.dcm", "liver_nonbyte_aligned.dcm"]
        .map(|name| open(std::fs::read(folder.join(name)).unwrap(), &Limits::default()).unwrap());
    for n in 0..plain.len() {
        let (packed, plain) = (packed.frame(n).unwrap().samples, plain.frame(n).unwrap().samples);
        let differ = packed.iter().zip(plain.iter()).filter(|(a, b)| a != b).count();
        assert_eq!((differ, packed.len()), (0, 510 * 510), "frame {n}");
    }
}
