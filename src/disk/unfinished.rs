//! What is not finished yet, so that a process that is asked to stop can remove it.
//!
//! Comes in: paths of files and folders that are being written. Goes out: nothing of them, unless they
//! were put in their place. A destructor does not run when a signal ends the process, so the paths stand
//! in one list, which [`remove_all`] goes through. Cannot fail: what cannot be removed stays.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

static LIST: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The main thread may make one more file while a folder is being removed.
const ATTEMPTS: usize = 5;

/// A file or folder that is removed when this is dropped or the process is asked to stop.
#[derive(Debug)]
pub struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// Puts a path on the list.
    pub fn new(path: &Path) -> Self {
        list().insert(path.to_owned());
        Self { path: path.to_owned() }
    }

    /// Makes something and puts its path on the list. A process that is told to stop waits meanwhile, so
    /// that nothing is made without being on it.
    ///
    /// # Errors
    /// What `make` answers.
    pub fn make<T, E>(make: impl FnOnce() -> Result<(PathBuf, T), E>) -> Result<(Self, T), E> {
        let mut list = list();
        let (path, made) = make()?;
        list.insert(path.clone());
        Ok((Self { path }, made))
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the thing in its place. A process that is told to stop waits meanwhile, so that it sees the
    /// state before or the state after. Afterwards nothing at the old path is removed any more.
    ///
    /// # Errors
    /// What `place` answers; the thing is removed then.
    pub fn settle<T, E>(self, place: impl FnOnce(&Path) -> Result<T, E>) -> Result<T, E> {
        let mut list = list();
        let done = place(&self.path);
        if done.is_ok() {
            list.remove(&self.path);
        }
        drop(list);
        done
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let mut list = list();
        // A settled path may belong to another process by now.
        if list.remove(&self.path) {
            remove(&self.path);
        }
    }
}

/// Removes everything on the list, and keeps the list locked so that nothing is added or settled any more.
/// For a process that ends now: code that wants to finish something blocks until then.
pub fn remove_all() {
    let list = list();
    for path in list.iter() {
        (0..ATTEMPTS).any(|_| {
            remove(path);
            !path.exists()
        });
    }
    std::mem::forget(list);
}

fn list() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remove(path: &Path) {
    // What is not there, or cannot be removed, is left to the next run's sweep.
    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_settled_goes_and_what_is_settled_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (file, inner) = (folder.path().join("half"), folder.path().join("folder"));
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("a"), "x").unwrap();
        fs::write(&file, "x").unwrap();
        let unfinished = [Unfinished::new(&file), Unfinished::new(&inner)];
        drop(unfinished);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

        fs::write(&file, "x").unwrap();
        let place = folder.path().join("whole");
        Unfinished::new(&file).settle(|from| fs::rename(from, &place)).unwrap();
        fs::write(&file, "of somebody else").unwrap();
        assert!(place.exists() && file.exists());

        let failed: Result<(), ()> = Unfinished::new(&file).settle(|_| Err(()));
        assert!(failed.is_err() && !file.exists());
    }
}
