//! Observer of a run while a model is trained.

use crate::train::progress::{EpochRecord, MeanLosses};

/// One step of the optimiser.
#[derive(Clone, Copy, Debug)]
pub struct StepReport {
    /// Steps done, over all epochs.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// The epoch under way, counted from 1.
    pub epoch: usize,
    /// Mean losses of this step's pictures.
    pub losses: MeanLosses,
    /// Seconds until the end at the speed so far.
    pub eta_s: f64,
}

/// Gets everything worth showing.
pub trait Watch {
    /// Pictures read and encoded so far.
    fn preparing(&mut self, done: usize, total: usize);

    /// A step is done.
    fn step(&mut self, report: &StepReport);

    /// Pictures scored for validation so far.
    fn validating(&mut self, done: usize, total: usize);

    /// An epoch is done.
    fn epoch(&mut self, record: &EpochRecord);

    /// A message for the user.
    fn note(&mut self, text: &str);
}
