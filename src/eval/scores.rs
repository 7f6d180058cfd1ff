//! The result of an evaluation: scores of pictures, figures over all of them.

use std::fmt;

use serde::Serialize;

use crate::eval::bootstrap::{Interval, bootstrap};
use crate::eval::pixel_stream::{PixelMetrics, Resampling};
use crate::eval::sweep::{auroc, average_precision, f1_max};
use crate::image::Shown;
use crate::mvfa::Warning;

/// One picture's scores.
#[derive(Clone, Debug, Serialize)]
pub struct ImageResult {
    /// Place among the samples.
    #[serde(skip)]
    pub sample: usize,
    /// The label.
    pub abnormal: bool,
    /// Score by the released protocol: fused over the whole set.
    pub score: f32,
    /// c0.
    pub score_zero: Option<f32>,
    /// cm, or the maximum of Sm.
    pub score_memory: Option<f32>,
    /// The score a single picture gets from `mvfa predict`.
    pub score_calibrated: Option<f32>,
    /// The baseline's: raw tokens, if there are references.
    pub score_memory_raw: Option<f32>,
    /// The baseline's: mean grey value, in 0..1.
    pub score_raw_intensity: f32,
    /// The baseline's: largest absolute difference to the mean of the references, if there are any.
    pub score_mean_difference: Option<f32>,
    /// Reasons to distrust the scores.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// The person it shows, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
}

/// Figures of one way to score.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Scores {
    /// Area under the ROC curve over pictures.
    pub image_auroc: Option<f64>,
    /// Average precision over pictures.
    pub image_ap: Option<f64>,
    /// Over pixels.
    pub pixel_auroc: Option<f64>,
    /// Average precision over pixels.
    pub pixel_ap: Option<f64>,
    /// Per-region overlap.
    pub pro: Option<f64>,
    /// Largest F1 over pictures.
    pub f1_max: Option<f64>,
    /// Largest F1 over pixels.
    pub pixel_f1_max: Option<f64>,
    /// 95 % interval of `image_auroc`.
    pub image_auroc_interval: Option<Interval>,
    /// 95 % interval of `image_ap`.
    pub image_ap_interval: Option<Interval>,
    /// 95 % interval of `pixel_auroc`.
    pub pixel_auroc_interval: Option<Interval>,
    /// 95 % interval of `pixel_ap`.
    pub pixel_ap_interval: Option<Interval>,
    /// 95 % interval of `pro`.
    pub pro_interval: Option<Interval>,
    /// 95 % interval of `f1_max`.
    pub f1_max_interval: Option<Interval>,
}

impl Scores {
    /// Figures of pictures scored `scores` and labelled `labels`, beside those of their pixels; `persons` has the number of
    /// each picture's person.
    pub(crate) fn new(
        scores: &[f32],
        labels: &[bool],
        persons: &[usize],
        pixels: PixelMetrics,
        Resampling { rounds, seed }: Resampling,
    ) -> Self {
        Self {
            image_auroc: auroc(scores, labels),
            image_ap: average_precision(scores, labels),
            pixel_auroc: pixels.auroc,
            pixel_ap: pixels.average_precision,
            pro: pixels.pro,
            f1_max: f1_max(scores, labels),
            pixel_f1_max: pixels.f1_max,
            image_auroc_interval: bootstrap(scores, labels, persons, auroc, seed, rounds),
            image_ap_interval: bootstrap(scores, labels, persons, average_precision, seed, rounds),
            pixel_auroc_interval: pixels.intervals.auroc,
            pixel_ap_interval: pixels.intervals.average_precision,
            pro_interval: pixels.intervals.pro,
            f1_max_interval: bootstrap(scores, labels, persons, f1_max, seed, rounds),
        }
    }
}

/// Everything measured.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The model, or the method chosen.
    pub model: Scores,
    /// The model as a single picture is scored: fused by constants, not by the set's own range.
    pub calibrated: Option<Scores>,
    /// Raw tokens, if there are references.
    pub memory_raw: Option<Scores>,
    /// Grey values.
    pub raw_intensity: Scores,
    /// Absolute difference to the mean of the references, if there are any.
    pub mean_difference: Option<Scores>,
    /// Picture by picture, in the order of the samples.
    pub images: Vec<ImageResult>,
    /// Pictures left out.
    pub left_out: usize,
    /// The grey windows of pictures deeper than 8 bits.
    pub windows: Windows,
    /// Persons that intervals are drawn by, where they are known.
    pub persons: Option<usize>,
}

/// Through which windows grey deeper than 8 bits was analysed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Windows {
    /// That of the references, which all pictures share.
    pub shared: Option<Shown>,
    /// Pictures that a window was applied to.
    pub deep: usize,
    /// Those of them that had padding.
    pub padded: usize,
}

impl fmt::Display for Windows {
    /// A clause for people; empty where no window applies.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_padded = self.padded > 0 || self.shared.is_some_and(|shown| shown.is_padded);
        match (self.shared, self.deep) {
            (Some(Shown { range, .. }), _) => write!(f, "window {range} for all pictures, taken from the references")?,
            (None, 0) => return Ok(()),
            (None, 1) => write!(f, "one picture deeper than 8 bits through a window of its own")?,
            (None, deep) => write!(f, "{deep} pictures deeper than 8 bits, each through a window of its own")?,
        }
        if is_padded { f.write_str(", padding left out") } else { Ok(()) }
    }
}
