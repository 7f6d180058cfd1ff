//! The training loop.
//!
//! Comes in: a model, items, words, settings. Goes out: trained tensors, the best of them in the
//! run's folder. A run that was cut off goes on where it was last saved and ends with the same
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
use crate::train::random::{Purpose, order};
use crate::train::state::{Best, EpochRecord, MeanLosses, Progress, StateFolder, Validation};
use crate::train::token_store::TokenStore;
use crate::train::watch::{StepReport, Watch};
use crate::train::words::Words;

/// How often a run is saved between epochs.
const SAVE_EVERY: Duration = Duration::from_secs(60);

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
    /// Trains from `fresh` starting values, or from the saved state where there is one.
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
                watch.note(&format!("going on in epoch {} of {}", progress.epochs.len() + 1, self.pace.epochs));
                (self.model.parameters(saved), progress)
            }
            None => (fresh(), Progress::default()),
        };
        let spent_before = progress.seconds;
        let start = Instant::now();
        let first_step = progress.epochs.len() * self.steps_per_epoch();
        while progress.epochs.len() < self.pace.epochs {
            self.epoch(&mut parameters, &mut progress, (start, spent_before, first_step), watch)?;
            self.end_epoch(&parameters, &mut progress, validate, watch)?;
            progress.seconds = spent_before + start.elapsed().as_secs_f64();
            self.save(&parameters, &progress)?;
        }
        Ok(progress)
    }

    fn steps_per_epoch(&self) -> usize {
        self.items.len().div_ceil(self.pace.batch)
    }

    fn epoch(
        &mut self,
        parameters: &mut Parameters,
        progress: &mut Progress,
        (start, spent_before, first_step): (Instant, f64, usize),
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
            let step = epoch * self.steps_per_epoch() + end.div_ceil(self.pace.batch);
            if !losses.total.is_finite() {
                return Err(TrainError::Diverged { step, loss: losses.total as f32 });
            }
            progress.sums.add(&losses);
            let steps = self.pace.epochs * self.steps_per_epoch();
            let per_step_s = start.elapsed().as_secs_f64() / (step - first_step).max(1) as f64;
            let mean = losses.scaled(1.0 / batch.len().max(1) as f64);
            let eta_s = per_step_s * (steps - step) as f64;
            watch.step(&StepReport { step, steps, epoch: epoch + 1, losses: mean, eta_s });
            if last_save.elapsed() > SAVE_EVERY {
                progress.seconds = spent_before + start.elapsed().as_secs_f64();
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
        let selection = |v: &Option<Validation>| v.as_ref().map_or(f64::NEG_INFINITY, |v| v.selection);
        // As released, the later of two equal ones; without any score the last.
        let is_best = match &progress.best {
            None => true,
            Some(best) => due && selection(&record.validation) >= selection(&best.validation),
        };
        if is_best && due {
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
        parameters.save().map_err(|e| TrainError::Settings(format!("the device stopped: {e}; run the command again")))
    }
}
