//! A loaded model with its references: pictures in, scores and maps out.
//!
//! Comes in: decoded 8-bit RGB pictures. Goes out: [`Analysis`]. Fails with [`EngineError`]; a
//! failed or stopped call leaves model and references as they were. Work is cut into steps that a
//! [`Pacer`] sees, so the same code serves a progress bar on a terminal and a worker that must
//! stay responsive.

use std::collections::HashMap;

use burn::tensor::{Tensor, TensorData};

use crate::bundle::error::BundleError;
use crate::bundle::manifest::{
    Augment, Calibration, Manifest, MemoryFeatures, ObjectKind, ObjectSpec, PreprocessConfig,
};
use crate::bundle::weights::Weights;
use crate::clip::vision::BlockKind;
use crate::device::OpenDevice;
use crate::gpu::Queue;
use crate::image::{Planes, Rgb8, augment_mvfa, resize_bicubic, to_planes};
use crate::mvfa::analysis::{Analysis, Mode, Pacer, Progress, Request, Stage, Timings};
use crate::mvfa::encoder::AdaptedEncoder;
use crate::mvfa::error::{Cancelled, EngineError};
use crate::mvfa::features::{Bank, Features, unit_rows};
use crate::mvfa::fusion::{default_calibration, fuse, min_max};
use crate::mvfa::maps::{abnormal_patches, maximum, mean, sum_up};
use crate::mvfa::memory::{MemoryRows, ReferenceId, min_into, nearest_distances};
use crate::mvfa::reading::Reading;
use crate::mvfa::references::References;
use crate::mvfa::upsample::Geometry;
use crate::mvfa::zero_shot::{detection_score, patch_logits, zero_shot_map};

/// A loaded model with its references.
pub struct Engine {
    pub(super) manifest: Manifest,
    pub(super) open: OpenDevice,
    pub(super) encoder: AdaptedEncoder,
    /// What the memory bank is made with, where that is not `encoder`.
    pub(super) raw: Option<AdaptedEncoder>,
    pub(super) text: HashMap<String, Tensor<2>>,
    references: References,
    /// Of a graphics device.
    queue: Option<Queue>,
    /// Whether a block takes so long that a person would wait for it.
    pub(super) is_slow: bool,
}

impl Engine {
    /// Builds the model from all its weights.
    ///
    /// # Errors
    /// [`BundleError`] when a tensor is missing or has another shape.
    pub fn new(manifest: Manifest, weights: Weights, open: OpenDevice) -> Result<Self, BundleError> {
        let kind = open.blocks();
        Self::with_blocks(manifest, weights, open, kind)
    }

    /// The same with blocks computed in a way that is not the device's usual one.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn with_blocks(
        manifest: Manifest,
        mut weights: Weights,
        open: OpenDevice,
        kind: BlockKind,
    ) -> Result<Self, BundleError> {
        let encoder = AdaptedEncoder::take(&mut weights, &manifest, kind)?;
        let raw = manifest.adapters.is_some() && manifest.memory == MemoryFeatures::Raw;
        let raw = raw.then(|| encoder.with_adapters(None));
        let dim = manifest.adapters.as_ref().map_or(manifest.vision.width, |a| a.bottleneck);
        let mut text: HashMap<String, Tensor<2>> = HashMap::new();
        for (n, object) in manifest.objects.iter().enumerate() {
            let Some(name) = &object.text_features else { continue };
            // Objects may share a tensor: it leaves the weights once.
            let twin = manifest.objects[..n].iter().find(|o| o.text_features.as_ref() == Some(name));
            let features = match twin.and_then(|o| text.get(&o.id)) {
                Some(features) => features.clone(),
                None => weights.take(name, [dim, 2])?,
            };
            text.insert(object.id.clone(), features);
        }
        Ok(Self {
            queue: Queue::of(&open.device),
            manifest,
            open,
            encoder,
            raw,
            text,
            references: References::default(),
            is_slow: false,
        })
    }

    /// Lets the model compute in the faster of two ways where it has two, by a short trial.
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
        self.text.contains_key(object)
    }

    /// Remembers a normal picture. It is encoded when it is first needed.
    pub fn add_reference(&mut self, picture: &Rgb8) -> ReferenceId {
        self.references.add(self.planes(picture))
    }

    /// Forgets one reference. False when there was none of that name.
    pub fn remove_reference(&mut self, id: ReferenceId) -> bool {
        self.references.remove(id)
    }

    /// Forgets all references.
    pub fn clear_references(&mut self) {
        self.references.clear();
    }

    /// The references, oldest first.
    pub fn references(&self) -> Vec<ReferenceId> {
        self.references.ids().collect()
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
        let encoder = match (mode, &self.raw) {
            (Mode::Few, Some(raw)) => raw,
            _ => &self.encoder,
        };
        let mut run = encoder.start(self.input(planes));
        while run.step() {
            self.between_blocks(Progress { stage, done: before + run.done(), total }, pacer).await?;
        }
        Ok(run.finish())
    }

    /// Raw block tokens of a picture that is already at the model's size: the adapters are left out,
    /// whatever the model compares by.
    ///
    /// # Errors
    /// [`Cancelled`] when the pacer says so.
    pub async fn encode_raw(
        &self,
        planes: &Planes,
        stage: Stage,
        (before, total): (usize, usize),
        pacer: &mut impl Pacer,
    ) -> Result<Features, Cancelled> {
        let encoder = self.encoder.with_adapters(None);
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
        Ok(pacer.wait(reading.read(self.open.tier)).await??.collect())
    }

    /// Waits until a graphics device has done what it was asked.
    pub(super) async fn wait(&self, pacer: &mut impl Pacer) -> Result<(), Cancelled> {
        match &self.queue {
            Some(queue) => pacer.wait(queue.done()).await,
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
        let object = self.manifest.object(&request.object)?.clone();
        let with_words = request.mode == Mode::Zero || self.raw.is_none();
        let text = self.text.get(&object.id).filter(|_| with_words).cloned();
        let augment = request.augment.unwrap_or(self.manifest.augment);
        match request.mode {
            Mode::Zero if text.is_none() => {
                return Err(EngineError::NoZeroShot { object: object.id, reason: self.zero_shot_lack() });
            }
            Mode::Few if self.references.len() == 0 => return Err(EngineError::NoReferences),
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
        let features = self.encode(&planes, request.mode, Stage::Encode, (0, self.encoder.steps()), pacer).await?;
        timings.encode_ms = lap(&|| pacer.now_ms());
        let mut analysis = self.score(&features, &object, request.mode, text, pacer).await?;
        timings.score_ms = lap(&|| pacer.now_ms());
        analysis.timings = timings;
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

    async fn encode_references(&mut self, augment: Augment, pacer: &mut impl Pacer) -> Result<(), Cancelled> {
        let stale = self.references.stale(augment);
        let steps = self.encoder.steps();
        let views_each = if augment == Augment::Mvfa { crate::image::AUGMENTATION_NAMES.len() } else { 1 };
        let total = stale.len() * views_each * steps;
        let mut before = 0;
        for id in stale {
            let Some(planes) = self.references.planes(id) else { continue };
            let views = match augment {
                Augment::Mvfa => augment_mvfa(planes),
                Augment::None => vec![planes.clone()],
            };
            let mut features = Vec::with_capacity(views.len());
            for view in &views {
                features.push(self.encode(view, Mode::Few, Stage::References, (before, total), pacer).await?);
                before += steps;
            }
            self.references.set_rows(id, augment, MemoryRows::new(&features, self.memory_is_raw()));
        }
        Ok(())
    }

    /// Brings the memory down to `bank_rows` rows a level, where so many are asked for.
    async fn shrink_references(&mut self, bank_rows: Option<usize>, pacer: &mut impl Pacer) -> Result<(), EngineError> {
        let (lacking, keep) = self.references.set_bank_rows(bank_rows);
        let total = lacking.len();
        for (done, id) in lacking.into_iter().enumerate() {
            pacer.step(Progress { stage: Stage::References, done, total }).await?;
            let Some(rows) = self.references.rows(id) else { continue };
            let small = rows.all().compressed(keep, self.open.tier).await?;
            self.references.set_small(id, keep, small);
        }
        Ok(())
    }

    async fn score(
        &mut self,
        features: &Features,
        object: &ObjectSpec,
        mode: Mode,
        text: Option<Tensor<2>>,
        pacer: &mut impl Pacer,
    ) -> Result<Analysis, EngineError> {
        let few = mode == Mode::Few;
        let banks = self.memory_banks(object.kind);
        let patches = |bank: Bank| -> Vec<Tensor<2>> {
            features.bank(bank).iter().map(|l| unit_rows(l.clone().slice_dim(0, 1..l.dims()[0]))).collect()
        };
        let segmentation = patches(Bank::Segmentation);
        let detection = patches(Bank::Detection);
        let total = 2 + if few { self.references.len() } else { 0 };
        pacer.step(Progress { stage: Stage::Score, done: 0, total }).await?;

        // 1. Ask the device for everything.
        let mut reading = Reading::default();
        if let Some(text) = &text {
            for level in segmentation.iter().chain(&detection) {
                reading.push(patch_logits(level.clone(), text.clone()));
            }
        }
        let mut new_pairs = Vec::new();
        let left_out = if few { self.references.left_out() } else { Vec::new() };
        if few {
            for (done, id) in self.references.ids().enumerate() {
                let Some(rows) = self.references.searched(id) else { continue };
                for bank in &banks {
                    let query = if *bank == Bank::Segmentation { &segmentation } else { &detection };
                    push_distances(&mut reading, query, rows.levels(*bank));
                    for other in left_out.iter().filter(|other| **other != id) {
                        let Some(own) = self.references.rows(*other) else { continue };
                        if !self.references.knows((*other, id, *bank)) {
                            push_distances(&mut reading, &own.original_patches(*bank), rows.levels(*bank));
                            new_pairs.push((*other, id, *bank));
                        }
                    }
                }
                pacer.step(Progress { stage: Stage::Score, done: done + 1, total }).await?;
            }
        }
        if let Some(text) = &text {
            for rows in left_out.iter().filter_map(|id| self.references.rows(*id)) {
                for level in rows.original_patches(score_bank(object.kind)) {
                    reading.push(patch_logits(level, text.clone()));
                }
            }
        }

        // 2. One read.
        let mut values = pacer.wait(reading.read(self.open.tier)).await??;
        pacer.step(Progress { stage: Stage::Score, done: total - 1, total }).await?;
        let levels = segmentation.len();
        let mut take = |count: usize| -> Vec<Vec<f32>> { values.by_ref().take(count).collect() };

        // 3. Sort the answer.
        let zero_logits = text.is_some().then(|| (take(levels), take(levels)));
        let mut distances: HashMap<Bank, Vec<Vec<f32>>> = HashMap::new();
        if few {
            let mut pairs = new_pairs.into_iter().peekable();
            let ids: Vec<ReferenceId> = self.references.ids().collect();
            for id in ids {
                for bank in &banks {
                    let nearest = distances.entry(*bank).or_insert_with(|| vec![Vec::new(); levels]);
                    nearest.iter_mut().zip(take(levels)).for_each(|(n, d)| min_into(n, &d));
                    while let Some(pair) = pairs.next_if(|(_, of, b)| *of == id && b == bank) {
                        self.references.learn(pair, take(levels));
                    }
                }
            }
        }
        let own: HashMap<ReferenceId, Vec<Vec<f32>>> = match &text {
            Some(_) => left_out.iter().map(|id| (*id, take(levels))).collect(),
            None => HashMap::new(),
        };
        let parts = Parts { object, zero_logits, distances, own };
        Ok(self.assemble(parts, mode))
    }

    /// Maps and scores from patch values; plain arithmetic, no device.
    fn assemble(&self, parts: Parts<'_>, mode: Mode) -> Analysis {
        let Parts { object, zero_logits, distances, own } = parts;
        let (grid, side_px) = (self.manifest.vision.grid(), self.manifest.preprocess.size_px);
        let shown = Geometry::PatchCentres { patch_px: self.manifest.vision.patch_px };
        let kind = object.kind;
        let sum = |levels: &[Vec<f32>], geometry| sum_up(levels, grid, side_px, geometry);
        let memory_of = |bank: Bank| distances.get(&bank).or_else(|| distances.get(&Bank::Segmentation));

        let zero = zero_logits.as_ref().map(|(seg, _)| zero_shot_map(seg, grid, side_px, Geometry::Reference));
        let memory = memory_of(Bank::Segmentation).map(|d| sum(d, Geometry::Reference));
        let score_zero = zero_logits.as_ref().map(|(_, det)| detection_score(det));
        let memory_score = |map: &[f32]| match kind {
            ObjectKind::Segmentation => maximum(map),
            ObjectKind::Detection => mean(map),
        };
        let score_bank = score_bank(kind);
        let score_memory = memory_of(score_bank).map(|d| memory_score(&sum(d, Geometry::Reference)));

        // References against the others: the scale of normal pictures.
        let ids: Vec<ReferenceId> = if mode == Mode::Few { self.references.left_out() } else { Vec::new() };
        let memory_bank = if self.memory_is_raw() { Bank::Segmentation } else { score_bank };
        let left_out: Vec<Vec<f32>> = ids
            .iter()
            .filter_map(|id| self.references.distances_of(*id, memory_bank))
            .map(|d| sum(&d, Geometry::Reference))
            .collect();
        let left_out_scores: Vec<f32> = left_out.iter().map(|m| memory_score(m)).collect();
        let calibrated = object.calibration.is_some() || left_out.len() >= 2;
        let ranges: Calibration = object
            .calibration
            .unwrap_or_else(|| default_calibration(self.manifest.vision.levels.len(), &left_out, &left_out_scores));

        let fused = match (mode, &zero, &memory) {
            (Mode::Few, Some(z), Some(m)) => Some(fuse(z, m, ranges.zero_map, ranges.memory_map)),
            _ => None,
        };
        let fused_score = |zero_map: &[f32], c0: f32, memory_map: &[f32]| match kind {
            ObjectKind::Segmentation => maximum(&fuse(zero_map, memory_map, ranges.zero_map, ranges.memory_map)),
            ObjectKind::Detection => {
                0.5 * min_max(c0, ranges.zero_score) + 0.5 * min_max(mean(memory_map), ranges.memory_score)
            }
        };
        let (score, score_calibrated) = match (mode, score_zero, score_memory) {
            (Mode::Few, Some(c0), Some(cm)) => {
                let score = match (kind, &fused) {
                    (ObjectKind::Segmentation, Some(map)) => maximum(map),
                    _ => 0.5 * min_max(c0, ranges.zero_score) + 0.5 * min_max(cm, ranges.memory_score),
                };
                (score, calibrated.then_some(score))
            }
            (Mode::Few, _, Some(cm)) => {
                let range = match kind {
                    ObjectKind::Segmentation => ranges.memory_map,
                    ObjectKind::Detection => ranges.memory_score,
                };
                (cm, calibrated.then(|| min_max(cm, range)))
            }
            (_, Some(c0), _) => (c0, Some(min_max(c0, ranges.zero_score))),
            _ => (0.0, None),
        };
        let support_scores = (left_out.len() >= 2).then(|| {
            ids.iter()
                .zip(&left_out)
                .map(|(id, memory_map)| match own.get(id) {
                    Some(logits) => {
                        let zero_map = zero_shot_map(logits, grid, side_px, Geometry::Reference);
                        fused_score(&zero_map, detection_score(logits), memory_map)
                    }
                    None => memory_score(memory_map),
                })
                .collect()
        });

        let logits = zero_logits.as_ref().map(|(seg, det)| if score_bank == Bank::Segmentation { seg } else { det });
        let shown_zero = logits.map(|l| zero_shot_map(l, grid, side_px, shown));
        let shown_memory = memory_of(score_bank).map(|d| sum(d, shown));
        let overlay = match (shown_zero, shown_memory) {
            (Some(z), Some(m)) => fuse(&z, &m, ranges.zero_map, ranges.memory_map),
            (Some(map), None) | (None, Some(map)) => map,
            (None, None) => Vec::new(),
        };
        let levels = match (memory_of(score_bank), logits) {
            (Some(distances), _) => distances.clone(),
            (None, Some(logits)) => logits.iter().map(|l| abnormal_patches(l)).collect(),
            (None, None) => Vec::new(),
        };
        Analysis {
            score,
            score_calibrated,
            score_zero,
            score_memory,
            zero,
            memory,
            fused,
            overlay,
            levels,
            side_px,
            support_scores,
            timings: Timings::default(),
        }
    }

    /// The banks whose memory is searched: Sm always comes from the segmentation bank, cm of
    /// detection objects from the other. Raw tokens serve as both.
    fn memory_banks(&self, kind: ObjectKind) -> Vec<Bank> {
        if kind == ObjectKind::Detection && !self.memory_is_raw() {
            vec![Bank::Segmentation, Bank::Detection]
        } else {
            vec![Bank::Segmentation]
        }
    }

    /// Whether the memory bank holds raw block tokens, which serve as both banks.
    fn memory_is_raw(&self) -> bool {
        self.raw.is_some() || self.manifest.adapters.is_none()
    }

    fn planes(&self, picture: &Rgb8) -> Planes {
        to_planes(&resize_bicubic(picture, self.manifest.preprocess.size_px))
    }

    /// Planes in 0..1 → the tower's input `[1, 3, side, side]` on the device.
    pub(super) fn input(&self, planes: &Planes) -> Tensor<4> {
        let side = planes.side_px;
        let values = normalised(planes, &self.manifest.preprocess);
        Tensor::from_data(TensorData::new(values, [1, 3, side, side]), &self.open.device)
    }
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

/// Values per level, back from the device.
type Levels = Vec<Vec<f32>>;

/// Patch values of one picture, back from the device.
struct Parts<'a> {
    object: &'a ObjectSpec,
    /// Per level logits `[patches, 2]` of the segmentation and the detection bank.
    zero_logits: Option<(Levels, Levels)>,
    /// Per level nearest distances `[patches]`.
    distances: HashMap<Bank, Vec<Vec<f32>>>,
    /// Logits of the references' own patches.
    own: HashMap<ReferenceId, Vec<Vec<f32>>>,
}

/// The bank an object's image score comes from in few-shot.
fn score_bank(kind: ObjectKind) -> Bank {
    match kind {
        ObjectKind::Segmentation => Bank::Segmentation,
        ObjectKind::Detection => Bank::Detection,
    }
}

fn push_distances(reading: &mut Reading, query: &[Tensor<2>], memory: &[Tensor<2>]) {
    for (patches, rows) in query.iter().zip(memory) {
        reading.push(nearest_distances(patches.clone(), rows.clone()));
    }
}
