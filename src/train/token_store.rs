//! Tokens of every picture before the first adapter, computed once and kept on disk.
//!
//! Comes in: one picture's tokens at a time. Goes out: the same, by number. They do not depend
//! on the adapters, so they stay valid for the whole run. Fails with [`TrainError::Io`] if they cannot be
//! read, [`TrainError::Save`] if they cannot be written, and with [`TrainError::State`] for a finished
//! file of another length; a file that was not finished is written again.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::disk::WholeFile;
use crate::train::error::TrainError;
use crate::train::state::STATE;

/// A file of equally long records, being written.
pub struct TokenWriter {
    path: PathBuf,
    record_len: usize,
    /// `None` if a finished file is there already.
    file: Option<WholeFile>,
}

/// A finished file of equally long records.
pub struct TokenStore {
    path: PathBuf,
    file: File,
    record_len: usize,
}

impl TokenWriter {
    /// Starts a file of records of `record_len` numbers, unless a finished one is there.
    ///
    /// # Errors
    /// [`TrainError::Save`].
    pub fn open(path: &Path, record_len: usize) -> Result<Self, TrainError> {
        let create = || WholeFile::create(path).map_err(|e| unsaved(path, e));
        let file = if path.exists() { None } else { Some(create()?) };
        Ok(Self { path: path.to_owned(), record_len, file })
    }

    /// Whether records are still wanted.
    pub fn is_wanted(&self) -> bool {
        self.file.is_some()
    }

    /// Adds the next record.
    ///
    /// # Errors
    /// [`TrainError::Save`].
    pub fn push(&mut self, record: &[f32]) -> Result<(), TrainError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut values = record.iter();
        values.try_for_each(|value| file.write_all(&value.to_le_bytes())).map_err(|e| unsaved(&self.path, e))
    }

    /// Puts the file in its place; it must hold `count` records.
    ///
    /// # Errors
    /// [`TrainError::Save`], [`TrainError::Io`], [`TrainError::State`].
    pub fn finish(self, count: usize) -> Result<TokenStore, TrainError> {
        let Self { path, record_len, file } = self;
        file.map(WholeFile::finish).transpose().map_err(|e| unsaved(&path, e))?;
        let io = |e| TrainError::io(&path, e);
        let file = File::open(&path).map_err(io)?;
        let (found, expected) = (file.metadata().map_err(io)?.len(), (count * record_len * size_of::<f32>()) as u64);
        if found != expected {
            let reason = format!("it has {found} bytes, {count} pictures need {expected}");
            return Err(TrainError::State { path: path.display().to_string(), reason });
        }
        Ok(TokenStore { file, path, record_len })
    }
}

impl TokenStore {
    /// Record `n`.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn read(&mut self, n: usize) -> Result<Vec<f32>, TrainError> {
        let mut bytes = vec![0; self.record_len * size_of::<f32>()];
        let start = (n * bytes.len()) as u64;
        let mut read = |file: &mut File| file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut bytes));
        read(&mut self.file).map_err(|e| TrainError::io(&self.path, e))?;
        Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }
}

fn unsaved(path: &Path, source: std::io::Error) -> TrainError {
    TrainError::save(path, &path.with_file_name(STATE), source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_written_once_and_read_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.f32");
        for round in 0..2 {
            let mut writer = TokenWriter::open(&path, 3).unwrap();
            assert_eq!(writer.is_wanted(), round == 0);
            for n in 0..4 {
                writer.push(&[(n + 10 * round) as f32, 0.5, -1.0]).unwrap();
            }
            let mut store = writer.finish(4).unwrap();
            assert_eq!(store.read(2).unwrap(), [2.0, 0.5, -1.0]);
            assert_eq!(store.read(0).unwrap(), [0.0, 0.5, -1.0]);
            assert!(store.read(4).is_err());
        }
    }

    #[test]
    fn a_file_of_another_length_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.f32");
        let mut writer = TokenWriter::open(&path, 2).unwrap();
        writer.push(&[1.0, 2.0]).unwrap();
        writer.finish(1).unwrap();
        for count in [0, 2] {
            let error = TokenWriter::open(&path, 2).unwrap().finish(count).err().unwrap().to_string();
            assert!(error.contains("it has 8 bytes") && error.contains("remove it"), "{error}");
        }
    }

    #[test]
    fn an_unfinished_file_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.f32");
        // As a run leaves it that was killed.
        std::fs::write(folder.path().join(".mvfa-x.unfinished"), b"half").unwrap();
        let mut writer = TokenWriter::open(&path, 1).unwrap();
        assert!(writer.is_wanted());
        writer.push(&[7.0]).unwrap();
        assert_eq!(writer.finish(1).unwrap().read(0).unwrap(), [7.0]);
    }
}
