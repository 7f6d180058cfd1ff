//! The training loop.
//!
//! Comes in: a model, items, words, settings. Goes out: trained tensors, the best of them in the
//! run's folder. An interrupted run resumes where it was last saved and ends with the same
//! tensors: every random choice follows from the seed and the place in the run. Source: spec §6
//! and §7; batches are the mean over their pictures, each run by itself, so that any mixture of
//! objects and kinds may be in one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use burn::tensor::Tensor;

use crate::bundle::manifest::{Calibration, ObjectKind};
use crate::train::error::TrainError;
use crate::train::items::Item;
use crate::train::losses::Target;
use crate::train::model::{Model, read};
use crate::train::parameters::{Parameters, add_gradients};
use crate::train::progress::{Best, EpochRecord, MeanLosses, Progress, Validation};
use crate::train::random::{Purpose, order};
use crate::train::state::StateFolder;
use crate::train::token_store::TokenStore;
use crate::train::watch::{StepReport, Watch};
use crate::train::words::Words;

/// Numbers of a run.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Seed of every random choice.
    pub seed: u64,
    /// Times that every picture is seen.
    pub epochs: usize,
    /// Pictures a step.
    pub batch: usize,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Validation after every so many epochs, and after the last.
    pub validate_every: usize,
    /// How often a run is saved between the ends of epochs.
    pub save_every: Duration,
}

/// When a sitting began and where.
#[derive(Clone, Copy)]
struct Sitting {
    start: Instant,
    /// Seconds of the sittings before.
    spent_before_s: f64,
    /// Steps of the sittings before.
    steps_before: usize,
}

impl Sitting {
    fn seconds(&self) -> f64 {
        self.spent_before_s + self.start.elapsed().as_secs_f64()
    }
}

/// Seconds until the last of `steps`, at the speed of this sitting so far.
fn eta_s(elapsed_s: f64, steps_before: usize, step: usize, steps: usize) -> f64 {
    elapsed_s / step.saturating_sub(steps_before).max(1) as f64 * steps.saturating_sub(step) as f64
}

/// What is trained with what.
pub struct Session<'a> {
    /// The frozen tower.
    pub model: &'a Model,
    /// Text features.
    pub words: &'a Words,
    /// Kind of each object.
    pub kinds: &'a [ObjectKind],
    /// Pictures to train on.
    pub items: &'a [Item],
    /// Their tokens.
    pub store: &'a mut TokenStore,
    /// Where the run is saved.
    pub state: &'a StateFolder,
    /// Numbers.
    pub pace: Pace,
}

/// Scores of one epoch: what epochs are compared by, and ranges by object id.
pub type Scored = Option<(Validation, BTreeMap<String, Calibration>)>;

/// Scores the tensors of an epoch.
pub type Validate<'a> = dyn FnMut(&Parameters, &mut TokenStore, &mut dyn Watch) -> Result<Scored, TrainError> + 'a;

impl Session<'_> {
    /// Trains from `fresh` starting values, or from the saved state, if present.
    ///
    /// # Errors
    /// [`TrainError`]; what was saved before is still there.
    pub fn run(
        &mut self,
        fresh: impl FnOnce() -> Parameters,
        validate: &mut Validate<'_>,
        watch: &mut dyn Watch,
    ) -> Result<Progress, TrainError> {
        let (mut parameters, mut progress) = match self.state.load()? {
            Some((saved, progress)) => {
                watch.note(&format!(
                    "going on in epoch {} of {}, after {} of its {} pictures",
                    progress.epochs.len() + 1,
                    self.pace.epochs,
                    progress.done_in_epoch,
                    self.items.len()
                ));
                (self.model.parameters(saved), progress)
            }
            None => (fresh(), Progress::default()),
        };
        let sitting = Sitting {
            start: Instant::now(),
            spent_before_s: progress.seconds,
            steps_before: self.step_number(progress.epochs.len(), progress.done_in_epoch),
        };
        while progress.epochs.len() < self.pace.epochs {
            self.epoch(&mut parameters, &mut progress, sitting, watch)?;
            self.end_epoch(&parameters, &mut progress, validate, watch)?;
            progress.seconds = sitting.seconds();
            self.save(&parameters, &progress)?;
        }
        Ok(progress)
    }

    fn steps_per_epoch(&self) -> usize {
        self.items.len().div_ceil(self.pace.batch)
    }

    /// Steps done with so many finished epochs and pictures of the next.
    fn step_number(&self, epochs: usize, done_in_epoch: usize) -> usize {
        epochs * self.steps_per_epoch() + done_in_epoch.div_ceil(self.pace.batch)
    }

    fn epoch(
        &mut self,
        parameters: &mut Parameters,
        progress: &mut Progress,
        sitting: Sitting,
        watch: &mut dyn Watch,
    ) -> Result<(), TrainError> {
        let epoch = progress.epochs.len();
        let order = order(self.pace.seed, Purpose::Order, epoch as u64, self.items.len());
        let mut last_save = Instant::now();
        while progress.done_in_epoch < order.len() {
            let end = (progress.done_in_epoch + self.pace.batch).min(order.len());
            let batch = order.get(progress.done_in_epoch..end).unwrap_or_default();
            let place = (epoch * order.len() + progress.done_in_epoch) as u64;
            let losses = self.step(parameters, batch, place)?;
            progress.done_in_epoch = end;
            let step = self.step_number(epoch, end);
            if !losses.total.is_finite() {
                let folder = self.state.folder().display().to_string();
                return Err(TrainError::Diverged { step, loss: losses.total as f32, folder });
            }
            progress.sums.add(&losses);
            let steps = self.pace.epochs * self.steps_per_epoch();
            let mean = losses.scaled(1.0 / batch.len().max(1) as f64);
            let eta_s = eta_s(sitting.start.elapsed().as_secs_f64(), sitting.steps_before, step, steps);
            watch.step(&StepReport { step, steps, epoch: epoch + 1, losses: mean, eta_s });
            if last_save.elapsed() >= self.pace.save_every {
                progress.seconds = sitting.seconds();
                self.save(parameters, progress)?;
                last_save = Instant::now();
            }
        }
        Ok(())
    }

    /// One step on the mean of a batch; sums of its losses.
    fn step(&mut self, parameters: &mut Parameters, batch: &[usize], place: u64) -> Result<MeanLosses, TrainError> {
        let leaves = parameters.leaves();
        let mut sums = MeanLosses::default();
        let mut gradients: Option<Vec<Option<Tensor<1>>>> = None;
        for (n, index) in batch.iter().enumerate() {
            let Some(item) = self.items.get(*index) else { continue };
            let segmentation = self.kinds.get(item.object) == Some(&ObjectKind::Segmentation);
            let mut weights = parameters.weights_of(&leaves);
            let text = self.words.for_step(item.object, &mut weights, self.pace.seed, place + n as u64)?;
            let features = self.model.features(&mut weights, self.store.read(item.tokens)?)?;
            let mask = segmentation.then(|| self.model.mask(&item.mask()));
            let losses = self.model.losses(&features, &text, &Target { mask, abnormal: item.abnormal });
            let Some(total) = losses.total() else { continue };
            let mut tape = total.backward();
            let mut found = leaves.gradients(&mut tape);
            if !segmentation {
                // Without masks only the detection bank learns (spec §3, consequence b).
                parameters
                    .names()
                    .zip(&mut found)
                    .filter(|(name, _)| name.contains(".seg."))
                    .for_each(|(_, g)| *g = None);
            }
            gradients = Some(match gradients {
                Some(sum) => add_gradients(sum, found),
                None => found,
            });
            let sum = |parts: &[Tensor<1>]| -> Result<f64, TrainError> {
                parts.iter().map(|p| Ok(read(p.clone())?.iter().map(|v| f64::from(*v)).sum::<f64>())).sum()
            };
            let (focal, dice, bce) = (sum(&losses.focal)?, sum(&losses.dice)?, sum(&losses.bce)?);
            sums.add(&MeanLosses { total: focal + dice + bce, focal, dice, bce });
        }
        if let Some(mut gradients) = gradients {
            if batch.len() > 1 {
                let share = 1.0 / batch.len() as f64;
                gradients.iter_mut().flatten().for_each(|g| *g = g.clone() * share);
            }
            parameters.step(gradients, self.pace.learning_rate);
        }
        Ok(sums)
    }

    fn end_epoch(
        &mut self,
        parameters: &Parameters,
        progress: &mut Progress,
        validate: &mut Validate<'_>,
        watch: &mut dyn Watch,
    ) -> Result<(), TrainError> {
        let epoch = progress.epochs.len() + 1;
        let due = epoch.is_multiple_of(self.pace.validate_every.max(1)) || epoch == self.pace.epochs;
        let scored = if due { validate(parameters, self.store, watch)? } else { None };
        let losses = progress.sums.scaled(1.0 / self.items.len().max(1) as f64);
        let record = EpochRecord { epoch, losses, validation: scored.as_ref().map(|s| s.0) };
        if due && is_better(record.validation.as_ref(), progress.best.as_ref()) {
            self.state.save_best(&self.tensors(parameters)?)?;
            let calibration = scored.map(|s| s.1).unwrap_or_default();
            progress.best = Some(Best { epoch, validation: record.validation, calibration });
        }
        watch.epoch(&record);
        progress.epochs.push(record);
        progress.done_in_epoch = 0;
        progress.sums = MeanLosses::default();
        Ok(())
    }

    fn save(&self, parameters: &Parameters, progress: &Progress) -> Result<(), TrainError> {
        self.state.save(&self.tensors(parameters)?, progress)
    }

    fn tensors(&self, parameters: &Parameters) -> Result<Vec<crate::train::parameters::Saved>, TrainError> {
        parameters.save().map_err(TrainError::Device)
    }
}

/// Whether an epoch takes the place of the best so far: as released, the later of two equal ones;
/// without any score the last.
fn is_better(validation: Option<&Validation>, best: Option<&Best>) -> bool {
    let selection = |v: Option<&Validation>| v.map_or(f64::NEG_INFINITY, |v| v.selection);
    best.is_none_or(|best| selection(validation) >= selection(best.validation.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(selection: f64) -> Option<Validation> {
        Some(Validation { pixel_auroc: Some(selection), image_auroc: None, selection })
    }

    /// The epoch that is kept of epochs with these scores.
    fn kept(scores: &[Option<Validation>]) -> usize {
        let mut best: Option<Best> = None;
        for (n, validation) in scores.iter().enumerate() {
            if is_better(validation.as_ref(), best.as_ref()) {
                best = Some(Best { epoch: n + 1, validation: *validation, calibration: BTreeMap::new() });
            }
        }
        best.unwrap().epoch
    }

    #[test]
    fn the_best_epoch_is_the_highest_and_the_later_of_equals() {
        assert_eq!(kept(&[scored(0.7), scored(0.9), scored(0.8)]), 2);
        assert_eq!(kept(&[scored(0.9), scored(0.9), scored(0.8)]), 2);
        assert_eq!(kept(&[None, None, None]), 3);
        assert_eq!(kept(&[None, scored(0.1), None]), 2);
    }

    #[test]
    fn the_time_left_counts_the_steps_of_this_sitting() {
        // 30 of 100 steps are done, 10 of them in this sitting's 20 seconds: 70 are left at 2 seconds each.
        assert_eq!(eta_s(20.0, 20, 30, 100), 140.0);
        assert_eq!(eta_s(20.0, 0, 100, 100), 0.0);
        assert_eq!(eta_s(0.0, 5, 5, 10), 0.0);
    }
}
