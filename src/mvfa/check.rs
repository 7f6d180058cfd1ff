//! The self-test of a loaded model on its device, before it is used.
//!
//! Comes in: the manifest's expected values. Goes out: nothing if the device computes what it
//! should. Fails with [`EngineError`]. It also warms the device: every shader of an analysis runs
//! here first.

use crate::bundle::manifest::SelfTest;
use crate::compute::Reading;
use crate::mvfa::analysis::{Pacer, Progress, Stage};
use crate::mvfa::engine::{Engine, encoder_of_memory};
use crate::mvfa::error::EngineError;
use crate::mvfa::self_test;
use crate::mvfa::words::Words;

/// A block that takes longer is waited for before the next is asked for.
const SLOW_BLOCK_MS: f64 = 50.0;

impl Engine {
    /// Compares this device's answers for the test picture with the manifest's, and its scores with
    /// the processor's. On the processor and on a slow device the answers end with the first level, which
    /// all arithmetic has a part in. A device that fails with 16-bit floats goes on with 32-bit ones.
    ///
    /// # Errors
    /// [`EngineError::Device`] when it differs or there is none, [`EngineError::Cancelled`] when the pacer requests it.
    pub async fn self_test(&mut self, pacer: &mut impl Pacer) -> Result<(), EngineError> {
        let Some(expected) = self.manifest.self_test.clone() else { return Ok(()) };
        let mut wrong = self.differs(&expected, pacer).await?;
        if let Some(why) = &wrong
            && self.open.use_f32(why)
        {
            self.encoder.use_f32();
            self.of_memory = encoder_of_memory(&self.encoder, &self.manifest, &self.taken);
            wrong = self.differs(&expected, pacer).await?;
        }
        match wrong {
            None => Ok(()),
            Some(reason) => Err(self.open.failed(reason).into()),
        }
    }

    /// What differs from the expected answers for the test picture, if anything does.
    async fn differs(&mut self, expected: &SelfTest, pacer: &mut impl Pacer) -> Result<Option<String>, EngineError> {
        let (levels, total) = (self.manifest.vision.levels.len(), self.encoder.steps());
        let mut run = self.encoder.start(self.input(&self_test::picture(self.manifest.preprocess.size_px)));
        let (mut block_ms, mut start) = (f64::INFINITY, pacer.now_ms());
        let mut reached = 0;
        while run.step() {
            self.wait(pacer).await?;
            let now = pacer.now_ms();
            // The quickest: the first block waits for its shaders to be compiled.
            block_ms = block_ms.min(now - start);
            start = now;
            pacer.step(Progress { stage: Stage::SelfTest, done: run.done(), total }).await?;
            let new = run.features().segmentation.len();
            if new == reached || (new > 1 && new < levels) {
                continue;
            }
            reached = new;
            let mut reading = Reading::default();
            self_test::request(run.features(), &mut reading);
            let text = run.features().segmentation.first().zip(self.text.values().next().map(Words::main));
            let compared = match (&self.of_memory, run.features().segmentation.first()) {
                (None, Some(level)) => level.clone(),
                _ => run.tokens(),
            };
            let scores = self_test::request_scores(&compared, text, &mut reading);
            let mut found: Vec<Vec<f32>> = pacer.wait(reading.read(&self.open)).await??.collect();
            let scores = found.split_off(found.len().saturating_sub(scores));
            let expected = self_test::first_levels(expected, reached, levels);
            let wrong = self_test::mismatch(&expected, &found.concat()).or_else(|| self_test::scores_mismatch(&scores));
            self.is_slow = block_ms > SLOW_BLOCK_MS;
            if wrong.is_some() || self.is_slow || self.open.is_processor() {
                return Ok(wrong);
            }
            start = pacer.now_ms();
        }
        Ok(None)
    }
}
