//! What the encoder hands to the scores.

use burn::tensor::Tensor;

use crate::{cpu, gpu};

/// Which adapter bank a feature comes from (spec §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bank {
    /// Trained with masks; feeds the maps.
    Segmentation,
    /// Trained with image labels; feeds the image scores of detection objects.
    Detection,
}

/// Features of one picture: per level the adapters' hidden activations `[tokens, dim]`, class
/// token first. A model without adapters has the raw block tokens in both banks.
#[derive(Clone, Debug)]
pub struct Features {
    /// Segmentation bank, one tensor a level.
    pub segmentation: Vec<Tensor<2>>,
    /// Detection bank, one tensor a level.
    pub detection: Vec<Tensor<2>>,
}

impl Features {
    /// The levels of one bank.
    pub fn bank(&self, bank: Bank) -> &[Tensor<2>] {
        match bank {
            Bank::Segmentation => &self.segmentation,
            Bank::Detection => &self.detection,
        }
    }
}

/// `[rows, dim]`, each row divided by its length. Rows of zeros stay zeros.
pub(crate) fn unit_rows(x: Tensor<2>) -> Tensor<2> {
    // Far below any real feature's length, so it changes nothing but 0 / 0.
    const TINY: f32 = 1e-12;
    if let Some(unit) = gpu::unit_rows(&x, TINY).or_else(|| cpu::unit_rows(&x, TINY)) {
        return unit;
    }
    let length = x.clone().powi_scalar(2).sum_dim(1).sqrt().clamp_min(TINY);
    x / length
}
