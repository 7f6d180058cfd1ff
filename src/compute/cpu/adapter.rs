//! One residual adapter on one processor core.
//!
//! In: tokens `[tokens, width]`. Out: hidden `[tokens, bottleneck]`, and other tokens `[tokens, width]` with a share of
//! what is fed back. The same arithmetic as with burn's operations, without gradients. Building fails with
//! [`BundleError`].

use burn::tensor::Tensor;
use mvfa_kernels::product;

use super::tensor::tensor;
use crate::bundle::error::BundleError;
use crate::compute::{NEGATIVE_SLOPE, Weights};

/// Weights `[bottleneck, width]` and `[width, bottleneck]`.
#[derive(Debug)]
pub(crate) struct Adapter {
    down: Vec<f32>,
    up: Vec<f32>,
    width: usize,
    bottleneck: usize,
}

impl Adapter {
    /// Takes `prefix.fc1` (`[bottleneck, width]`) and `prefix.fc2` (`[width, bottleneck]`).
    pub(crate) fn take(
        weights: &mut Weights,
        prefix: &str,
        [width, bottleneck]: [usize; 2],
    ) -> Result<Self, BundleError> {
        let down = weights.take_values(&format!("{prefix}.fc1"), &[bottleneck, width])?.into_f32();
        let up = weights.take_values(&format!("{prefix}.fc2"), &[width, bottleneck])?.into_f32();
        Ok(Self { down, up, width, bottleneck })
    }

    /// The hidden feature.
    pub(crate) fn hidden(&self, x: &[f32]) -> Vec<f32> {
        let mut hidden = product(x, &self.down, self.width);
        hidden.iter_mut().for_each(|v| *v = leaky(*v));
        hidden
    }

    /// `keep · onto + share · what is fed back`
    pub(crate) fn mix(&self, hidden: &[f32], onto: &[f32], [keep, share]: [f32; 2]) -> Vec<f32> {
        let mut mixed = product(hidden, &self.up, self.bottleneck);
        mixed.iter_mut().zip(onto).for_each(|(v, onto)| *v = keep * onto + share * leaky(*v));
        mixed
    }

    /// The hidden feature for the scores, `[tokens, bottleneck]`.
    pub(crate) fn feature(&self, hidden: Vec<f32>) -> Tensor<2> {
        let tokens = hidden.len() / self.bottleneck.max(1);
        tensor(hidden, [tokens, self.bottleneck])
    }
}

fn leaky(value: f32) -> f32 {
    if value < 0.0 { value * NEGATIVE_SLOPE as f32 } else { value }
}
