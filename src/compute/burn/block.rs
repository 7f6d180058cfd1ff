//! One pre-norm transformer block, as CLIP's towers and DINOv2 share it.
//!
//! In and out: tokens `[batch, tokens, width]`. Nothing here fails at run time: shapes are checked
//! when the weights are taken from the bundle.
//!
//! ```text
//! x += ls1 · out(attention(ln1 x))
//! x += ls2 · fc2(gelu(fc1(ln2 x)))
//! ```
//! Source: spec §2; the layer scales `ls1`, `ls2` exist only in DINOv2.

use burn::tensor::{Tensor, activation, module};

use super::product::{linear, product};
use crate::bundle::config::Activation;
use crate::bundle::error::BundleError;
use crate::compute::Weights;
use crate::compute::geometry::BlockConfig;

/// An affine map with a frozen weight.
#[derive(Clone, Debug)]
pub(crate) struct Linear {
    /// `[in, out]`
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
}

impl Linear {
    /// Takes `name.weight` (`[out, in]`) and, if wanted, `name.bias` (`[out]`).
    pub(crate) fn take(
        weights: &mut Weights,
        name: &str,
        out_width: usize,
        in_width: usize,
        bias: bool,
    ) -> Result<Self, BundleError> {
        Ok(Self {
            weight: weights.take_linear(&format!("{name}.weight"), [out_width, in_width])?,
            bias: if bias { Some(weights.take(&format!("{name}.bias"), [out_width])?) } else { None },
        })
    }

    /// Wraps a weight `[in, out]`.
    pub(crate) fn without_bias(weight: Tensor<2>) -> Self {
        Self { weight, bias: None }
    }

    /// `[batch, tokens, in]` → `[batch, tokens, out]`
    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        linear(x, self.weight.clone(), self.bias.clone())
    }
}

/// Layer norm over the last axis.
#[derive(Clone, Debug)]
pub(crate) struct Norm {
    gamma: Tensor<1>,
    beta: Tensor<1>,
    eps: f64,
}

impl Norm {
    /// Takes `name.weight` and `name.bias` (`[width]`).
    pub(crate) fn take(weights: &mut Weights, name: &str, width: usize, eps: f64) -> Result<Self, BundleError> {
        Ok(Self {
            gamma: weights.take(&format!("{name}.weight"), [width])?,
            beta: weights.take(&format!("{name}.bias"), [width])?,
            eps,
        })
    }

    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        module::layer_norm(x, self.gamma.clone(), Some(self.beta.clone()), self.eps)
    }
}

/// One block with its weights on a device.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    config: BlockConfig,
    ln1: Norm,
    qkv: Linear,
    out: Linear,
    ls1: Option<Tensor<1>>,
    ln2: Norm,
    fc1: Linear,
    fc2: Linear,
    ls2: Option<Tensor<1>>,
}

impl Block {
    /// Takes the tensors under `prefix` (for example `vision.blocks.0`).
    pub(crate) fn take(weights: &mut Weights, prefix: &str, config: BlockConfig) -> Result<Self, BundleError> {
        let BlockConfig { width, mlp_width, eps, .. } = config;
        let scale = |weights: &mut Weights, leaf: &str| -> Result<Option<Tensor<1>>, BundleError> {
            if config.layer_scale { weights.take(&format!("{prefix}.{leaf}"), [width]).map(Some) } else { Ok(None) }
        };
        Ok(Self {
            ln1: Norm::take(weights, &format!("{prefix}.ln1"), width, eps)?,
            qkv: Linear::take(weights, &format!("{prefix}.attn.qkv"), 3 * width, width, true)?,
            out: Linear::take(weights, &format!("{prefix}.attn.out"), width, width, true)?,
            ls1: scale(weights, "ls1")?,
            ln2: Norm::take(weights, &format!("{prefix}.ln2"), width, eps)?,
            fc1: Linear::take(weights, &format!("{prefix}.mlp.fc1"), mlp_width, width, true)?,
            fc2: Linear::take(weights, &format!("{prefix}.mlp.fc2"), width, mlp_width, true)?,
            ls2: scale(weights, "ls2")?,
            config,
        })
    }

    /// `[batch, tokens, width]` → the same.
    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let a = scaled(self.attention(self.ln1.forward(x.clone())), self.ls1.as_ref());
        let x = x + a;
        let h = self.fc1.forward(self.ln2.forward(x.clone()));
        let h = match self.config.activation {
            Activation::Gelu => activation::gelu(h),
            // x · σ(1.702 x), OpenAI's approximation.
            Activation::QuickGelu => h.clone() * activation::sigmoid(h * 1.702),
        };
        x + scaled(self.fc2.forward(h), self.ls2.as_ref())
    }

    fn attention(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, tokens, width] = x.dims();
        let heads = self.config.heads;
        let head_width = width / heads;
        // [3, batch, heads, tokens, head width]
        let qkv = self.qkv.forward(x).reshape([batch, tokens, 3, heads, head_width]).permute([2, 0, 3, 1, 4]);
        let part =
            |i: usize| -> Tensor<4> { qkv.clone().slice_dim(0, i..i + 1).reshape([batch, heads, tokens, head_width]) };
        let query = part(0) * (1.0 / (head_width as f64).sqrt());
        let mut scores = product(query, part(1).swap_dims(2, 3));
        if self.config.causal {
            let bias = causal_bias(tokens, &scores.device());
            scores = scores + bias;
        }
        let mixed = product(activation::softmax(scores, 3), part(2));
        self.out.forward(mixed.swap_dims(1, 2).reshape([batch, tokens, width]))
    }
}

/// `[1, 1, tokens, tokens]`: 0 on and below the diagonal, a very low number above.
fn causal_bias(tokens: usize, device: &burn::tensor::Device) -> Tensor<4> {
    // Finite, so that no device has to be right about infinities; exp of it is 0 all the same.
    const NEVER: f32 = -1e30;
    let values: Vec<f32> = (0..tokens * tokens).map(|i| if i % tokens > i / tokens { NEVER } else { 0.0 }).collect();
    Tensor::from_data(burn::tensor::TensorData::new(values, [1, 1, tokens, tokens]), device)
}

fn scaled(x: Tensor<3>, scale: Option<&Tensor<1>>) -> Tensor<3> {
    match scale {
        Some(scale) => x * scale.clone().unsqueeze::<3>(),
        None => x,
    }
}
