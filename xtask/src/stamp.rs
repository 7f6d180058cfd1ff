//! Remembers what an output was made from, so that a repeated run does nothing.
//!
//! A stamp is a small text file beside the output. It is fresh while its text equals the key.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The record for one output.
pub struct Stamp {
    file: PathBuf,
    key: String,
}

impl Stamp {
    /// A record in `file` for an output made from `key`.
    pub fn new(file: impl Into<PathBuf>, key: impl Into<String>) -> Self {
        Self { file: file.into(), key: key.into() }
    }

    /// Whether the output was made from this key.
    pub fn is_fresh(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|text| text == self.key)
    }

    /// Records that the output is made. Call it last.
    pub fn write(&self) -> Result<()> {
        fs::write(&self.file, &self.key).with_context(|| format!("{} is not writable", self.file.display()))
    }
}

/// A short text that changes with the bytes. Not for security: stamps only compare own files.
pub fn digest(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The digest of a file's content.
pub fn digest_file(file: &Path) -> Result<String> {
    Ok(digest(&fs::read(file).with_context(|| format!("{} is not readable", file.display()))?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_stamp_is_fresh_only_for_its_own_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stamp");
        assert!(!Stamp::new(&file, "a").is_fresh());
        Stamp::new(&file, "a").write().unwrap();
        assert!(Stamp::new(&file, "a").is_fresh());
        assert!(!Stamp::new(&file, "b").is_fresh());
    }
}
