//! A checkpoint becomes a complete bundle: tensors, text features and self-test.
//!
//! Comes in: [`ConvertOptions`]. Goes out: the folder and its manifest. Fails with
//! [`BundleError`]; an existing bundle in the same place stays whole then.

use std::collections::HashMap;

use crate::bundle::config::TextConfig;
use crate::bundle::convert::{ConvertOptions, Hooks, LeftOut, Progress, convert_telling};
use crate::bundle::error::BundleError;
use crate::bundle::import::Checkpoint;
use crate::bundle::manifest::{Manifest, ObjectSpec};
use crate::bundle::names::text_tensors;
use crate::clip::text::TextTower;
use crate::clip::tokenizer::{Tokenizer, VOCABULARY_SIZE};
use crate::compute::Weights;
use crate::compute::open_cpu;
use crate::mvfa::check::self_test_of;

/// Converts a checkpoint on the processor, whose answers the self-test holds every other device to.
///
/// # Errors
/// What the checkpoint, the adapters, the options or the disk have wrong.
pub fn make_bundle(options: &ConvertOptions, progress: &mut Progress<'_>) -> Result<Manifest, BundleError> {
    make_bundle_telling(options, progress, &mut |_| {})
}

/// The same; `left_out` is told what of the checkpoint is left out.
///
/// # Errors
/// As [`make_bundle`].
pub fn make_bundle_telling(
    options: &ConvertOptions,
    progress: &mut Progress<'_>,
    left_out: &mut LeftOut<'_>,
) -> Result<Manifest, BundleError> {
    let mut tower = TowerOnDemand::new(options.adapters.is_some());
    convert_telling(
        options,
        &mut Hooks {
            text_features: &mut |checkpoint, config, object| tower.features(checkpoint, config, object),
            self_test: &mut |bundle| self_test_of(bundle).map(Some),
            progress,
        },
        left_out,
    )
}

/// The text tower, loaded for the first object and kept for the others.
struct TowerOnDemand {
    /// Raw block tokens live in another space than sentences; only adapters bring them together.
    has_adapters: bool,
    loaded: Option<(TextTower, Tokenizer)>,
    /// Two of MVFA's objects share a prompt word.
    by_prompt: HashMap<String, Vec<f32>>,
}

impl TowerOnDemand {
    fn new(has_adapters: bool) -> Self {
        Self { has_adapters, loaded: None, by_prompt: HashMap::new() }
    }

    /// Text features of one object; `None` where this checkpoint cannot give them.
    fn features(
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
