//! Compressed frames to stored samples: one file a family of codecs.
//!
//! Each decoder's own header is compared with the size that DICOM announces before anything is decoded, so that
//! no stream can ask for more memory than the frame has.

mod jpeg;
mod jpeg_2000;
mod jpeg_ls;
mod jpeg_xl;
mod rle;

use super::FORMAT;
use super::header::Header;
use super::stored::{integers, sign_extended, whole};
use super::syntax::Compression;
use crate::limits::reserved;
use crate::{FormatError, Samples};

/// Decodes one frame; colour comes out interleaved, and as RGB where the second value says so.
pub(super) fn decode(compression: Compression, frame: &[u8], header: &Header) -> Result<(Samples, bool), FormatError> {
    let is_rgb = header.is_rgb();
    match compression {
        Compression::Rle => Ok((rle::decode(frame, header)?, is_rgb)),
        Compression::Jpeg => jpeg::decode(frame, header),
        Compression::JpegLs => Ok((jpeg_ls::decode(frame, header)?, is_rgb)),
        Compression::Jpeg2000 => jpeg_2000::decode(frame, header),
        Compression::HighThroughput => jpeg_2000::decode_high_throughput(frame, header),
        Compression::JpegXl => Ok((jpeg_xl::decode(frame, header)?, true)),
        Compression::Deflate => Ok((deflated(frame, header)?, is_rgb)),
        Compression::None { .. } => Err(FormatError::damaged(FORMAT, "pixels without compression in fragments")),
    }
}

/// A frame of plain pixels, deflated.
fn deflated(frame: &[u8], header: &Header) -> Result<Samples, FormatError> {
    let max_file_bytes = header.native_frame_bits().div_ceil(8);
    let limits = crate::Limits { max_file_bytes: max_file_bytes + 1, ..crate::Limits::default() };
    let bytes = crate::bytes::unpack(FORMAT, flate2::read::DeflateDecoder::new(frame), &limits)?;
    super::stored::native(&bytes, 0, crate::bytes::Order::Little, header)
}

/// Refuses a stream whose size is not the frame's.
fn check_size(header: &Header, codec: &str, columns: u64, rows: u64, channels: u64) -> Result<(), FormatError> {
    let expected = (header.columns as u64, header.rows as u64, header.samples_per_pixel as u64);
    if (columns, rows, channels) == expected {
        return Ok(());
    }
    let reason = format!(
        "its {codec} frame has {columns} x {rows} pixels of {channels} samples, the header says {} x {} of {}",
        expected.0, expected.1, expected.2
    );
    Err(FormatError::damaged(FORMAT, reason))
}

/// Decoded unsigned samples of `bits` bits to what the header says they are.
fn stored(decoded: &[u32], bits: u32, header: &Header) -> Result<Samples, FormatError> {
    let count = header.frame_samples();
    if !header.signed {
        if bits <= 8 && header.bits_stored <= 8 {
            let mut bytes = reserved(decoded.len())?;
            bytes.extend(decoded.iter().map(|&v| v as u8));
            return whole(Samples::U8(bytes), count);
        }
        let mut words = reserved(decoded.len())?;
        words.extend(decoded.iter().map(|&v| v as u16));
        return whole(Samples::U16(words), count);
    }
    let bits = bits.max(header.bits_stored).min(32);
    // Streams of 16 bits hold the container; narrower ones hold the stored bits.
    let bits = if bits > header.bits_stored && decoded.iter().all(|&v| v >> header.bits_stored == 0) {
        header.bits_stored
    } else {
        bits
    };
    let mut words = reserved(decoded.len())?;
    words.extend(decoded.iter().map(|&v| sign_extended(v, bits) as i16));
    whole(Samples::I16(words), count)
}

/// Runs a decoder that is not ours: a panic of it becomes an error of this file. In WebAssembly a panic ends the
/// module; there the worker of its own is what keeps the loss to one file.
fn guarded<T>(codec: &'static str, decode: impl FnOnce() -> Result<T, FormatError>) -> Result<T, FormatError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(broken(codec, "the decoder gave up")))
}

fn broken(codec: &str, reason: impl std::fmt::Display) -> FormatError {
    FormatError::damaged(FORMAT, format!("a {codec} frame cannot be decoded: {reason}"))
}
