//! One residual adapter: the kept feature and what is fed back.
//!
//! In: tokens `[1, tokens, width]`. Out: hidden `[1, tokens, bottleneck]`, and other tokens
//! `[1, tokens, width]` with a share of what is fed back. Building fails with [`BundleError`].
//! Source: spec §3.

use burn::tensor::{Tensor, activation};
use burn_wgpu::{CubeBackend, CubeTensor};

use crate::bundle::error::BundleError;
use crate::bundle::weights::Weights;
use crate::clip::block;
use crate::clip::vision::BlockKind;
use crate::cpu;
use crate::gpu::{self, Activation, Arithmetic, Onto};

/// Slope of the leaky ReLU after both layers (spec §3; the paper says plain ReLU).
const NEGATIVE_SLOPE: f64 = 0.01;

#[derive(Clone, Debug)]
pub(crate) enum Adapter {
    /// Gradients flow through it.
    Plain { layers: Box<[block::Linear; 2]> },
    /// Weights `[bottleneck, width]` and `[width, bottleneck]` on the processor.
    Packed { down: Vec<f32>, up: Vec<f32>, bottleneck: usize },
    /// Two dispatches of our own shaders.
    Gpu { layers: Box<[gpu::Linear; 2]>, arithmetic: Arithmetic },
}

impl Adapter {
    /// Takes `prefix.fc1` (`[bottleneck, width]`) and `prefix.fc2` (`[width, bottleneck]`).
    pub(crate) fn take(
        weights: &mut Weights,
        prefix: &str,
        width: usize,
        bottleneck: usize,
        kind: BlockKind,
    ) -> Result<Self, BundleError> {
        let (down, up) = (format!("{prefix}.fc1"), format!("{prefix}.fc2"));
        if kind.is_packed() {
            let down = weights.take_values(&down, &[bottleneck, width])?.into_f32();
            let up = weights.take_values(&up, &[width, bottleneck])?.into_f32();
            return Ok(Self::Packed { down, up, bottleneck });
        }
        let fits = gpu::is_supported(width, bottleneck) && gpu::is_supported(bottleneck, width);
        Ok(match kind.arithmetic().filter(|_| fits) {
            Some(arithmetic) => Self::Gpu {
                layers: Box::new([
                    gpu::Linear { weight: weights.take_matrix(&down, [bottleneck, width])?, bias: None },
                    gpu::Linear { weight: weights.take_matrix(&up, [width, bottleneck])?, bias: None },
                ]),
                arithmetic,
            },
            None => Self::Plain {
                layers: Box::new([
                    block::Linear::without_bias(weights.take_linear(&down, [bottleneck, width])?),
                    block::Linear::without_bias(weights.take_linear(&up, [width, bottleneck])?),
                ]),
            },
        })
    }

    /// From now on shaders multiply 32-bit floats.
    pub(crate) fn use_f32(&mut self) {
        if let Self::Gpu { arithmetic, .. } = self {
            *arithmetic = Arithmetic::F32;
        }
    }

    /// (hidden feature, `keep · onto + share · what is fed back`)
    pub(crate) fn forward(&self, x: &Tensor<3>, onto: Tensor<3>, keep: f32, share: f32) -> (Tensor<3>, Tensor<3>) {
        match self {
            Self::Plain { layers } => {
                let [down, up] = &**layers;
                let hidden = activation::leaky_relu(down.forward(x.clone()), NEGATIVE_SLOPE);
                let back = activation::leaky_relu(up.forward(hidden.clone()), NEGATIVE_SLOPE);
                let kept = if keep == 1.0 { onto } else { onto * keep };
                (hidden, kept + back * share)
            }
            Self::Packed { down, up, bottleneck } => {
                let [batch, tokens, width] = x.dims();
                let rows = batch * tokens;
                let run = || -> Option<(Vec<f32>, Vec<f32>)> {
                    let (x, onto) = (cpu::values(x)?, cpu::values(&onto)?);
                    let mut hidden = mvfa_kernels::product(x.as_slice(), down, [rows, width, *bottleneck]).ok()?;
                    hidden.iter_mut().for_each(|v| *v = leaky(*v));
                    let mut mixed = mvfa_kernels::product(&hidden, up, [rows, *bottleneck, width]).ok()?;
                    mixed.iter_mut().zip(onto.as_slice()).for_each(|(v, onto)| *v = keep * onto + share * leaky(*v));
                    Some((hidden, mixed))
                };
                match run() {
                    Some((hidden, mixed)) => {
                        (cpu::tensor(hidden, [batch, tokens, *bottleneck]), cpu::tensor(mixed, [batch, tokens, width]))
                    }
                    // Cannot happen with tokens of this device; should it, it must not look like a feature.
                    None => (x.clone() * f32::NAN, onto * f32::NAN),
                }
            }
            Self::Gpu { layers, arithmetic } => {
                let [down, up] = &**layers;
                let run = || -> Option<(CubeTensor, CubeTensor)> {
                    let (x, onto) = (gpu::tensor(x.clone())?, gpu::tensor(onto.clone())?);
                    let dims = [1, x.meta.shape()[1]];
                    let hidden = down.launch(&x, dims, Activation::Leaky, Onto::Nothing, *arithmetic)?;
                    let mix = Onto::Mix(&onto, [keep, share]);
                    let mixed = up.launch(&hidden, dims, Activation::Leaky, mix, *arithmetic)?;
                    Some((hidden, mixed))
                };
                match run() {
                    Some((hidden, mixed)) => {
                        (Tensor::from_primitive::<CubeBackend>(hidden), Tensor::from_primitive::<CubeBackend>(mixed))
                    }
                    // Cannot happen with tokens of this device; should it, it must not look like a feature.
                    None => (x.clone() * f32::NAN, onto * f32::NAN),
                }
            }
        }
    }
}

fn leaky(value: f32) -> f32 {
    if value < 0.0 { value * NEGATIVE_SLOPE as f32 } else { value }
}
