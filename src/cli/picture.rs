//! Reading picture files.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use super::medical;
use super::terminal::tell;
use crate::disk::{RunWindow, picture_file};
use crate::image::{Note, Rgb8, Shown};

/// A picture as it is analysed, what is to be known about it, and how long reading took.
pub(super) struct Opened {
    pub(super) picture: Rgb8,
    pub(super) notes: Vec<Note>,
    /// The window it is analysed through, if one applies.
    pub(super) shown: Option<Shown>,
    pub(super) decode_ms: f64,
}

/// Reads and decodes a file. `frame` counts from 1 and matters for medical files only.
///
/// # Errors
/// The disk's reason or what is wrong with the content, with the file's name.
pub(super) fn open(path: &Path, frame: Option<usize>, window: &RunWindow) -> Result<Opened> {
    let start = Instant::now();
    let named = || path.display().to_string();
    let (picture, shown, notes) = if medical::is_medical(path) {
        medical::picture(path, frame, window.choice).with_context(named)?
    } else {
        let whole = picture_file::whole(path).with_context(named)?;
        let (picture, shown) = whole.shown(window.choice);
        (picture, shown, whole.notes)
    };
    Ok(Opened { picture, notes, shown, decode_ms: start.elapsed().as_secs_f64() * 1000.0 })
}

/// Tells on standard error what is to be known about a picture.
pub(super) fn tell_notes(path: &Path, notes: &[Note]) {
    for note in notes {
        tell(&format!("note: {}: {note}", path.display()));
    }
}
