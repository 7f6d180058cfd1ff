//! A loaded model with its references: pictures in, scores and maps out.
//!
//! Comes in: decoded 8-bit RGB pictures. Goes out: [`Analysis`]. Fails with [`EngineError`]; a
//! failed or stopped call leaves model and references as they were. Work is cut into steps that a
//! [`Pacer`] sees, so the same code serves a progress bar on a terminal and a worker that must
//! stay responsive.

use std::collections::HashMap;

use crate::bundle::error::BundleError;
use crate::bundle::manifest::{Augment, Manifest, PreprocessConfig};
use crate::compute::{Done, Kernels, OpenDevice, Reading, Weights};
use crate::image::{Planes, Rgb8, resize_bicubic, to_planes};
use crate::mvfa::analysis::{Analysis, Matching, Mode, Pacer, Progress, Request, Stage, Timings};
use crate::mvfa::encoder::AdaptedEncoder;
use crate::mvfa::error::{Cancelled, EngineError};
use crate::mvfa::features::Features;
use crate::mvfa::map_rule::MapRule;
use crate::mvfa::memory::{ReferenceId, Taken};
use crate::mvfa::references::{Facts, References};
use crate::mvfa::regions::{Kept, RegionError, Regions};
use crate::mvfa::words::{Seen, Words};

/// A loaded model with its references.
pub struct Engine {
    pub(super) manifest: Manifest,
    pub(super) open: OpenDevice,
    pub(super) encoder: AdaptedEncoder,
    /// What the memory is made with, if that is not `encoder`: the adapters left out, or blocks past its last level.
    pub(super) of_memory: Option<AdaptedEncoder>,
    pub(super) taken: Taken,
    /// How maps of the memory are made.
    pub(super) rule: MapRule,
    /// Those of the bundle.
    pub(super) text: HashMap<String, Words>,
    /// A person's own, in their place.
    pub(super) own_words: HashMap<String, Words>,
    pub(super) seen: Option<Seen>,
    pub(super) references: References,
    /// What stays of each picture; `None` if nothing is left out.
    pub(super) kept: Option<Kept>,
    device_done: Done,
    /// Whether a block takes so long that a person would wait for it.
    pub(super) is_slow: bool,
}

impl Engine {
    /// Builds the model from all its weights.
    ///
    /// # Errors
    /// [`BundleError`] when a tensor is missing or has another shape.
    pub fn new(manifest: Manifest, weights: Weights, open: OpenDevice) -> Result<Self, BundleError> {
        let kernels = open.kernels();
        Self::with_kernels(manifest, weights, open, kernels)
    }

    /// The same with kernels that are not the device's usual ones.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn with_kernels(
        manifest: Manifest,
        mut weights: Weights,
        open: OpenDevice,
        kernels: Kernels,
    ) -> Result<Self, BundleError> {
        let encoder = AdaptedEncoder::take(&mut weights, &manifest, kernels, open.runner)?;
        let (taken, rule) = (Taken::of(&manifest), MapRule::of(&manifest));
        let of_memory = encoder_of_memory(&encoder, &manifest, &taken);
        let dim = manifest.adapters.as_ref().map_or(manifest.vision.width, |a| a.bottleneck);
        let mut text: HashMap<String, Words> = HashMap::new();
        for (n, object) in manifest.objects.iter().enumerate() {
            let Some(name) = &object.text_features else { continue };
            // Objects may share a tensor: it leaves the weights once.
            let twin = manifest.objects[..n].iter().find(|o| o.text_features.as_ref() == Some(name));
            let features = match twin.and_then(|o| text.get(&o.id)) {
                Some(features) => features.clone(),
                None => Words::of_bundle(weights.take(name, [dim, 2])?),
            };
            text.insert(object.id.clone(), features);
        }
        Ok(Self {
            device_done: Done::of(&open.device),
            manifest,
            open,
            encoder,
            of_memory,
            taken,
            rule,
            text,
            own_words: HashMap::new(),
            seen: None,
            references: References::default(),
            kept: None,
            is_slow: false,
        })
    }

    /// Chooses the faster of two modes by a short trial, if the model has two.
    pub fn choose_faster(&self, now_ms: impl Fn() -> f64) {
        self.encoder.choose_faster(now_ms);
    }

    /// The bundle's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The device in use.
    pub fn device(&self) -> &OpenDevice {
        &self.open
    }

    /// Whether `object` can be compared with words.
    pub fn has_zero_shot(&self, object: &str) -> bool {
        self.text.contains_key(object) || self.own_words.contains_key(object)
    }

    /// Remembers a normal picture. It is encoded when it is first needed.
    pub fn add_reference(&mut self, picture: &Rgb8) -> ReferenceId {
        self.references.add(self.planes(picture))
    }

    /// Takes a reference anew under its old name; it is encoded again. False when there was none.
    pub fn replace_reference(&mut self, id: ReferenceId, picture: &Rgb8) -> bool {
        let planes = self.planes(picture);
        self.references.replace(id, planes)
    }

    /// Forgets one reference. False when there was none of that name.
    pub fn remove_reference(&mut self, id: ReferenceId) -> bool {
        self.references.remove(id)
    }

    /// Forgets all references.
    pub fn clear_references(&mut self) {
        self.references.clear();
    }

    /// Remembers a normal picture that another engine of the same model has encoded and that is not here: its rows are
    /// given by [`Engine::give_view`].
    pub fn add_remembered(&mut self, facts: Facts) -> ReferenceId {
        self.references.add_without_picture(facts)
    }

    /// What [`Engine::add_remembered`] needs beside the rows. `None` if there is no such reference.
    pub fn facts(&self, id: ReferenceId) -> Option<&Facts> {
        self.references.facts(id)
    }

    /// The references that count, oldest first.
    pub fn references(&self) -> Vec<ReferenceId> {
        self.references.ids().collect()
    }

    /// The place of a reference among all that were added and not forgotten, from 0.
    pub fn place_of(&self, id: ReferenceId) -> usize {
        self.references.place_of(id)
    }

    /// References that show the same, pixel for pixel, as an earlier one and do not count: which, and the earlier one.
    pub fn twins(&self) -> Vec<(ReferenceId, ReferenceId)> {
        self.references.twins().collect()
    }

    /// Leaves regions out of the scores and maps of all analyses that follow; empty ones leave nothing out.
    ///
    /// # Errors
    /// [`RegionError::Everything`]; what was left out before stays so.
    pub fn leave_out(&mut self, regions: &Regions) -> Result<(), RegionError> {
        let vision = &self.manifest.vision;
        let rules =
            [MapRule::PAPER, MapRule::PAPER.shown(vision.patch_px), self.rule, self.rule.shown(vision.patch_px)];
        self.kept = regions.kept(vision.grid(), self.manifest.preprocess.size_px, vision.patch_px, &rules)?;
        Ok(())
    }

    /// What encodes pictures in a mode.
    pub(super) fn encoder_of(&self, mode: Mode) -> &AdaptedEncoder {
        match mode {
            Mode::Zero => &self.encoder,
            Mode::Few | Mode::Itself => self.of_memory.as_ref().unwrap_or(&self.encoder),
        }
    }

    /// Features of a picture that is already at the model's size, as `mode` compares them.
    pub async fn encode(
        &self,
        planes: &Planes,
        mode: Mode,
        stage: Stage,
        (before, total): (usize, usize),
        pacer: &mut impl Pacer,
    ) -> Result<Features, Cancelled> {
        let mut run = self.encoder_of(mode).start(self.input(planes));
        while run.step() {
            self.between_blocks(Progress { stage, done: before + run.done(), total }, pacer).await?;
        }
        Ok(run.finish())
    }

    /// Raw block tokens of a picture that is already at the model's size: the adapters are left out,
    /// whatever the model compares by.
    ///
    /// # Errors
    /// [`Cancelled`] when the pacer requests it.
    pub async fn encode_raw(
        &self,
        planes: &Planes,
        stage: Stage,
        (before, total): (usize, usize),
        pacer: &mut impl Pacer,
    ) -> Result<Features, Cancelled> {
        let encoder = self.encoder.without_adapters();
        let mut run = encoder.start(self.input(planes));
        while run.step() {
            self.between_blocks(Progress { stage, done: before + run.done(), total }, pacer).await?;
        }
        Ok(run.finish())
    }

    /// Per level the raw block tokens of a picture at the model's size, row-major `[tokens, width]`.
    ///
    /// # Errors
    /// [`EngineError`]: stopped, or the device gave no answer.
    pub async fn raw_tokens(&self, planes: &Planes, pacer: &mut impl Pacer) -> Result<Vec<Vec<f32>>, EngineError> {
        let features = self.encode_raw(planes, Stage::Encode, (0, self.encoder.steps()), pacer).await?;
        let mut reading = Reading::default();
        features.segmentation.into_iter().for_each(|level| reading.push(level));
        Ok(pacer.wait(reading.read(&self.open)).await??.collect())
    }

    /// Waits until a graphics device has done what it was asked.
    pub(super) async fn wait(&self, pacer: &mut impl Pacer) -> Result<(), Cancelled> {
        match self.device_done.wait() {
            Some(done) => pacer.wait(done).await,
            None => Ok(()),
        }
    }

    /// Between two blocks: on a slow device the next is only asked for when this one is done, so that
    /// progress is true and a stop leaves little behind.
    async fn between_blocks(&self, progress: Progress, pacer: &mut impl Pacer) -> Result<(), Cancelled> {
        if self.is_slow {
            self.wait(pacer).await?;
        }
        pacer.step(progress).await
    }

    /// Scores one picture.
    ///
    /// # Errors
    /// [`EngineError`]; references encoded before an error or a stop stay encoded.
    pub async fn analyse(
        &mut self,
        picture: &Rgb8,
        request: &Request,
        pacer: &mut impl Pacer,
    ) -> Result<Analysis, EngineError> {
        self.references.choose(request.among.as_deref());
        let answer = self.analyse_among_chosen(picture, request, pacer).await;
        self.references.choose(None);
        answer
    }

    async fn analyse_among_chosen(
        &mut self,
        picture: &Rgb8,
        request: &Request,
        pacer: &mut impl Pacer,
    ) -> Result<Analysis, EngineError> {
        let mut object = self.manifest.object(&request.object)?.clone();
        let is_mirrored = request.mode != Mode::Zero && request.bilateral.unwrap_or(object.bilateral);
        let is_other = is_mirrored != object.bilateral || request.matching != Matching::Nearest;
        if request.mode == Mode::Itself || (request.mode == Mode::Few && is_other) {
            // Its constants are those of another score.
            object.calibration = None;
        }
        let with_words = match request.mode {
            Mode::Zero => true,
            Mode::Few => self.manifest.few_shot_has_words(),
            Mode::Itself => false,
        };
        let text = self.words_of(&object.id).filter(|_| with_words);
        if text.is_some() && self.has_own_words(&object.id) {
            // Its constants are those of other words.
            object.calibration = None;
        }
        let augment = request.augment.unwrap_or(self.manifest.augment);
        match request.mode {
            Mode::Zero if text.is_none() => {
                return Err(EngineError::NoZeroShot { object: object.id, reason: self.zero_shot_lack() });
            }
            Mode::Few if self.references.len() == 0 => return Err(EngineError::NoReferences),
            Mode::Itself if !is_mirrored && request.matching != Matching::Prototypes => {
                return Err(EngineError::NotBilateral { object: object.id });
            }
            _ => {}
        }

        let mut timings = Timings::default();
        let mut clock = pacer.now_ms();
        let mut lap = |pacer: &dyn Fn() -> f64| {
            let now = pacer();
            now - std::mem::replace(&mut clock, now)
        };
        if request.mode == Mode::Few {
            self.encode_references(augment, pacer).await?;
            self.shrink_references(request.bank_rows, pacer).await?;
            timings.references_ms = lap(&|| pacer.now_ms());
        }
        let planes = self.planes(picture);
        timings.preprocess_ms = lap(&|| pacer.now_ms());
        let features = match text {
            Some(_) => self.features_for_words(&planes, request.mode, pacer).await?,
            None => {
                let steps = self.encoder_of(request.mode).steps();
                self.encode(&planes, request.mode, Stage::Encode, (0, steps), pacer).await?
            }
        };
        timings.encode_ms = lap(&|| pacer.now_ms());
        let mut analysis =
            self.score(&features, &object, (request, is_mirrored.then_some(request.axis)), text, pacer).await?;
        if request.mode == Mode::Few && request.matching != Matching::Mutual {
            let begun = pacer.now_ms();
            // It says more than that the image is unlike them.
            if let Some(warning) = self.references.warning(&planes) {
                analysis.warnings = vec![warning];
            }
            analysis.timings.checks_ms += pacer.now_ms() - begun;
        }
        timings.score_ms = lap(&|| pacer.now_ms());
        analysis.timings = Timings { checks_ms: analysis.timings.checks_ms, ..timings };
        Ok(analysis)
    }

    /// What keeps this model from comparing with words.
    pub fn zero_shot_lack(&self) -> &'static str {
        if self.manifest.adapters.is_none() {
            "it carries no trained adapters and no text features"
        } else {
            "it carries no text features for this object"
        }
    }

    async fn encode_references(&mut self, augment: Augment, pacer: &mut impl Pacer) -> Result<(), EngineError> {
        let lacking = self.references.lacking(augment);
        let steps = self.steps();
        let total = lacking.len() * steps;
        for (n, (id, view)) in lacking.into_iter().enumerate() {
            self.encode_view(id, augment, view, (n * steps, total), pacer).await?;
        }
        Ok(())
    }

    /// Reduces the memory to `bank_rows` rows a level, if a limit is given.
    async fn shrink_references(&mut self, bank_rows: Option<usize>, pacer: &mut impl Pacer) -> Result<(), EngineError> {
        let (lacking, keep) = self.references.set_bank_rows(bank_rows);
        let total = lacking.len();
        for (done, id) in lacking.into_iter().enumerate() {
            let progress = Progress { stage: Stage::References, done, total };
            pacer.step(progress).await?;
            let Some(rows) = self.references.rows(id) else { continue };
            let small = rows.all().compressed(keep, &self.open, progress, pacer).await?;
            self.references.set_small(id, keep, small);
        }
        Ok(())
    }

    pub(super) fn planes(&self, picture: &Rgb8) -> Planes {
        to_planes(&resize_bicubic(picture, self.manifest.preprocess.size_px))
    }

    /// Planes in 0..1 → the tower's input `[3, side, side]`.
    pub(super) fn input(&self, planes: &Planes) -> Vec<f32> {
        normalised(planes, &self.manifest.preprocess)
    }
}

/// What the memory of a model is made with, if that is not `encoder`.
pub(super) fn encoder_of_memory(
    encoder: &AdaptedEncoder,
    manifest: &Manifest,
    taken: &Taken,
) -> Option<AdaptedEncoder> {
    let needed = taken.levels.last().map_or(0, |last| last + 1);
    let leaves_adapters_out = manifest.adapters.is_some() && manifest.memory_is_raw();
    (leaves_adapters_out || needed < manifest.vision.levels.len()).then(|| {
        let encoder = if leaves_adapters_out { encoder.without_adapters() } else { encoder.clone() };
        encoder.up_to(needed)
    })
}

/// Planes in 0..1 → the values that the tower reads, `[3, side, side]`.
pub(crate) fn normalised(planes: &Planes, preprocess: &PreprocessConfig) -> Vec<f32> {
    let mut values = planes.values.clone();
    for (channel, plane) in values.chunks_exact_mut((planes.side_px * planes.side_px).max(1)).enumerate() {
        let (mean, std) = (preprocess.mean[channel % 3], preprocess.std[channel % 3]);
        // CLIP in MVFA is not normalised (spec §0, fact 1): leave its pixels bit for bit.
        if mean != 0.0 || std != 1.0 {
            plane.iter_mut().for_each(|v| *v = (*v - mean) / std);
        }
    }
    values
}
