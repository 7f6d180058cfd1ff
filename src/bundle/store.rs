//! A bundle in a folder, or in one `.zip`.
//!
//! Comes in: the folder, or the archive. Goes out: its manifest, and its tensors shard by shard. Fails with
//! [`BundleError`]: a file that is not there, too long, too short or altered is named.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::bundle::archive::Archive;
use crate::bundle::error::BundleError;
use crate::bundle::manifest::{FileEntry, Group, MANIFEST_LIMIT_BYTES, Manifest};
use crate::bundle::shard::visit_shard;
use crate::bundle::source::TensorPart;

pub use crate::bundle::writer::MANIFEST;

/// More than any card has.
const CARD_LIMIT_BYTES: u64 = 1 << 20;

/// A bundle whose manifest has been read and checked; its files not yet.
#[derive(Debug)]
pub struct BundleFolder {
    folder: PathBuf,
    archive: Option<Archive>,
    manifest: Manifest,
}

impl BundleFolder {
    /// Reads the manifest of a folder, or of an archive.
    ///
    /// # Errors
    /// [`BundleError::MissingFile`], [`BundleError::TooLarge`], [`BundleError::Format`], [`BundleError::Manifest`],
    /// [`BundleError::Io`].
    pub fn open(folder: &Path) -> Result<Self, BundleError> {
        let archive = if folder.is_file() { Some(Archive::open(folder)?) } else { None };
        let limit_bytes = MANIFEST_LIMIT_BYTES + 1;
        let bytes = match &archive {
            Some(archive) => archive.read_up_to(MANIFEST, limit_bytes)?,
            None => read_up_to(&folder.join(MANIFEST), limit_bytes)?,
        };
        if bytes.len() as u64 > MANIFEST_LIMIT_BYTES {
            return Err(BundleError::TooLarge { path: MANIFEST.to_owned(), limit_bytes: MANIFEST_LIMIT_BYTES });
        }
        Ok(Self { folder: folder.to_owned(), archive, manifest: Manifest::parse(&bytes)? })
    }

    /// A folder whose manifest is not written yet.
    pub fn with_manifest(folder: &Path, manifest: Manifest) -> Self {
        Self { folder: folder.to_owned(), archive: None, manifest }
    }

    /// What the bundle is.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The folder, or the archive.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Bytes of one file, not checked beyond its size.
    ///
    /// # Errors
    /// [`BundleError::MissingFile`], [`BundleError::Size`], [`BundleError::Io`].
    pub fn read_file(&self, entry: &FileEntry) -> Result<Vec<u8>, BundleError> {
        let Some(archive) = &self.archive else { return read_file(&self.folder, entry) };
        let bytes = archive.read_up_to(&entry.path, entry.bytes + 1)?;
        if bytes.len() as u64 != entry.bytes {
            let found = bytes.len() as u64;
            return Err(BundleError::Size { path: entry.path.clone(), expected: entry.bytes, found });
        }
        Ok(bytes)
    }

    /// The text of its card; empty if there is none.
    pub fn card(&self) -> String {
        let name = &self.manifest.card;
        let bytes = match &self.archive {
            Some(archive) => archive.read_up_to(name, CARD_LIMIT_BYTES),
            None => read_up_to(&self.folder.join(name), CARD_LIMIT_BYTES),
        };
        bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
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

/// Bytes of one file of a folder, not checked beyond its size.
///
/// # Errors
/// As [`BundleFolder::read_file`].
pub fn read_file(folder: &Path, entry: &FileEntry) -> Result<Vec<u8>, BundleError> {
    let path = folder.join(&entry.path);
    // One byte more than expected is enough to see that a file is too long.
    let bytes = read_up_to(&path, entry.bytes + 1)?;
    if bytes.len() as u64 != entry.bytes {
        let found = fs::metadata(&path).map_or(bytes.len() as u64, |m| m.len());
        return Err(BundleError::Size { path: entry.path.clone(), expected: entry.bytes, found });
    }
    Ok(bytes)
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
