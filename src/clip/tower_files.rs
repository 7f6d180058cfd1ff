//! The text tower's files, read again and again where they lie instead of being held.
//!
//! Comes in: a manifest and a way to read one of its files. Goes out: the tensors that are asked for, each file's hash
//! checked when it is first read. Fails with [`BundleError`].

use std::collections::HashSet;

use crate::bundle::error::BundleError;
use crate::bundle::manifest::{FileEntry, Group, Manifest};
use crate::bundle::shard::{check_bytes, visit_tensors};
use crate::compute::Weights;

/// Files of the group `text`.
pub struct TowerFiles<F> {
    files: Vec<FileEntry>,
    /// Paths whose content was right.
    checked: HashSet<String>,
    read: F,
}

impl<F: FnMut(&FileEntry) -> Result<Vec<u8>, BundleError>> TowerFiles<F> {
    /// Those of a model; `read` gives the bytes of one.
    pub fn new(manifest: &Manifest, read: F) -> Self {
        let files = manifest.files.iter().filter(|file| file.group == Group::Text).cloned().collect();
        Self { files, checked: HashSet::new(), read }
    }

    /// Puts tensors into `weights`.
    ///
    /// # Errors
    /// Those of reading, and [`BundleError::Size`], [`BundleError::Hash`] or [`BundleError::Shard`] for a file that is not
    /// what the manifest says.
    pub fn tensors(&mut self, names: &[String], weights: &mut Weights) -> Result<(), BundleError> {
        for file in &self.files {
            let tensors: Vec<_> = file.tensors.iter().filter(|t| names.contains(&t.name)).cloned().collect();
            if tensors.is_empty() {
                continue;
            }
            let bytes = (self.read)(file)?;
            if !self.checked.contains(&file.path) {
                check_bytes(file, &bytes, None)?;
                self.checked.insert(file.path.clone());
            }
            let wanted = FileEntry { tensors, ..file.clone() };
            visit_tensors(&wanted, &bytes, |part| weights.insert(part))?;
        }
        Ok(())
    }
}
