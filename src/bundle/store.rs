//! A bundle in a folder.
//!
//! Comes in: the folder. Goes out: its manifest, and its tensors shard by shard. Fails with
//! [`BundleError`]: a file that is not there, too long, too short or altered is named.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::bundle::error::BundleError;
use crate::bundle::manifest::{FileEntry, Group, MANIFEST_LIMIT_BYTES, Manifest};
use crate::bundle::shard::visit_shard;
use crate::bundle::source::TensorPart;

/// Name of the manifest in a bundle's folder.
pub const MANIFEST: &str = "manifest.json";

/// A bundle whose manifest has been read and checked; its files not yet.
#[derive(Debug)]
pub struct BundleFolder {
    folder: PathBuf,
    manifest: Manifest,
}

impl BundleFolder {
    /// Reads the manifest of a folder.
    ///
    /// # Errors
    /// [`BundleError::MissingFile`], [`BundleError::TooLarge`], [`BundleError::Format`], [`BundleError::Manifest`],
    /// [`BundleError::Io`].
    pub fn open(folder: &Path) -> Result<Self, BundleError> {
        let bytes = read_up_to(&folder.join(MANIFEST), MANIFEST_LIMIT_BYTES + 1)?;
        if bytes.len() as u64 > MANIFEST_LIMIT_BYTES {
            return Err(BundleError::TooLarge { path: MANIFEST.to_owned(), limit_bytes: MANIFEST_LIMIT_BYTES });
        }
        Ok(Self { folder: folder.to_owned(), manifest: Manifest::parse(&bytes)? })
    }

    /// A folder whose manifest is not written yet.
    pub fn with_manifest(folder: &Path, manifest: Manifest) -> Self {
        Self { folder: folder.to_owned(), manifest }
    }

    /// What the bundle is.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Bytes of one file, not checked beyond its size.
    ///
    /// # Errors
    /// [`BundleError::MissingFile`], [`BundleError::Size`], [`BundleError::Io`].
    pub fn read_file(&self, entry: &FileEntry) -> Result<Vec<u8>, BundleError> {
        let path = self.folder.join(&entry.path);
        // One byte more than expected is enough to see that a file is too long.
        let bytes = read_up_to(&path, entry.bytes + 1)?;
        if bytes.len() as u64 != entry.bytes {
            let found = fs::metadata(&path).map_or(bytes.len() as u64, |m| m.len());
            return Err(BundleError::Size { path: entry.path.clone(), expected: entry.bytes, found });
        }
        Ok(bytes)
    }

    /// Gives the tensors of some groups, holding one file at a time.
    ///
    /// # Errors
    /// As [`BundleFolder::read_file`] and [`visit_shard`], and whatever `visit` answers.
    pub fn visit(
        &self,
        groups: &[Group],
        mut visit: impl FnMut(TensorPart) -> Result<(), BundleError>,
    ) -> Result<(), BundleError> {
        for entry in self.manifest.files.iter().filter(|f| groups.contains(&f.group)) {
            visit_shard(entry, &self.read_file(entry)?, &mut visit)?;
        }
        Ok(())
    }

    /// Reads and checks every file.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self) -> Result<(), BundleError> {
        self.visit(&[Group::Vision, Group::Adapters, Group::Text, Group::Prompts], |_| Ok(()))
    }
}

fn read_up_to(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, BundleError> {
    let file = File::open(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => BundleError::MissingFile { path: path.display().to_string() },
        _ => BundleError::io(path, source),
    })?;
    let mut bytes = Vec::new();
    file.take(limit_bytes).read_to_end(&mut bytes).map_err(|e| BundleError::io(path, e))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_that_is_too_long_is_told_as_that() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join(MANIFEST)).unwrap();
        file.set_len(MANIFEST_LIMIT_BYTES + 1).unwrap();
        let error = BundleFolder::open(folder.path()).unwrap_err();
        assert!(matches!(error, BundleError::TooLarge { limit_bytes: MANIFEST_LIMIT_BYTES, .. }), "{error}");
    }
}
