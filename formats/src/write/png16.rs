//! A map as a PNG of 16-bit grey.
//!
//! 0 is the lowest finite value of the map and 65535 the highest; the text `Range` holds both, so that
//! `low + grey / 65535 (high - low)` gives the value back. What is no number is 0. Own code: two chunks and a checksum.

use std::io::Write;

use flate2::{Compression, Crc, write::ZlibEncoder};

use super::WriteError;

/// Keyword and text of the chunk by which such a file is known again.
pub const MAP_NOTE: (&str, &str) = ("Software", "mvfa: values of an anomaly map");

/// `map` ([height, width]) as a PNG.
///
/// # Errors
/// [`WriteError::Size`].
pub fn png16(map: &[f32], width_px: usize, height_px: usize) -> Result<Vec<u8>, WriteError> {
    let expected = width_px * height_px;
    if map.len() != expected || expected == 0 {
        return Err(WriteError::Size { what: "the map", expected, found: map.len() });
    }
    let finite = || map.iter().copied().filter(|v| v.is_finite());
    let low = finite().fold(f32::INFINITY, f32::min);
    let high = finite().fold(f32::NEG_INFINITY, f32::max);
    let (low, high) = if low <= high { (low, high) } else { (0.0, 0.0) };
    let reach = f64::from(high) - f64::from(low);
    let grey = |value: f32| {
        let share = if reach > 0.0 { (f64::from(value) - f64::from(low)) / reach } else { 0.0 };
        // NaN becomes 0.
        (share.clamp(0.0, 1.0) * 65535.0).round() as u16
    };
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    for row in map.chunks(width_px) {
        // Filter "Sub" on two bytes: neighbours are alike.
        let mut line = vec![1];
        let mut before = [0; 2];
        for &value in row {
            let this = grey(value).to_be_bytes();
            line.extend([this[0].wrapping_sub(before[0]), this[1].wrapping_sub(before[1])]);
            before = this;
        }
        packed.write_all(&line)?;
    }
    let mut header = Vec::new();
    header.extend((width_px as u32).to_be_bytes());
    header.extend((height_px as u32).to_be_bytes());
    // 16 bits of grey; deflate, usual filters, not interlaced.
    header.extend([16, 0, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, b"IHDR", &header);
    chunk(&mut file, b"tEXt", &[MAP_NOTE.0.as_bytes(), &[0], MAP_NOTE.1.as_bytes()].concat());
    chunk(&mut file, b"tEXt", format!("Range\0{low} {high}").as_bytes());
    chunk(&mut file, b"IDAT", &packed.finish()?);
    chunk(&mut file, b"IEND", &[]);
    Ok(file)
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], content: &[u8]) {
    let mut sum = Crc::new();
    sum.update(kind);
    sum.update(content);
    file.extend((content.len() as u32).to_be_bytes());
    file.extend(kind);
    file.extend(content);
    file.extend(sum.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_must_fit() {
        assert!(png16(&[1.0], 2, 1).is_err());
        assert!(png16(&[], 0, 0).is_err());
        let file = png16(&[-1.0, f32::NAN, 3.0], 3, 1).unwrap();
        assert!(file.windows(11).any(|part| part == b"Range\0-1 3\x00" || part.starts_with(b"Range\0-1 3")));
    }
}
