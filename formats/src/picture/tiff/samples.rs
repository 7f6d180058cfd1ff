//! Strips and tiles to one plane of samples.
//!
//! In: a [`Layout`] and which channels are wanted. Out: [`Samples`]: the picture's pixels without padding, channels
//! interleaved, each a little-endian number of 1, 2, 4 or 8 bytes. One strip or tile is in memory at a time.

use super::decompress::decompress;
use super::layout::{Compression, Kind, Layout};
use super::predictor::{Predictor, undo};
use super::{damaged, truncated};
use crate::picture::limits::zeroed;
use crate::picture::{ImageError, Limits};

/// What the picture is made of.
pub(super) struct Samples {
    /// [height, width, kept, sample_bytes]
    pub(super) bytes: Vec<u8>,
    pub(super) sample_bytes: usize,
    /// A pixel of the alpha channel is not opaque.
    pub(super) has_transparency: bool,
}

/// Bytes that hold a sample of so many bits.
fn bytes_for(bits: usize) -> usize {
    bits.div_ceil(8).next_power_of_two()
}

/// Reads the first `kept` channels, and looks through the alpha channel if there is one.
pub(super) fn read(
    file: &[u8],
    layout: &Layout<'_>,
    kept: usize,
    alpha: Option<usize>,
    limits: &Limits,
) -> Result<Samples, ImageError> {
    let sample_bytes = bytes_for(layout.bits);
    let needed_bytes = (layout.width_px * layout.height_px) as u64 * (kept * sample_bytes) as u64;
    if needed_bytes > 2 * limits.max_decoded_bytes() as u64 {
        return Err(ImageError::TooLarge {
            found: format!("{} x {} pixels of {} bytes", layout.width_px, layout.height_px, kept * sample_bytes),
            limit: format!("{} bytes", 2 * limits.max_decoded_bytes()),
        });
    }
    let len = usize::try_from(needed_bytes).map_err(|_| ImageError::Memory { needed_bytes })?;
    let opaque = opaque(layout.kind, layout.bits, sample_bytes);
    let mut samples = Samples { bytes: zeroed(len)?, sample_bytes, has_transparency: false };
    let (across, down) = (layout.chunks_across(), layout.chunks_down());
    let planes = if layout.is_planar { layout.samples } else { 1 };
    for (index, chunk) in layout.chunks.iter().enumerate() {
        let (plane, index) = (index / (across * down), index % (across * down));
        if planes > 1 && plane >= kept && Some(plane) != alpha {
            continue;
        }
        let (x, y) = (index % across * layout.chunk_width_px, index / across * layout.chunk_height_px);
        let data = file.get(chunk.start..chunk.end).ok_or_else(|| truncated("a strip or tile lies outside it"))?;
        let mut rows = decompress(layout, data, layout.chunk_rows(index / across))?;
        let width = layout.chunk_width_px.min(layout.width_px - x);
        let height = layout.chunk_height_px.min(layout.height_px - y);
        for (row, bytes) in rows.bytes.chunks_exact_mut(rows.row_bytes).take(height).enumerate() {
            let unpacked;
            let bytes = if layout.bits.is_multiple_of(8) && layout.bits.is_power_of_two() {
                if layout.compression != Compression::Jpeg {
                    undo(bytes, layout.predictor, layout.chunk_samples(), sample_bytes, layout.is_little_endian);
                }
                &*bytes
            } else {
                debug_assert_eq!(layout.predictor, Predictor::None);
                unpacked = unpack(bytes, layout.bits, width * layout.chunk_samples(), sample_bytes);
                &unpacked
            };
            let pixels = bytes.chunks_exact(layout.chunk_samples() * sample_bytes).take(width);
            let to = ((y + row) * layout.width_px + x) * kept * sample_bytes;
            let Some(to) = samples.bytes.get_mut(to..to + width * kept * sample_bytes) else {
                return Err(damaged("its strips or tiles do not fit its size"));
            };
            let alpha = match planes {
                1 => alpha,
                _ => (Some(plane) == alpha).then_some(0),
            };
            if let Some(alpha) = alpha {
                let mut alphas = pixels.clone().map(|pixel| &pixel[alpha * sample_bytes..][..sample_bytes]);
                samples.has_transparency |= alphas.any(|value| value != &opaque[..sample_bytes]);
            }
            if planes == 1 {
                for (to, pixel) in to.chunks_exact_mut(kept * sample_bytes).zip(pixels) {
                    to.copy_from_slice(&pixel[..kept * sample_bytes]);
                }
            } else if plane < kept {
                for (to, pixel) in to.chunks_exact_mut(kept * sample_bytes).zip(pixels) {
                    to[plane * sample_bytes..][..sample_bytes].copy_from_slice(pixel);
                }
            }
        }
    }
    Ok(samples)
}

/// An opaque alpha value, little-endian.
fn opaque(kind: Kind, bits: usize, sample_bytes: usize) -> [u8; 8] {
    let all = u64::MAX >> (64 - bits);
    match (kind, sample_bytes) {
        (Kind::Unsigned, _) => all.to_le_bytes(),
        (Kind::Signed, _) => (all >> 1).to_le_bytes(),
        (Kind::Float, 2) => 0x3c00_u64.to_le_bytes(),
        (Kind::Float, 4) => u64::from(1.0_f32.to_bits()).to_le_bytes(),
        (Kind::Float, _) => 1.0_f64.to_le_bytes(),
    }
}

/// Samples of a number of bits that is no whole number type, the highest bit first.
fn unpack(row: &[u8], bits: usize, samples: usize, sample_bytes: usize) -> Vec<u8> {
    let mut unpacked = Vec::with_capacity(samples * sample_bytes);
    for at in 0..samples {
        let mut value = 0_u32;
        for bit in at * bits..(at + 1) * bits {
            let byte = row.get(bit / 8).copied().unwrap_or(0);
            value = value << 1 | u32::from(byte >> (7 - bit % 8) & 1);
        }
        unpacked.extend_from_slice(&value.to_le_bytes()[..sample_bytes]);
    }
    unpacked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_samples_are_read_highest_bit_first() {
        assert_eq!(unpack(&[0b1011_0001], 1, 8, 1), [1, 0, 1, 1, 0, 0, 0, 1]);
        assert_eq!(unpack(&[0x12, 0x34, 0x56], 12, 2, 2), [0x23, 0x01, 0x56, 0x04]);
        assert_eq!(unpack(&[0xe5], 4, 2, 1), [0xe, 5]);
    }
}
