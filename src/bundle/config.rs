//! Geometry of the encoders, as it stands in a bundle's manifest.
//!
//! Comes in: JSON of a manifest, or shapes read from a checkpoint. Goes out: plain values that
//! `vision` and `text` build from. Fails in [`VisionConfig::validate`] and [`TextConfig::validate`],
//! with the field, what was expected and what was found.

use serde::{Deserialize, Serialize};

/// Largest side of the input picture, in pixels.
pub const IMAGE_PX_LIMIT: usize = 4096;
/// Most patches a side: DINOv2 is run with up to 74 (1036 pixels). Tokens times tokens, or times a width,
/// stay below 2^30 numbers of four bytes, which is what WebAssembly can address.
pub const GRID_LIMIT: usize = 128;
/// Widest tokens and hidden layers: the largest published towers have 3200 and 15360.
const WIDTH_LIMIT: usize = 1 << 14;
/// Most blocks.
const LAYERS_LIMIT: usize = 1000;
/// Most registers: published towers have four or eight.
const REGISTERS_LIMIT: usize = 64;
/// Most words, and tokens of a sentence: the largest table in use has 250,002 rows.
const VOCABULARY_LIMIT: usize = 1 << 20;
const CONTEXT_LIMIT: usize = 1 << 12;
/// What may be added to a variance: published towers have 1e-6 and 1e-5.
const NORM_EPS: std::ops::RangeInclusive<f64> = 1e-12..=0.1;

/// Which published family the weights come from; decides how a checkpoint is read, not how it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// OpenAI CLIP and open_clip: `ln_pre`, no layer scale, no patch bias, no pixel normalisation in MVFA.
    Clip,
    /// DINOv2: layer scale, patch bias, no `ln_pre`, its own pixel mean and deviation.
    Dinov2,
}

/// The activation between the two linear layers of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x · Φ(x)` with the exact error function: what the released MVFA code runs (spec §0, fact 2).
    #[default]
    Gelu,
    /// `x · σ(1.702 x)`: what OpenAI's CLIP weights were trained with.
    QuickGelu,
}

/// Geometry of a vision tower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VisionConfig {
    /// Family of the weights.
    pub family: Family,
    /// Token width.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Blocks in the bundle: no more than the last level needs.
    pub layers: usize,
    /// Width of the hidden layer of a block's MLP.
    pub mlp_width: usize,
    /// Side of one square patch, in pixels.
    pub patch_px: usize,
    /// Side of the square input picture, in pixels.
    pub image_px: usize,
    /// Tokens that take part in attention and are no patches: DINOv2's registers.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub registers: usize,
    /// 1-based blocks after which features are taken (and adapters sit), rising.
    pub levels: Vec<usize>,
    /// A layer norm before the first block (`ln_pre`).
    pub pre_norm: bool,
    /// The patch projection has a bias.
    pub patch_bias: bool,
    /// Blocks scale their two residual branches per channel.
    pub layer_scale: bool,
    /// Activation of the blocks.
    #[serde(default)]
    pub activation: Activation,
    /// Added to the variance in every layer norm.
    pub norm_eps: f64,
}

impl VisionConfig {
    /// Patches along one side: pixels beyond the last whole patch are never seen (spec §1).
    pub fn grid(&self) -> usize {
        self.image_px / self.patch_px.max(1)
    }

    /// Tokens of one picture that features come from: the class token and `grid²` patches.
    pub fn tokens(&self) -> usize {
        1 + self.grid() * self.grid()
    }

    /// Tokens that go through the blocks. Registers come last, so that all others keep their places; where a token
    /// stands makes no difference to attention.
    pub fn rows(&self) -> usize {
        self.tokens() + self.registers
    }

    /// Checks that the numbers can describe a tower at all.
    ///
    /// # Errors
    /// A sentence that names the field and what it would have to be.
    pub fn validate(&self) -> Result<(), String> {
        within("vision.width", self.width, WIDTH_LIMIT)?;
        within("vision.layers", self.layers, LAYERS_LIMIT)?;
        within("vision.mlp_width", self.mlp_width, WIDTH_LIMIT)?;
        within("vision.patch_px", self.patch_px, IMAGE_PX_LIMIT)?;
        if self.registers > REGISTERS_LIMIT {
            return Err(format!("vision.registers must be at most {REGISTERS_LIMIT}, found {}", self.registers));
        }
        within("vision.image_px", self.image_px, IMAGE_PX_LIMIT.min(GRID_LIMIT * self.patch_px))?;
        if !NORM_EPS.contains(&self.norm_eps) {
            return Err(format!("vision.norm_eps must lie in {NORM_EPS:?}, found {}", self.norm_eps));
        }
        if self.heads == 0 || !self.width.is_multiple_of(self.heads) {
            return Err(format!("vision.heads must divide the width {}, found {}", self.width, self.heads));
        }
        if self.grid() < 2 {
            return Err(format!(
                "vision.image_px must hold at least two patches of {} px a side, found {}",
                self.patch_px, self.image_px
            ));
        }
        if self.levels.is_empty() || !self.levels.is_sorted_by(|a, b| a < b) {
            return Err(format!("vision.levels must be rising block numbers, found {:?}", self.levels));
        }
        if self.levels[0] == 0 || self.levels.last().is_some_and(|l| *l > self.layers) {
            return Err(format!("vision.levels must lie in 1..={}, found {:?}", self.layers, self.levels));
        }
        Ok(())
    }
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Geometry of a CLIP text tower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextConfig {
    /// Token width.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Blocks.
    pub layers: usize,
    /// Width of the hidden layer of a block's MLP.
    pub mlp_width: usize,
    /// Longest sentence, in tokens, start and end included.
    pub context: usize,
    /// Size of the vocabulary.
    pub vocabulary: usize,
    /// Width of the sentence embedding.
    pub embed: usize,
    /// Activation of the blocks.
    #[serde(default)]
    pub activation: Activation,
}

impl TextConfig {
    /// Checks that the numbers can describe a tower at all.
    ///
    /// # Errors
    /// A sentence that names the field and what it would have to be.
    pub fn validate(&self) -> Result<(), String> {
        within("text.width", self.width, WIDTH_LIMIT)?;
        within("text.layers", self.layers, LAYERS_LIMIT)?;
        within("text.mlp_width", self.mlp_width, WIDTH_LIMIT)?;
        within("text.context", self.context, CONTEXT_LIMIT)?;
        within("text.vocabulary", self.vocabulary, VOCABULARY_LIMIT)?;
        within("text.embed", self.embed, WIDTH_LIMIT)?;
        if self.heads == 0 || !self.width.is_multiple_of(self.heads) {
            return Err(format!("text.heads must divide the width {}, found {}", self.width, self.heads));
        }
        Ok(())
    }
}

/// Checks that a size is one, and no larger than anything in use.
pub(crate) fn within(field: &str, value: usize, most: usize) -> Result<(), String> {
    if (1..=most).contains(&value) { Ok(()) } else { Err(format!("{field} must be 1 to {most}, found {value}")) }
}
