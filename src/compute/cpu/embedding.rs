//! Patch embedding on one processor core.
//!
//! In: pixels `[3, side, side]`. Out: tokens `[tokens, width]`. The same arithmetic as with burn's operations, without
//! gradients. Building fails with [`BundleError`] as theirs does.

use burn::tensor::Tensor;
use mvfa_kernels::product;

use super::rows::dot;
use super::tensor::tensor;
use crate::bundle::config::VisionConfig;
use crate::bundle::error::BundleError;
use crate::compute::{Weights, table};

/// The embedding's weights.
#[derive(Debug)]
pub(crate) struct Embedding {
    /// `[width, 3 · patch · patch]`
    patch: Vec<f32>,
    /// `[tokens, width]`
    table: Vec<f32>,
    /// Scale and shift.
    pre_norm: Option<[Vec<f32>; 2]>,
    config: VisionConfig,
}

impl Embedding {
    /// Takes the tensors under `vision` that are not a block's.
    pub(crate) fn take(weights: &mut Weights, config: &VisionConfig) -> Result<Self, BundleError> {
        let VisionConfig { width, patch_px, .. } = *config;
        let patch = weights.take_values("vision.patch.weight", &[width, 3 * patch_px * patch_px])?.into_f32();
        let table = table::take(weights, config)?;
        let mut vector = |leaf: &str| -> Result<Vec<f32>, BundleError> {
            Ok(weights.take_values(&format!("vision.ln_pre.{leaf}"), &[width])?.into_f32())
        };
        let pre_norm = if config.pre_norm { Some([vector("weight")?, vector("bias")?]) } else { None };
        Ok(Self { patch, table, pre_norm, config: config.clone() })
    }

    /// `[3, side, side]` → `[tokens, width]`; what is missing of the pixels is black.
    pub(crate) fn forward(&self, pixels: &[f32]) -> Vec<f32> {
        let VisionConfig { width, patch_px, norm_eps, .. } = self.config;
        let products = product(&self.cut(pixels), &self.patch, 3 * patch_px * patch_px);
        let mut tokens = self.table.clone();
        tokens.iter_mut().skip(width).zip(products).for_each(|(value, product)| *value += product);
        if let Some([gamma, beta]) = &self.pre_norm {
            for row in tokens.chunks_exact_mut(width.max(1)) {
                normalise(row, gamma, beta, norm_eps as f32);
            }
        }
        tokens
    }

    /// Tokens as rows `[tokens, width]`.
    pub(crate) fn rows(&self, tokens: Vec<f32>) -> Tensor<2> {
        let width = self.config.width;
        let count = tokens.len() / width.max(1);
        tensor(tokens, [count, width])
    }

    /// Patches row by row, `[grid², 3 · patch · patch]`; pixels beyond the last whole patch are not seen (spec §1).
    fn cut(&self, pixels: &[f32]) -> Vec<f32> {
        let (grid, patch_px, side_px) = (self.config.grid(), self.config.patch_px, self.config.image_px);
        let mut patches = Vec::with_capacity(3 * (grid * patch_px).pow(2));
        for at in 0..grid * grid {
            let (top, left) = (at / grid * patch_px, at % grid * patch_px);
            for row in (0..3).flat_map(|channel| (0..patch_px).map(move |y| channel * side_px + top + y)) {
                let from = row * side_px + left;
                match pixels.get(from..from + patch_px) {
                    Some(pixels) => patches.extend_from_slice(pixels),
                    None => patches.resize(patches.len() + patch_px, 0.0),
                }
            }
        }
        patches
    }
}

/// Layer norm of one row.
fn normalise(row: &mut [f32], gamma: &[f32], beta: &[f32], eps: f32) {
    let count = row.len() as f32;
    let mean = row.iter().sum::<f32>() / count;
    row.iter_mut().for_each(|v| *v -= mean);
    let scale = 1.0 / (dot(row, row) / count + eps).sqrt();
    for ((v, gamma), beta) in row.iter_mut().zip(gamma).zip(beta) {
        *v = *v * scale * gamma + beta;
    }
}
