//! Where a bundle is written: a hidden folder beside the target, which takes its place at the end.
//!
//! Until then what was at the target stays whole; a folder that never took its place is removed.
//! Fails with [`BundleError::OutputFolder`] where the target holds anything but a bundle, and with
//! [`BundleError::Io`].

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::bundle::error::BundleError;
use crate::bundle::manifest::Manifest;
use crate::bundle::store::MANIFEST;
use crate::bundle::writer::{ADAPTERS_PTH, TRAINING};

/// Files beside the manifest that it does not list.
const COMPANIONS: [&str; 2] = [TRAINING, ADAPTERS_PTH];

/// The target and the folder that is to become it.
pub(super) struct Place {
    out: PathBuf,
    work: PathBuf,
}

impl Place {
    pub(super) fn new(out: &Path) -> Result<Self, BundleError> {
        check_replaceable(out)?;
        let parent = match out.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(|e| BundleError::io(parent, e))?;
        let parent = parent.canonicalize().map_err(|e| BundleError::io(parent, e))?;
        // `canonicalize` also resolves a target like `.` or `..`, which has no name of its own.
        let out = match (out.canonicalize(), out.file_name()) {
            (Ok(existing), _) => existing,
            (Err(_), Some(name)) => parent.join(name),
            (Err(source), None) => return Err(BundleError::io(out, source)),
        };
        let work = sibling(&out, "writing")?;
        if work.exists() {
            fs::remove_dir_all(&work).map_err(|e| BundleError::io(&work, e))?;
        }
        fs::create_dir(&work).map_err(|e| BundleError::io(&work, e))?;
        Ok(Self { out, work })
    }

    /// The folder to write to.
    pub(super) fn work(&self) -> &Path {
        &self.work
    }

    /// Writes one file from its pieces.
    pub(super) fn write(&self, name: &str, pieces: &[&[u8]]) -> Result<(), BundleError> {
        let path = self.work.join(name);
        let write = || {
            let mut file = File::create(&path)?;
            pieces.iter().try_for_each(|piece| file.write_all(piece))?;
            file.sync_all()
        };
        write().map_err(|e| BundleError::io(&path, e))
    }

    /// Moves the folder to the target.
    pub(super) fn take_over(&self) -> Result<(), BundleError> {
        check_replaceable(&self.out)?;
        let moved = |from: &Path, to: &Path| fs::rename(from, to).map_err(|e| BundleError::io(to, e));
        if !self.out.exists() {
            return moved(&self.work, &self.out);
        }
        let old = sibling(&self.out, "replaced")?;
        moved(&self.out, &old)?;
        if let Err(error) = moved(&self.work, &self.out) {
            moved(&old, &self.out)?;
            return Err(error);
        }
        fs::remove_dir_all(&old).map_err(|e| BundleError::io(&old, e))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // After a finished bundle the folder has moved and there is nothing to remove.
        let _ = fs::remove_dir_all(&self.work);
    }
}

/// A hidden name beside `out`. The process number keeps two conversions apart.
fn sibling(out: &Path, what: &str) -> Result<PathBuf, BundleError> {
    match out.file_name() {
        Some(name) => Ok(out.with_file_name(format!(".{}.{what}-{}", name.to_string_lossy(), std::process::id()))),
        None => Err(BundleError::OutputFolder {
            path: out.display().to_string(),
            reason: "it is the root of the file system".to_owned(),
        }),
    }
}

/// Only nothing, an empty folder, or a bundle with no stranger's files may be replaced.
fn check_replaceable(out: &Path) -> Result<(), BundleError> {
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
    let ours = |name: &String| {
        manifest
            .as_ref()
            .is_some_and(|m| name == MANIFEST || *name == m.card || m.files.iter().any(|f| f.path == *name))
            || COMPANIONS.contains(&name.as_str())
    };
    match names.iter().find(|name| !ours(name)) {
        Some(name) => Err(refuse(format!("it holds {name}, which is no part of a bundle"))),
        None => Ok(()),
    }
}
