//! Files beside each other, of which a checkpoint may need several.
//!
//! Comes in: a folder, or whatever else holds files by name. Goes out: readers of them. Fails as the system does. The
//! readers of checkpoints know no paths, so that files without one can be read as well.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

/// Something to read from that can go back and forth.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// Files by name.
pub trait Files {
    /// Names of all, sorted.
    ///
    /// # Errors
    /// The system's.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Opens one.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::NotFound`] if there is none of this name.
    fn open(&self, name: &str) -> io::Result<Box<dyn ReadSeek>>;

    /// Where one is, for messages.
    fn place(&self, name: &str) -> String;

    /// The start of one, up to a number of bytes.
    ///
    /// # Errors
    /// As [`Files::open`].
    fn start(&self, name: &str, limit_bytes: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(name)?.take(limit_bytes).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// A folder of the disk.
pub(super) struct Folder {
    path: PathBuf,
    /// A file of it by its path: a name need not be text.
    given: Option<(String, PathBuf)>,
}

impl Folder {
    /// All files of a folder.
    pub(super) fn whole(path: &Path) -> Self {
        Self { path: path.to_owned(), given: None }
    }

    /// The folder that a file is in, and the file's name there.
    pub(super) fn around(file: &Path) -> (Self, String) {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = file.parent().map(Path::to_owned).unwrap_or_default();
        (Self { path, given: Some((name.clone(), file.to_owned())) }, name)
    }

    fn at(&self, name: &str) -> PathBuf {
        match &self.given {
            Some((given, path)) if given == name => path.clone(),
            _ => self.path.join(name),
        }
    }
}

impl Files for Folder {
    fn names(&self) -> io::Result<Vec<String>> {
        let path = if self.path.as_os_str().is_empty() { Path::new(".") } else { &self.path };
        let entries = fs::read_dir(path)?.filter_map(Result::ok).filter(|entry| !entry.path().is_dir());
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(BufReader::new(File::open(self.at(name))?)))
    }

    fn place(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }
}
