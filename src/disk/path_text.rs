//! Paths as text for programs and lists: two paths never become one.
//!
//! Comes in: a path. Goes out: text. What is no UTF-8 stands there byte by byte. Cannot fail.

use std::path::Path;

/// A path for data that programs read.
pub fn distinct(path: &Path) -> String {
    path.as_os_str().as_encoded_bytes().utf8_chunks().fold(String::new(), |mut text, chunk| {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
        text
    })
}

/// A relative path with `/` between its folders on every system.
pub fn slashed(path: &Path) -> String {
    path.components().map(|part| distinct(Path::new(part.as_os_str()))).collect::<Vec<_>>().join("/")
}
