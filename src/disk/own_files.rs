//! Removing a folder that this program made, and no other files.
//!
//! Comes in: a folder and which file names are its own. Goes out: the folder without them, removed where
//! nothing else is in it. Fails with [`std::io::Error`].

use std::fs;
use std::io;
use std::path::Path;

/// The first name, by sorting, that is not one of the program's own; folders never are.
///
/// # Errors
/// The folder cannot be read.
pub fn stranger(folder: &Path, is_own: impl Fn(&str) -> bool) -> io::Result<Option<String>> {
    let mut strange = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !is_own(&name) || entry.file_type()?.is_dir() {
            strange.push(name);
        }
    }
    Ok(strange.into_iter().min())
}

/// Removes the program's own files, and the folder if that leaves it empty.
///
/// # Errors
/// A file of our own cannot be removed.
pub fn remove_own(folder: &Path, is_own: impl Fn(&str) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_own(&entry.file_name().to_string_lossy()) && !entry.file_type()?.is_dir() {
            fs::remove_file(entry.path())?;
        }
    }
    match fs::remove_dir(folder) {
        Err(e) if e.kind() != io::ErrorKind::DirectoryNotEmpty => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_files_go() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        let own = |name: &str| name.starts_with("own");
        fs::create_dir_all(inner.join("own-folder")).unwrap();
        for name in ["own-a", "own-b", "theirs"] {
            fs::write(inner.join(name), "x").unwrap();
        }
        assert_eq!(stranger(&inner, own).unwrap().as_deref(), Some("own-folder"));
        remove_own(&inner, own).unwrap();
        assert!(inner.join("theirs").exists() && inner.join("own-folder").exists() && !inner.join("own-a").exists());
        fs::remove_file(inner.join("theirs")).unwrap();
        fs::remove_dir(inner.join("own-folder")).unwrap();
        assert_eq!(stranger(&inner, own).unwrap(), None);
        remove_own(&inner, own).unwrap();
        assert!(!inner.exists());
    }
}
