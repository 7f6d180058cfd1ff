//! Which files the user means.
//!
//! Comes in: paths as typed. Goes out: picture files in a fixed order. Overlays of an earlier run are no pictures.
//! Fails with the path and what to type instead.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::medical::{is_medical, lack_of_picture, without_picture};
use super::terminal::tell;
use super::usage::BadUsage;
use crate::disk::export_mark::is_own_export;
use crate::disk::overlay_mark::{is_own_overlay, without_overlays};
pub(super) use crate::disk::path_text::distinct;
use crate::disk::picture_file::is_picture;
use crate::image::FILE_ENDINGS;

/// Picture files, and how many overlays of an earlier run were passed over.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Expanded {
    pub(super) files: Vec<PathBuf>,
    pub(super) overlays: usize,
    /// Those of `files` that were found in a folder.
    pub(super) in_folders: HashSet<PathBuf>,
}

/// Files as they are, folders as their picture files sorted by name. A path that is not there stays,
/// to be reported when it is read.
///
/// # Errors
/// A folder that cannot be read, or has no picture in it.
pub(super) fn expand(paths: &[PathBuf]) -> Result<Expanded> {
    let mut files = Vec::new();
    let mut in_folders = HashSet::new();
    for path in paths {
        if path.is_dir() {
            let inside = pictures_in(path)?;
            in_folders.extend(inside.iter().cloned());
            files.extend(inside);
        } else {
            files.push(path.clone());
        }
    }
    let (files, overlays) = without_overlays(files);
    Ok(Expanded { files, overlays, in_folders })
}

/// Reports that overlays were skipped, if there were any.
pub(super) fn tell_overlays(count: usize) {
    match count {
        0 => {}
        1 => tell("note: one overlay that mvfa drew is passed over"),
        _ => tell(&format!("note: {count} overlays that mvfa drew are passed over")),
    }
}

fn pictures_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, folders) = inside(folder)?;
    files.retain(|path| is_picture(path) || is_medical(path));
    // Neither the directory of a disc nor a report says that the pictures are here.
    let lacks = |files: &[PathBuf]| files.iter().filter_map(|path| lack_of_picture(path)).collect::<Vec<_>>();
    let is_source = |path: &PathBuf| !is_own(path) && lack_of_picture(path).is_none();
    if files.iter().any(is_source) {
        if has_medical_below(folders) {
            tell(&format!(
                "note: {}: there are medical files in folders inside it, too, which are not looked at; name these folders to add them",
                folder.display()
            ));
        }
        files.sort();
        return Ok(files);
    }
    let below = medical_below(folders)?;
    if !below.iter().any(is_source) {
        let without = lacks(&[files.as_slice(), below.as_slice()].concat());
        let endings = FILE_ENDINGS.join(", ");
        let found = match without.as_slice() {
            // Results of earlier runs, which have a message of their own.
            [] if !files.is_empty() => return Ok(files),
            [] => String::new(),
            without => format!("; found are {}", without_picture(without)),
        };
        return Err(BadUsage(format!(
            "there is no picture in {} (looked for {endings}, not in folders inside it, and for DICOM, NIfTI, NRRD and MetaImage{found}); name the folder with the pictures",
            folder.display()
        ))
        .into());
    }
    files.extend(below);
    files.sort();
    Ok(files)
}

/// Medical files in a folder and in all folders inside it, sorted by name, without results of earlier runs.
///
/// # Errors
/// A folder that cannot be read, or has none.
pub(super) fn medical_in(folder: &Path) -> Result<Vec<PathBuf>> {
    inside(folder)?;
    let (mut files, _) = without_overlays(medical_below(vec![folder.to_owned()])?);
    if files.is_empty() {
        return Err(BadUsage(format!(
            "there is no DICOM, NIfTI, NRRD or MetaImage file in {} or in folders inside it; name the folder with the pictures",
            folder.display()
        ))
        .into());
    }
    files.sort();
    Ok(files)
}

/// Whether there are medical files in folders at any depth, as far as a short look tells.
fn has_medical_below(mut folders: Vec<PathBuf>) -> bool {
    /// A look takes no longer than this many files.
    const MOST_FILES: usize = 1000;
    let mut looked_at = 0;
    while let Some(folder) = folders.pop() {
        let Ok((files, below)) = inside(&folder) else { continue };
        folders.extend(below);
        for path in files {
            if is_medical(&path) && !is_own(&path) {
                return true;
            }
            looked_at += 1;
            if looked_at >= MOST_FILES {
                return false;
            }
        }
    }
    false
}

/// Whether an earlier run made the file.
fn is_own(path: &Path) -> bool {
    is_own_overlay(path) || is_own_export(path)
}

/// Medical files in folders at any depth: a study often has one for each series. Plain pictures are not looked for there.
fn medical_below(mut folders: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let (files, below) = inside(&folder)?;
        found.extend(files.into_iter().filter(|path| is_medical(path)));
        folders.extend(below);
    }
    Ok(found)
}

/// The files and the folders in a folder, but not what is hidden.
fn inside(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let cannot = || format!("cannot read the folder {}", folder.display());
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        if path.is_file() {
            files.push(path);
        } else if entry.file_type().with_context(cannot)?.is_dir() {
            // Links to folders are not followed: they may lead in a circle.
            folders.push(path);
        }
    }
    Ok((files, folders))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_become_their_sorted_pictures() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.PNG", "a.jpg", "notes.txt", ".hidden.png"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let typed = PathBuf::from("not-there.dat");
        let found = expand(&[typed.clone(), folder.path().to_owned()]).unwrap();
        assert_eq!(found.files, [typed, folder.path().join("a.jpg"), folder.path().join("b.PNG")]);
        assert_eq!(found.overlays, 0);
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_stay_apart() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let shown = |name: &[u8]| distinct(Path::new(OsStr::from_bytes(name)));
        assert_eq!((shown(b"\xff.png"), shown(b"\xfe.png")), ("\\xff.png".to_owned(), "\\xfe.png".to_owned()));
        assert_eq!(shown("ü/a.png".as_bytes()), "ü/a.png");
    }

    #[test]
    fn a_folder_without_pictures_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let message = expand(&[folder.path().to_owned()]).unwrap_err().to_string();
        assert!(message.contains("no picture") && message.contains("png"), "{message}");
    }
}
