//! Scoring a labelled set.
//!
//! Comes in: an engine, samples, and normal references. Goes out: [`Evaluation`], of the model and of
//! the baselines on the same pictures. Two passes: the first scores and puts the maps on disk, the
//! second fuses them with the whole set's minimum and maximum (spec §8.3). Memory does not grow with
//! the set. Fails with [`EvalError`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use mvfa_formats::SlicePlace;

use crate::bundle::manifest::{Augment, Calibration, ObjectKind, Range};
use crate::disk::{RunWindow, picture_file};
use crate::eval::baseline::{MeanReference, RawMemory, raw_intensity};
use crate::eval::dataset::{DatasetError, Sample};
use crate::eval::error::EvalError;
use crate::eval::mask::read_mask;
use crate::eval::pixel_stream::{PixelStream, Resampling};
use crate::eval::scores::{Evaluation, ImageResult, Scores, Windows};
use crate::eval::spill::Spill;
use crate::image::{Rgb8, Shown, WindowChoice};
use crate::mvfa::{
    Engine, ImageParts, Matching, MirrorAxis, Mode, Pacer, ReferenceId, Request, Warning, fuse, maximum,
};

/// Rounds of the bootstrap.
const ROUNDS: usize = 1000;

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
    /// How the model matches patches.
    pub matching: Matching,
    /// Compare slices of volumes only with the normal slices that lie nearest.
    pub nearest: Option<Nearest>,
    /// Normal references.
    pub references: Vec<PathBuf>,
    /// Views of each; `None` takes the model's.
    pub augment: Option<Augment>,
    /// Most rows a level in the memory of all references together.
    pub bank_rows: Option<usize>,
    /// With the left-right channel; `None`: if the object is bilateral.
    pub bilateral: Option<bool>,
    /// Where left and right are divided.
    pub axis: MirrorAxis,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// Stop at the first picture that cannot be read.
    pub strict: bool,
}

/// Normal slices by their place.
#[derive(Clone, Debug)]
pub struct Nearest {
    /// So many.
    pub count: usize,
    /// Where pictures and references lie in their volumes.
    pub places: HashMap<PathBuf, SlicePlace>,
}

impl Nearest {
    /// The references of `ids` that lie nearest to a picture; `None`, all of them, where a place is not known.
    fn of(&self, image: &Path, references: &[PathBuf], ids: &[ReferenceId]) -> Option<Vec<ReferenceId>> {
        let places: Option<Vec<SlicePlace>> = references.iter().map(|path| self.places.get(path).cloned()).collect();
        let nearest = self.places.get(image)?.nearest(&places?, self.count);
        Some(nearest.into_iter().filter_map(|n| ids.get(n).copied()).collect())
    }
}

/// Observer of a run.
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
    let is_mutual = options.matching == Matching::Mutual;
    let window = match options.mode {
        Mode::Few if is_mutual => {
            RunWindow::of(samples.iter().map(|sample| sample.image.as_path()), WindowChoice::Auto)
        }
        Mode::Few => RunWindow::of(options.references.iter().map(PathBuf::as_path), WindowChoice::Auto),
        Mode::Zero | Mode::Itself => RunWindow::each(WindowChoice::Auto),
    };
    let reference = |path: &PathBuf| open(path, &window).map(|(picture, _)| picture);
    let references = options.references.iter().map(reference).collect::<Result<Vec<_>, _>>()?;
    engine.clear_references();
    let ids: Vec<Option<ReferenceId>> = match options.mode {
        Mode::Few if is_mutual => {
            let add = |sample: &Sample| open(&sample.image, &window).ok().map(|(one, _)| engine.add_reference(&one));
            samples.iter().map(add).collect()
        }
        Mode::Few => references.iter().map(|picture| Some(engine.add_reference(picture))).collect(),
        Mode::Zero | Mode::Itself => Vec::new(),
    };
    let known: Vec<ReferenceId> = ids.iter().copied().flatten().collect();
    let mean = MeanReference::of(&references, side_px);
    let raw = match references.as_slice() {
        [] => None,
        some => {
            // Views are part of the adapted method; the baseline has them only if they are requested.
            let augment = options.augment.unwrap_or(Augment::None);
            Some(RawMemory::new(engine, some, augment, options.bank_rows, pacer)?)
        }
    };
    let mut request = Request {
        augment: options.augment,
        bank_rows: options.bank_rows,
        bilateral: options.bilateral,
        axis: options.axis,
        matching: options.matching,
        ..Request::new(&options.object, options.mode)
    };

    let has_masks = samples.iter().any(|s| s.mask.is_some());
    let mut pass = FirstPass::new(side_px, has_masks)?;
    let mut windows = Windows { shared: window.shared, deep: 0, padded: 0 };
    for (n, sample) in samples.iter().enumerate() {
        watch.scored(n, samples.len());
        request.among = match &options.nearest {
            _ if is_mutual => Some(known.iter().copied().filter(|id| Some(Some(*id)) != ids.get(n).copied()).collect()),
            Some(nearest) => nearest.of(&sample.image, &options.references, &known),
            None => None,
        };
        let mut one = || -> Result<(), EvalError> {
            let (picture, shown) = open(&sample.image, &window)?;
            let mask = mask(sample, Some(&picture), side_px)?;
            let (grey_map, grey_score) = raw_intensity(&picture, side_px);
            let difference = mean.as_ref().map(|mean| mean.score(&grey_map));
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
                score_mean_difference: difference.as_ref().map(|(_, score)| *score),
                warnings: Warning::of_image(&picture),
                person: sample.person.clone(),
            };
            let person = pass.person_of(sample);
            match (options.method, &raw_scores) {
                (Method::MemoryRaw, Some((map, score))) => {
                    check_finite(sample, map)?;
                    result.score_memory = Some(*score);
                    pass.memory.push(map)?;
                    watch.image(&result, &picture, map)?;
                }
                _ => {
                    let analysis = pollster::block_on(engine.analyse(&picture, &request, pacer))?;
                    result.score_zero = analysis.score_zero;
                    result.score_memory = analysis.score_memory;
                    result.score_calibrated = analysis.score_calibrated;
                    result.warnings.extend(&analysis.warnings);
                    if let Some(map) = &analysis.zero {
                        check_finite(sample, map)?;
                        pass.zero.push(map)?;
                    }
                    if let Some(map) = &analysis.memory {
                        check_finite(sample, map)?;
                        pass.memory.push(map)?;
                    }
                    if let Some(map) = analysis.fused.as_ref().filter(|_| has_masks) {
                        pass.calibrated_pixels.push_of(person, map, &mask)?;
                        pass.has_fused = true;
                    }
                    watch.image(&result, &picture, &analysis.overlay)?;
                }
            }
            let maps = [&raw_scores, &difference].map(|scored| scored.as_ref().map(|(map, _)| map.as_slice()));
            pass.push_baselines(person, &mask, &grey_map, maps)?;
            pass.persons.push(person);
            pass.samples.push(sample.clone());
            pass.images.push(result);
            windows.deep += usize::from(shown.is_some());
            windows.padded += usize::from(shown.is_some_and(|shown| shown.is_padded));
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
    Ok(Evaluation { windows, ..pass.finish(kind, options.seed)? })
}

/// What the first pass leaves for the second.
struct FirstPass {
    side_px: usize,
    has_masks: bool,
    zero: Spill,
    memory: Spill,
    grey_pixels: PixelStream,
    raw_pixels: PixelStream,
    difference_pixels: PixelStream,
    /// Fused by constants, as a single picture is.
    calibrated_pixels: PixelStream,
    has_fused: bool,
    images: Vec<ImageResult>,
    samples: Vec<Sample>,
    /// Number of each picture's person; each picture is its own where persons are not known.
    persons: Vec<usize>,
    /// Numbers of the persons that are known.
    person_numbers: BTreeMap<String, usize>,
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
            difference_pixels: PixelStream::new(side_px)?,
            calibrated_pixels: PixelStream::new(side_px)?,
            has_fused: false,
            images: Vec::new(),
            samples: Vec::new(),
            persons: Vec::new(),
            person_numbers: BTreeMap::new(),
            left_out: 0,
        })
    }

    /// The number of a picture's person: that of the first picture of the person.
    fn person_of(&mut self, sample: &Sample) -> usize {
        let next = self.persons.len();
        match &sample.person {
            Some(person) => *self.person_numbers.entry(person.clone()).or_insert(next),
            None => next,
        }
    }

    fn push_baselines(
        &mut self,
        person: usize,
        mask: &[u8],
        grey_map: &[f32],
        [raw_map, difference]: [Option<&[f32]>; 2],
    ) -> Result<(), EvalError> {
        if self.has_masks {
            self.grey_pixels.push_of(person, grey_map, mask)?;
            raw_map.map(|map| self.raw_pixels.push_of(person, map, mask)).transpose()?;
            difference.map(|map| self.difference_pixels.push_of(person, map, mask)).transpose()?;
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
        let (samples, persons, side_px, has_masks) = (&self.samples, &self.persons, self.side_px, self.has_masks);
        let mut add = |n: usize, map: &[f32]| -> std::io::Result<()> {
            highest.push(maximum(map));
            if let Some(sample) = samples.get(n).filter(|_| has_masks) {
                let mask = mask(sample, None, side_px).map_err(std::io::Error::other)?;
                pixels.push_of(persons.get(n).copied().unwrap_or(n), map, &mask)?;
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

        let parts: Vec<ImageParts> =
            self.images.iter().map(|i| ImageParts { zero: i.score_zero, memory: i.score_memory }).collect();
        let range_of = |part: fn(&ImageParts) -> Option<f32>| {
            let known = || parts.iter().filter_map(part);
            range((known().fold(f32::INFINITY, f32::min), known().fold(f32::NEG_INFINITY, f32::max)))
        };
        let ranges = Calibration {
            zero_map: zero_range,
            memory_map: memory_range,
            zero_score: range_of(|p| p.zero),
            memory_score: range_of(|p| p.memory),
        };
        for (n, (image, parts)) in self.images.iter_mut().zip(&parts).enumerate() {
            image.score = parts.score(kind, &ranges, || highest.get(n).copied().unwrap_or_default());
        }
        let of_images = |pick: fn(&ImageResult) -> f32| -> Vec<f32> { self.images.iter().map(pick).collect() };
        let resampling = Resampling { rounds: ROUNDS, seed };
        let figures = |scores: &[f32], pixels| Scores::new(scores, &labels, &self.persons, pixels, resampling);
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
            mean_difference: if self.images.iter().all(|i| i.score_mean_difference.is_some()) {
                let scores = of_images(|i| i.score_mean_difference.unwrap_or_default());
                Some(figures(&scores, self.difference_pixels.finish_with(resampling)?))
            } else {
                None
            },
            raw_intensity: figures(&of_images(|i| i.score_raw_intensity), self.grey_pixels.finish_with(resampling)?),
            images: self.images,
            left_out: self.left_out,
            windows: Windows::default(),
            persons: if self.person_numbers.is_empty() {
                None
            } else {
                Some(self.persons.iter().collect::<BTreeSet<_>>().len())
            },
        })
    }
}

fn range((lo, hi): (f32, f32)) -> Range {
    if hi > lo { Range { lo, hi } } else { Range { lo: 0.0, hi: 1.0 } }
}

/// Values that are no numbers would be ranked like others.
fn check_finite(sample: &Sample, map: &[f32]) -> Result<(), EvalError> {
    match map.iter().all(|v| v.is_finite()) {
        true => Ok(()),
        false => Err(EvalError::NotFinite { path: sample.image.display().to_string() }),
    }
}

/// At the model's size; where the picture is given its size is checked.
fn mask(sample: &Sample, picture: Option<&Rgb8>, side_px: usize) -> Result<Vec<u8>, DatasetError> {
    match &sample.mask {
        Some(path) => read_mask(path, &sample.image, picture, side_px),
        None => Ok(vec![0; side_px * side_px]),
    }
}

fn open(path: &Path, window: &RunWindow) -> Result<(Rgb8, Option<Shown>), EvalError> {
    picture_file::whole(path)
        .map(|picture| picture.shown(window.choice))
        .map_err(|e| EvalError::Picture { path: path.display().to_string(), reason: e.to_string() })
}
