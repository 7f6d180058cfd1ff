//! One residual adapter of burn's operations.
//!
//! In: tokens `[1, tokens, width]`. Out: hidden `[1, tokens, bottleneck]`, and other tokens
//! `[1, tokens, width]` with a share of what is fed back. Building fails with [`BundleError`].
//! Source: spec §3.

use burn::tensor::{Tensor, activation};

use super::block::Linear;
use crate::bundle::error::BundleError;
use crate::compute::{NEGATIVE_SLOPE, Weights};

/// Gradients flow through it.
#[derive(Clone, Debug)]
pub(crate) struct Adapter {
    down: Linear,
    up: Linear,
}

impl Adapter {
    /// Takes `prefix.fc1` (`[bottleneck, width]`) and `prefix.fc2` (`[width, bottleneck]`).
    pub(crate) fn take(
        weights: &mut Weights,
        prefix: &str,
        [width, bottleneck]: [usize; 2],
    ) -> Result<Self, BundleError> {
        let (down, up) = (format!("{prefix}.fc1"), format!("{prefix}.fc2"));
        Ok(Self {
            down: Linear::without_bias(weights.take_linear(&down, [bottleneck, width])?),
            up: Linear::without_bias(weights.take_linear(&up, [width, bottleneck])?),
        })
    }

    /// The hidden feature.
    pub(crate) fn hidden(&self, x: &Tensor<3>) -> Tensor<3> {
        activation::leaky_relu(self.down.forward(x.clone()), NEGATIVE_SLOPE)
    }

    /// `keep · onto + share · what is fed back`
    pub(crate) fn mix(&self, hidden: &Tensor<3>, onto: Tensor<3>, [keep, share]: [f32; 2]) -> Tensor<3> {
        let back = activation::leaky_relu(self.up.forward(hidden.clone()), NEGATIVE_SLOPE);
        let kept = if keep == 1.0 { onto } else { onto * keep };
        kept + back * share
    }
}
