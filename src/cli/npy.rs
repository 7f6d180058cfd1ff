//! Maps as NumPy arrays.
//!
//! Format 1.0: magic, version, length of the header, the header as a Python literal padded with
//! spaces to a multiple of 64 bytes, then the values, little-endian
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>). The format has no room for a
//! note; a map is recognised by its header, which has more spaces than other programs write.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// Bytes before the header: magic, version, length.
const PREFIX_BYTES: usize = 10;

/// Where data starts: a multiple of 64, as the format asks for, and one more than a header of this kind needs.
const DATA_START_BYTES: usize = 192;

/// What a header of this kind begins with.
const HEADER_START: &str = "{'descr': '<f4', 'fortran_order': False, 'shape': (";

/// Writes `values` as an f32 array `[rows, columns]`, row-major.
///
/// # Errors
/// The error of `out`; [`io::ErrorKind::InvalidInput`] if the sizes do not fit.
pub(super) fn write_npy(out: &mut impl Write, values: &[f32], rows: usize, columns: usize) -> io::Result<()> {
    if values.len() != rows * columns {
        let what = format!("{} values do not fill {rows} x {columns}", values.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    let mut header = format!("{HEADER_START}{rows}, {columns}), }}");
    let unpadded = PREFIX_BYTES + header.len() + 1;
    header.extend(std::iter::repeat_n(' ', DATA_START_BYTES.saturating_sub(unpadded)));
    header.push('\n');
    let length = u16::try_from(header.len()).map_err(io::Error::other)?;
    let mut bytes = Vec::with_capacity(PREFIX_BYTES + header.len() + 4 * values.len());
    bytes.extend_from_slice(b"\x93NUMPY\x01\x00");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    out.write_all(&bytes)
}

/// Whether a file is a map that [`write_npy`] wrote.
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
        let mut bytes = Vec::new();
        write_npy(&mut bytes, &[1.0; 6], 2, 3).unwrap();
        std::fs::write(&path, &bytes).unwrap();
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

    #[test]
    fn layout_is_numpys() {
        let mut bytes = Vec::new();
        write_npy(&mut bytes, &[1.0, -2.5, 0.0, 3.0, 4.0, 5.0], 2, 3).unwrap();
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!((PREFIX_BYTES + header) % 64, 0);
        let text = std::str::from_utf8(&bytes[10..10 + header]).unwrap();
        assert!(text.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"), "{text}");
        assert!(text.ends_with('\n'));
        assert_eq!(bytes.len(), 10 + header + 24);
        assert_eq!(bytes[10 + header + 4..][..4], (-2.5f32).to_le_bytes());
    }

    #[test]
    fn wrong_sizes_are_refused() {
        assert!(write_npy(&mut Vec::new(), &[1.0], 2, 3).is_err());
    }
}
