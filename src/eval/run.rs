//! Scoring a labelled set.
//!
//! Comes in: a bundle, samples, and normal references. Goes out: [`Evaluation`], of the model and of
//! the baselines on the same pictures. Two passes: the first scores and puts the maps on disk, the
//! second fuses them with the whole set's minimum and maximum (spec §8.3). Memory does not grow with
//! the set. Fails with [`EvalError`].

use std::path::PathBuf;

use serde::Serialize;
use thiserror::Error;

use crate::bundle::error::BundleError;
use crate::bundle::manifest::{Augment, ObjectKind, Range};
use crate::eval::baseline::{RawMemory, raw_intensity};
use crate::eval::bootstrap::{Interval, bootstrap};
use crate::eval::dataset::{DatasetError, Sample};
use crate::eval::mask::{check_size, read_mask};
use crate::eval::pixel_stream::{PixelMetrics, PixelStream, Resampling};
use crate::eval::spill::Spill;
use crate::eval::sweep::{auroc, f1_max};
use crate::image::{Limits, Rgb8, WindowChoice, decode};
use crate::mvfa::{Engine, EngineError, Mode, Pacer, Request, fuse, maximum, min_max};

/// Rounds of the bootstrap.
const ROUNDS: usize = 1000;

/// A set that cannot be scored.
#[derive(Debug, Error)]
pub enum EvalError {
    /// The model.
    #[error(transparent)]
    Model(#[from] BundleError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Labels and masks.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// A picture that cannot be read.
    #[error("{path}: {reason}; mend or remove it")]
    Picture {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The device stopped.
    #[error("the device stopped: {0}; close other programs and try again")]
    Device(String),
    /// The temporary files.
    #[error(
        "the temporary files of the maps failed: {0}; make room in the temporary folder, or name another with TMPDIR"
    )]
    Disk(#[from] std::io::Error),
    /// Nothing was left.
    #[error("none of the pictures can be read; mend them or name another --data folder")]
    Nothing,
}

impl EvalError {
    /// Whether the other pictures can still be scored.
    fn is_about_one_picture(&self) -> bool {
        matches!(self, Self::Picture { .. } | Self::Data(_))
    }
}

/// What scores the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The model as it is.
    Mvfa,
    /// Raw tokens of its tower, without adapters.
    MemoryRaw,
}

/// How to score.
#[derive(Clone, Debug)]
pub struct EvalOptions {
    /// Object id.
    pub object: String,
    /// What pictures are compared with.
    pub mode: Mode,
    /// What scores them.
    pub method: Method,
    /// Normal references.
    pub references: Vec<PathBuf>,
    /// Views of each; `None` takes the model's.
    pub augment: Option<Augment>,
    /// Most rows a level in the memory of all references together.
    pub bank_rows: Option<usize>,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// Stop at the first picture that cannot be read.
    pub strict: bool,
}

/// Who looks on.
pub trait Watch {
    /// Pictures scored so far.
    fn scored(&mut self, done: usize, total: usize);
    /// One picture is scored; `map` is the one to show, `[side, side]`.
    ///
    /// # Errors
    /// What it was put down to cannot be written.
    fn image(&mut self, result: &ImageResult, picture: &Rgb8, map: &[f32]) -> Result<(), EvalError>;
    /// A picture was left out.
    fn left_out(&mut self, error: &EvalError);
}

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
    /// The baseline's: raw tokens, where there are references.
    pub score_memory_raw: Option<f32>,
    /// The baseline's: mean grey value, in 0..1.
    pub score_raw_intensity: f32,
}

/// Figures of one way to score.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Scores {
    /// Area under the ROC curve over pictures.
    pub image_auroc: Option<f64>,
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
    /// 95 % interval of `pixel_auroc`.
    pub pixel_auroc_interval: Option<Interval>,
    /// 95 % interval of `pixel_ap`.
    pub pixel_ap_interval: Option<Interval>,
    /// 95 % interval of `pro`.
    pub pro_interval: Option<Interval>,
}

/// Everything measured.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The model, or the method chosen.
    pub model: Scores,
    /// The model as a single picture is scored: fused by constants, not by the set's own range.
    pub calibrated: Option<Scores>,
    /// Raw tokens, where there are references.
    pub memory_raw: Option<Scores>,
    /// Grey values.
    pub raw_intensity: Scores,
    /// Picture by picture, in the order of the samples.
    pub images: Vec<ImageResult>,
    /// Pictures left out.
    pub left_out: usize,
}

/// Scores samples.
///
/// # Errors
/// [`EvalError`]; a picture that cannot be read only when `strict`.
pub fn evaluate(
    engine: &mut Engine,
    samples: &[Sample],
    options: &EvalOptions,
    pacer: &mut impl Pacer,
    watch: &mut dyn Watch,
) -> Result<Evaluation, EvalError> {
    let kind = engine.manifest().object(&options.object)?.kind;
    let side_px = engine.manifest().preprocess.size_px;
    let references = options.references.iter().map(|path| open(path)).collect::<Result<Vec<_>, _>>()?;
    engine.clear_references();
    if options.mode == Mode::Few {
        references.iter().for_each(|picture| {
            engine.add_reference(picture);
        });
    }
    let raw = match references.as_slice() {
        [] => None,
        some => {
            // Views are part of the adapted method; the baseline has them only where they are asked for.
            let augment = options.augment.unwrap_or(Augment::None);
            Some(RawMemory::new(engine, some, augment, options.bank_rows, pacer)?)
        }
    };
    let request = Request {
        object: options.object.clone(),
        mode: options.mode,
        augment: options.augment,
        bank_rows: options.bank_rows,
    };

    let has_masks = samples.iter().any(|s| s.mask.is_some());
    let mut pass = FirstPass::new(side_px, has_masks)?;
    for (n, sample) in samples.iter().enumerate() {
        watch.scored(n, samples.len());
        let mut one = || -> Result<(), EvalError> {
            let picture = open(&sample.image)?;
            if let Some(mask) = &sample.mask {
                check_size(mask, &picture)?;
            }
            let mask = mask(sample, side_px)?;
            let (grey_map, grey_score) = raw_intensity(&picture, side_px);
            let raw_scores = raw.as_ref().map(|r| r.score(engine, &picture, pacer)).transpose()?;
            let mut result = ImageResult {
                sample: n,
                abnormal: sample.abnormal,
                score: 0.0,
                score_zero: None,
                score_memory: None,
                score_calibrated: None,
                score_memory_raw: raw_scores.as_ref().map(|(_, score)| *score),
                score_raw_intensity: grey_score,
            };
            match (options.method, &raw_scores) {
                (Method::MemoryRaw, Some((map, score))) => {
                    result.score_memory = Some(*score);
                    pass.memory.push(map)?;
                    watch.image(&result, &picture, map)?;
                }
                _ => {
                    let analysis = pollster::block_on(engine.analyse(&picture, &request, pacer))?;
                    result.score_zero = analysis.score_zero;
                    result.score_memory = analysis.score_memory;
                    result.score_calibrated = analysis.score_calibrated;
                    if let Some(map) = &analysis.zero {
                        pass.zero.push(map)?;
                    }
                    if let Some(map) = &analysis.memory {
                        pass.memory.push(map)?;
                    }
                    if let Some(map) = analysis.fused.as_ref().filter(|_| has_masks) {
                        pass.calibrated_pixels.push(map, &mask)?;
                        pass.has_fused = true;
                    }
                    watch.image(&result, &picture, &analysis.overlay)?;
                }
            }
            pass.push_baselines(&mask, &grey_map, raw_scores.as_ref().map(|(map, _)| map.as_slice()))?;
            pass.samples.push(sample.clone());
            pass.images.push(result);
            Ok(())
        };
        match one() {
            Ok(()) => {}
            Err(error) if error.is_about_one_picture() && !options.strict => {
                watch.left_out(&error);
                pass.left_out += 1;
            }
            Err(error) => return Err(error),
        }
    }
    watch.scored(samples.len(), samples.len());
    if pass.images.is_empty() {
        return Err(EvalError::Nothing);
    }
    pass.finish(kind, options.seed)
}

/// What the first pass leaves for the second.
struct FirstPass {
    side_px: usize,
    has_masks: bool,
    zero: Spill,
    memory: Spill,
    grey_pixels: PixelStream,
    raw_pixels: PixelStream,
    /// Fused by constants, as a single picture is.
    calibrated_pixels: PixelStream,
    has_fused: bool,
    images: Vec<ImageResult>,
    samples: Vec<Sample>,
    left_out: usize,
}

impl FirstPass {
    fn new(side_px: usize, has_masks: bool) -> Result<Self, EvalError> {
        Ok(Self {
            side_px,
            has_masks,
            zero: Spill::new(side_px * side_px)?,
            memory: Spill::new(side_px * side_px)?,
            grey_pixels: PixelStream::new(side_px)?,
            raw_pixels: PixelStream::new(side_px)?,
            calibrated_pixels: PixelStream::new(side_px)?,
            has_fused: false,
            images: Vec::new(),
            samples: Vec::new(),
            left_out: 0,
        })
    }

    fn push_baselines(&mut self, mask: &[u8], grey_map: &[f32], raw_map: Option<&[f32]>) -> Result<(), EvalError> {
        if self.has_masks {
            self.grey_pixels.push(grey_map, mask)?;
            raw_map.map(|map| self.raw_pixels.push(map, mask)).transpose()?;
        }
        Ok(())
    }

    fn finish(mut self, kind: ObjectKind, seed: u64) -> Result<Evaluation, EvalError> {
        let labels: Vec<bool> = self.images.iter().map(|i| i.abnormal).collect();
        let (zero_range, memory_range) = (range(self.zero.range), range(self.memory.range));
        let has = |spill: &Spill| spill.range.0 <= spill.range.1;
        let (has_zero, has_memory) = (has(&self.zero), has(&self.memory));

        // Both parts of one picture side by side: the second file is read along with the first.
        let mut pixels = PixelStream::new(self.side_px)?;
        let mut highest = Vec::with_capacity(labels.len());
        let (samples, side_px, has_masks) = (&self.samples, self.side_px, self.has_masks);
        let mut add = |n: usize, map: &[f32]| -> std::io::Result<()> {
            highest.push(maximum(map));
            if let Some(sample) = samples.get(n).filter(|_| has_masks) {
                let mask = mask(sample, side_px).map_err(std::io::Error::other)?;
                pixels.push(map, &mask)?;
            }
            Ok(())
        };
        if has_zero && has_memory {
            let mut memory = self.memory.into_reader()?;
            self.zero.for_each(|n, zero| {
                let memory = memory.next_map()?;
                add(n, &fuse(&zero, &memory, zero_range, memory_range))
            })?;
        } else if has_zero {
            self.zero.for_each(|n, map| add(n, &map))?;
        } else {
            self.memory.for_each(|n, map| add(n, &map))?;
        }

        let scale = |values: Vec<Option<f32>>| -> Vec<Option<f32>> {
            let known = || values.iter().flatten().copied();
            let of = range((known().fold(f32::INFINITY, f32::min), known().fold(f32::NEG_INFINITY, f32::max)));
            values.iter().map(|v| v.map(|v| min_max(v, of))).collect()
        };
        let zero_scores = scale(self.images.iter().map(|i| i.score_zero).collect());
        let memory_scores = scale(self.images.iter().map(|i| i.score_memory).collect());
        for (n, image) in self.images.iter_mut().enumerate() {
            let part = |list: &[Option<f32>]| list.get(n).copied().flatten();
            image.score = match (part(&zero_scores), part(&memory_scores), kind) {
                // Zero-shot is always the mean over patches (spec §0, fact 8).
                (Some(_), None, _) => image.score_zero.unwrap_or_default(),
                (Some(zero), Some(memory), ObjectKind::Detection) => 0.5 * zero + 0.5 * memory,
                (Some(_), Some(_), ObjectKind::Segmentation) => highest.get(n).copied().unwrap_or_default(),
                (None, Some(_), _) => image.score_memory.unwrap_or_default(),
                (None, None, _) => 0.0,
            };
        }
        let of_images = |pick: fn(&ImageResult) -> f32| -> Vec<f32> { self.images.iter().map(pick).collect() };
        let figures = |scores: &[f32], pixels: PixelMetrics| Scores {
            image_auroc: auroc(scores, &labels),
            pixel_auroc: pixels.auroc,
            pixel_ap: pixels.average_precision,
            pro: pixels.pro,
            f1_max: f1_max(scores, &labels),
            pixel_f1_max: pixels.f1_max,
            image_auroc_interval: bootstrap(scores, &labels, auroc, seed, ROUNDS),
            pixel_auroc_interval: pixels.intervals.auroc,
            pixel_ap_interval: pixels.intervals.average_precision,
            pro_interval: pixels.intervals.pro,
        };
        let resampling = Resampling { rounds: ROUNDS, seed };
        let pixels = pixels.finish_with(resampling)?;
        // With one part only, constants stretch its maps all alike and change no rank.
        let calibrated_pixels = if self.has_fused { self.calibrated_pixels.finish_with(resampling)? } else { pixels };
        let calibrated = self.images.iter().all(|i| i.score_calibrated.is_some());
        let calibrated =
            calibrated.then(|| figures(&of_images(|i| i.score_calibrated.unwrap_or_default()), calibrated_pixels));
        Ok(Evaluation {
            model: figures(&of_images(|i| i.score), pixels),
            calibrated,
            memory_raw: if self.images.iter().all(|i| i.score_memory_raw.is_some()) {
                let scores = of_images(|i| i.score_memory_raw.unwrap_or_default());
                Some(figures(&scores, self.raw_pixels.finish_with(resampling)?))
            } else {
                None
            },
            raw_intensity: figures(&of_images(|i| i.score_raw_intensity), self.grey_pixels.finish_with(resampling)?),
            images: self.images,
            left_out: self.left_out,
        })
    }
}

fn range((lo, hi): (f32, f32)) -> Range {
    if hi > lo { Range { lo, hi } } else { Range { lo: 0.0, hi: 1.0 } }
}

fn mask(sample: &Sample, side_px: usize) -> Result<Vec<u8>, DatasetError> {
    match &sample.mask {
        Some(path) => read_mask(path, side_px),
        None => Ok(vec![0; side_px * side_px]),
    }
}

fn open(path: &std::path::Path) -> Result<Rgb8, EvalError> {
    let wrong = |reason: String| EvalError::Picture { path: path.display().to_string(), reason };
    let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
    Ok(decode(&bytes, &Limits::default()).map_err(|e| wrong(e.to_string()))?.to_rgb8(WindowChoice::Auto))
}
