//! The frozen tower with both adapter banks in its stream.
//!
//! Comes in: normalised pixels `[1, 3, side, side]`. Goes out: [`Features`]. Work is cut into
//! steps of one block, so that a caller can report progress, stop, or let others run in between.
//! Building fails with [`BundleError`]; running does not fail.
//! Source: spec §3.

use burn::tensor::Tensor;

use crate::bundle::error::BundleError;
use crate::bundle::manifest::{AdapterConfig, Manifest};
use crate::bundle::weights::Weights;
use crate::clip::vision::{BlockKind, VisionTower};
use crate::mvfa::adapter::Adapter;
use crate::mvfa::features::Features;

/// Tower and adapters with their weights on a device.
#[derive(Clone, Debug)]
pub struct AdaptedEncoder {
    tower: VisionTower,
    adapters: Option<Adapters>,
}

/// Both banks, one adapter a level each.
#[derive(Clone, Debug)]
pub(crate) struct Adapters {
    segmentation: Vec<Adapter>,
    detection: Vec<Adapter>,
    mix: [f32; 3],
}

impl AdaptedEncoder {
    /// Takes the tensors `vision.*` and, where the manifest has adapters, `adapters.*`.
    ///
    /// # Errors
    /// [`BundleError::MissingTensor`] and [`BundleError::Shape`].
    pub fn take(weights: &mut Weights, manifest: &Manifest, blocks: BlockKind) -> Result<Self, BundleError> {
        let tower = VisionTower::take(weights, &manifest.vision, blocks)?;
        let adapters = match &manifest.adapters {
            Some(config) => {
                Some(Adapters::take(weights, config, &manifest.vision.levels, manifest.vision.width, blocks)?)
            }
            None => None,
        };
        Ok(Self { tower, adapters })
    }

    /// Lets the tower compute in the faster of two ways where it has two.
    pub(crate) fn choose_faster(&self, now_ms: impl Fn() -> f64) {
        self.tower.choose_faster(now_ms);
    }

    /// The same tower with other adapters in its stream, or with none: then raw block tokens are the
    /// features.
    pub(crate) fn with_adapters(&self, adapters: Option<Adapters>) -> Self {
        Self { tower: self.tower.clone(), adapters }
    }

    /// From now on shaders multiply 32-bit floats.
    pub(crate) fn use_f32(&mut self) {
        self.tower.use_f32();
        if let Some(adapters) = &mut self.adapters {
            adapters.segmentation.iter_mut().chain(&mut adapters.detection).for_each(Adapter::use_f32);
        }
    }

    /// Starts on pixels `[1, 3, side, side]`.
    pub fn start(&self, pixels: Tensor<4>) -> EncodeRun<'_> {
        EncodeRun {
            encoder: self,
            tokens: self.tower.embed(pixels),
            premix: None,
            next_block: 0,
            features: Features { segmentation: Vec::new(), detection: Vec::new() },
        }
    }

    /// Goes on from the tokens `[1, tokens, width]` that the block of the first level gave, before
    /// anything was mixed in. No adapter has had a say in them.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn resume(&self, tokens: Tensor<3>) -> EncodeRun<'_> {
        let next_block = self.tower.config().levels.first().copied().unwrap_or(0);
        let features = Features { segmentation: Vec::new(), detection: Vec::new() };
        let mut run = EncodeRun { encoder: self, tokens, premix: None, next_block, features };
        run.end_level(0);
        run
    }

    /// Tokens `[1, tokens, width]` after the block of the first level, before anything is mixed in.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn early_tokens(&self, pixels: Tensor<4>) -> Tensor<3> {
        let blocks = self.tower.config().levels.first().copied().unwrap_or(0);
        (0..blocks).fold(self.tower.embed(pixels), |tokens, block| self.tower.block(block, tokens))
    }

    /// Steps of one picture: the blocks up to the last level.
    pub fn steps(&self) -> usize {
        self.tower.config().levels.last().copied().unwrap_or(0)
    }

    /// All steps at once.
    pub fn encode(&self, pixels: Tensor<4>) -> Features {
        let mut run = self.start(pixels);
        while run.step() {}
        run.finish()
    }
}

impl Adapters {
    /// Takes the tensors `adapters.*`.
    pub(crate) fn take(
        weights: &mut Weights,
        config: &AdapterConfig,
        levels: &[usize],
        width: usize,
        kind: BlockKind,
    ) -> Result<Self, BundleError> {
        let mut bank = |name: &str| -> Result<Vec<Adapter>, BundleError> {
            (0..levels.len())
                .map(|n| Adapter::take(weights, &format!("adapters.{name}.{n}"), width, config.bottleneck, kind))
                .collect()
        };
        Ok(Self { segmentation: bank("seg")?, detection: bank("det")?, mix: config.mix })
    }
}

/// An encoding under way.
#[derive(Clone, Debug)]
pub struct EncodeRun<'a> {
    encoder: &'a AdaptedEncoder,
    tokens: Tensor<3>,
    premix: Option<Tensor<3>>,
    next_block: usize,
    features: Features,
}

impl EncodeRun<'_> {
    /// Runs one block, and the adapters if it ends a level. False when nothing was left to do.
    pub fn step(&mut self) -> bool {
        if self.next_block >= self.encoder.steps() {
            return false;
        }
        self.tokens = self.encoder.tower.block(self.next_block, self.tokens.clone());
        self.next_block += 1;
        self.premix = None;
        if let Some(level) = self.encoder.tower.config().levels.iter().position(|l| *l == self.next_block) {
            self.end_level(level);
        }
        true
    }

    /// Blocks done.
    pub fn done(&self) -> usize {
        self.next_block
    }

    /// The features of all levels reached so far.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// Tokens that go into the next block, `[1, tokens, width]`.
    pub fn tokens(&self) -> &Tensor<3> {
        &self.tokens
    }

    /// Tokens of the last block before the adapters were mixed in, where it ended a level.
    pub fn premix(&self) -> Option<&Tensor<3>> {
        self.premix.as_ref()
    }

    /// The features of all levels reached.
    pub fn finish(self) -> Features {
        self.features
    }

    fn end_level(&mut self, level: usize) {
        let Some(adapters) = &self.encoder.adapters else {
            let tokens = squeeze(self.tokens.clone());
            self.features.segmentation.push(tokens.clone());
            self.features.detection.push(tokens);
            return;
        };
        // Both banks read the same tokens, before the mix.
        if let (Some(seg), Some(det)) = (adapters.segmentation.get(level), adapters.detection.get(level)) {
            let [keep, from_seg, from_det] = adapters.mix;
            let premix = self.tokens.clone();
            let (seg_hidden, mixed) = seg.forward(&premix, premix.clone(), keep, from_seg);
            let (det_hidden, mixed) = det.forward(&premix, mixed, 1.0, from_det);
            self.features.segmentation.push(squeeze(seg_hidden));
            self.features.detection.push(squeeze(det_hidden));
            self.premix = Some(premix);
            self.tokens = mixed;
        }
    }
}

/// `[1, tokens, dim]` → `[tokens, dim]`
pub(crate) fn squeeze(x: Tensor<3>) -> Tensor<2> {
    let [_, tokens, dim] = x.dims();
    x.reshape([tokens, dim])
}
