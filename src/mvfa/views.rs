//! References view by view, so that several engines of one model can share the encoding of them.
//!
//! Comes in: which view of which reference, or its rows from another engine. Goes out: the rows of a view, as values that
//! can travel. Fails with [`EngineError`]: stopped, the device gave no answer, or rows of another model.

use crate::bundle::manifest::Augment;
use crate::compute::{Reading, from_values};
use crate::image::augmented;
use crate::mvfa::analysis::{Mode, Pacer, Stage};
use crate::mvfa::engine::Engine;
use crate::mvfa::error::EngineError;
use crate::mvfa::likeness::{SIGNATURE_LEVEL, Signature};
use crate::mvfa::memory::{ReferenceId, SearchRows};
use crate::mvfa::references::Whole;

/// The view of a reference that is the picture itself.
const ORIGINAL: usize = 0;

impl Engine {
    /// The views that an analysis would have to encode first: whose, and their numbers.
    pub fn lacking_views(&self, augment: Augment) -> Vec<(ReferenceId, usize)> {
        self.references.lacking(augment)
    }

    /// Steps of one view.
    pub fn steps(&self) -> usize {
        self.encoder_of(Mode::Few).steps()
    }

    /// Encodes one view of a reference, if it exists, and keeps its rows.
    ///
    /// # Errors
    /// [`EngineError::NoPicture`], or a stop.
    pub async fn encode_view(
        &mut self,
        id: ReferenceId,
        augment: Augment,
        view: usize,
        (before, total): (usize, usize),
        pacer: &mut impl Pacer,
    ) -> Result<(), EngineError> {
        let planes = match self.references.planes(id) {
            Some(planes) => augmented(planes, view),
            None if self.references.facts(id).is_some() => return Err(EngineError::NoPicture { augment }),
            None => return Ok(()),
        };
        let features = self.encode(&planes, Mode::Few, Stage::References, (before, total), pacer).await?;
        let rows = SearchRows::of_view(&features, &self.taken);
        let whole = features.segmentation.into_iter().nth(SIGNATURE_LEVEL).filter(|_| view == ORIGINAL);
        self.references.set_view(
            id,
            augment,
            view,
            rows,
            whole.map(|tokens| Whole::Tokens(Box::new(tokens))),
            &self.taken,
        );
        Ok(())
    }

    /// Rows of a view that is encoded: per level of the memory `[rows, dim]`, row-major, for each bank that is kept; for
    /// the original view what stands for the picture as a whole, last.
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
        let whole = self.references.whole(id).filter(|_| view == ORIGINAL);
        let mut tokens = 0;
        if let Some(Whole::Tokens(values)) = whole {
            tokens = values.dims()[0];
            reading.push(values.as_ref().clone());
        }
        let mut values: Vec<Vec<f32>> = pacer.wait(reading.read(&self.open)).await??.collect();
        match whole {
            Some(Whole::Tokens(_)) => {
                let read = values.pop().map(|read| Signature::of_tokens(&read, tokens).values());
                values.extend(read);
            }
            Some(Whole::Signature(signature)) => values.push(signature.values()),
            None => {}
        }
        Ok(values)
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
        mut levels: Vec<Vec<f32>>,
    ) -> Result<(), EngineError> {
        let (banks, dim) = match &self.manifest.adapters {
            Some(adapters) if !self.taken.is_shared => (2, adapters.bottleneck),
            _ => (1, self.manifest.vision.width),
        };
        let rows = self.taken.rows(self.manifest.vision.tokens());
        let mut expected = vec![rows * dim; banks * self.taken.levels.len()];
        if view == ORIGINAL {
            expected.push(Signature::PARTS * dim);
        }
        let found: Vec<usize> = levels.iter().map(Vec::len).collect();
        if found != expected {
            let [expected, found] = [expected, found].map(|lengths| lengths.into_iter().sum());
            return Err(EngineError::ForeignRows { expected, found });
        }
        let whole = if view == ORIGINAL { levels.pop() } else { None };
        let whole = whole.map(|values| Whole::Signature(Signature::of_values(&values)));
        let device = &self.open.device;
        let mut tensors: Vec<_> = levels.into_iter().map(|values| from_values(values, [rows, dim], device)).collect();
        let detection = (banks > 1).then(|| tensors.split_off(tensors.len() / banks));
        self.references.set_view(id, augment, view, SearchRows::new(tensors, detection), whole, &self.taken);
        Ok(())
    }
}
