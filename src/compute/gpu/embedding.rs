//! Patch embedding on the WebGPU tier: two dispatches, three if a norm stands before the blocks.
//!
//! In: pixels `[3, side, side]`. Out: tokens `[1, tokens, width]` in a buffer of the graphics device. The same arithmetic
//! as with burn's operations, without gradients. Building fails with [`BundleError`] as theirs does.

use burn_wgpu::CubeTensor;

use super::matmul::{Activation, Arithmetic, Linear, Onto};
use super::norm::LayerNorm;
use super::patches::Patches;
use super::queue::Queue;
use crate::bundle::config::VisionConfig;
use crate::bundle::error::BundleError;
use crate::compute::{Weights, table};

/// The embedding's weights on the device.
#[derive(Debug)]
pub(crate) struct Embedding {
    queue: Queue,
    patch: Linear,
    /// `[tokens, width]`
    table: CubeTensor,
    pre_norm: Option<[CubeTensor; 2]>,
    config: VisionConfig,
}

impl Embedding {
    /// Takes the tensors under `vision` that are not a block's.
    pub(crate) fn take(weights: &mut Weights, config: &VisionConfig) -> Result<Self, BundleError> {
        let VisionConfig { width, patch_px, .. } = *config;
        let weight = weights.take_matrix("vision.patch.weight", [width, 3 * patch_px * patch_px])?;
        let queue = weight.queue().clone();
        Ok(Self {
            table: queue.kept_vector(table::take(weights, config)?),
            queue,
            patch: Linear::new(weight, None),
            pre_norm: if config.pre_norm {
                let mut vector = |leaf: &str| weights.take_buffer(&format!("vision.ln_pre.{leaf}"), width);
                Some([vector("weight")?, vector("bias")?])
            } else {
                None
            },
            config: config.clone(),
        })
    }

    /// `[3, side, side]` → `[1, tokens, width]`; what is missing of the pixels is black.
    pub(crate) fn forward(&self, mut pixels: Vec<f32>, arithmetic: Arithmetic) -> CubeTensor {
        let VisionConfig { width, patch_px, image_px, norm_eps, .. } = self.config;
        pixels.resize(3 * image_px * image_px, 0.0);
        let padded = self.patch.padded_inputs();
        let (grid, registers) = (self.config.grid(), self.config.registers);
        let cut = Patches { side_px: image_px, grid, patch_px, padded, registers };
        let rows = cut.launch(&self.queue.values(pixels));
        let dims = [1, cut.tokens(), width];
        let onto = Onto::Residual(&self.table);
        let tokens = self.patch.launch(&rows, [1, dims[1]], Activation::None, onto, arithmetic);
        match &self.pre_norm {
            Some([gamma, beta]) => LayerNorm::new(width, norm_eps).launch(&tokens, gamma, beta, dims),
            None => tokens,
        }
    }

    /// Tokens `[tokens, width]` that were read before; what is missing of them is zero.
    #[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
    pub(crate) fn resume(&self, mut values: Vec<f32>) -> CubeTensor {
        values.resize(self.config.rows() * self.config.width, 0.0);
        self.queue.values(values)
    }
}
