//! Patch embedding on one processor core.
//!
//! In: pixels `[batch, 3, side, side]` on the processor. Out: tokens `[batch, tokens, width]`. The same arithmetic as the
//! plain tower's, without gradients. Building fails with [`BundleError`] as the plain one does.

use burn::tensor::Tensor;

use crate::bundle::error::BundleError;
use crate::bundle::weights::Weights;
use crate::clip::config::VisionConfig;
use crate::clip::embedding_table;
use crate::cpu;

/// The embedding's weights.
#[derive(Clone, Debug)]
pub(crate) struct PackedEmbedding {
    /// `[width, 3 · patch · patch]`
    patch: Vec<f32>,
    /// `[tokens, width]`
    table: Vec<f32>,
    /// Scale and shift.
    pre_norm: Option<[Vec<f32>; 2]>,
    config: VisionConfig,
}

impl PackedEmbedding {
    /// Takes the tensors under `vision` that are not a block's.
    pub(crate) fn take(weights: &mut Weights, config: &VisionConfig) -> Result<Self, BundleError> {
        let VisionConfig { width, patch_px, .. } = *config;
        let patch = weights.take_values("vision.patch.weight", &[width, 3 * patch_px * patch_px])?.into_f32();
        let table = embedding_table::take(weights, config)?;
        let mut vector = |leaf: &str| -> Result<Vec<f32>, BundleError> {
            Ok(weights.take_values(&format!("vision.ln_pre.{leaf}"), &[width])?.into_f32())
        };
        let pre_norm = if config.pre_norm { Some([vector("weight")?, vector("bias")?]) } else { None };
        Ok(Self { patch, table, pre_norm, config: config.clone() })
    }

    /// `[batch, 3, side, side]` → `[batch, tokens, width]`
    pub(crate) fn forward(&self, pixels: Tensor<4>) -> Tensor<3> {
        let [batch, _, _, side_px] = pixels.dims();
        let mut tokens = Vec::with_capacity(batch * self.table.len());
        for picture in
            cpu::values(&pixels).iter().flat_map(|v| v.as_slice().chunks_exact((3 * side_px * side_px).max(1)))
        {
            tokens.extend(self.tokens(picture, side_px).unwrap_or_default());
        }
        // Cannot fail with pixels of this geometry on the processor; should it, the result must not look like tokens.
        tokens.resize(batch * self.table.len(), f32::NAN);
        cpu::tensor(tokens, [batch, self.config.tokens(), self.config.width])
    }

    /// Tokens `[tokens, width]` of one picture.
    fn tokens(&self, picture: &[f32], side_px: usize) -> Option<Vec<f32>> {
        let (width, grid) = (self.config.width, self.config.grid());
        let sizes = [grid * grid, 3 * self.config.patch_px * self.config.patch_px, width];
        let products = mvfa_kernels::product(&self.cut(picture, side_px)?, &self.patch, sizes).ok()?;
        let mut tokens = self.table.clone();
        tokens.get_mut(width..)?.iter_mut().zip(products).for_each(|(value, product)| *value += product);
        if let Some([gamma, beta]) = &self.pre_norm {
            for row in tokens.chunks_exact_mut(width.max(1)) {
                normalise(row, gamma, beta, self.config.norm_eps as f32);
            }
        }
        Some(tokens)
    }

    /// Patches row by row, `[grid², 3 · patch · patch]`; pixels beyond the last whole patch are not seen (spec §1).
    fn cut(&self, picture: &[f32], side_px: usize) -> Option<Vec<f32>> {
        let (grid, patch_px) = (self.config.grid(), self.config.patch_px);
        let mut patches = Vec::with_capacity(3 * (grid * patch_px).pow(2));
        for at in 0..grid * grid {
            let (top, left) = (at / grid * patch_px, at % grid * patch_px);
            for row in (0..3).flat_map(|channel| (0..patch_px).map(move |y| channel * side_px + top + y)) {
                let from = row * side_px + left;
                patches.extend_from_slice(picture.get(from..from + patch_px)?);
            }
        }
        Some(patches)
    }
}

/// Layer norm of one row.
fn normalise(row: &mut [f32], gamma: &[f32], beta: &[f32], eps: f32) {
    let count = row.len() as f32;
    let mean = row.iter().sum::<f32>() / count;
    row.iter_mut().for_each(|v| *v -= mean);
    let scale = 1.0 / (cpu::dot(row, row) / count + eps).sqrt();
    for ((v, gamma), beta) in row.iter_mut().zip(gamma).zip(beta) {
        *v = *v * scale * gamma + beta;
    }
}
