//! Patch embedding on the WebGPU tier: two dispatches, three where a norm stands before the blocks.
//!
//! In: pixels `[batch, 3, side, side]` on the graphics device. Out: tokens `[batch, tokens, width]`.
//! The same arithmetic as the plain tower's, without gradients. Building fails with [`BundleError`]
//! as the plain one does.

use burn::tensor::Tensor;
use burn_wgpu::{CubeBackend, CubeTensor};

use crate::bundle::error::BundleError;
use crate::bundle::weights::Weights;
use crate::clip::config::VisionConfig;
use crate::clip::embedding_table;
use crate::gpu::{self, Activation, Arithmetic, LayerNorm, Linear, Onto, Patches};

/// The embedding's weights on the device.
#[derive(Clone, Debug)]
pub(crate) struct GpuEmbedding {
    patch: Linear,
    /// `[tokens, width]`
    table: CubeTensor,
    pre_norm: Option<[CubeTensor; 2]>,
    config: VisionConfig,
}

/// Whether there is a shader for this geometry.
pub(crate) fn is_supported(config: &VisionConfig) -> bool {
    config.width.is_multiple_of(4)
        && gpu::is_supported(gpu::padded(3 * config.patch_px * config.patch_px), config.width)
}

impl GpuEmbedding {
    /// Takes the tensors under `vision` that are not a block's.
    pub(crate) fn take(weights: &mut Weights, config: &VisionConfig) -> Result<Self, BundleError> {
        let VisionConfig { width, patch_px, .. } = *config;
        let weight = weights.take_matrix("vision.patch.weight", [width, 3 * patch_px * patch_px])?;
        let table = embedding_table::take(weights, config)?;
        Ok(Self {
            table: weight.queue().kept_vector(table),
            patch: Linear { weight, bias: None },
            pre_norm: if config.pre_norm {
                let mut vector = |leaf: &str| weights.take_buffer(&format!("vision.ln_pre.{leaf}"), width);
                Some([vector("weight")?, vector("bias")?])
            } else {
                None
            },
            config: config.clone(),
        })
    }

    /// `[batch, 3, side, side]` → `[batch, tokens, width]`
    pub(crate) fn forward(&self, pixels: Tensor<4>, arithmetic: Arithmetic) -> Tensor<3> {
        let [batch, ..] = pixels.dims();
        let dims = [1, self.config.tokens(), self.config.width];
        let pictures = (0..batch).map(|n| {
            let picture = if batch == 1 { pixels.clone() } else { pixels.clone().slice_dim(0, n..n + 1) };
            let (side_px, device) = (picture.dims()[2], picture.device());
            // Cannot fail with pixels on this device; should it, the result must not look like tokens.
            match gpu::tensor(picture).and_then(|picture| self.run(&picture, side_px, arithmetic)) {
                Some(tokens) => Tensor::from_primitive::<CubeBackend>(tokens),
                None => Tensor::full(dims, f32::NAN, &device),
            }
        });
        let mut pictures: Vec<Tensor<3>> = pictures.collect();
        match pictures.pop() {
            Some(only) if pictures.is_empty() => only,
            last => {
                pictures.extend(last);
                Tensor::cat(pictures, 0)
            }
        }
    }

    fn run(&self, picture: &CubeTensor, side_px: usize, arithmetic: Arithmetic) -> Option<CubeTensor> {
        let VisionConfig { width, patch_px, norm_eps, .. } = self.config;
        let padded = self.patch.weight.padded_inputs();
        let cut = Patches { side_px, grid: self.config.grid(), patch_px, padded };
        let rows = cut.launch(picture);
        let dims = [1, cut.tokens(), width];
        let onto = Onto::Residual(&self.table);
        let tokens = self.patch.launch(&rows, [1, dims[1]], Activation::None, onto, arithmetic)?;
        Some(match &self.pre_norm {
            Some([gamma, beta]) => LayerNorm::new(width, norm_eps).launch(&tokens, gamma, beta, dims),
            None => tokens,
        })
    }
}
