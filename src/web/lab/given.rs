//! Files that a person chose, read where they lie.
//!
//! Comes in: JavaScript's hold on them. Goes out: [`Files`] for the readers of checkpoints. Fails as a disk does. Reading is
//! synchronous, which only workers may do; no more of a file is held than is asked for.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use wasm_bindgen::prelude::*;

use crate::bundle::error::BundleError;
use crate::bundle::import::files::{Files, ReadSeek};
use crate::web::error::describe;

/// One slice of a file for small reads; larger ones go past it.
const BUFFER_BYTES: usize = 64 * 1024;

#[wasm_bindgen]
extern "C" {
    /// Files by name.
    pub type Given;

    /// All names.
    #[wasm_bindgen(method)]
    fn names(this: &Given) -> Vec<String>;

    /// Bytes of one; none if there is no such file.
    #[wasm_bindgen(method)]
    fn size(this: &Given, name: &str) -> Option<f64>;

    /// Fills `into` with the bytes from an offset on.
    #[wasm_bindgen(method, catch)]
    fn read(this: &Given, name: &str, offset: f64, into: &mut [u8]) -> Result<(), JsValue>;
}

/// The files as the readers take them.
pub(super) struct GivenFiles(pub(super) Rc<Given>);

impl Files for GivenFiles {
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = self.0.names();
        names.sort();
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn ReadSeek>> {
        let Some(size) = self.0.size(name) else { return Err(io::ErrorKind::NotFound.into()) };
        let file = GivenFile { files: self.0.clone(), name: name.to_owned(), bytes: size as u64, at: 0 };
        Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, file)))
    }

    fn place(&self, name: &str) -> String {
        name.to_owned()
    }
}

impl GivenFiles {
    /// Whether there is no file.
    pub(super) fn is_empty(&self) -> bool {
        self.0.names().is_empty()
    }

    /// All of a file, whose size is known.
    pub(super) fn whole(&self, name: &str, size: u64) -> Result<Vec<u8>, BundleError> {
        let missing = || BundleError::MissingFile { path: name.to_owned() };
        let found = self.0.size(name).ok_or_else(missing)? as u64;
        if found != size {
            return Err(BundleError::Size { path: name.to_owned(), expected: size, found });
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        let failed = |e: JsValue| BundleError::io(Path::new(name), io::Error::other(describe(&e)));
        self.0.read(name, 0.0, &mut bytes).map_err(failed)?;
        Ok(bytes)
    }
}

/// One file and a place in it.
struct GivenFile {
    files: Rc<Given>,
    name: String,
    bytes: u64,
    at: u64,
}

impl Read for GivenFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.bytes.saturating_sub(self.at);
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
        let Some(into) = into.get_mut(..count).filter(|into| !into.is_empty()) else { return Ok(0) };
        self.files.read(&self.name, self.at as f64, into).map_err(|e| io::Error::other(describe(&e)))?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for GivenFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
