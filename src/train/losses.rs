//! The losses of the released code, level by level.
//!
//! Comes in: features of one picture on the gradient tape, text features, and what the picture
//! should show. Goes out: focal, dice and detection loss per level, each `[1]`. Cannot fail.
//! Source: spec §5.

use burn::tensor::{Tensor, TensorData, activation};

use crate::compute::unit_rows;
use crate::mvfa::{Bank, Features, Geometry, axis_weights, patch_logits};

/// Smoothing of the probabilities in the focal loss.
const FOCAL_SMOOTH: f64 = 1e-5;
/// Smoothing of the dice loss.
const DICE_SMOOTH: f64 = 1.0;

/// What a picture should show.
#[derive(Clone, Debug)]
pub struct Target {
    /// 1 where abnormal, else 0: `[side, side]`. Only for segmentation.
    pub mask: Option<Tensor<2>>,
    /// The picture's label.
    pub abnormal: bool,
}

/// Losses of one picture, one entry a level. Focal and dice are empty if there is no mask.
#[derive(Clone, Debug, Default)]
pub struct LevelLosses {
    /// Focal loss of the map.
    pub focal: Vec<Tensor<1>>,
    /// Dice loss of the map.
    pub dice: Vec<Tensor<1>>,
    /// Detection loss: a probability taken as a logit, as released (spec §0, fact 6).
    pub bce: Vec<Tensor<1>>,
}

impl LevelLosses {
    /// The sum of everything, all weights 1; `None` if there is nothing.
    pub fn total(&self) -> Option<Tensor<1>> {
        let parts = self.focal.iter().chain(&self.dice).chain(&self.bce).cloned();
        parts.reduce(|sum, part| sum + part)
    }
}

/// Bilinear upsampling of one axis with aligned corners as a matrix `[side, grid]`.
#[derive(Clone, Debug)]
pub struct Upsampler {
    rows: Tensor<2>,
    grid: usize,
}

impl Upsampler {
    /// For maps of `grid²` patches shown on `side_px²` pixels.
    pub fn new(grid: usize, side_px: usize, device: &burn::tensor::Device) -> Self {
        let weights = axis_weights(grid, side_px, Geometry::Reference);
        let rows = Tensor::from_data(TensorData::new(weights, [side_px, grid]), device);
        Self { rows, grid }
    }

    /// `[patches]` values row by row → `[side, side]`.
    fn forward(&self, patches: Tensor<1>) -> Tensor<2> {
        let map = patches.reshape([self.grid, self.grid]);
        self.rows.clone().matmul(map).matmul(self.rows.clone().transpose())
    }
}

/// All losses of one picture. `text` is `[dim, 2]`, columns (normal, abnormal).
pub fn losses(features: &Features, text: &Tensor<2>, target: &Target, upsampler: &Upsampler) -> LevelLosses {
    let mut losses = LevelLosses::default();
    if let Some(mask) = &target.mask {
        for level in features.bank(Bank::Segmentation) {
            let margin = upsampler.forward(margins(level, text));
            losses.focal.push(focal(margin.clone(), mask));
            losses.dice.push(dice(activation::sigmoid(margin), mask));
        }
    }
    for level in features.bank(Bank::Detection) {
        let score = activation::sigmoid(margins(level, text)).mean();
        losses.bce.push(bce_with_logits(score, target.abnormal));
    }
    losses
}

/// Abnormal minus normal logit of each patch, `[patches]`. The softmax over two logits is the
/// sigmoid of this; upsampling is linear, so it may be taken before or after.
fn margins(level: &Tensor<2>, text: &Tensor<2>) -> Tensor<1> {
    let [tokens, _] = level.dims();
    let logits = patch_logits(unit_rows(level.clone().slice_dim(0, 1..tokens)), text.clone());
    let abnormal = logits.clone().slice_dim(1, 1..2);
    (abnormal - logits.slice_dim(1, 0..1)).reshape([tokens - 1])
}

/// `mean(-(1 - p)² ln p)` with `p` the smoothed probability of the true class.
fn focal(margin: Tensor<2>, mask: &Tensor<2>) -> Tensor<1> {
    let sign = mask.clone() * 2.0 - 1.0;
    let truth = activation::sigmoid(margin * sign);
    let other = truth.clone() * -1.0 + 1.0;
    let p = truth * (1.0 - FOCAL_SMOOTH) + other * FOCAL_SMOOTH + FOCAL_SMOOTH;
    let rest = p.clone() * -1.0 + 1.0;
    (rest.clone() * rest * p.log()).mean() * -1.0
}

/// `1 - (2 Σ p g + 1) / (Σ p + Σ g + 1)` on the abnormal probability.
fn dice(probability: Tensor<2>, mask: &Tensor<2>) -> Tensor<1> {
    let common = (probability.clone() * mask.clone()).sum();
    let both = probability.sum() + mask.clone().sum();
    (common * 2.0 + DICE_SMOOTH) / (both + DICE_SMOOTH) * -1.0 + 1.0
}

/// `ln(1 + eˢ) - y s`; the score lies in 0..1, so nothing overflows.
fn bce_with_logits(score: Tensor<1>, abnormal: bool) -> Tensor<1> {
    let softplus = (score.clone().exp() + 1.0).log();
    if abnormal { softplus - score } else { softplus }
}
