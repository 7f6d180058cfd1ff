//! Pictures that were read, and what is to be known about them.

use super::terminal::tell;
use crate::image::{Note, Rgb8, Shown};

/// A picture as it is analysed, what is to be known about it, and how long reading took.
pub(super) struct Opened {
    pub(super) picture: Rgb8,
    pub(super) notes: Vec<Note>,
    /// The window it is analysed through, if one applies.
    pub(super) shown: Option<Shown>,
    pub(super) decode_ms: f64,
}

/// Tells on standard error what is to be known about a picture.
pub(super) fn tell_notes(name: &str, notes: &[Note]) {
    for note in notes {
        tell(&format!("note: {name}: {note}"));
    }
}
