//! From features to scores and maps.
//!
//! Comes in: the features of one picture, and the references that an engine remembers. Goes out:
//! [`Analysis`]. What needs the device is asked for at once and read once; maps are plain arithmetic.
//! Fails with [`EngineError`]. Source: spec §8.

use std::borrow::Cow;
use std::collections::HashMap;

use burn::tensor::Tensor;

use crate::bundle::manifest::{Calibration, ObjectKind, ObjectSpec};
use crate::bundle::scoring::ImageScores;
use crate::compute::Reading;
use crate::mvfa::analysis::{Analysis, Matching, Mode, Pacer, Progress, Request, Stage, Timings};
use crate::mvfa::decide::{ImageParts, score_bank};
use crate::mvfa::engine::Engine;
use crate::mvfa::error::EngineError;
use crate::mvfa::features::{Bank, Features};
use crate::mvfa::fusion::{default_calibration, fuse};
use crate::mvfa::likeness::{SIGNATURE_LEVEL, Signature};
use crate::mvfa::map_rule::MapRule;
use crate::mvfa::maps::{abnormal_patches, maximum, sum_up};
use crate::mvfa::memory::{ReferenceId, min_into, nearest_distances, unit_patches};
use crate::mvfa::mirror::{MirrorAxis, beside_memory, mirror_distances};
use crate::mvfa::mutual::mutual_distances;
use crate::mvfa::prototypes::prototype_distances;
use crate::mvfa::regions::{counted, filled};
use crate::mvfa::upsample::Geometry;
use crate::mvfa::warning::Warning;
use crate::mvfa::words::Words;
use crate::mvfa::zero_shot::{detection_score, zero_shot_map};

impl Engine {
    /// Scores the features of one picture; asks the device for everything first and reads once.
    ///
    /// # Errors
    /// [`EngineError`]: stopped, or the device gave no answer.
    pub(super) async fn score(
        &mut self,
        features: &Features,
        object: &ObjectSpec,
        (request, axis): (&Request, Option<MirrorAxis>),
        text: Option<Words>,
        pacer: &mut impl Pacer,
    ) -> Result<Analysis, EngineError> {
        let Request { mode, matching, .. } = *request;
        let few = mode == Mode::Few;
        let by_components = few && matching == Matching::Components;
        let is_mutual = few && matching == Matching::Mutual;
        let banks = self.memory_banks(object.kind);
        let compared = match mode {
            Mode::Zero => (0..features.segmentation.len()).collect(),
            Mode::Few | Mode::Itself => self.taken.levels.clone(),
        };
        let patches = |bank: Bank| unit_patches(features, bank, &compared);
        let segmentation = patches(Bank::Segmentation);
        // Nothing asks for them in few-shot by raw memory.
        let is_wanted = text.is_some() || banks.contains(&Bank::Detection);
        let detection = if is_wanted { patches(Bank::Detection) } else { Vec::new() };
        let total = 2 + if few { self.references.len() } else { 0 };
        pacer.step(Progress { stage: Stage::Score, done: 0, total }).await?;
        if by_components {
            self.find_components(&banks, Progress { stage: Stage::Score, done: 0, total }, pacer).await?;
        }

        // 1. Ask the device for everything.
        let mut reading = Reading::default();
        if let Some(text) = &text {
            for level in segmentation.iter().chain(&detection) {
                text.push(&mut reading, level);
            }
        }
        let mut new_pairs = Vec::new();
        let left_out = if few && !is_mutual { self.references.left_out() } else { Vec::new() };
        if by_components {
            banks
                .iter()
                .flat_map(|bank| of_bank(*bank, &segmentation, &detection))
                .for_each(|l| reading.push(l.clone()));
        } else if few {
            for (done, id) in self.references.ids().enumerate() {
                let Some(rows) = self.references.searched(id) else { continue };
                for bank in &banks {
                    push_distances(&mut reading, of_bank(*bank, &segmentation, &detection), rows.levels(*bank));
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
                    text.push(&mut reading, &level);
                }
            }
        }
        let whole = features.segmentation.get(SIGNATURE_LEVEL).filter(|_| few && !is_mutual);
        let mut unsigned = Vec::new();
        if let Some(whole) = whole {
            reading.push(whole.clone());
            for (id, tokens) in self.references.unsigned() {
                reading.push(tokens);
                unsigned.push(id);
            }
        }
        let mut unmirrored = Vec::new();
        let by_prototypes = mode == Mode::Itself && matching == Matching::Prototypes;
        if axis.is_some() || by_prototypes {
            segmentation.iter().for_each(|level| reading.push(level.clone()));
        }
        if let Some(axis) = axis {
            for id in left_out.iter().filter(|id| self.references.mirrored(**id, axis).is_none()) {
                let Some(rows) = self.references.rows(*id) else { continue };
                rows.original_patches(Bank::Segmentation).into_iter().for_each(|level| reading.push(level));
                unmirrored.push(*id);
            }
        }

        // 2. One read.
        let mut values = pacer.wait(reading.read(&self.open)).await??;
        pacer.step(Progress { stage: Stage::Score, done: total - 1, total }).await?;
        let levels = segmentation.len();
        let mut take = |count: usize| -> Vec<Vec<f32>> { values.by_ref().take(count).collect() };

        // 3. Sort the answer.
        let zero_logits = text.as_ref().map(|t| (t.taken(levels, &mut take), t.taken(levels, &mut take)));
        let mut distances: HashMap<Bank, Vec<Vec<f32>>> = HashMap::new();
        if by_components {
            for bank in &banks {
                distances.insert(*bank, self.references.components.distances(*bank, &take(levels)));
            }
        } else if few {
            let mut all: HashMap<Bank, Vec<Levels>> = HashMap::new();
            let mut pairs = new_pairs.into_iter().peekable();
            let ids: Vec<ReferenceId> = self.references.ids().collect();
            for id in ids {
                for bank in &banks {
                    let of_reference = take(levels);
                    if is_mutual {
                        all.entry(*bank).or_default().push(of_reference);
                    } else {
                        let nearest = distances.entry(*bank).or_insert_with(|| vec![Vec::new(); levels]);
                        nearest.iter_mut().zip(of_reference).for_each(|(n, d)| min_into(n, &d));
                    }
                    while let Some(pair) = pairs.next_if(|(_, of, b)| *of == id && b == bank) {
                        self.references.learn(pair, take(levels));
                    }
                }
            }
            for (bank, others) in all {
                let level = |l: usize| -> Levels { others.iter().filter_map(|other| other.get(l).cloned()).collect() };
                distances.insert(bank, (0..levels).map(|l| mutual_distances(&level(l))).collect());
            }
        }
        let own: HashMap<ReferenceId, Vec<Vec<f32>>> = match &text {
            Some(text) => left_out.iter().map(|id| (*id, text.taken(levels, &mut take))).collect(),
            None => HashMap::new(),
        };
        let mut unlikeness = (None, Vec::new());
        let begun = pacer.now_ms();
        if let Some(whole) = whole {
            let [tokens, _] = whole.dims();
            let mut signature = || take(1).pop().map(|values| Signature::of_tokens(&values, tokens));
            let of_image = signature();
            for id in unsigned {
                if let Some(signature) = signature() {
                    self.references.sign(id, signature);
                }
            }
            unlikeness = of_image.map(|of| self.references.likeness(&of)).unwrap_or_default();
        }
        let checks_ms = pacer.now_ms() - begun;
        let grid = self.manifest.vision.grid();
        let read = if axis.is_some() || by_prototypes { take(levels) } else { Vec::new() };
        if by_prototypes {
            distances.insert(Bank::Segmentation, vec![prototype_distances(&read, grid * grid)]);
        }
        if let Some(axis) = axis {
            let channel = mirror_distances(&read, grid, axis);
            for id in unmirrored {
                self.references.mirror(id, axis, mirror_distances(&take(levels), grid, axis));
            }
            match mode {
                Mode::Itself => distances.entry(Bank::Segmentation).or_default().push(channel),
                _ => distances.values_mut().for_each(|levels| levels.push(beside_memory(&channel))),
            }
        }
        let parts = Parts { object, axis, zero_logits, distances, own };
        let mut analysis = self.assemble(parts, mode, matching);
        (analysis.unlikeness, analysis.support_unlike) = unlikeness;
        analysis.timings.checks_ms = checks_ms;
        analysis.warnings.extend(analysis.unlikeness.filter(|u| *u >= 1.0).map(|_| Warning::Unlike));
        Ok(analysis)
    }

    /// Maps and scores from patch values; plain arithmetic, no device.
    fn assemble(&self, parts: Parts<'_>, mode: Mode, matching: Matching) -> Analysis {
        let Parts { object, axis, zero_logits, distances, own } = parts;
        let (grid, side_px) = (self.manifest.vision.grid(), self.manifest.preprocess.size_px);
        let rule = match mode {
            Mode::Zero => MapRule::PAPER,
            Mode::Few | Mode::Itself => self.rule,
        };
        let shown = rule.shown(self.manifest.vision.patch_px);
        let kind = object.kind;
        let image_score = self.manifest.scoring.as_ref().map_or_else(ImageScores::default, |s| s.image_score).of(kind);
        let kept = self.kept.as_ref();
        let sum = |levels: &[Vec<f32>], rule| match kept {
            Some(kept) => kept.sum_up(levels, rule),
            None => sum_up(levels, grid, side_px, rule),
        };
        let words = |logits: &[Vec<f32>], geometry| match kept {
            Some(kept) => kept.zero_shot_map(logits, geometry),
            None => zero_shot_map(logits, grid, side_px, geometry),
        };
        let words_score = |logits: &[Vec<f32>]| match kept {
            Some(kept) => detection_score(&logits.iter().map(|level| kept.rows(level, 2)).collect::<Vec<_>>()),
            None => detection_score(logits),
        };
        let memory_of = |bank: Bank| distances.get(&bank).or_else(|| distances.get(&Bank::Segmentation));

        let zero = zero_logits.as_ref().map(|(seg, _)| words(seg, Geometry::Reference));
        let memory = memory_of(Bank::Segmentation).map(|d| sum(d, rule));
        let score_zero = zero_logits.as_ref().map(|(_, det)| words_score(det));
        let score_bank = score_bank(kind);
        let score_memory = memory_of(score_bank).map(|d| image_score.of(&counted(kept, &sum(d, rule), rule)));

        // References against the others: the scale of normal pictures.
        let has_scale = mode == Mode::Few && matching != Matching::Mutual;
        let ids: Vec<ReferenceId> = if has_scale { self.references.left_out() } else { Vec::new() };
        let memory_bank = if self.taken.is_shared { Bank::Segmentation } else { score_bank };
        let left_out: Vec<Vec<f32>> = ids
            .iter()
            .filter_map(|id| self.references.distances_of(*id, memory_bank, matching, axis))
            .map(|d| sum(&d, rule))
            .collect();
        let left_out_pixels: Cow<'_, [Vec<f32>]> = match kept {
            Some(kept) => left_out.iter().map(|map| kept.pixels(map, rule)).collect(),
            None => Cow::Borrowed(&left_out),
        };
        let left_out_scores: Vec<f32> = left_out_pixels.iter().map(|m| image_score.of(m)).collect();
        let ranges: Calibration = object.calibration.unwrap_or_else(|| {
            let levels = [self.manifest.vision.levels.len(), self.taken.levels.len()];
            default_calibration(levels, &left_out_pixels, &left_out_scores)
        });

        let fused = match (mode, &zero, &memory) {
            (Mode::Few, Some(z), Some(m)) => Some(fuse(z, m, ranges.zero_map, ranges.memory_map)),
            _ => None,
        };
        let parts = ImageParts { zero: score_zero, memory: score_memory };
        let score = parts.score(kind, &ranges, || fused.as_deref().map_or(0.0, maximum));
        // Ranges that were only assumed are no calibration.
        let is_calibrated = object.calibration.is_some() || left_out.len() >= 2;
        let score_calibrated = parts.scaled(kind, &ranges, score).filter(|_| is_calibrated);
        let support_score = |id: &ReferenceId, memory_map: &[f32]| -> f32 {
            let zero = own.get(id);
            let parts = ImageParts {
                zero: zero.map(|logits| words_score(logits)),
                memory: Some(image_score.of(&counted(kept, memory_map, rule))),
            };
            parts.score(kind, &ranges, || {
                let zero_map = words(zero.map_or(&[], Vec::as_slice), Geometry::Reference);
                maximum(&fuse(&zero_map, memory_map, ranges.zero_map, ranges.memory_map))
            })
        };
        let support_scores: Option<Vec<f32>> = (left_out.len() >= 2)
            .then(|| ids.iter().zip(&left_out).map(|(id, memory_map)| support_score(id, memory_map)).collect());
        // Fused maps are scored by their maximum; a memory's map alone may be scored by less.
        let highest = |scores: &[f32]| match own.is_empty() {
            true => left_out_pixels.iter().map(|map| maximum(map)).fold(f32::NEG_INFINITY, f32::max),
            false => maximum(scores),
        };
        let normal_top = support_scores.as_deref().filter(|_| kind == ObjectKind::Segmentation).map(highest);

        let logits = zero_logits.as_ref().map(|(seg, det)| if score_bank == Bank::Segmentation { seg } else { det });
        let shown_zero = logits.map(|l| words(l, shown.geometry));
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
        let (overlay, levels) = match kept {
            Some(kept) => (filled(overlay), levels.iter().map(|level| kept.patches(level)).collect()),
            None => (overlay, levels),
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
            left_out: kept.map(|kept| kept.left_out(rule)),
            side_px,
            support_ids: support_scores.as_ref().map(|_| ids),
            support_scores,
            normal_top,
            support_unlike: Vec::new(),
            unlikeness: None,
            warnings: Vec::new(),
            timings: Timings::default(),
        }
    }

    /// The banks whose memory is searched: Sm always comes from the segmentation bank, cm of
    /// detection objects from the other. Raw tokens serve as both.
    fn memory_banks(&self, kind: ObjectKind) -> Vec<Bank> {
        if kind == ObjectKind::Detection && !self.taken.is_shared {
            vec![Bank::Segmentation, Bank::Detection]
        } else {
            vec![Bank::Segmentation]
        }
    }
}

/// Values per level, back from the device.
type Levels = Vec<Vec<f32>>;

/// Patch values of one picture, back from the device.
struct Parts<'a> {
    object: &'a ObjectSpec,
    /// Of the left-right channel, if there is one.
    axis: Option<MirrorAxis>,
    /// Per level logits `[patches, 2]` of the segmentation and the detection bank.
    zero_logits: Option<(Levels, Levels)>,
    /// Per level nearest distances `[patches]`, the left-right channel last.
    distances: HashMap<Bank, Vec<Vec<f32>>>,
    /// Logits of the references' own patches.
    own: HashMap<ReferenceId, Vec<Vec<f32>>>,
}

/// What of a picture is compared with a bank's rows.
fn of_bank<'a>(bank: Bank, segmentation: &'a [Tensor<2>], detection: &'a [Tensor<2>]) -> &'a [Tensor<2>] {
    if bank == Bank::Segmentation { segmentation } else { detection }
}

fn push_distances(reading: &mut Reading, query: &[Tensor<2>], memory: &[Tensor<2>]) {
    for (patches, rows) in query.iter().zip(memory) {
        reading.push(nearest_distances(patches.clone(), rows.clone()));
    }
}
