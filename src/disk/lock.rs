//! One process at a time: a lock of the operating system on a small file.
//!
//! Comes in: a path. Goes out: a [`PathLock`] that is held until it is dropped, which also removes the
//! file. A process that ends for any reason releases its lock, so a file that was left behind locks
//! nothing. Fails with [`LockError`].

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use crate::disk::unfinished::Unfinished;

/// A lock that cannot be had.
#[derive(Debug)]
pub enum LockError {
    /// Another process holds it.
    Taken,
    /// The file cannot be made.
    Io(io::Error),
}

/// A lock that is held.
#[derive(Debug)]
pub struct PathLock {
    // Removed before the lock is given up: fields are dropped in this order.
    _path: Unfinished,
    _file: File,
}

impl PathLock {
    /// Takes the lock at `path`, at once or not at all. The file is created if missing.
    ///
    /// # Errors
    /// [`LockError`].
    pub fn take(path: &Path) -> Result<Self, LockError> {
        loop {
            let open = OpenOptions::new().create(true).truncate(false).write(true).open(path);
            let file = open.map_err(LockError::Io)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(LockError::Taken),
                // Some network file systems know no locks; work there is not refused for it.
                Err(TryLockError::Error(_)) => return Ok(Self { _path: Unfinished::new(path), _file: file }),
            }
            // Whoever held it before may have removed the file since it was opened here.
            if is_at(&file, path) {
                return Ok(Self { _path: Unfinished::new(path), _file: file });
            }
        }
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let number = |data: io::Result<std::fs::Metadata>| data.map(|d| (d.dev(), d.ino())).ok();
    number(file.metadata()).is_some_and(|own| Some(own) == number(path.metadata()))
}

/// An open file keeps its name elsewhere.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_and_the_next_may() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        // As a process that was killed leaves it.
        std::fs::write(&path, b"").unwrap();
        let first = PathLock::take(&path).unwrap();
        assert!(matches!(PathLock::take(&path), Err(LockError::Taken)));
        drop(first);
        assert!(!path.exists());
        PathLock::take(&path).unwrap();
        assert!(matches!(PathLock::take(&folder.path().join("no/lock")), Err(LockError::Io(_))));
    }

    #[test]
    fn of_many_at_once_one_at_a_time_has_it() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let (inside, had) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        if let Ok(lock) = PathLock::take(&path) {
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                            had.fetch_add(1, Ordering::SeqCst);
                            inside.fetch_sub(1, Ordering::SeqCst);
                            drop(lock);
                        }
                    }
                });
            }
        });
        assert!(had.into_inner() > 0);
    }
}
