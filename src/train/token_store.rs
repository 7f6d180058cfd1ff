//! Tokens of every picture before the first adapter, computed once and kept on disk.
//!
//! Comes in: one picture's tokens at a time. Goes out: the same, by number. No adapter has a say in
//! them, so they stay true through the whole training. Fails with [`TrainError::Io`]; a file that
//! was not finished is written again.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::train::error::TrainError;

/// A file of equally long records, being written.
pub struct TokenWriter {
    path: PathBuf,
    unfinished: PathBuf,
    /// `None` where a finished file is there already.
    file: Option<BufWriter<File>>,
}

/// A finished file of equally long records.
pub struct TokenStore {
    path: PathBuf,
    file: File,
    record_len: usize,
}

impl TokenWriter {
    /// Starts a file, unless a finished one is there.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let unfinished = path.with_extension("unfinished");
        let file = if path.exists() {
            None
        } else {
            Some(BufWriter::new(File::create(&unfinished).map_err(|e| TrainError::io(&unfinished, e))?))
        };
        Ok(Self { path: path.to_owned(), unfinished, file })
    }

    /// Whether records are still wanted.
    pub fn is_wanted(&self) -> bool {
        self.file.is_some()
    }

    /// Adds the next record.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn push(&mut self, record: &[f32]) -> Result<(), TrainError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut write = || record.iter().try_for_each(|value| file.write_all(&value.to_le_bytes()));
        write().map_err(|e| TrainError::io(&self.unfinished, e))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn finish(self, record_len: usize) -> Result<TokenStore, TrainError> {
        let io = |e| TrainError::io(&self.path, e);
        if let Some(mut file) = self.file {
            file.flush().map_err(io)?;
            std::fs::rename(&self.unfinished, &self.path).map_err(io)?;
        }
        Ok(TokenStore { file: File::open(&self.path).map_err(io)?, path: self.path.clone(), record_len })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_written_once_and_read_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.f32");
        for round in 0..2 {
            let mut writer = TokenWriter::open(&path).unwrap();
            assert_eq!(writer.is_wanted(), round == 0);
            for n in 0..4 {
                writer.push(&[(n + 10 * round) as f32, 0.5, -1.0]).unwrap();
            }
            let mut store = writer.finish(3).unwrap();
            assert_eq!(store.read(2).unwrap(), [2.0, 0.5, -1.0]);
            assert_eq!(store.read(0).unwrap(), [0.0, 0.5, -1.0]);
            assert!(store.read(4).is_err());
        }
    }

    #[test]
    fn an_unfinished_file_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.f32");
        let mut writer = TokenWriter::open(&path).unwrap();
        writer.push(&[1.0]).unwrap();
        drop(writer);
        let mut writer = TokenWriter::open(&path).unwrap();
        assert!(writer.is_wanted());
        writer.push(&[7.0]).unwrap();
        assert_eq!(writer.finish(1).unwrap().read(0).unwrap(), [7.0]);
    }
}
