//! Where a bundle is written: a hidden folder beside the target, which takes its place at the end.
//!
//! Until then what was at the target stays whole; a folder that never took its place is removed, by the
//! next run if a process was killed. One process at a time writes to a target. Fails with
//! [`BundleError::OutputFolder`] if the target holds anything but a bundle, [`BundleError::Busy`] where
//! another process writes to it, and with [`BundleError::Io`].

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::bundle::error::BundleError;
use crate::bundle::writer::output::Output;
use crate::bundle::writer::replaceable::{check_replaceable, is_file_of_a_bundle};
use crate::disk::own_files::remove_own;
use crate::disk::{LockError, PathLock, Unfinished};

/// The target and the folder that is to become it.
pub struct Place {
    out: PathBuf,
    // Before the lock: fields are dropped in this order.
    work: Option<Unfinished>,
    work_folder: PathBuf,
    _lock: PathLock,
}

impl Place {
    /// Takes hold of the target.
    ///
    /// # Errors
    /// As in the module's description.
    pub fn new(out: &Path) -> Result<Self, BundleError> {
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
        let lock = sibling(&out, "lock")?;
        let lock = PathLock::take(&lock).map_err(|error| match error {
            LockError::Taken => BundleError::Busy { path: out.display().to_string() },
            LockError::Io(error) => BundleError::io(&lock, error),
        })?;
        sweep(&out)?;
        let work = own_sibling(&out, WRITING)?;
        let make = || fs::create_dir(&work).map(|()| (work.clone(), ()));
        let (unfinished, ()) = Unfinished::make(make).map_err(|e| BundleError::io(&work, e))?;
        Ok(Self { out, work: Some(unfinished), work_folder: work, _lock: lock })
    }

    /// The folder to write to.
    pub(super) fn work(&self) -> &Path {
        &self.work_folder
    }
}

impl Output for Place {
    fn write(&mut self, name: &str, pieces: &[&[u8]]) -> Result<(), BundleError> {
        let path = self.work_folder.join(name);
        let write = || {
            let mut file = File::create(&path)?;
            pieces.iter().try_for_each(|piece| file.write_all(piece))?;
            file.sync_all()
        };
        write().map_err(|e| BundleError::io(&path, e))
    }

    fn complete(&mut self) -> Result<(), BundleError> {
        check_replaceable(&self.out)?;
        let Some(work) = self.work.take() else { return Ok(()) };
        work.settle(|work| replace(work, &self.out))
    }
}

/// Moves `work` to `out`. A bundle that is there goes when the new one is in its place.
fn replace(work: &Path, out: &Path) -> Result<(), BundleError> {
    let moved = |from: &Path, to: &Path| fs::rename(from, to).map_err(|e| BundleError::io(to, e));
    if !out.exists() {
        return moved(work, out);
    }
    let old = own_sibling(out, REPLACED)?;
    moved(out, &old)?;
    // A file may have been put into it since the first check; it would be lost under this name.
    if let Err(error) = check_replaceable(&old).and_then(|()| moved(work, out)) {
        moved(&old, out)?;
        return Err(error);
    }
    fs::remove_dir_all(&old).map_err(|e| BundleError::io(&old, e))
}

/// Of a folder that is to become the target, and of a bundle that was there.
const WRITING: &str = "writing";
const REPLACED: &str = "replaced";

/// Cleans up after killed processes; no other process writes to this target now.
fn sweep(out: &Path) -> Result<(), BundleError> {
    for folder in left_over(out, REPLACED)? {
        if !out.exists() {
            // Killed between two moves: the old bundle is the only one.
            fs::rename(&folder, out).map_err(|e| BundleError::io(&folder, e))?;
        } else {
            remove_own(&folder, is_file_of_a_bundle).map_err(|e| BundleError::io(&folder, e))?;
        }
    }
    for folder in left_over(out, WRITING)? {
        remove_own(&folder, is_file_of_a_bundle).map_err(|e| BundleError::io(&folder, e))?;
    }
    Ok(())
}

/// Folders beside `out` as [`own_sibling`] names them.
fn left_over(out: &Path, what: &str) -> Result<Vec<PathBuf>, BundleError> {
    let start = sibling(out, what)?;
    let (Some(folder), Some(start)) = (start.parent(), start.file_name()) else { return Ok(Vec::new()) };
    let start = format!("{}-", start.to_string_lossy());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| BundleError::io(folder, e))? {
        let entry = entry.map_err(|e| BundleError::io(folder, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = name.strip_prefix(&start).unwrap_or_default();
        if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && entry.path().is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// A hidden name beside `out` for this process.
fn own_sibling(out: &Path, what: &str) -> Result<PathBuf, BundleError> {
    sibling(out, &format!("{what}-{}", std::process::id()))
}

/// A hidden name beside `out`.
fn sibling(out: &Path, what: &str) -> Result<PathBuf, BundleError> {
    match out.file_name() {
        Some(name) => Ok(out.with_file_name(format!(".{}.{what}", name.to_string_lossy()))),
        None => Err(BundleError::OutputFolder {
            path: out.display().to_string(),
            reason: "it is the root of the file system".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::store::MANIFEST;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_killed_processes_left_goes_and_other_folders_stay() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, file: &str| {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join(file), "x").unwrap();
        };
        make(".m.writing-17", "vision-000.safetensors");
        make(".m.writing-18", "thesis.txt");
        make(".m.writing-mine", "vision-000.safetensors");
        make(".n.writing-17", "vision-000.safetensors");
        let place = Place::new(&folder.path().join("m")).unwrap();
        assert!(Place::new(&folder.path().join("n")).is_ok(), "another target");
        let busy = Place::new(&folder.path().join("m")).err().unwrap();
        assert!(matches!(busy, BundleError::Busy { .. }), "{busy}");
        drop(place);
        assert_eq!(names(folder.path()), [".m.writing-18", ".m.writing-mine"]);
    }

    #[test]
    fn a_bundle_that_was_moved_away_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join(".m.replaced-17");
        fs::create_dir(&old).unwrap();
        fs::write(old.join(MANIFEST), "x").unwrap();
        drop(Place::new(&folder.path().join("m")));
        assert_eq!(names(folder.path()), ["m"]);
        assert_eq!(names(&folder.path().join("m")), [MANIFEST]);
    }
}
