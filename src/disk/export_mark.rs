//! How an exported map or segmentation is recognised.
//!
//! Comes in: a path. Goes out: whether this program wrote the file: a map as PNG by name and text, NIfTI by its description,
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
    // A name alone proves nothing, and neither does a text that other pictures may keep when they are edited.
    let is_named = path.file_name().is_some_and(|name| name.as_encoded_bytes().ends_with(MAP_END.as_bytes()));
    let is_png = is_named && head.starts_with(b"\x89PNG") && holds(MAP_NOTE.1);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_are_known_by_what_is_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let is_own = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            is_own_export(&path)
        };
        let map = mvfa_formats::write::png16(&[0.5], 1, 1).unwrap();
        assert!(is_own("a.map.png", &map) && !is_own("a.png", &map) && !is_own("b.map.png", b"\x89PNG other"));
        assert!(is_own("a.contours.json", b"{\"program\":\"mvfa\",") && !is_own("b.json", b"{}"));
        assert!(!is_own("c.dcm", &[0; 200]) && !is_own("d.nii.gz", b"\x1f\x8b"));
        assert!(!is_own_export(&folder.path().join("none")));
    }
}
