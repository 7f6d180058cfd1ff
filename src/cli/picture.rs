//! Reading picture files.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::disk::picture_file;
use crate::image::{Rgb8, WindowChoice};

/// A picture as it is analysed, and how long reading took.
pub(super) struct Opened {
    pub(super) picture: Rgb8,
    pub(super) decode_ms: f64,
}

/// Reads and decodes a file.
///
/// # Errors
/// The disk's reason or what is wrong with the content, with the file's name.
pub(super) fn open(path: &Path, window: WindowChoice) -> Result<Opened> {
    let start = Instant::now();
    let picture = picture_file::open(path, window).with_context(|| path.display().to_string())?;
    Ok(Opened { picture, decode_ms: start.elapsed().as_secs_f64() * 1000.0 })
}
