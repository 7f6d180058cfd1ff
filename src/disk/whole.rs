//! Files that are either whole or not there.
//!
//! Comes in: bytes, at once or in pieces. Goes out: a file in its place, moved there when all of it is on
//! the disk. Fails with [`std::io::Error`]; a file of that name from before is still there then, and
//! nothing is left beside it. A process that is killed may leave a hidden file, whose name
//! [`is_unfinished`] knows.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::disk::unfinished::Unfinished;

/// Around the random part of a file's name while it is written: hidden, so that it is taken for nothing.
const PREFIX: &str = ".mvfa-";
const SUFFIX: &str = ".unfinished";

/// A file being written beside its place.
pub struct WholeFile {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
    /// Its own way to remove the file: the one of `file` does not run when the process is told to stop.
    unfinished: Unfinished,
}

impl WholeFile {
    /// Starts a file that is to appear at `path`.
    ///
    /// # Errors
    /// The folder is not there or cannot be written to.
    pub fn create(path: &Path) -> io::Result<Self> {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any other new file has them; a temporary one would be for its owner alone.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let make = || builder.tempfile_in(folder).map(|file| (file.path().to_owned(), file));
        let (unfinished, file) = Unfinished::make(make)?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), unfinished })
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// A full disk, or a folder of that name.
    pub fn finish(self) -> io::Result<()> {
        let Self { path, file, unfinished } = self;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        unfinished.settle(|_| file.persist(&path).map(drop).map_err(|e| e.error))
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a whole file.
///
/// # Errors
/// As [`WholeFile`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = WholeFile::create(path)?;
    file.write_all(bytes)?;
    file.finish()
}

/// Whether a file name is one that a killed process may have left.
pub fn is_unfinished(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_when_it_is_finished_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        let names = || -> Vec<String> {
            std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
        };
        write_whole(&path, b"old").unwrap();
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(names().iter().filter(|name| is_unfinished(name)).count(), 1, "{:?}", names());
        drop(file);
        assert_eq!(names(), ["a.bin"]);
        write_whole(&path, b"new").unwrap();
        assert_eq!((names(), std::fs::read(&path).unwrap()), (vec!["a.bin".to_owned()], b"new".to_vec()));
        // Nothing can take the place of a folder.
        let inner = folder.path().join("inner");
        std::fs::create_dir_all(inner.join("x")).unwrap();
        assert!(write_whole(&inner, b"new").is_err());
        assert_eq!(names().len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_it_as_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        std::fs::write(folder.path().join("plain"), b"x").unwrap();
        write_whole(&folder.path().join("whole"), b"x").unwrap();
        assert_eq!(mode("plain"), mode("whole"));
    }
}
