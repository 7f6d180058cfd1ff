//! Which files a run writes, and that it may write them.
//!
//! Comes in: the folder, the names, the pictures that are read. Goes out: nothing if every file is new
//! or one that this program wrote. Fails with [`BadUsage`] that names the file in the way; nothing is
//! written or computed before.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::npy::is_own_map;
use super::usage::BadUsage;
use crate::disk::WholeFile;
use crate::disk::export_mark::{CONTOURS_END, MAP_END, is_own_export};
use crate::disk::overlay_mark::{OVERLAY_END, is_own_overlay};
use crate::eval::REPORT_MARK;

/// The maps that `--npy` writes.
pub(super) const MAPS: [&str; 3] = ["zero", "memory", "fused"];
/// The mark of a report is within so many bytes.
const REPORT_HEAD_BYTES: u64 = 512;

/// The overlay of a picture whose results are named `stem`.
pub(super) fn overlay_path(out: &Path, stem: &str) -> PathBuf {
    out.join(format!("{stem}{OVERLAY_END}"))
}

/// A map of such a picture.
pub(super) fn map_path(out: &Path, stem: &str, which: &str) -> PathBuf {
    out.join(format!("{stem}.{which}.npy"))
}

/// The map of such a picture as a picture.
pub(super) fn map_picture_path(out: &Path, stem: &str) -> PathBuf {
    out.join(format!("{stem}{MAP_END}"))
}

/// The outlines on such a picture.
pub(super) fn contours_path(out: &Path, stem: &str) -> PathBuf {
    out.join(format!("{stem}{CONTOURS_END}"))
}

/// What is written beside the overlay.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extras {
    pub(super) maps: bool,
    pub(super) map_picture: bool,
    pub(super) contours: bool,
}

/// Checks all files of `predict`. `inputs` are the pictures that are read.
///
/// # Errors
/// [`BadUsage`].
pub(super) fn check_results<'a>(
    out: &Path,
    stems: &[String],
    extras: Extras,
    inputs: impl Iterator<Item = &'a PathBuf>,
) -> Result<()> {
    let inputs: HashSet<PathBuf> = inputs.filter_map(|path| path.canonicalize().ok()).collect();
    let check = |path: PathBuf, is_own: fn(&Path) -> bool| -> Result<()> {
        // A link that leads nowhere is in the way too.
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        let shown = path.display();
        if path.canonicalize().is_ok_and(|path| inputs.contains(&path)) {
            let message =
                format!("{shown} is a picture of this run and a result of another one; choose another --out folder");
            return Err(BadUsage(message).into());
        }
        if !is_own(&path) {
            let message =
                format!("{shown} is there and was not written by mvfa; choose another --out folder, or move it away");
            return Err(BadUsage(message).into());
        }
        Ok(())
    };
    for stem in stems {
        check(overlay_path(out, stem), is_own_overlay)?;
        for which in MAPS.iter().filter(|_| extras.maps) {
            check(map_path(out, stem, which), is_own_map)?;
        }
        let others = [(extras.map_picture, map_picture_path(out, stem)), (extras.contours, contours_path(out, stem))];
        for (_, path) in others.into_iter().filter(|(is_written, _)| *is_written) {
            check(path, is_own_export)?;
        }
    }
    Ok(())
}

/// Checks the file of a report, and that its folder can be written to.
///
/// # Errors
/// [`BadUsage`], or the disk's reason.
pub(super) fn check_report(path: &Path) -> Result<()> {
    let shown = path.display();
    if path.symlink_metadata().is_ok() && !is_own_report(path) {
        let message = format!("{shown} is there and is no report of mvfa; name another --report file, or move it away");
        return Err(BadUsage(message).into());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        let folder = folder.display();
        let message =
            format!("there is no folder {folder} for the report; make it first, or name another --report file");
        return Err(BadUsage(message).into());
    }
    // Begun and given up.
    WholeFile::create(path).map(drop).with_context(|| format!("cannot write {shown}"))
}

fn is_own_report(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(REPORT_HEAD_BYTES).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).contains(REPORT_MARK)
}
