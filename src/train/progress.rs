//! How far a run has come: losses, scores and the best epoch, as they are saved and published.
//!
//! Plain values. Nothing here fails.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bundle::manifest::Calibration;

/// Mean losses of an epoch, per picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MeanLosses {
    /// All together.
    pub total: f64,
    /// Focal, summed over levels.
    pub focal: f64,
    /// Dice, summed over levels.
    pub dice: f64,
    /// Detection, summed over levels.
    pub bce: f64,
}

impl MeanLosses {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.total += other.total;
        self.focal += other.focal;
        self.dice += other.dice;
        self.bce += other.bce;
    }

    /// Each multiplied by `factor`.
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            total: self.total * factor,
            focal: self.focal * factor,
            dice: self.dice * factor,
            bce: self.bce * factor,
        }
    }
}

/// One finished epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean losses.
    pub losses: MeanLosses,
    /// Score on the pictures kept for validation, if it was taken.
    pub validation: Option<Validation>,
}

/// Scores on pictures that were not trained on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// Over all pixels; none if there are no masks or only one class.
    pub pixel_auroc: Option<f64>,
    /// Over pictures; none if there is only one class.
    pub image_auroc: Option<f64>,
    /// What epochs are compared by: the sum of those there are.
    pub selection: f64,
}

/// The best epoch so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Counted from 1.
    pub epoch: usize,
    /// Its scores, if there were any.
    pub validation: Option<Validation>,
    /// Ranges of its scores on the pictures kept for validation, by object id.
    pub calibration: BTreeMap<String, Calibration>,
}

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Finished epochs.
    pub epochs: Vec<EpochRecord>,
    /// Pictures done in the epoch under way.
    pub done_in_epoch: usize,
    /// Sums of their losses.
    pub sums: MeanLosses,
    /// The best epoch.
    pub best: Option<Best>,
    /// Seconds spent, over all sittings.
    pub seconds: f64,
}
