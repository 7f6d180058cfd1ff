//! The self-test of a model whose weights come one file after the other: no more than one block is ever there.
//!
//! Comes in: the manifest, and the tensors of its adapters and its tower, block after block. Goes out: what the processor
//! answers for the test picture, which every other device is held to. Fails with [`BundleError`]: a tensor that did not
//! come, or [`BundleError::SelfTest`].

use std::collections::BTreeMap;

use crate::bundle::config::VisionConfig;
use crate::bundle::error::BundleError;
use crate::bundle::manifest::{FileEntry, Group, Manifest, SelfTest};
use crate::bundle::names::{adapter_tensors, vision_tensors};
use crate::bundle::source::TensorPart;
#[cfg(not(target_arch = "wasm32"))]
use crate::bundle::store::BundleFolder;
use crate::compute::{OpenDevice, Reading, Tower, Weights, open_cpu};
use crate::mvfa::engine::normalised;
use crate::mvfa::features::Features;
use crate::mvfa::self_test;

/// Groups whose tensors are needed, in this order: adapters sit between the blocks.
const GROUPS: [Group; 2] = [Group::Adapters, Group::Vision];

/// An encoding of the test picture under way.
pub(crate) struct StreamedTest {
    manifest: Manifest,
    open: OpenDevice,
    weights: Weights,
    /// Rows of each tensor that are still to come.
    lacking: BTreeMap<String, usize>,
    /// Embedding and adapters, once they are here, and the tokens `[tokens, width]` before the next block.
    begun: Option<(Tower, Vec<f32>)>,
    done: usize,
    features: Features,
}

impl StreamedTest {
    /// Begins; the manifest needs no files yet.
    pub(crate) fn new(manifest: &Manifest) -> Self {
        let vision = &manifest.vision;
        let mut all = vision_tensors(vision);
        if let Some(adapters) = &manifest.adapters {
            all.extend(adapter_tensors(vision.levels.len(), vision.width, adapters.bottleneck));
        }
        let open = open_cpu("the self-test's reference");
        Self {
            manifest: manifest.clone(),
            weights: Weights::on(&open.device),
            open,
            lacking: all.into_iter().map(|(name, shape)| (name, shape.first().copied().unwrap_or(1))).collect(),
            begun: None,
            done: 0,
            features: Features { segmentation: Vec::new(), detection: Vec::new() },
        }
    }

    /// The files to give, in their order.
    pub(crate) fn files(manifest: &Manifest) -> impl Iterator<Item = &FileEntry> {
        GROUPS.iter().flat_map(|group| manifest.files.iter().filter(move |file| file.group == *group))
    }

    /// Takes some rows of a tensor.
    ///
    /// # Errors
    /// As [`Weights::insert`].
    pub(crate) fn take(&mut self, part: TensorPart) -> Result<(), BundleError> {
        let [start, end] = part.row_range();
        if let Some(rows) = self.lacking.get_mut(&part.name) {
            *rows = rows.saturating_sub(end.saturating_sub(start));
        }
        self.weights.insert(part)
    }

    /// Runs the blocks that are whole by now.
    ///
    /// # Errors
    /// [`BundleError`] if tensors contradict each other.
    pub(crate) fn run(&mut self) -> Result<(), BundleError> {
        let is_outside = |name: &str| !name.starts_with("vision.blocks.");
        if self.begun.is_none() && self.has_all(is_outside) {
            self.begin()?;
        }
        while self.begun.is_some() && self.done < self.steps() {
            let prefix = format!("vision.blocks.{}.", self.done);
            if !self.has_all(|name| name.starts_with(&prefix)) {
                break;
            }
            self.block()?;
        }
        Ok(())
    }

    /// The manifest's entry.
    ///
    /// # Errors
    /// [`BundleError::MissingTensor`] if not all tensors came, [`BundleError::SelfTest`].
    pub(crate) fn finish(mut self) -> Result<SelfTest, BundleError> {
        if self.begun.is_none() {
            self.begin()?;
        }
        while self.done < self.steps() {
            self.block()?;
        }
        let mut reading = Reading::default();
        self_test::request(&self.features, &mut reading);
        let values = reading.here().ok_or_else(|| BundleError::SelfTest("its answers could not be read".to_owned()))?;
        Ok(self_test::record(values.concat()))
    }

    fn has_all(&self, which: impl Fn(&str) -> bool) -> bool {
        self.lacking.iter().all(|(name, rows)| *rows == 0 || !which(name))
    }

    fn steps(&self) -> usize {
        self.manifest.vision.levels.last().copied().unwrap_or(0)
    }

    fn begin(&mut self) -> Result<(), BundleError> {
        let vision = &self.manifest.vision;
        let no_blocks = VisionConfig { layers: 0, ..vision.clone() };
        let mut tower = Tower::take(&mut self.weights, &no_blocks, self.open.kernels(), self.open.runner)?;
        if let Some(adapters) = &self.manifest.adapters {
            tower = tower.with_adapters(&mut self.weights, vision, adapters)?;
        }
        let picture = self_test::picture(self.manifest.preprocess.size_px);
        let tokens = tower.embed(normalised(&picture, &self.manifest.preprocess)).values()?;
        self.begun = Some((tower, tokens));
        Ok(())
    }

    fn block(&mut self) -> Result<(), BundleError> {
        let Some((tower, tokens)) = &mut self.begun else { return Ok(()) };
        let vision = &self.manifest.vision;
        let with_block = tower.with_only_block(&mut self.weights, vision, self.done, &self.open)?;
        let mut walking = with_block.resume(std::mem::take(tokens));
        walking.block(0);
        self.done += 1;
        if let Some(level) = vision.levels.iter().position(|level| *level == self.done) {
            let mix = Some(self.done) < vision.levels.last().copied();
            let ended = walking.end_level(level, mix);
            let [segmentation, detection] = ended.features.map(|level| level.slice_dim(0, 0..vision.tokens()));
            self.features.segmentation.push(segmentation);
            self.features.detection.push(detection);
        }
        *tokens = walking.values()?;
        Ok(())
    }
}

/// The self-test of a bundle whose other files are written.
///
/// # Errors
/// [`BundleError`]: a file that cannot be read, or [`BundleError::SelfTest`].
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn self_test_of(bundle: &BundleFolder) -> Result<SelfTest, BundleError> {
    let mut test = StreamedTest::new(bundle.manifest());
    for group in GROUPS {
        bundle.visit(&[group], |part| {
            test.take(part)?;
            test.run()
        })?;
    }
    test.finish()
}
