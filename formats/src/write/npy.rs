//! Values as a NumPy array.
//!
//! Format 1.0: magic, version, length of the header, the header as a Python literal padded with spaces to a multiple of
//! 64 bytes, then the values, little-endian
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use super::WriteError;

/// Bytes before the header: magic, version, length.
const PREFIX_BYTES: usize = 10;

/// Where data starts: a multiple of 64, as the format asks for, and one more than a header of this kind needs. The format
/// has no room for a note; the command line knows its own files by these spaces.
const DATA_START_BYTES: usize = 192;

/// `values` as an `f32` array of this shape, row-major.
///
/// # Errors
/// [`WriteError::Size`] if there are more or fewer values.
pub fn npy(values: &[f32], shape: &[usize]) -> Result<Vec<u8>, WriteError> {
    let expected = shape.iter().product();
    if values.len() != expected {
        return Err(WriteError::Size { what: "the array", expected, found: values.len() });
    }
    let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
    let one = if shape.len() == 1 { "," } else { "" };
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{one}), }}", sides.join(", "));
    let unpadded = PREFIX_BYTES + header.len() + 1;
    header.extend(std::iter::repeat_n(' ', DATA_START_BYTES.saturating_sub(unpadded)));
    header.push('\n');
    let mut bytes = Vec::with_capacity(PREFIX_BYTES + header.len() + 4 * values.len());
    bytes.extend_from_slice(b"\x93NUMPY\x01\x00");
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_is_numpys() {
        let bytes = npy(&[1.0, -2.5, 0.0, 3.0, 4.0, 5.0], &[2, 3]).unwrap();
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!((PREFIX_BYTES + header) % 64, 0);
        let text = std::str::from_utf8(&bytes[10..10 + header]).unwrap();
        assert!(text.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"), "{text}");
        assert!(text.ends_with('\n'));
        assert_eq!(bytes.len(), 10 + header + 24);
        assert_eq!(bytes[10 + header + 4..][..4], (-2.5f32).to_le_bytes());
        let volume = npy(&[0.0; 8], &[2, 2, 2]).unwrap();
        assert!(String::from_utf8_lossy(&volume).contains("(2, 2, 2)"));
    }

    #[test]
    fn wrong_sizes_are_refused() {
        assert!(npy(&[1.0], &[2, 3]).is_err());
    }
}
