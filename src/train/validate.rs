//! Scoring pictures that were not trained on.
//!
//! Comes in: the tensors of an epoch, pictures, and for few-shot the normal references. Goes out:
//! AUROC over pixels and pictures, averaged over objects, and the ranges of the scores. Fusion is
//! the released code's: minimum and maximum over the whole set (spec §8.3). Memory: objects are
//! scored one after the other and pixels are sorted on disk; what waits for the range of a set are
//! values per patch, 14 KB a picture at 17 x 17 patches, and no maps. Fails with [`TrainError`].

use std::collections::BTreeMap;

use burn::tensor::Tensor;

use crate::bundle::manifest::{Calibration, ObjectKind, ObjectSpec, Range};
use crate::bundle::scoring::ImageScores;
use crate::compute::unit_rows;
use crate::eval::{PixelStream, auroc};
use crate::mvfa::{
    Bank, Features, Geometry, ImageParts, MapRule, MemoryRows, detection_score, fuse, maximum, nearest_distances,
    patch_logits, score_bank, sum_up, zero_shot_map,
};
use crate::train::error::TrainError;
use crate::train::items::Item;
use crate::train::model::{Model, read};
use crate::train::parameters::Parameters;
use crate::train::progress::Validation;
use crate::train::session::Scored;
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

/// Values per patch and level, which maps are made of.
struct Patches {
    logits: Vec<Vec<f32>>,
    distances: Option<Vec<Vec<f32>>>,
    scores: ImageParts,
}

/// Figures of one object, and the ranges of its scores.
struct ObjectScores {
    pixel_auroc: Option<f64>,
    image_auroc: Option<f64>,
    ranges: Calibration,
}

impl Validator<'_> {
    /// Scores the pictures; `None` if there are none, or of one class only.
    ///
    /// # Errors
    /// [`TrainError`] from the store or the device, or a full disk.
    pub fn score(
        &self,
        parameters: &Parameters,
        store: &mut TokenStore,
        watch: &mut dyn Watch,
    ) -> Result<Scored, TrainError> {
        let memory = self.memory(parameters, store)?;
        let (mut pixel, mut image) = (Vec::new(), Vec::new());
        let mut calibration = BTreeMap::new();
        let mut done = 0;
        for (n, object) in self.objects.iter().enumerate() {
            let items: Vec<&Item> = self.items.iter().filter(|i| i.object == n).collect();
            if items.is_empty() {
                continue;
            }
            let text = self.words.complete(n, &mut parameters.weights())?;
            let mut patches = |item: &Item| -> Result<Patches, TrainError> {
                watch.validating(done, self.items.len());
                done += 1;
                let features = self.model.features(&mut parameters.weights(), store.read(item.tokens)?)?;
                self.patches(&features, &text, memory.as_ref(), object.kind)
            };
            let scores = self.object(object.kind, &items, &mut patches)?;
            if memory.is_some() {
                calibration.insert(object.id.clone(), scores.ranges);
            }
            pixel.extend(scores.pixel_auroc);
            image.extend(scores.image_auroc);
        }
        watch.validating(self.items.len(), self.items.len());
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

    /// Scores the pictures of one object.
    fn object(
        &self,
        kind: ObjectKind,
        items: &[&Item],
        patches: &mut dyn FnMut(&Item) -> Result<Patches, TrainError>,
    ) -> Result<ObjectScores, TrainError> {
        let disk = |e| TrainError::io(&std::env::temp_dir(), e);
        let mut pixels = PixelStream::new(self.model.manifest().preprocess.size_px).map_err(disk)?;
        let mut push = |map: &[f32], item: &Item| match kind {
            ObjectKind::Segmentation => pixels.push(map, &item.mask()).map_err(disk),
            ObjectKind::Detection => Ok(()),
        };
        let mut wait = Vec::new();
        let mut images = Vec::with_capacity(items.len());
        let [mut zero_map, mut memory_map, mut zero_score, mut memory_score] = [Extent::default(); 4];
        for item in items {
            let found = patches(item)?;
            let map = self.zero_map(&found);
            zero_score.add(found.scores.zero.as_slice());
            match &found.distances {
                // Words alone need no range: the map is final.
                None => {
                    push(&map, item)?;
                    images.extend(found.scores.zero);
                }
                Some(distances) => {
                    zero_map.add(&map);
                    memory_map.add(&self.memory_map(distances));
                    memory_score.add(found.scores.memory.as_slice());
                    wait.push((*item, found));
                }
            }
        }
        let ranges = Calibration {
            zero_map: zero_map.range(),
            memory_map: memory_map.range(),
            zero_score: zero_score.range(),
            memory_score: memory_score.range(),
        };
        for (item, found) in &wait {
            let memory = self.memory_map(found.distances.as_deref().unwrap_or_default());
            let map = fuse(&self.zero_map(found), &memory, ranges.zero_map, ranges.memory_map);
            images.push(found.scores.score(kind, &ranges, || maximum(&map)));
            push(&map, item)?;
        }
        let labels: Vec<bool> = items.iter().map(|i| i.abnormal).collect();
        let pixel_auroc = pixels.finish().map_err(disk)?.auroc;
        Ok(ObjectScores { pixel_auroc, image_auroc: auroc(&images, &labels), ranges })
    }

    fn zero_map(&self, patches: &Patches) -> Vec<f32> {
        let manifest = self.model.manifest();
        zero_shot_map(&patches.logits, manifest.vision.grid(), manifest.preprocess.size_px, Geometry::Reference)
    }

    fn memory_map(&self, distances: &[Vec<f32>]) -> Vec<f32> {
        let manifest = self.model.manifest();
        sum_up(distances, manifest.vision.grid(), manifest.preprocess.size_px, MapRule::PAPER)
    }

    fn patches(
        &self,
        features: &Features,
        text: &Tensor<2>,
        memory: Option<&MemoryRows>,
        kind: ObjectKind,
    ) -> Result<Patches, TrainError> {
        let patches = |bank: Bank| -> Vec<Tensor<2>> {
            features.bank(bank).iter().map(|l| unit_rows(l.clone().slice_dim(0, 1..l.dims()[0]))).collect()
        };
        let logits = |bank: Bank| -> Result<Vec<Vec<f32>>, TrainError> {
            patches(bank).into_iter().map(|level| read(patch_logits(level, text.clone()))).collect()
        };
        let mut scores = ImageParts { zero: Some(detection_score(&logits(Bank::Detection)?)), memory: None };
        let mut distances = None;
        if let Some(rows) = memory {
            let of_bank = |bank: Bank| -> Result<Vec<Vec<f32>>, TrainError> {
                let near = patches(bank).into_iter().zip(rows.levels(bank));
                near.map(|(patches, rows)| read(nearest_distances(patches, rows.clone()))).collect()
            };
            let levels = of_bank(Bank::Segmentation)?;
            let map = match score_bank(kind) {
                Bank::Segmentation => self.memory_map(&levels),
                bank => self.memory_map(&of_bank(bank)?),
            };
            scores.memory = Some(ImageScores::default().of(kind).of(&map));
            distances = Some(levels);
        }
        Ok(Patches { logits: logits(Bank::Segmentation)?, distances, scores })
    }
}

/// Smallest and largest value so far.
#[derive(Clone, Copy)]
struct Extent(f32, f32);

impl Default for Extent {
    fn default() -> Self {
        Self(f32::INFINITY, f32::NEG_INFINITY)
    }
}

impl Extent {
    fn add(&mut self, values: &[f32]) {
        *self = values.iter().fold(*self, |Self(lo, hi), v| Self(lo.min(*v), hi.max(*v)));
    }

    fn range(self) -> Range {
        let Self(lo, hi) = self;
        if hi > lo { Range { lo, hi } } else { Range { lo: 0.0, hi: 1.0 } }
    }
}

fn average(values: &[f64]) -> Option<f64> {
    if values.is_empty() { None } else { Some(values.iter().sum::<f64>() / values.len() as f64) }
}
