//! Scoring pictures that were not trained on.
//!
//! Comes in: the tensors of an epoch, pictures, and for few-shot the normal references. Goes out:
//! AUROC over pixels and pictures, averaged over objects, and the ranges of the scores. Fusion is
//! the released code's: minimum and maximum over the whole set (spec §8.3).

use std::collections::{BTreeMap, HashMap};

use burn::tensor::Tensor;

use crate::bundle::manifest::{Calibration, ObjectKind, ObjectSpec, Range};
use crate::eval::auroc;
use crate::mvfa::{
    Bank, Features, Geometry, MemoryRows, detection_score, fuse, maximum, mean, min_max, nearest_distances,
    patch_logits, sum_up, unit_rows, zero_shot_map,
};
use crate::train::error::TrainError;
use crate::train::items::Item;
use crate::train::model::{Model, read};
use crate::train::parameters::Parameters;
use crate::train::session::Scored;
use crate::train::state::Validation;
use crate::train::token_store::TokenStore;
use crate::train::watch::Watch;
use crate::train::words::Words;

/// What is scored, and with what.
pub struct Validator<'a> {
    /// The frozen tower.
    pub model: &'a Model,
    /// Text features.
    pub words: &'a Words,
    /// The objects, by number.
    pub objects: &'a [ObjectSpec],
    /// Normal references with all their views; empty for zero-shot.
    pub references: &'a [Item],
    /// Pictures to score.
    pub items: &'a [Item],
}

/// Maps and scores of one picture.
struct Scores {
    zero_map: Vec<f32>,
    zero_score: f32,
    memory: Option<(Vec<f32>, f32)>,
    mask: Vec<u8>,
    abnormal: bool,
}

impl Validator<'_> {
    /// Scores the pictures; `None` where there are none, or of one class only.
    ///
    /// # Errors
    /// [`TrainError`] from the store or the device.
    pub fn score(
        &self,
        parameters: &Parameters,
        store: &mut TokenStore,
        watch: &mut dyn Watch,
    ) -> Result<Scored, TrainError> {
        let memory = self.memory(parameters, store)?;
        let mut by_object: BTreeMap<usize, Vec<Scores>> = BTreeMap::new();
        let mut texts: HashMap<usize, Tensor<2>> = HashMap::new();
        for (done, item) in self.items.iter().enumerate() {
            watch.validating(done, self.items.len());
            let mut weights = parameters.weights();
            let features = self.model.features(&mut weights, store.read(item.tokens)?)?;
            let text = match texts.get(&item.object) {
                Some(text) => text.clone(),
                None => {
                    let text = self.words.complete(item.object, &mut weights)?;
                    texts.insert(item.object, text.clone());
                    text
                }
            };
            by_object.entry(item.object).or_default().push(self.one(item, &features, &text, memory.as_ref())?);
        }
        watch.validating(self.items.len(), self.items.len());

        let (mut pixel, mut image) = (Vec::new(), Vec::new());
        let mut calibration = BTreeMap::new();
        for (n, scores) in &by_object {
            let Some(object) = self.objects.get(*n) else { continue };
            let ranges = ranges(scores);
            if memory.is_some() {
                calibration.insert(object.id.clone(), ranges);
            }
            let (pixel_auroc, image_auroc) = aurocs(scores, object.kind, &ranges);
            pixel.extend(pixel_auroc);
            image.extend(image_auroc);
        }
        let (pixel_auroc, image_auroc) = (average(&pixel), average(&image));
        if pixel_auroc.is_none() && image_auroc.is_none() {
            return Ok(None);
        }
        let selection = pixel_auroc.unwrap_or(0.0) + image_auroc.unwrap_or(0.0);
        Ok(Some((Validation { pixel_auroc, image_auroc, selection }, calibration)))
    }

    fn memory(&self, parameters: &Parameters, store: &mut TokenStore) -> Result<Option<MemoryRows>, TrainError> {
        if self.references.is_empty() {
            return Ok(None);
        }
        let mut views = Vec::with_capacity(self.references.len());
        for item in self.references {
            views.push(self.model.features(&mut parameters.weights(), store.read(item.tokens)?)?);
        }
        Ok(Some(MemoryRows::new(&views, false)))
    }

    fn one(
        &self,
        item: &Item,
        features: &Features,
        text: &Tensor<2>,
        memory: Option<&MemoryRows>,
    ) -> Result<Scores, TrainError> {
        let manifest = self.model.manifest();
        let (grid, side_px) = (manifest.vision.grid(), manifest.preprocess.size_px);
        let patches = |bank: Bank| -> Vec<Tensor<2>> {
            features.bank(bank).iter().map(|l| unit_rows(l.clone().slice_dim(0, 1..l.dims()[0]))).collect()
        };
        let logits = |bank: Bank| -> Result<Vec<Vec<f32>>, TrainError> {
            patches(bank).into_iter().map(|level| read(patch_logits(level, text.clone()))).collect()
        };
        let kind = self.objects.get(item.object).map_or(ObjectKind::Segmentation, |o| o.kind);
        let memory = match memory {
            None => None,
            Some(rows) => {
                let distances = |bank: Bank| -> Result<Vec<f32>, TrainError> {
                    let near = patches(bank).into_iter().zip(rows.levels(bank));
                    let levels: Vec<Vec<f32>> = near
                        .map(|(patches, rows)| read(nearest_distances(patches, rows.clone())))
                        .collect::<Result<_, _>>()?;
                    Ok(sum_up(&levels, grid, side_px, Geometry::Reference))
                };
                let map = distances(Bank::Segmentation)?;
                let score = match kind {
                    ObjectKind::Segmentation => maximum(&map),
                    ObjectKind::Detection => mean(&distances(Bank::Detection)?),
                };
                Some((map, score))
            }
        };
        Ok(Scores {
            zero_map: zero_shot_map(&logits(Bank::Segmentation)?, grid, side_px, Geometry::Reference),
            zero_score: detection_score(&logits(Bank::Detection)?),
            memory,
            mask: item.mask(),
            abnormal: item.abnormal,
        })
    }
}

/// Smallest and largest values over the whole set.
fn ranges(scores: &[Scores]) -> Calibration {
    let range = |values: &mut dyn Iterator<Item = f32>| {
        let (lo, hi) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
        if hi > lo { Range { lo, hi } } else { Range { lo: 0.0, hi: 1.0 } }
    };
    let memory = || scores.iter().filter_map(|s| s.memory.as_ref());
    Calibration {
        zero_map: range(&mut scores.iter().flat_map(|s| s.zero_map.iter().copied())),
        memory_map: range(&mut memory().flat_map(|m| m.0.iter().copied())),
        zero_score: range(&mut scores.iter().map(|s| s.zero_score)),
        memory_score: range(&mut memory().map(|m| m.1)),
    }
}

/// Pixel and image AUROC of one object.
fn aurocs(scores: &[Scores], kind: ObjectKind, ranges: &Calibration) -> (Option<f64>, Option<f64>) {
    let (mut pixels, mut pixel_labels) = (Vec::new(), Vec::new());
    let (mut images, mut image_labels) = (Vec::new(), Vec::new());
    for s in scores {
        let map = match &s.memory {
            Some((map, _)) => fuse(&s.zero_map, map, ranges.zero_map, ranges.memory_map),
            None => s.zero_map.clone(),
        };
        images.push(match (&s.memory, kind) {
            (None, _) => s.zero_score,
            (Some(_), ObjectKind::Segmentation) => maximum(&map),
            (Some((_, memory)), ObjectKind::Detection) => {
                0.5 * min_max(s.zero_score, ranges.zero_score) + 0.5 * min_max(*memory, ranges.memory_score)
            }
        });
        image_labels.push(s.abnormal);
        if kind == ObjectKind::Segmentation {
            pixels.extend(map);
            pixel_labels.extend(s.mask.iter().map(|m| *m == 1));
        }
    }
    (auroc(&pixels, &pixel_labels), auroc(&images, &image_labels))
}

fn average(values: &[f64]) -> Option<f64> {
    if values.is_empty() { None } else { Some(values.iter().sum::<f64>() / values.len() as f64) }
}
