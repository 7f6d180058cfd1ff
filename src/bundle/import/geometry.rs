//! The geometry of a checkpoint's vision tower, and the heads of both towers.
//!
//! Comes in: sizes read from shapes, a person's number of heads, `config.json` of Hugging Face. Goes out:
//! [`VisionGeometry`]. Fails with [`BundleError::Options`] if the heads cannot be known.

use crate::bundle::config::{Activation, Family, VisionConfig};
use crate::bundle::error::BundleError;

/// Width of one attention head in every published CLIP and DINOv2.
const HEAD_WIDTH: usize = 64;
/// torch's default, which CLIP uses.
const CLIP_NORM_EPS: f64 = 1e-5;
/// DINOv2's own.
const DINOV2_NORM_EPS: f64 = 1e-6;

/// The vision tower of a checkpoint, before it is decided at which picture size it is to run.
#[derive(Clone, Debug, PartialEq)]
pub struct VisionGeometry {
    /// Family of the weights.
    pub family: Family,
    /// Token width.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Blocks in the checkpoint.
    pub layers: usize,
    /// Width of the hidden layer of a block's MLP.
    pub mlp_width: usize,
    /// Side of one square patch, in pixels.
    pub patch_px: usize,
    /// Patches along one side of the grid it was trained on.
    pub native_grid: usize,
    /// Register tokens.
    pub registers: usize,
}

impl VisionGeometry {
    /// The tower at a picture size, up to the last of some levels.
    pub fn config(&self, size_px: usize, levels: &[usize], activation: Activation) -> VisionConfig {
        let clip = self.family == Family::Clip;
        VisionConfig {
            family: self.family,
            width: self.width,
            heads: self.heads,
            layers: levels.last().copied().unwrap_or(self.layers),
            mlp_width: self.mlp_width,
            patch_px: self.patch_px,
            image_px: size_px,
            registers: self.registers,
            levels: levels.to_vec(),
            pre_norm: clip,
            patch_bias: !clip,
            layer_scale: !clip,
            activation,
            norm_eps: if clip { CLIP_NORM_EPS } else { DINOV2_NORM_EPS },
        }
    }

    /// Four blocks at quarters of the depth: 6, 12, 18, 24 of 24.
    pub fn default_levels(&self) -> Vec<usize> {
        let mut levels: Vec<usize> = (1..=4).map(|n| (n * self.layers).div_ceil(4)).collect();
        levels.dedup();
        levels
    }
}

/// What `config.json` beside a checkpoint says: heads with the widths they belong to, and the activation. It only
/// helps, so anything wrong with it is passed over.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beside {
    vision: Option<(usize, usize)>,
    text: Option<(usize, usize)>,
    pub(super) activation: Option<Activation>,
}

impl Beside {
    pub(super) fn read(config: &[u8]) -> Self {
        let json: serde_json::Value = serde_json::from_slice(config).unwrap_or_default();
        let heads = |part: &serde_json::Value| {
            let number = |key: &str| part.get(key)?.as_u64().and_then(|n| usize::try_from(n).ok());
            Some((number("num_attention_heads")?, number("hidden_size")?))
        };
        let vision = json.get("vision_config").unwrap_or(&json);
        let activation = match vision.get("hidden_act").and_then(serde_json::Value::as_str) {
            Some("quick_gelu") => Some(Activation::QuickGelu),
            Some("gelu") => Some(Activation::Gelu),
            _ => None,
        };
        Self { vision: heads(vision), text: json.get("text_config").and_then(heads), activation }
    }

    /// Heads of the vision tower: a person's number first, then this, then width / 64.
    pub(super) fn vision_heads(&self, heads: Option<usize>, width: usize) -> Result<usize, BundleError> {
        checked(heads.or_else(|| of_width(self.vision, width)).or_else(|| usual(width)), width, "vision")
    }

    /// Heads of the text tower: a person's number comes last, because one number rarely fits both towers.
    pub(super) fn text_heads(&self, heads: Option<usize>, width: usize) -> Result<usize, BundleError> {
        checked(of_width(self.text, width).or_else(|| usual(width)).or(heads), width, "text")
    }
}

fn of_width(beside: Option<(usize, usize)>, width: usize) -> Option<usize> {
    beside.filter(|(_, w)| *w == width).map(|(heads, _)| heads)
}

fn usual(width: usize) -> Option<usize> {
    (width > 0 && width.is_multiple_of(HEAD_WIDTH)).then_some(width / HEAD_WIDTH)
}

fn checked(heads: Option<usize>, width: usize, tower: &str) -> Result<usize, BundleError> {
    match heads {
        Some(heads) if heads > 0 && width.is_multiple_of(heads) => Ok(heads),
        Some(heads) => Err(BundleError::Options(format!(
            "{heads} heads do not divide the {tower} tower's width {width}; pass --heads with a number that does"
        ))),
        None => Err(BundleError::Options(format!(
            "the {tower} tower's width {width} is no multiple of {HEAD_WIDTH}, so its number of heads is unknown; pass --heads"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_quarters_of_the_depth() {
        let tower = |layers| VisionGeometry {
            family: Family::Clip,
            width: 64,
            heads: 1,
            layers,
            mlp_width: 256,
            patch_px: 14,
            native_grid: 16,
            registers: 0,
        };
        assert_eq!(tower(24).default_levels(), [6, 12, 18, 24]);
        assert_eq!(tower(12).default_levels(), [3, 6, 9, 12]);
        assert_eq!(tower(2).default_levels(), [1, 2]);
    }
}
