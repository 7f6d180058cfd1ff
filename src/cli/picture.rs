//! Reading picture files.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::image::{Limits, Rgb8, WindowChoice, decode};

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
    read(path, window).with_context(|| path.display().to_string())
}

fn read(path: &Path, window: WindowChoice) -> Result<Opened> {
    let start = Instant::now();
    let limits = Limits::default();
    let mut bytes = Vec::new();
    // One byte more than allowed is enough to see that the file is too large.
    File::open(path)?.take(limits.max_file_bytes as u64 + 1).read_to_end(&mut bytes)?;
    let picture = decode(&bytes, &limits)?.to_rgb8(window);
    Ok(Opened { picture, decode_ms: start.elapsed().as_secs_f64() * 1000.0 })
}
