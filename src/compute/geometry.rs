//! Sizes and switches of a transformer block, for every tier.

use crate::bundle::config::{Activation, VisionConfig};

/// What a block is built from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockConfig {
    pub(crate) width: usize,
    pub(crate) heads: usize,
    pub(crate) mlp_width: usize,
    pub(crate) layer_scale: bool,
    pub(crate) activation: Activation,
    pub(crate) eps: f64,
    /// Each token sees only itself and those before it (text tower).
    pub(crate) causal: bool,
}

impl BlockConfig {
    /// Of the blocks of a vision tower.
    pub(crate) fn of(config: &VisionConfig) -> Self {
        Self {
            width: config.width,
            heads: config.heads,
            mlp_width: config.mlp_width,
            layer_scale: config.layer_scale,
            activation: config.activation,
            eps: config.norm_eps,
            causal: false,
        }
    }
}
