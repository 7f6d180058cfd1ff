//! Which folders a new bundle may take the place of.
//!
//! Comes in: a folder. Goes out: that nothing would be lost that is no part of a bundle. Fails with
//! [`BundleError::OutputFolder`], which names what is in the way.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::bundle::error::BundleError;
use crate::bundle::manifest::Manifest;
use crate::bundle::store::MANIFEST;
use crate::bundle::writer::{ADAPTERS_PTH, CARD, TRAINING};

/// What `training.json` begins its `program` with.
const PROGRAM: &str = "mvfa ";

/// Only nothing, an empty folder, or a bundle with no stranger's files may be replaced.
///
/// # Errors
/// [`BundleError::OutputFolder`], [`BundleError::Io`].
pub fn check_replaceable(out: &Path) -> Result<(), BundleError> {
    if !out.exists() {
        return Ok(());
    }
    let refuse = |reason: String| BundleError::OutputFolder { path: out.display().to_string(), reason };
    if !out.is_dir() {
        return Err(refuse("it is a file".to_owned()));
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(out).map_err(|e| BundleError::io(out, e))? {
        names.push(entry.map_err(|e| BundleError::io(out, e))?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let manifest = fs::read(out.join(MANIFEST)).ok().and_then(|bytes| Manifest::parse(&bytes).ok());
    // Adapters of the same name that a person put there are none that a training run wrote.
    let is_trained = is_our_record(&out.join(TRAINING));
    let ours = |name: &String| {
        manifest.as_ref().is_some_and(|m| {
            name == MANIFEST
                || *name == m.card
                || m.files.iter().any(|f| f.path == *name)
                || is_trained && [TRAINING, ADAPTERS_PTH].contains(&name.as_str())
        })
    };
    match names.iter().find(|name| !ours(name)) {
        Some(name) => Err(refuse(format!("it holds {name}, which is no part of a bundle"))),
        None => Ok(()),
    }
}

/// Whether the writer gives a file this name.
pub(super) fn is_file_of_a_bundle(name: &str) -> bool {
    let is_shard =
        name.strip_suffix(".safetensors").and_then(|stem| stem.rsplit_once('-')).is_some_and(|(group, n)| {
            ["vision", "adapters", "text", "prompts"].contains(&group) && n.bytes().all(|b| b.is_ascii_digit())
        });
    is_shard || [MANIFEST, CARD, TRAINING, ADAPTERS_PTH].contains(&name)
}

fn is_our_record(path: &Path) -> bool {
    #[derive(Deserialize)]
    struct Record {
        program: String,
    }
    let record = fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<Record>(&bytes).ok());
    record.is_some_and(|record| record.program.starts_with(PROGRAM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adapters_and_records_of_others_are_no_bundle() {
        let folder = tempfile::tempdir().unwrap();
        for name in [ADAPTERS_PTH, TRAINING, MANIFEST] {
            let path = folder.path().join(name);
            fs::write(&path, "{}").unwrap();
            let error = check_replaceable(folder.path()).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
            fs::remove_file(path).unwrap();
        }
        check_replaceable(folder.path()).unwrap();
    }

    #[test]
    fn the_names_that_the_writer_gives() {
        for name in ["vision-000.safetensors", "prompts-1234.safetensors", MANIFEST, CARD, TRAINING, ADAPTERS_PTH] {
            assert!(is_file_of_a_bundle(name), "{name}");
        }
        for name in ["vision.safetensors", "mine-000.safetensors", "vision-00a.safetensors", "thesis.txt"] {
            assert!(!is_file_of_a_bundle(name), "{name}");
        }
    }
}
