//! How an overlay that this program drew is recognised.
//!
//! Comes in: a path. Goes out: whether the file there is such an overlay. Its name ends in
//! [`OVERLAY_END`] and the PNG holds the text [`OVERLAY_NOTE`]: a name alone proves nothing. Cannot
//! fail: a file that cannot be read is none.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::export_mark::is_own_export;

/// What the names of overlays end in.
pub const OVERLAY_END: &str = ".overlay.png";
/// Keyword and text of the PNG chunk.
pub const OVERLAY_NOTE: (&str, &str) = ("Software", "mvfa: an anomaly map drawn over its picture");

/// Whether a file is an overlay that this program drew.
pub fn is_own_overlay(path: &Path) -> bool {
    let named = path.file_name().is_some_and(|name| name.as_encoded_bytes().ends_with(OVERLAY_END.as_bytes()));
    named && has_note(path)
}

/// The others, in their order, and how many were overlays or other results that a folder of pictures may hold.
pub fn without_overlays(mut files: Vec<PathBuf>) -> (Vec<PathBuf>, usize) {
    let before = files.len();
    files.retain(|file| !is_own_overlay(file) && !is_own_export(file));
    let passed = before - files.len();
    (files, passed)
}

/// Reads no further than to where the pixels begin.
fn has_note(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let Ok(reader) = png::Decoder::new(BufReader::new(file)).read_info() else { return false };
    let notes = &reader.info().uncompressed_latin1_text;
    notes.iter().any(|note| (note.keyword.as_str(), note.text.as_str()) == OVERLAY_NOTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, note: Option<(&str, &str)>) {
        let mut encoder = png::Encoder::new(File::create(path).unwrap(), 1, 1);
        if let Some((keyword, text)) = note {
            encoder.add_text_chunk(keyword.to_owned(), text.to_owned()).unwrap();
        }
        encoder.write_header().unwrap().write_image_data(&[7]).unwrap();
    }

    #[test]
    fn it_takes_the_name_and_the_note() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        write(&path("a.overlay.png"), Some(OVERLAY_NOTE));
        write(&path("b.overlay.png"), None);
        write(&path("c.overlay.png"), Some(("Software", "another program")));
        write(&path("d.png"), Some(OVERLAY_NOTE));
        std::fs::write(path("e.overlay.png"), "no PNG").unwrap();
        let all: Vec<PathBuf> =
            ["a.overlay.png", "b.overlay.png", "c.overlay.png", "d.png", "e.overlay.png", "f.overlay.png"]
                .map(path)
                .to_vec();
        let (left, passed) = without_overlays(all.clone());
        assert_eq!((left.as_slice(), passed), (&all[1..], 1));
    }
}
