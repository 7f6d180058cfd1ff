//! Features: the encoder's output, the scores' input.

use burn::tensor::Tensor;

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
