//! References view by view, so that several engines of one model can share the encoding of them.
//!
//! Comes in: which view of which reference, or its rows from another engine. Goes out: the rows of a view, as values that
//! can travel. Fails with [`EngineError`]: stopped, the device gave no answer, or rows of another model.

use crate::bundle::manifest::Augment;
use crate::compute::{Reading, from_values};
use crate::image::augmented;
use crate::mvfa::analysis::{Mode, Pacer, Stage};
use crate::mvfa::engine::Engine;
use crate::mvfa::error::{Cancelled, EngineError};
use crate::mvfa::memory::{ReferenceId, SearchRows};

impl Engine {
    /// The views that an analysis would have to encode first: whose, and their numbers.
    pub fn lacking_views(&self, augment: Augment) -> Vec<(ReferenceId, usize)> {
        self.references.lacking(augment)
    }

    /// Steps of one view.
    pub fn steps(&self) -> usize {
        self.encoder.steps()
    }

    /// Encodes one view of a reference, if it exists, and keeps its rows.
    ///
    /// # Errors
    /// [`Cancelled`] when the pacer requests it.
    pub async fn encode_view(
        &mut self,
        id: ReferenceId,
        augment: Augment,
        view: usize,
        (before, total): (usize, usize),
        pacer: &mut impl Pacer,
    ) -> Result<(), Cancelled> {
        let Some(planes) = self.references.planes(id) else { return Ok(()) };
        let planes = augmented(planes, view);
        let features = self.encode(&planes, Mode::Few, Stage::References, (before, total), pacer).await?;
        let rows = SearchRows::of_view(&features, self.memory_is_raw());
        self.references.set_view(id, augment, view, rows);
        Ok(())
    }

    /// Rows of a view that is encoded: per level `[tokens, dim]`, row-major, for each bank that is kept.
    ///
    /// # Errors
    /// [`EngineError::UnknownView`], or the device gave no answer.
    pub async fn view_rows(
        &self,
        id: ReferenceId,
        augment: Augment,
        view: usize,
        pacer: &mut impl Pacer,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let rows = self.references.view(id, augment, view).ok_or(EngineError::UnknownView { reference: id.0, view })?;
        let mut reading = Reading::default();
        rows.tensors().for_each(|level| reading.push(level.clone()));
        Ok(pacer.wait(reading.read(&self.open)).await??.collect())
    }

    /// Takes the rows of a view that another engine of the same model encoded.
    ///
    /// # Errors
    /// [`EngineError::ForeignRows`] if they are not as many as this model's.
    pub fn give_view(
        &mut self,
        id: ReferenceId,
        augment: Augment,
        view: usize,
        levels: Vec<Vec<f32>>,
    ) -> Result<(), EngineError> {
        let (banks, dim) = match &self.manifest.adapters {
            Some(adapters) if !self.memory_is_raw() => (2, adapters.bottleneck),
            _ => (1, self.manifest.vision.width),
        };
        let tokens = self.manifest.vision.tokens();
        let expected = vec![tokens * dim; banks * self.manifest.vision.levels.len()];
        let found: Vec<usize> = levels.iter().map(Vec::len).collect();
        if found != expected {
            let [expected, found] = [expected, found].map(|lengths| lengths.into_iter().sum());
            return Err(EngineError::ForeignRows { expected, found });
        }
        let device = &self.open.device;
        let mut tensors: Vec<_> = levels.into_iter().map(|values| from_values(values, [tokens, dim], device)).collect();
        let detection = (banks > 1).then(|| tensors.split_off(tensors.len() / banks));
        self.references.set_view(id, augment, view, SearchRows::new(tensors, detection));
        Ok(())
    }
}
