//! The frozen vision tower up to any block.
//!
//! Comes in: normalised pixels `[batch, 3, side, side]`. Goes out: tokens
//! `[batch, 1 + grid², width]`, class token first, patches row by row. Building fails with
//! [`BundleError`] when a tensor is missing or has another shape; running does not fail.
//! Source: spec §2.

use burn::tensor::Tensor;

use crate::bundle::error::BundleError;
use crate::bundle::weights::Weights;
use crate::clip::block::{Block, BlockConfig, Linear, Norm};
use crate::clip::config::VisionConfig;
use crate::clip::gpu::{self, GpuBlock};
use crate::clip::packed_block::{self, PackedBlock};

/// How the blocks of a tower are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlockKind {
    /// By tensor operations of the device; gradients flow through them.
    #[default]
    Plain,
    /// On packed weights, for one core of a processor and frozen weights. Geometries that cannot be
    /// packed fall back to [`BlockKind::Plain`].
    Packed,
    /// As [`BlockKind::Packed`], and weights stored as bytes are multiplied as bytes: faster where relaxed
    /// SIMD is compiled in, with tokens rounded to fourteen bits before each product. Other weights are
    /// computed with as ever.
    PackedBytes,
    /// By shaders of our own on a graphics device, for frozen weights. Geometries without a shader
    /// fall back to [`BlockKind::Plain`].
    Gpu,
}

#[derive(Clone, Debug)]
enum AnyBlock {
    Plain(Box<Block>),
    Packed(PackedBlock),
    Gpu(Box<GpuBlock>),
}

/// The tower with its weights on a device.
#[derive(Clone, Debug)]
pub struct VisionTower {
    config: VisionConfig,
    patch: Linear,
    class_embedding: Tensor<1>,
    /// `[1, tokens, width]`, already resized to the grid.
    position_embedding: Tensor<3>,
    ln_pre: Option<Norm>,
    blocks: Vec<AnyBlock>,
}

impl VisionTower {
    /// Takes the tensors `vision.*`.
    ///
    /// # Errors
    /// [`BundleError::MissingTensor`] and [`BundleError::Shape`].
    pub fn take(weights: &mut Weights, config: &VisionConfig, kind: BlockKind) -> Result<Self, BundleError> {
        let VisionConfig { width, patch_px, .. } = *config;
        let block = BlockConfig {
            width,
            heads: config.heads,
            mlp_width: config.mlp_width,
            layer_scale: config.layer_scale,
            activation: config.activation,
            eps: config.norm_eps,
            causal: false,
        };
        let shared = packed_block::Shared::new(kind == BlockKind::PackedBytes);
        let kind = match kind {
            BlockKind::Packed | BlockKind::PackedBytes if packed_block::is_supported(&block) => kind,
            BlockKind::Gpu if gpu::is_supported(&block) => kind,
            _ => BlockKind::Plain,
        };
        Ok(Self {
            patch: Linear::take(weights, "vision.patch", width, 3 * patch_px * patch_px, config.patch_bias)?,
            class_embedding: weights.take("vision.class_embedding", [width])?,
            position_embedding: weights
                .take::<2>("vision.position_embedding", [config.tokens(), width])?
                .unsqueeze::<3>(),
            ln_pre: if config.pre_norm {
                Some(Norm::take(weights, "vision.ln_pre", width, config.norm_eps)?)
            } else {
                None
            },
            blocks: (0..config.layers)
                .map(|i| {
                    let prefix = format!("vision.blocks.{i}");
                    match kind {
                        BlockKind::Plain => Block::take(weights, &prefix, block).map(|b| AnyBlock::Plain(Box::new(b))),
                        BlockKind::Packed | BlockKind::PackedBytes => {
                            PackedBlock::take(weights, &prefix, block, &shared).map(AnyBlock::Packed)
                        }
                        BlockKind::Gpu => GpuBlock::take(weights, &prefix, block).map(|b| AnyBlock::Gpu(Box::new(b))),
                    }
                })
                .collect::<Result<_, _>>()?,
            config: config.clone(),
        })
    }

    /// Geometry of the tower.
    pub fn config(&self) -> &VisionConfig {
        &self.config
    }

    /// Lets blocks whose weights are bytes multiply them as bytes only where that is faster on this machine.
    pub fn choose_faster(&self, now_ms: impl Fn() -> f64) {
        if let Some(AnyBlock::Packed(block)) = self.blocks.first() {
            block.choose_faster(self.config.tokens(), now_ms);
        }
    }

    /// `[batch, 3, side, side]` → tokens before the first block `[batch, 1 + grid², width]`.
    ///
    /// The patch convolution has stride = kernel, so it is a matrix product over cut-out patches;
    /// pixels beyond the last whole patch are not seen (spec §1).
    pub fn embed(&self, pixels: Tensor<4>) -> Tensor<3> {
        let [batch, ..] = pixels.dims();
        let (grid, patch, width) = (self.config.grid(), self.config.patch_px, self.config.width);
        let seen = grid * patch;
        let patches = pixels
            .slice([0..batch, 0..3, 0..seen, 0..seen])
            .reshape([batch, 3, grid, patch, grid, patch])
            .permute([0, 2, 4, 1, 3, 5])
            .reshape([batch, grid * grid, 3 * patch * patch]);
        let class = self.class_embedding.clone().reshape([1, 1, width]).expand([batch, 1, width]);
        let tokens = Tensor::cat(vec![class, self.patch.forward(patches)], 1) + self.position_embedding.clone();
        match &self.ln_pre {
            Some(norm) => norm.forward(tokens),
            None => tokens,
        }
    }

    /// Runs block `index` (0-based) on tokens `[batch, tokens, width]`.
    ///
    /// An index past the last block leaves the tokens as they are.
    pub fn block(&self, index: usize, tokens: Tensor<3>) -> Tensor<3> {
        match self.blocks.get(index) {
            Some(AnyBlock::Plain(block)) => block.forward(tokens),
            Some(AnyBlock::Packed(block)) => block.forward(tokens),
            Some(AnyBlock::Gpu(block)) => block.forward(tokens),
            None => tokens,
        }
    }
}
