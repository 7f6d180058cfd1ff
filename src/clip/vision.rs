//! The frozen vision tower, and which block ends a level.
//!
//! Comes in: normalised pixels `[3, side, side]`. Goes out: tokens `[1 + grid², width]`, class token first, patches row by
//! row, block by block; registers follow them through the blocks and give no features. Building fails with [`BundleError`] when a tensor is missing or has another shape; running does
//! not fail. Source: spec §2.

use burn::tensor::Tensor;
use mvfa_kernels::Runner;

use crate::bundle::config::VisionConfig;
use crate::bundle::error::BundleError;
use crate::bundle::manifest::AdapterConfig;
use crate::compute::{Kernels, Level, Tokens, Tower, Weights};

/// The tower with its weights on a device, with adapters in its stream or without. A clone shares all weights.
#[derive(Clone, Debug)]
pub struct VisionTower {
    config: VisionConfig,
    tower: Tower,
}

/// Tokens on their way through a tower.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    vision: &'a VisionTower,
    tokens: Tokens<'a>,
    done: usize,
}

impl VisionTower {
    /// Takes the tensors `vision.*`. `runner` runs the processor's blocks, if not this module.
    ///
    /// # Errors
    /// [`BundleError::MissingTensor`], [`BundleError::Shape`] and [`BundleError::Placement`].
    pub fn take(
        weights: &mut Weights,
        config: &VisionConfig,
        kernels: Kernels,
        runner: Option<Runner>,
    ) -> Result<Self, BundleError> {
        Ok(Self { config: config.clone(), tower: Tower::take(weights, config, kernels, runner)? })
    }

    /// The same tower with adapters at its levels: takes the tensors `adapters.*`.
    ///
    /// # Errors
    /// As [`VisionTower::take`].
    pub(crate) fn with_adapters(&self, weights: &mut Weights, adapters: &AdapterConfig) -> Result<Self, BundleError> {
        let tower = self.tower.with_adapters(weights, &self.config, adapters)?;
        Ok(Self { config: self.config.clone(), tower })
    }

    /// The same tower without adapters.
    pub(crate) fn without_adapters(&self) -> Self {
        Self { config: self.config.clone(), tower: self.tower.without_adapters() }
    }

    /// The same tower that ends with the first `levels` of its levels: no block past them is computed.
    pub(crate) fn up_to(mut self, levels: usize) -> Self {
        self.config.levels.truncate(levels);
        self
    }

    /// From now on shaders multiply 32-bit floats.
    pub(crate) fn use_f32(&mut self) {
        self.tower.use_f32();
    }

    /// Geometry of the tower.
    pub fn config(&self) -> &VisionConfig {
        &self.config
    }

    /// Lets blocks whose weights are bytes multiply them as bytes only if that is faster on this machine.
    pub fn choose_faster(&self, now_ms: impl Fn() -> f64) {
        self.tower.choose_faster(self.config.rows(), now_ms);
    }

    /// Blocks up to the last level.
    pub fn steps(&self) -> usize {
        self.config.levels.last().copied().unwrap_or(0)
    }

    /// Starts on pixels `[3, side, side]`; what is missing of them is black.
    pub fn start(&self, pixels: Vec<f32>) -> Walk<'_> {
        Walk { vision: self, tokens: self.tower.embed(pixels), done: 0 }
    }

    /// Goes on from tokens `[tokens, width]` that the block of the first level gave.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn resume(&self, tokens: Vec<f32>) -> Walk<'_> {
        let done = self.config.levels.first().copied().unwrap_or(0);
        Walk { vision: self, tokens: self.tower.resume(tokens), done }
    }
}

impl<'a> Walk<'a> {
    /// Runs one block. False when the last level was reached before.
    pub fn block(&mut self) -> bool {
        let is_left = self.done < self.vision.steps();
        if is_left {
            self.tokens.block(self.done);
            self.done += 1;
        }
        is_left
    }

    /// Blocks done.
    pub fn done(&self) -> usize {
        self.done
    }

    /// The level (0-based) that the last block ended, if it ended one.
    pub fn level(&self) -> Option<usize> {
        self.vision.config.levels.iter().position(|level| *level == self.done)
    }

    /// Features of a level, and with `mix` the adapters' share in the tokens that go on.
    pub(crate) fn end_level(&mut self, level: usize, mix: bool) -> Level<'a> {
        let mut ended = self.tokens.end_level(level, mix);
        let config = &self.vision.config;
        if config.registers > 0 {
            ended.features = ended.features.map(|level| level.slice_dim(0, 0..config.tokens()));
        }
        ended
    }

    /// The tokens, `[tokens, width]`, registers last.
    pub fn rows(&self) -> Tensor<2> {
        self.tokens.rows()
    }
}
