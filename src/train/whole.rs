//! Files that are either whole or not there.
//!
//! Comes in: bytes, at once or in pieces. Goes out: a file in its place, moved there when all of it is
//! on the disk. Fails with [`TrainError::Io`]; a file of that name from before is still there then, and
//! nothing is left beside it.

use std::fs::{File, remove_file, rename};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::train::error::TrainError;

/// A file being written beside its place.
pub struct WholeFile {
    path: PathBuf,
    unfinished: PathBuf,
    file: BufWriter<File>,
}

impl WholeFile {
    /// Starts a file that is to appear at `path`.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn create(path: &Path) -> Result<Self, TrainError> {
        let unfinished = path.with_extension("unfinished");
        let file = BufWriter::new(File::create(&unfinished).map_err(|e| TrainError::io(path, e))?);
        Ok(Self { path: path.to_owned(), unfinished, file })
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), TrainError> {
        self.file.write_all(bytes).map_err(|e| TrainError::io(&self.path, e))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn finish(mut self) -> Result<(), TrainError> {
        let mut finish = || {
            self.file.flush()?;
            self.file.get_ref().sync_all()?;
            rename(&self.unfinished, &self.path)
        };
        finish().map_err(|e| TrainError::io(&self.path, e))
    }
}

impl Drop for WholeFile {
    /// A half file helps nobody and may be what fills the disk. A finished one has been moved away.
    fn drop(&mut self) {
        let _ = remove_file(&self.unfinished);
    }
}

/// Writes a whole file.
///
/// # Errors
/// [`TrainError::Io`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let mut file = WholeFile::create(path)?;
    file.write(bytes)?;
    file.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_when_it_is_finished_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        write_whole(&path, b"old").unwrap();
        let mut file = WholeFile::create(&path).unwrap();
        file.write(b"half").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        drop(file);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        write_whole(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
