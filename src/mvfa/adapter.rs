//! One residual adapter: the kept feature and what is fed back.
//!
//! In: tokens `[1, tokens, width]`. Out: hidden `[1, tokens, bottleneck]` and fed back
//! `[1, tokens, width]`. Source: spec §3.

use burn::tensor::{Tensor, activation};

use crate::bundle::error::BundleError;
use crate::bundle::weights::Weights;
use crate::clip::block::Linear;

/// Slope of the leaky ReLU after both layers (spec §3; the paper says plain ReLU).
const NEGATIVE_SLOPE: f64 = 0.01;

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
        width: usize,
        bottleneck: usize,
    ) -> Result<Self, BundleError> {
        Ok(Self {
            down: Linear::without_bias(weights.take_linear(&format!("{prefix}.fc1"), [bottleneck, width])?),
            up: Linear::without_bias(weights.take_linear(&format!("{prefix}.fc2"), [width, bottleneck])?),
        })
    }

    /// (hidden feature, what is fed back)
    pub(crate) fn forward(&self, x: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
        let hidden = activation::leaky_relu(self.down.forward(x), NEGATIVE_SLOPE);
        let back = activation::leaky_relu(self.up.forward(hidden.clone()), NEGATIVE_SLOPE);
        (hidden, back)
    }
}
