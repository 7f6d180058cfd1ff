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
use crate::clip::gpu_block::{self, GpuBlock};
use crate::clip::gpu_embedding::{self, GpuEmbedding};
use crate::clip::packed_block::{self, PackedBlock};
use crate::clip::packed_embedding::PackedEmbedding;
use crate::gpu::Arithmetic;

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
    /// As [`BlockKind::Gpu`], with products of 16-bit floats summed in 32-bit floats.
    Gpu16,
}

impl BlockKind {
    /// Whether everything is computed by our own arithmetic on the processor where that can be.
    pub(crate) fn is_packed(self) -> bool {
        matches!(self, Self::Packed | Self::PackedBytes)
    }

    /// How its shaders multiply, where it has any.
    pub(crate) fn arithmetic(self) -> Option<Arithmetic> {
        match self {
            Self::Plain | Self::Packed | Self::PackedBytes => None,
            Self::Gpu => Some(Arithmetic::F32),
            Self::Gpu16 => Some(Arithmetic::F16),
        }
    }
}

#[derive(Clone, Debug)]
enum AnyBlock {
    Plain(Box<Block>),
    Packed(PackedBlock),
    Gpu(Box<GpuBlock>),
}

#[derive(Clone, Debug)]
enum Embedding {
    Plain(Box<PlainEmbedding>),
    Packed(Box<PackedEmbedding>),
    Gpu(Box<GpuEmbedding>),
}

#[derive(Clone, Debug)]
struct PlainEmbedding {
    patch: Linear,
    class_embedding: Tensor<1>,
    /// `[1, tokens, width]`, already resized to the grid.
    position_embedding: Tensor<3>,
    ln_pre: Option<Norm>,
}

/// The tower with its weights on a device.
#[derive(Clone, Debug)]
pub struct VisionTower {
    config: VisionConfig,
    embedding: Embedding,
    blocks: Vec<AnyBlock>,
    arithmetic: Arithmetic,
}

impl VisionTower {
    /// Takes the tensors `vision.*`.
    ///
    /// # Errors
    /// [`BundleError::MissingTensor`] and [`BundleError::Shape`].
    pub fn take(weights: &mut Weights, config: &VisionConfig, kind: BlockKind) -> Result<Self, BundleError> {
        let block = BlockConfig {
            width: config.width,
            heads: config.heads,
            mlp_width: config.mlp_width,
            layer_scale: config.layer_scale,
            activation: config.activation,
            eps: config.norm_eps,
            causal: false,
        };
        let shared = packed_block::Shared::new(kind == BlockKind::PackedBytes);
        let has_shaders = kind.arithmetic().is_some();
        let embedding = if kind.is_packed() {
            Embedding::Packed(Box::new(PackedEmbedding::take(weights, config)?))
        } else if has_shaders && gpu_embedding::is_supported(config) {
            Embedding::Gpu(Box::new(GpuEmbedding::take(weights, config)?))
        } else {
            Embedding::Plain(Box::new(PlainEmbedding::take(weights, config)?))
        };
        let take = |n: usize| -> Result<AnyBlock, BundleError> {
            let prefix = format!("vision.blocks.{n}");
            Ok(if kind.is_packed() && packed_block::is_supported(&block) {
                AnyBlock::Packed(PackedBlock::take(weights, &prefix, block, &shared)?)
            } else if has_shaders && gpu_block::is_supported(&block) {
                AnyBlock::Gpu(Box::new(GpuBlock::take(weights, &prefix, block)?))
            } else {
                AnyBlock::Plain(Box::new(Block::take(weights, &prefix, block)?))
            })
        };
        Ok(Self {
            embedding,
            blocks: (0..config.layers).map(take).collect::<Result<_, _>>()?,
            config: config.clone(),
            arithmetic: kind.arithmetic().unwrap_or(Arithmetic::F32),
        })
    }

    /// From now on shaders multiply 32-bit floats.
    pub(crate) fn use_f32(&mut self) {
        self.arithmetic = Arithmetic::F32;
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
        let plain = match &self.embedding {
            Embedding::Plain(plain) => plain,
            Embedding::Packed(embedding) => return embedding.forward(pixels),
            Embedding::Gpu(embedding) => return embedding.forward(pixels, self.arithmetic),
        };
        let [batch, ..] = pixels.dims();
        let (grid, patch, width) = (self.config.grid(), self.config.patch_px, self.config.width);
        let seen = grid * patch;
        let patches = pixels
            .slice([0..batch, 0..3, 0..seen, 0..seen])
            .reshape([batch, 3, grid, patch, grid, patch])
            .permute([0, 2, 4, 1, 3, 5])
            .reshape([batch, grid * grid, 3 * patch * patch]);
        let class = plain.class_embedding.clone().reshape([1, 1, width]).expand([batch, 1, width]);
        let tokens = Tensor::cat(vec![class, plain.patch.forward(patches)], 1) + plain.position_embedding.clone();
        match &plain.ln_pre {
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
            Some(AnyBlock::Gpu(block)) => block.forward(tokens, self.arithmetic),
            None => tokens,
        }
    }
}

impl PlainEmbedding {
    fn take(weights: &mut Weights, config: &VisionConfig) -> Result<Self, BundleError> {
        let VisionConfig { width, patch_px, .. } = *config;
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
        })
    }
}
