//! A frozen block on the WebGPU tier: seven dispatches, no upload, no uniform.
//!
//! In and out: tokens `[1, tokens, width]` in a buffer of the graphics device. The same arithmetic as with burn's
//! operations, without a mask; it carries no gradients. Building fails with [`BundleError`] as theirs does.

use burn_wgpu::CubeTensor;

use super::attention::{self, Attention};
use super::matmul::{Activation, Arithmetic, Linear, Onto};
use super::norm::LayerNorm;
use crate::bundle::config;
use crate::bundle::error::BundleError;
use crate::compute::Weights;
use crate::compute::geometry::BlockConfig;

/// Sizes whose rows need no zeros behind them, in every buffer of a block.
const WIDTH_STEP: usize = 32;

/// Whether there are shaders for blocks of this geometry.
pub(crate) fn is_supported(config: &BlockConfig) -> bool {
    let BlockConfig { width, heads, mlp_width, .. } = *config;
    !config.causal
        && width.is_multiple_of(heads.max(1))
        && attention::fits(width / heads.max(1))
        && width.is_multiple_of(WIDTH_STEP)
        && mlp_width.is_multiple_of(WIDTH_STEP)
}

/// Takes a layer with a bias; both stay on the device.
fn take_linear(weights: &mut Weights, layer: &str, outputs: usize, inputs: usize) -> Result<Linear, BundleError> {
    let weight = weights.take_matrix(&format!("{layer}.weight"), [outputs, inputs])?;
    Ok(Linear::new(weight, Some(weights.take_buffer(&format!("{layer}.bias"), outputs)?)))
}

/// One block with its weights on the device.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    config: BlockConfig,
    norms: [[CubeTensor; 2]; 2],
    qkv: Linear,
    out: Linear,
    fc1: Linear,
    fc2: Linear,
    scales: Option<[CubeTensor; 2]>,
}

impl Block {
    /// Takes the tensors under `prefix` (for example `vision.blocks.0`).
    pub(crate) fn take(weights: &mut Weights, prefix: &str, config: BlockConfig) -> Result<Self, BundleError> {
        let BlockConfig { width, mlp_width, .. } = config;
        let mut vector = |leaf: &str| weights.take_buffer(&format!("{prefix}.{leaf}"), width);
        let norms = [[vector("ln1.weight")?, vector("ln1.bias")?], [vector("ln2.weight")?, vector("ln2.bias")?]];
        let scales = if config.layer_scale { Some([vector("ls1")?, vector("ls2")?]) } else { None };
        let mut linear = |layer: &str, outputs: usize, inputs: usize| {
            take_linear(weights, &format!("{prefix}.{layer}"), outputs, inputs)
        };
        Ok(Self {
            qkv: linear("attn.qkv", 3 * width, width)?,
            out: linear("attn.out", width, width)?,
            fc1: linear("mlp.fc1", mlp_width, width)?,
            fc2: linear("mlp.fc2", width, mlp_width)?,
            norms,
            scales,
            config,
        })
    }

    /// `[1, tokens, width]` → the same.
    pub(crate) fn forward(&self, x: &CubeTensor, arithmetic: Arithmetic) -> CubeTensor {
        let BlockConfig { width, heads, eps, .. } = self.config;
        let tokens = x.meta.shape().num_elements() / width;
        let dims = [1, tokens, width];
        let norm = LayerNorm::new(width, eps);
        let activation = match self.config.activation {
            config::Activation::Gelu => Activation::Gelu,
            config::Activation::QuickGelu => Activation::QuickGelu,
        };
        let linear = |layer: &Linear, x: &CubeTensor, activation, onto: Onto<'_>| {
            layer.launch(x, [1, tokens], activation, onto, arithmetic)
        };
        let [scale1, scale2] = self.scales.as_ref().map_or([None, None], |[first, second]| [Some(first), Some(second)]);
        let [[gamma1, beta1], [gamma2, beta2]] = &self.norms;

        let h = norm.launch(x, gamma1, beta1, dims);
        let qkv = linear(&self.qkv, &h, Activation::None, Onto::Nothing);
        let mixed = Attention::new(tokens, heads, width / heads).launch(&qkv, dims);
        let x = linear(&self.out, &mixed, Activation::None, onto(x, scale1));
        let h = norm.launch(&x, gamma2, beta2, dims);
        let h = linear(&self.fc1, &h, activation, Onto::Nothing);
        linear(&self.fc2, &h, Activation::None, onto(&x, scale2))
    }
}

fn onto<'a>(residual: &'a CubeTensor, scale: Option<&'a CubeTensor>) -> Onto<'a> {
    match scale {
        Some(scale) => Onto::Scaled(residual, scale),
        None => Onto::Residual(residual),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(width: usize, heads: usize) -> BlockConfig {
        let activation = config::Activation::Gelu;
        BlockConfig { width, heads, mlp_width: 4 * width, layer_scale: false, activation, eps: 1e-5, causal: false }
    }

    #[test]
    fn geometries_without_a_shader_are_told() {
        assert!(is_supported(&config(384, 6)) && is_supported(&config(32, 2)) && is_supported(&config(1664, 16)));
        assert!(!is_supported(&config(48, 4)), "no tile");
        assert!(!is_supported(&config(96, 32)), "heads of three");
        assert!(!is_supported(&config(256, 2)), "heads of 128 need more of a workgroup's memory than WebGPU promises");
        assert!(!is_supported(&BlockConfig { causal: true, ..config(384, 6) }));
    }
}
