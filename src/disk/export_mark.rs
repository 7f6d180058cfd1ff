//! How an exported map or segmentation is recognised.
//!
//! Comes in: a path. Goes out: whether this program wrote the file: a map as PNG by its text, NIfTI by its description,
//! DICOM by the name of the implementation, outlines by their first word. Cannot fail: a file that cannot be read is none.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use mvfa_formats::write::{DESCRIPTION, IMPLEMENTATION, MAP_NOTE};

/// What the names of maps as PNG end in.
pub const MAP_END: &str = ".map.png";
/// What the names of outlines end in.
pub const CONTOURS_END: &str = ".contours.json";

/// Every mark is within so many bytes.
const HEAD_BYTES: u64 = 1024;
const CONTOURS_START: &[u8] = br#"{"program":"mvfa""#;

/// Whether a file is one that this program exported.
pub fn is_own_export(path: &Path) -> bool {
    let Some(head) = head(path) else { return false };
    let holds = |mark: &str| head.windows(mark.len()).any(|part| part == mark.as_bytes());
    let is_dicom = head.get(128..132) == Some(b"DICM") && holds(IMPLEMENTATION);
    let is_png = head.starts_with(b"\x89PNG") && holds(MAP_NOTE.1);
    let is_nifti = head.starts_with(b"\x1f\x8b") && {
        let mut unpacked = Vec::new();
        // What was unpacked before the cut still tells.
        let _ = GzDecoder::new(head.as_slice()).take(HEAD_BYTES).read_to_end(&mut unpacked);
        unpacked.windows(DESCRIPTION.len()).any(|part| part == DESCRIPTION.as_bytes())
    };
    is_dicom || is_png || is_nifti || head.starts_with(CONTOURS_START)
}

fn head(path: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    Some(head)
}
