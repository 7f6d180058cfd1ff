//! One residual adapter on the WebGPU tier: two dispatches, the mix in the second.
//!
//! In: tokens `[1, tokens, width]` in a buffer of the graphics device. Out: hidden `[1, tokens, padded bottleneck]`, and
//! other tokens `[1, tokens, width]` with a share of what is fed back. The same arithmetic as with burn's operations,
//! without gradients. Building fails with [`BundleError`].

use burn::tensor::Tensor;
use burn_wgpu::CubeTensor;

use super::matmul::{Activation, Arithmetic, Linear, Onto};
use super::queue::rows_of;
use crate::bundle::error::BundleError;
use crate::compute::Weights;

/// Both layers on the device.
#[derive(Debug)]
pub(crate) struct Adapter {
    down: Linear,
    up: Linear,
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
        let down = Linear::new(weights.take_matrix(&format!("{prefix}.fc1"), [bottleneck, width])?, None);
        let up = Linear::new(weights.take_matrix(&format!("{prefix}.fc2"), [width, bottleneck])?, None);
        Ok(Self { down, up, width, bottleneck })
    }

    /// The hidden feature, with zeros behind each row.
    pub(crate) fn hidden(&self, x: &CubeTensor, arithmetic: Arithmetic) -> CubeTensor {
        self.down.launch(x, [1, self.tokens(x)], Activation::Leaky, Onto::Nothing, arithmetic)
    }

    /// `keep · onto + share · what is fed back`
    pub(crate) fn mix(
        &self,
        hidden: &CubeTensor,
        onto: &CubeTensor,
        shares: [f32; 2],
        arithmetic: Arithmetic,
    ) -> CubeTensor {
        self.up.launch(hidden, [1, self.tokens(onto)], Activation::Leaky, Onto::Mix(onto, shares), arithmetic)
    }

    /// The hidden feature for the scores, `[tokens, bottleneck]`.
    pub(crate) fn feature(&self, hidden: CubeTensor) -> Tensor<2> {
        let rows = rows_of(hidden);
        if rows.dims()[1] == self.bottleneck { rows } else { rows.slice_dim(1, 0..self.bottleneck) }
    }

    fn tokens(&self, x: &CubeTensor) -> usize {
        x.meta.shape().num_elements() / self.width.max(1)
    }
}
