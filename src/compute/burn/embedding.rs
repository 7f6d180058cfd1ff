//! Patch embedding of burn's operations.
//!
//! In: pixels `[3, side, side]`. Out: tokens `[1, tokens, width]`, class token first, patches row by row, then registers.
//! Building fails with [`BundleError`]. Source: spec §2.

use burn::tensor::Tensor;

use super::block::{Linear, Norm};
use crate::bundle::config::VisionConfig;
use crate::bundle::error::BundleError;
use crate::compute::{Weights, from_values};

/// The embedding's weights.
#[derive(Clone, Debug)]
pub(crate) struct Embedding {
    patch: Linear,
    class_embedding: Tensor<1>,
    /// `[1, tokens, width]`, already resized to the grid.
    position_embedding: Tensor<3>,
    /// `[1, registers, width]`, if there are any.
    registers: Option<Tensor<3>>,
    ln_pre: Option<Norm>,
    config: VisionConfig,
}

impl Embedding {
    /// Takes the tensors under `vision` that are not a block's.
    pub(crate) fn take(weights: &mut Weights, config: &VisionConfig) -> Result<Self, BundleError> {
        let VisionConfig { width, patch_px, norm_eps, .. } = *config;
        let position_embedding = weights.take::<2>("vision.position_embedding", [config.tokens(), width])?;
        let registers = (config.registers > 0).then(|| {
            let tokens = weights.take::<2>("vision.register_tokens", [config.registers, width])?;
            Ok::<_, BundleError>(tokens.unsqueeze::<3>())
        });
        Ok(Self {
            registers: registers.transpose()?,
            patch: Linear::take(weights, "vision.patch", width, 3 * patch_px * patch_px, config.patch_bias)?,
            class_embedding: weights.take("vision.class_embedding", [width])?,
            position_embedding: position_embedding.unsqueeze::<3>(),
            ln_pre: if config.pre_norm { Some(Norm::take(weights, "vision.ln_pre", width, norm_eps)?) } else { None },
            config: config.clone(),
        })
    }

    /// `[3, side, side]` → `[1, tokens, width]`; what is missing of the pixels is black.
    ///
    /// The patch convolution has stride = kernel, so it is a matrix product over cut-out patches;
    /// pixels beyond the last whole patch are not seen (spec §1).
    pub(crate) fn forward(&self, mut pixels: Vec<f32>) -> Tensor<3> {
        let (grid, patch, width, side) =
            (self.config.grid(), self.config.patch_px, self.config.width, self.config.image_px);
        pixels.resize(3 * side * side, 0.0);
        let seen = grid * patch;
        let patches = from_values(pixels, [1, 3, side, side], &self.class_embedding.device())
            .slice([0..1, 0..3, 0..seen, 0..seen])
            .reshape([1, 3, grid, patch, grid, patch])
            .permute([0, 2, 4, 1, 3, 5])
            .reshape([1, grid * grid, 3 * patch * patch]);
        let class = self.class_embedding.clone().reshape([1, 1, width]);
        let tokens = Tensor::cat(vec![class, self.patch.forward(patches)], 1) + self.position_embedding.clone();
        let tokens = match &self.registers {
            Some(registers) => Tensor::cat(vec![tokens, registers.clone()], 1),
            None => tokens,
        };
        match &self.ln_pre {
            Some(norm) => norm.forward(tokens),
            None => tokens,
        }
    }

    /// Tokens `[tokens, width]` that were read before; what is missing of them is zero.
    #[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
    pub(crate) fn resume(&self, mut values: Vec<f32>) -> Tensor<3> {
        let shape = [1, self.config.rows(), self.config.width];
        values.resize(shape.iter().product(), 0.0);
        from_values(values, shape, &self.class_embedding.device())
    }
}

/// `[1, tokens, dim]` → `[tokens, dim]`
pub(crate) fn feature(x: Tensor<3>) -> Tensor<2> {
    let [_, tokens, dim] = x.dims();
    x.reshape([tokens, dim])
}
