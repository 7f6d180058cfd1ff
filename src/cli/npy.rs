//! How a map as a NumPy array is known again.
//!
//! Comes in: a path. Goes out: whether `mvfa_formats::write::npy` wrote the file. The format has no room for a note; a map is
//! recognised by its header, which has more spaces than other programs write.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes before the header: magic, version, length.
const PREFIX_BYTES: usize = 10;

/// Where data of a map starts.
const DATA_START_BYTES: usize = 192;

/// What a header of this kind begins with.
const HEADER_START: &str = "{'descr': '<f4', 'fortran_order': False, 'shape': (";

/// Whether a file is a map that this program wrote.
pub(super) fn is_own_map(path: &Path) -> bool {
    let mut head = [0; DATA_START_BYTES];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    let (prefix, header) = head.split_at(PREFIX_BYTES);
    let length = prefix.last_chunk().map_or(0, |bytes| usize::from(u16::from_le_bytes(*bytes)));
    read.is_ok() && length == header.len() && header.starts_with(HEADER_START.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        std::fs::write(&path, mvfa_formats::write::npy(&[1.0; 6], &[2, 3]).unwrap()).unwrap();
        assert!(is_own_map(&path));
        // As NumPy writes the same values.
        let mut other = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        other.extend(format!("{:117}\n", format!("{HEADER_START}2, 3), }}")).bytes());
        other.extend([0; 24]);
        std::fs::write(&path, &other).unwrap();
        assert!(!is_own_map(&path));
        other.extend([0; 200]);
        std::fs::write(&path, &other).unwrap();
        assert!(!is_own_map(&path));
        assert!(!is_own_map(folder.path()));
    }
}
