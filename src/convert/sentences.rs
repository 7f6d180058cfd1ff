//! Text features of the objects, from the checkpoint's own text tower.
//!
//! Comes in: the checkpoint, and an object's prompt word. Goes out: its text features. Fails with [`BundleError`] where the
//! tower is not CLIP's, or a sentence does not fit it.

use std::collections::HashMap;

use crate::bundle::config::TextConfig;
use crate::bundle::error::BundleError;
use crate::bundle::import::Checkpoint;
use crate::bundle::manifest::ObjectSpec;
use crate::bundle::names::text_tensors;
use crate::clip::text::TextTower;
use crate::clip::tokenizer::{Tokenizer, VOCABULARY_SIZE};
use crate::compute::{Weights, open_cpu};

/// The text tower, loaded for the first object and kept for the others.
pub struct Sentences {
    /// Raw block tokens live in another space than sentences; only adapters bring them together.
    has_adapters: bool,
    loaded: Option<(TextTower, Tokenizer)>,
    /// Two of MVFA's objects share a prompt word.
    by_prompt: HashMap<String, Vec<f32>>,
}

impl Sentences {
    /// Gives text features where the model has adapters.
    pub fn new(has_adapters: bool) -> Self {
        Self { has_adapters, loaded: None, by_prompt: HashMap::new() }
    }

    /// Text features of one object, row-major `[embed, 2]` with columns (normal, abnormal); `None` where this model
    /// cannot have them.
    pub(super) fn features(
        &mut self,
        checkpoint: &mut Checkpoint,
        config: &TextConfig,
        object: &ObjectSpec,
    ) -> Result<Option<Vec<f32>>, BundleError> {
        if !self.has_adapters {
            return Ok(None);
        }
        if config.vocabulary != VOCABULARY_SIZE {
            return Err(BundleError::Options(format!(
                "the text tower has a vocabulary of {}, CLIP's has {VOCABULARY_SIZE}; leave --adapters out to compare with normal images only",
                config.vocabulary
            )));
        }
        if let Some(values) = self.by_prompt.get(&object.prompt) {
            return Ok(Some(values.clone()));
        }
        let unusable = |e: &dyn std::error::Error| BundleError::Options(format!("the object {}: {e}", object.id));
        let (tower, tokenizer) = match &mut self.loaded {
            Some(loaded) => loaded,
            none => none.insert((load_tower(checkpoint, config)?, Tokenizer::new().map_err(|e| unusable(&e))?)),
        };
        let values = tower.features(tokenizer, &object.prompt).map_err(|e| unusable(&e))?;
        self.by_prompt.insert(object.prompt.clone(), values.clone());
        Ok(Some(values))
    }
}

fn load_tower(checkpoint: &mut Checkpoint, config: &TextConfig) -> Result<TextTower, BundleError> {
    let device = open_cpu("prompts are encoded once").device;
    let mut weights = Weights::on(&device);
    for (name, _) in text_tensors(config) {
        weights.insert(checkpoint.part(&name)?)?;
    }
    TextTower::take(&mut weights, config, &device)
}
