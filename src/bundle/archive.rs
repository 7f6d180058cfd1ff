//! A bundle in one `.zip`, as the page saves it.
//!
//! Comes in: the archive. Goes out: its files by name. Fails with [`BundleError`]: a file that is not there, or one that
//! cannot be unpacked. No more of a file is unpacked than is asked for.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::bundle::error::BundleError;
use crate::bundle::writer::MANIFEST;

/// An open archive.
#[derive(Debug)]
pub(super) struct Archive {
    zip: Mutex<ZipArchive<BufReader<File>>>,
    /// The folder in it that holds the manifest, with its slash.
    folder: String,
}

impl Archive {
    /// Opens a file, if it is an archive.
    pub(super) fn open(path: &Path) -> Result<Self, BundleError> {
        let file = File::open(path).map_err(|e| BundleError::io(path, e))?;
        let place = path.display().to_string();
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|e| unreadable(&place, &e))?;
        let is_manifest = |name: &&str| *name == MANIFEST || name.ends_with(&format!("/{MANIFEST}"));
        let manifest = zip.file_names().filter(is_manifest).min_by_key(|name| name.len());
        let Some(folder) = manifest.and_then(|name| name.strip_suffix(MANIFEST)).map(str::to_owned) else {
            return Err(BundleError::MissingFile { path: format!("{place}/{MANIFEST}") });
        };
        Ok(Self { zip: Mutex::new(zip), folder })
    }

    /// The start of a file, up to a number of bytes.
    pub(super) fn read_up_to(&self, name: &str, limit_bytes: u64) -> Result<Vec<u8>, BundleError> {
        let mut zip = self.zip.lock().unwrap_or_else(PoisonError::into_inner);
        let file = zip.by_name(&format!("{}{name}", self.folder)).map_err(|error| match error {
            ZipError::FileNotFound => BundleError::MissingFile { path: name.to_owned() },
            error => unreadable(name, &error),
        })?;
        let mut bytes = Vec::new();
        file.take(limit_bytes).read_to_end(&mut bytes).map_err(|e| unreadable(name, &e))?;
        Ok(bytes)
    }
}

fn unreadable(path: &str, reason: &dyn std::fmt::Display) -> BundleError {
    BundleError::Shard { path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    #[test]
    fn files_beside_the_manifest_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.zip");
        let write = |names: &[&str]| {
            let mut zip = ZipWriter::new(File::create(&path).unwrap());
            for name in names {
                zip.start_file(*name, SimpleFileOptions::default()).unwrap();
                zip.write_all(name.as_bytes()).unwrap();
            }
            zip.finish().unwrap();
        };
        write(&["brain/manifest.json", "brain/vision-000.safetensors", "vision-000.safetensors"]);
        let archive = Archive::open(&path).unwrap();
        assert_eq!(archive.read_up_to("vision-000.safetensors", 5).unwrap(), b"brain");
        assert!(matches!(archive.read_up_to("text", 5), Err(BundleError::MissingFile { .. })));
        write(&["readme.md"]);
        assert!(matches!(Archive::open(&path), Err(BundleError::MissingFile { .. })));
        std::fs::write(&path, "no archive").unwrap();
        assert!(matches!(Archive::open(&path), Err(BundleError::Shard { .. })));
    }
}
