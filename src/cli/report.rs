//! What `predict` reports about one picture.

use std::path::Path;

use mvfa_formats::Series;
use serde::Serialize;

use super::method::MethodName;
use super::normal_pictures::NormalScore;
use super::paths::distinct;
use crate::clip::prompts::Prompts;
use crate::disk::RunWindow;
use crate::image::{Note, Shown, WindowChoice};
use crate::mvfa::{Analysis, Mode, PixelBox, Warning};

/// One line of `predict --json`.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    image: String,
    object: &'a str,
    mode: &'static str,
    /// None: the model as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    score: f32,
    score_calibrated: Option<f32>,
    score_zero: Option<f32>,
    score_memory: Option<f32>,
    width: usize,
    height: usize,
    #[serde(flatten)]
    slice: Option<SliceReport>,
    map_min: f32,
    map_max: f32,
    device: &'static str,
    /// What is to be known about how the picture was read.
    notes: Vec<String>,
    /// Reasons to distrust the score.
    warnings: &'a [Warning],
    /// The normal pictures' own scores, highest first; in the first object of a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    normal_pictures: Option<Vec<NormalScore>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<WindowReport>,
    /// Regions that count for nothing, in pixels of the picture.
    #[serde(skip_serializing_if = "<[PixelBox]>::is_empty")]
    left_out: &'a [PixelBox],
    /// Words that are not the model's.
    #[serde(skip_serializing_if = "Option::is_none")]
    own_words: Option<&'a Prompts>,
    ms: Milliseconds,
}

/// Which slice of a medical series it is.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct SliceReport {
    /// From 1, in the order of the series.
    pub(super) slice: usize,
    slices: usize,
    /// Along the normal of the slices, if the file says where they lie.
    position_mm: Option<f64>,
}

impl SliceReport {
    pub(super) fn new(series: &Series, frame: usize) -> Self {
        let position_mm = series.info(frame).and_then(|info| info.geometry.depth_mm());
        // Digits behind a thousandth of a micrometre come from rounding.
        let position_mm = position_mm.map(|mm| (mm * 1e6).round() / 1e6);
        Self { slice: frame + 1, slices: series.len(), position_mm }
    }
}

/// The window that grey deeper than 8 bits was analysed through.
#[derive(Clone, Debug, Serialize)]
pub(super) struct WindowReport {
    /// Grey values that are black and white.
    low: f64,
    high: f64,
    /// "references", "slices", "picture" or "option".
    from: &'static str,
    padding_left_out: bool,
}

impl WindowReport {
    pub(super) fn new(shown: &Shown, window: &RunWindow) -> Self {
        let from = match window.choice {
            _ if window.shared.is_some() && window.is_of_slices => "slices",
            _ if window.shared.is_some() => "references",
            WindowChoice::Auto => "picture",
            _ => "option",
        };
        Self { low: shown.range.low, high: shown.range.high, from, padding_left_out: shown.is_padded }
    }
}

/// Times of the steps; `total` also holds the references, which the first picture waits for.
#[derive(Debug, Serialize)]
struct Milliseconds {
    decode: f64,
    preprocess: f64,
    encode: f64,
    score: f64,
    total: f64,
}

/// What a report is made of, beside the analysis.
pub(super) struct Subject<'a> {
    pub(super) image: &'a Path,
    pub(super) object: &'a str,
    pub(super) mode: Mode,
    pub(super) method: MethodName,
    pub(super) device: &'static str,
    /// Size of the picture in its file, turned upright.
    pub(super) width_px: usize,
    pub(super) height_px: usize,
    pub(super) decode_ms: f64,
    pub(super) notes: &'a [Note],
    pub(super) window: Option<WindowReport>,
    pub(super) left_out: &'a [PixelBox],
    pub(super) warnings: &'a [Warning],
    pub(super) normal_pictures: Option<Vec<NormalScore>>,
    pub(super) slice: Option<SliceReport>,
    pub(super) own_words: Option<&'a Prompts>,
}

impl<'a> Report<'a> {
    pub(super) fn new(subject: &Subject<'a>, analysis: &Analysis) -> Self {
        let map = analysis.map();
        let timings = &analysis.timings;
        let total =
            subject.decode_ms + timings.references_ms + timings.preprocess_ms + timings.encode_ms + timings.score_ms;
        Self {
            image: distinct(subject.image),
            object: subject.object,
            mode: subject.mode.name(),
            method: (subject.method != MethodName::Mvfa).then(|| subject.method.name()),
            score: analysis.score,
            score_calibrated: analysis.score_calibrated,
            score_zero: analysis.score_zero,
            score_memory: analysis.score_memory,
            width: subject.width_px,
            height: subject.height_px,
            slice: subject.slice,
            map_min: map.iter().copied().fold(f32::INFINITY, f32::min),
            map_max: map.iter().copied().fold(f32::NEG_INFINITY, f32::max),
            device: subject.device,
            notes: subject.notes.iter().map(Note::to_string).collect(),
            warnings: subject.warnings,
            normal_pictures: subject.normal_pictures.clone(),
            window: subject.window.clone(),
            left_out: subject.left_out,
            own_words: subject.own_words,
            ms: Milliseconds {
                decode: rounded(subject.decode_ms),
                preprocess: rounded(timings.preprocess_ms),
                encode: rounded(timings.encode_ms),
                score: rounded(timings.score_ms),
                total: rounded(total),
            },
        }
    }

    /// One line for people.
    pub(super) fn line(&self) -> String {
        let slice = self.slice.filter(|slice| slice.slices > 1).map(|slice| format!(", slice {}", slice.slice));
        let slice = slice.unwrap_or_default();
        let calibrated = self.score_calibrated.map(|c| format!(" (calibrated {c:.3})")).unwrap_or_default();
        let left_out = match self.left_out.len() {
            0 => String::new(),
            1 => ", one region left out".to_owned(),
            n => format!(", {n} regions left out"),
        };
        let words = if self.own_words.is_some() { " with your own words" } else { "" };
        let doubts: Vec<&str> = self.warnings.iter().map(Warning::short).collect();
        let doubts = if doubts.is_empty() { String::new() } else { format!(" [{}]", doubts.join(", ")) };
        let how = match self.method {
            None => format!("{} mode", self.mode),
            Some(method) => format!("method {method}"),
        };
        format!(
            "{}{slice}: score {:.4}{calibrated}{doubts}, {}, {how}{words}{left_out}, {} device, {:.0} ms",
            self.image, self.score, self.object, self.device, self.ms.total
        )
    }
}

/// Microseconds are noise.
fn rounded(ms: f64) -> f64 {
    (ms * 1000.0).round() / 1000.0
}
