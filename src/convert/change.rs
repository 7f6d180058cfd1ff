//! Other adapters, or none, for the tower of a finished model.
//!
//! Comes in: the model, and a [`Change`]. Goes out: the manifest of another model that shares the tower's files, without the
//! files that are new. Fails with [`BundleError`] where adapters and tower do not belong together.

use crate::bundle::error::BundleError;
use crate::bundle::import::AdapterFile;
use crate::bundle::manifest::{AdapterConfig, FileEntry, Group, Manifest, MemoryFeatures, ObjectSpec, released_mix};
use crate::bundle::objects::known_object;
use crate::bundle::writer::{CARD, Kept};
use crate::clip::tower_files::TowerFiles;
use crate::compute::Weights;
use crate::convert::plan::check_adapters;

/// Reads one file of a model.
pub type ReadFile = Box<dyn FnMut(&FileEntry) -> Result<Vec<u8>, BundleError>>;

/// Where the card of the model begins that the tower is from.
const ORIGIN: &str = "\n---\n\nThe card of the model that the tower is from:\n\n";

/// A model that is whole, and how its files are read.
pub struct FinishedModel {
    manifest: Manifest,
    card: String,
    text: TowerFiles<ReadFile>,
}

/// What is to be different.
#[derive(Default)]
pub struct Change {
    /// The new adapters with the name of their file; `None`: the model loses those that it has.
    pub adapters: Option<(String, AdapterFile)>,
    /// What the new model can be asked about; the same as before if none is given.
    pub objects: Vec<ObjectSpec>,
    /// Name shown to people; the same as before if none is given.
    pub name: Option<String>,
}

impl FinishedModel {
    /// `card` is the text of its card; `read` gives the bytes of a file.
    pub fn new(manifest: Manifest, card: String, read: ReadFile) -> Self {
        Self { text: TowerFiles::new(&manifest, read), manifest, card }
    }

    /// What the model is.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Objects by their ids: the model's own, or one of MVFA's.
    ///
    /// # Errors
    /// [`BundleError::UnknownObject`].
    pub fn objects(&self, ids: &[String]) -> Result<Vec<ObjectSpec>, BundleError> {
        ids.iter().map(|id| self.manifest.object(id).cloned().or_else(|_| known_object(id))).collect()
    }

    /// Whether adapters can be added to this model.
    ///
    /// # Errors
    /// What does not fit.
    pub fn check(&self, adapters: &AdapterFile) -> Result<(), BundleError> {
        check_adapters(adapters, &self.manifest.vision, self.manifest.text.as_ref())
    }

    /// The files of the tower, which the new model has too, and those of its own that an earlier run finished.
    pub(super) fn kept(&self, earlier: Kept) -> Kept {
        let shared = self.manifest.files.iter().filter(|file| is_of_tower(file.group)).cloned();
        earlier.with_others(shared, |file| !is_of_tower(file.group))
    }

    /// The new model's manifest, without files.
    pub(super) fn plan(&self, change: &Change) -> Result<Manifest, BundleError> {
        let base = &self.manifest;
        match &change.adapters {
            Some((_, adapters)) => self.check(adapters)?,
            None if base.adapters.is_none() => {
                return Err(BundleError::Options(format!("{} has no adapters that could be taken away", base.name)));
            }
            None => {}
        }
        let is_raw = change.adapters.is_none();
        let objects = if change.objects.is_empty() { &base.objects } else { &change.objects };
        let config =
            |(_, file): &(String, AdapterFile)| AdapterConfig { bottleneck: file.bottleneck(), mix: released_mix() };
        Ok(Manifest {
            name: change.name.clone().unwrap_or_else(|| base.name.clone()),
            revision: String::new(),
            card: CARD.to_owned(),
            adapters: change.adapters.as_ref().map(config),
            memory: MemoryFeatures::default(),
            // MVFA's adapters are scored as the paper has it.
            scoring: base.scoring.clone().filter(|_| is_raw),
            zero_shot_note: None,
            objects: objects
                .iter()
                .map(|object| ObjectSpec {
                    text_features: None,
                    bilateral: object.bilateral && is_raw,
                    calibration: None,
                    ..object.clone()
                })
                .collect(),
            self_test: None,
            files: Vec::new(),
            ..base.clone()
        })
    }

    /// The new model's card, as Markdown.
    pub(super) fn card(&self, change: &Change, planned: &Manifest) -> String {
        let adapters = match &change.adapters {
            Some((file, _)) => format!("MVFA adapters from `{file}`"),
            None => "none; the tower's own tokens are the features".to_owned(),
        };
        let base = &self.manifest;
        // A tower that changed its adapters before has one origin.
        let origin = self.card.split_once(ORIGIN).map_or(self.card.as_str(), |(_, origin)| origin);
        format!(
            "# {}\n\n| | |\n|---|---|\n| Tower | of {} (revision {}) |\n| Adapters | {adapters} |\n\
             | Licence of the tower's weights | {} |\n| Intended use | {} |\n{ORIGIN}{origin}",
            planned.name, base.name, base.revision, base.licence, base.intended_use,
        )
    }

    /// Puts tensors of the text tower into `weights`.
    pub(super) fn tensors(&mut self, names: &[String], weights: &mut Weights) -> Result<(), BundleError> {
        self.text.tensors(names, weights)
    }
}

/// Whether a group stays with the tower when its adapters change.
pub(super) fn is_of_tower(group: Group) -> bool {
    matches!(group, Group::Vision | Group::Text)
}
