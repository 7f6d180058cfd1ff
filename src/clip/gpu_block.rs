//! A frozen block on the WebGPU tier: seven dispatches, no upload, no uniform.
//!
//! In and out: tokens `[batch, tokens, width]` on the graphics device. The same arithmetic as
//! `Block` without a mask; it carries no gradients. Building fails with [`BundleError`] as the plain
//! block does.

use burn::tensor::Tensor;
use burn_wgpu::{CubeBackend, CubeTensor};

use crate::bundle::error::BundleError;
use crate::bundle::weights::Weights;
use crate::clip::block::BlockConfig;
use crate::clip::config;
use crate::gpu::{self, Activation, Arithmetic, Attention, LayerNorm, Linear, Onto};

/// Whether there are shaders for blocks of this geometry.
pub(crate) fn is_supported(config: &BlockConfig) -> bool {
    let BlockConfig { width, heads, mlp_width, .. } = *config;
    let layers = [(width, 3 * width), (width, width), (width, mlp_width), (mlp_width, width)];
    !config.causal
        && width.is_multiple_of(heads.max(1))
        && (width / heads.max(1)).is_multiple_of(4)
        && layers.into_iter().all(|(inner, cols)| gpu::is_supported(inner, cols))
}

/// Takes a layer with a bias; both stay on the device.
fn take_linear(weights: &mut Weights, layer: &str, outputs: usize, inputs: usize) -> Result<Linear, BundleError> {
    Ok(Linear {
        weight: weights.take_matrix(&format!("{layer}.weight"), [outputs, inputs])?,
        bias: Some(weights.take_buffer(&format!("{layer}.bias"), outputs)?),
    })
}

/// One block with its weights on the device.
#[derive(Clone, Debug)]
pub(crate) struct GpuBlock {
    config: BlockConfig,
    norms: [[CubeTensor; 2]; 2],
    qkv: Linear,
    out: Linear,
    fc1: Linear,
    fc2: Linear,
    scales: Option<[CubeTensor; 2]>,
}

impl GpuBlock {
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

    /// `[batch, tokens, width]` → the same.
    pub(crate) fn forward(&self, x: Tensor<3>, arithmetic: Arithmetic) -> Tensor<3> {
        let dims = x.dims();
        // Cannot fail with tokens of this tower; should it, the result must not look like one.
        match gpu::tensor(x.clone()).and_then(|x| self.run(&x, dims, arithmetic)) {
            Some(y) => Tensor::from_primitive::<CubeBackend>(y),
            None => x * f32::NAN,
        }
    }

    fn run(&self, x: &CubeTensor, dims: [usize; 3], arithmetic: Arithmetic) -> Option<CubeTensor> {
        let [batch, tokens, width] = dims;
        let BlockConfig { heads, eps, .. } = self.config;
        let norm = LayerNorm::new(width, eps);
        let activation = match self.config.activation {
            config::Activation::Gelu => Activation::Gelu,
            config::Activation::QuickGelu => Activation::QuickGelu,
        };
        let linear = |layer: &Linear, x: &CubeTensor, activation, onto: Onto<'_>| {
            layer.launch(x, [batch, tokens], activation, onto, arithmetic)
        };
        let [scale1, scale2] = self.scales.as_ref().map_or([None, None], |[first, second]| [Some(first), Some(second)]);
        let [[gamma1, beta1], [gamma2, beta2]] = &self.norms;

        let h = norm.launch(x, gamma1, beta1, dims);
        let qkv = linear(&self.qkv, &h, Activation::None, Onto::Nothing)?;
        let mixed = Attention::new(tokens, heads, width / heads).launch(&qkv, dims);
        let x = linear(&self.out, &mixed, Activation::None, onto(x, scale1))?;
        let h = norm.launch(&x, gamma2, beta2, dims);
        let h = linear(&self.fc1, &h, activation, Onto::Nothing)?;
        linear(&self.fc2, &h, Activation::None, onto(&x, scale2))
    }
}

fn onto<'a>(residual: &'a CubeTensor, scale: Option<&'a CubeTensor>) -> Onto<'a> {
    match scale {
        Some(scale) => Onto::Scaled(residual, scale),
        None => Onto::Residual(residual),
    }
}
