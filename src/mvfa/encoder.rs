//! The frozen tower with both adapter banks in its stream.
//!
//! Comes in: normalised pixels `[3, side, side]`. Goes out: [`Features`]. Work is cut into
//! steps of one block, so that a caller can report progress, stop, or let others run in between.
//! Building fails with [`BundleError`]; running does not fail.
//! Source: spec §3.

use burn::tensor::Tensor;
use mvfa_kernels::Runner;

use crate::bundle::error::BundleError;
#[cfg(not(target_arch = "wasm32"))]
use crate::bundle::manifest::AdapterConfig;
use crate::bundle::manifest::Manifest;
use crate::clip::vision::{VisionTower, Walk};
use crate::compute::{Kernels, Tokens, Weights};
use crate::mvfa::features::Features;

/// Tower and adapters with their weights on a device. A clone shares all weights.
#[derive(Clone, Debug)]
pub struct AdaptedEncoder {
    tower: VisionTower,
}

impl AdaptedEncoder {
    /// Takes the tensors `vision.*` and, if the manifest has adapters, `adapters.*`. `runner` runs the processor's
    /// blocks, if not this module.
    ///
    /// # Errors
    /// [`BundleError::MissingTensor`], [`BundleError::Shape`] and [`BundleError::Placement`].
    pub fn take(
        weights: &mut Weights,
        manifest: &Manifest,
        kernels: Kernels,
        runner: Option<Runner>,
    ) -> Result<Self, BundleError> {
        let tower = VisionTower::take(weights, &manifest.vision, kernels, runner)?;
        Ok(match &manifest.adapters {
            Some(adapters) => Self { tower: tower.with_adapters(weights, adapters)? },
            None => Self { tower },
        })
    }

    /// Chooses the faster of two modes, if the tower has two.
    pub(crate) fn choose_faster(&self, now_ms: impl Fn() -> f64) {
        self.tower.choose_faster(now_ms);
    }

    /// The same tower with other adapters in its stream.
    ///
    /// # Errors
    /// As [`AdaptedEncoder::take`].
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn with_adapters(&self, weights: &mut Weights, adapters: &AdapterConfig) -> Result<Self, BundleError> {
        Ok(Self { tower: self.tower.with_adapters(weights, adapters)? })
    }

    /// The same tower without adapters: raw block tokens are the features.
    pub(crate) fn without_adapters(&self) -> Self {
        Self { tower: self.tower.without_adapters() }
    }

    /// The same that ends with the first `levels` of its levels.
    pub(crate) fn up_to(self, levels: usize) -> Self {
        Self { tower: self.tower.up_to(levels) }
    }

    /// From now on shaders multiply 32-bit floats.
    pub(crate) fn use_f32(&mut self) {
        self.tower.use_f32();
    }

    /// Starts on pixels `[3, side, side]`; what is missing of them is black.
    pub fn start(&self, pixels: Vec<f32>) -> EncodeRun<'_> {
        EncodeRun::new(self, self.tower.start(pixels))
    }

    /// Goes on from the tokens `[tokens, width]` that the block of the first level gave, before anything was mixed in.
    /// They do not depend on the adapters.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn resume(&self, tokens: Vec<f32>) -> EncodeRun<'_> {
        let mut run = EncodeRun::new(self, self.tower.resume(tokens));
        run.end_level(0);
        run
    }

    /// Tokens `[tokens, width]` after the block of the first level, before anything is mixed in.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn early_tokens(&self, pixels: Vec<f32>) -> Tensor<2> {
        let blocks = self.tower.config().levels.first().copied().unwrap_or(0);
        let mut walk = self.tower.start(pixels);
        while walk.done() < blocks && walk.block() {}
        walk.rows()
    }

    /// Steps of one picture: the blocks up to the last level.
    pub fn steps(&self) -> usize {
        self.tower.steps()
    }

    /// All steps at once.
    pub fn encode(&self, pixels: Vec<f32>) -> Features {
        let mut run = self.start(pixels);
        while run.step() {}
        run.finish()
    }
}

/// An encoding under way.
#[derive(Clone, Debug)]
pub struct EncodeRun<'a> {
    walk: Walk<'a>,
    steps: usize,
    mixes_last: bool,
    premix: Option<Tokens<'a>>,
    features: Features,
}

impl<'a> EncodeRun<'a> {
    fn new(encoder: &'a AdaptedEncoder, walk: Walk<'a>) -> Self {
        let features = Features { segmentation: Vec::new(), detection: Vec::new() };
        Self { walk, steps: encoder.steps(), mixes_last: false, premix: None, features }
    }

    /// Mixes the adapters' share in after the last level, too. No block follows that would use it: this is for who
    /// compares the tokens.
    pub fn with_last_mix(mut self) -> Self {
        self.mixes_last = true;
        self
    }

    /// Runs one block, and the adapters if it ends a level. False when nothing was left to do.
    pub fn step(&mut self) -> bool {
        if !self.walk.block() {
            return false;
        }
        self.premix = None;
        if let Some(level) = self.walk.level() {
            self.end_level(level);
        }
        true
    }

    /// Blocks done.
    pub fn done(&self) -> usize {
        self.walk.done()
    }

    /// The features of all levels reached so far.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// Tokens that go into the next block, `[tokens, width]`.
    pub fn tokens(&self) -> Tensor<2> {
        self.walk.rows()
    }

    /// Tokens `[tokens, width]` of the last block before the adapters were mixed in, if they were.
    pub fn premix(&self) -> Option<Tensor<2>> {
        self.premix.as_ref().map(Tokens::rows)
    }

    /// The features of all levels reached.
    pub fn finish(self) -> Features {
        self.features
    }

    fn end_level(&mut self, level: usize) {
        let mix = self.mixes_last || self.walk.done() < self.steps;
        let ended = self.walk.end_level(level, mix);
        let [segmentation, detection] = ended.features;
        self.features.segmentation.push(segmentation);
        self.features.detection.push(detection);
        self.premix = ended.premix;
    }
}
