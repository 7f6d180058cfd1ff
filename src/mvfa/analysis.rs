//! Requests to an engine, its progress reports, and its results.

use crate::bundle::manifest::Augment;
use crate::mvfa::error::Cancelled;
use crate::mvfa::memory::ReferenceId;
use crate::mvfa::mirror::MirrorAxis;
use crate::mvfa::warning::Warning;

/// What a picture is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Words (zero-shot).
    Zero,
    /// Normal references, and words if the model has them (few-shot).
    Few,
    /// The other side of the picture itself; its map and score are the memory's.
    Itself,
}

impl Mode {
    /// The name used in commands and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Few => "few",
            Self::Itself => "self",
        }
    }
}

/// How the patches of a picture are matched with what it is compared with. Words are not matched patch by patch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// The nearest row of all references; in itself, the mirrored place.
    #[default]
    Nearest,
    /// The nearest row of the component of the references' rows that the patch belongs to.
    Components,
    /// The pictures that are given as references are no normal ones but others to be judged, too: the mean over the
    /// nearest of them. They have no scale of normal pictures.
    Mutual,
    /// In itself: what most of the picture looks like; with the mirrored place, where the object's sides look alike.
    Prototypes,
}

/// What is asked about a picture.
#[derive(Clone, Debug)]
pub struct Request {
    /// Object id of the manifest.
    pub object: String,
    /// What to compare with.
    pub mode: Mode,
    /// How its patches are matched with that.
    pub matching: Matching,
    /// Views of each reference; `None` takes the manifest's.
    pub augment: Option<Augment>,
    /// Most rows a level in the memory of all references together, at least one each; `None` keeps all.
    pub bank_rows: Option<usize>,
    /// Whether the left-right channel stands beside the references; `None`: if the object is bilateral.
    pub bilateral: Option<bool>,
    /// Where left and right are divided.
    pub axis: MirrorAxis,
    /// The references to compare with, those that lie nearest in a volume for example; `None`: all. Ranges are made
    /// from them alone.
    pub among: Option<Vec<ReferenceId>>,
}

impl Request {
    /// What the model's manifest has as its defaults.
    pub fn new(object: &str, mode: Mode) -> Self {
        Self {
            object: object.to_owned(),
            mode,
            matching: Matching::Nearest,
            augment: None,
            bank_rows: None,
            bilateral: None,
            axis: MirrorAxis::Middle,
            among: None,
        }
    }
}

/// What the engine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Encoding references.
    References,
    /// Encoding the picture.
    Encode,
    /// Comparing.
    Score,
    /// Encoding the test picture after a model is loaded.
    SelfTest,
}

impl Stage {
    /// The name used in progress reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::References => "references",
            Self::Encode => "encode",
            Self::Score => "score",
            Self::SelfTest => "self-test",
        }
    }
}

/// How far a stage has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The stage.
    pub stage: Stage,
    /// Steps done.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
}

/// Sees every step, may stop the work, and owns the clock (a browser worker and a terminal have
/// different ones).
pub trait Pacer {
    /// Called after each step; may let others run.
    ///
    /// # Errors
    /// [`Cancelled`] to stop.
    fn step(&mut self, progress: Progress) -> impl Future<Output = Result<(), Cancelled>>;

    /// Waits for a device. If a stop can arrive meanwhile it is answered at once, and the result of the
    /// work is dropped.
    ///
    /// # Errors
    /// [`Cancelled`] to stop.
    fn wait<T: 'static>(
        &mut self,
        work: impl Future<Output = T> + 'static,
    ) -> impl Future<Output = Result<T, Cancelled>> {
        async move { Ok(work.await) }
    }

    /// Milliseconds since any fixed moment.
    fn now_ms(&self) -> f64;
}

/// Times of the steps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timings {
    /// Encoding references that were not encoded yet.
    pub references_ms: f64,
    /// Resizing and scaling the picture.
    pub preprocess_ms: f64,
    /// The tower.
    pub encode_ms: f64,
    /// Distances, maps and scores.
    pub score_ms: f64,
    /// Looking for the image among the references and comparing it with them as a whole; part of the others.
    pub checks_ms: f64,
}

/// The answer for one picture. Maps are `[side_px, side_px]`, row-major.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// Image score by mode and kind of object (spec §8); comparable within one model, object and
    /// set of references.
    pub score: f32,
    /// The score on the scale of the calibration constants, or of the references if those are two or more: 0 at the
    /// lower and 1 at the upper end of the range, beyond them for images that are beyond it. `None` if there is
    /// neither.
    pub score_calibrated: Option<f32>,
    /// c0.
    pub score_zero: Option<f32>,
    /// cm for detection objects, the maximum of Sm for segmentation objects; what the model's scoring makes of Sm, if it
    /// has rules of its own.
    pub score_memory: Option<f32>,
    /// S0, as the released code computes it.
    pub zero: Option<Vec<f32>>,
    /// Sm, as the released code or the model's scoring has it.
    pub memory: Option<Vec<f32>>,
    /// Both on one scale. The three maps hold no number where regions are left out.
    pub fused: Option<Vec<f32>>,
    /// The map to show: of the bank that the object is scored by, at the patches' true places. Where regions
    /// are left out it holds its lowest value.
    pub overlay: Vec<f32>,
    /// Per level the patch values `[grid, grid]` behind the map to show; the left-right channel, as weighted, last.
    pub levels: Vec<Vec<f32>>,
    /// Which pixels of `zero`, `memory` and `fused` are left out; `None` if none is.
    pub left_out: Option<Vec<bool>>,
    /// Side of the maps, in pixels.
    pub side_px: usize,
    /// Scores of references when each is left out of the memory, of at most sixteen spread over all; `None` with
    /// fewer than two.
    pub support_scores: Option<Vec<f32>>,
    /// Whose scores these are.
    pub support_ids: Option<Vec<ReferenceId>>,
    /// References that are unlike all the others.
    pub support_unlike: Vec<ReferenceId>,
    /// The highest place of the maps that `support_scores` are made of: nothing below it is more than what normal
    /// pictures have. `None` for objects that have image labels only.
    pub normal_top: Option<f32>,
    /// How far the image as a whole lies from the references, in what they lie from each other: from 1 on it is unlike
    /// them. `None` without two references.
    pub unlikeness: Option<f32>,
    /// Reasons to distrust the score that only the references show; those that the image alone shows are
    /// [`Warning::of_image`].
    pub warnings: Vec<Warning>,
    /// Times of the steps.
    pub timings: Timings,
}

impl Analysis {
    /// The map the mode stands for: S0, Sm, or both fused.
    pub fn map(&self) -> &[f32] {
        self.fused.as_ref().or(self.memory.as_ref()).or(self.zero.as_ref()).map_or(&[], Vec::as_slice)
    }
}
