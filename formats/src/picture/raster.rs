//! What the decoders of the `image` crate have in common, and BMP.
//!
//! In: a decoder of PNG, WebP or BMP. Out: an upright [`Picture`] with the bytes of Pillow's `convert('RGB')`.
//! A file that ends early or contradicts itself is an error.

use std::error::Error;
use std::io::{Cursor, ErrorKind};

use ::image::codecs::bmp::BmpDecoder;
use ::image::metadata::Orientation;
use ::image::{ColorType, ImageDecoder, ImageError as LibraryError};

use super::limits::zeroed;
use super::orient::upright;
use super::{ImageError, Limits, Note, Picture, Pixels};

/// Decodes a BMP.
pub(super) fn decode_bmp(bytes: &[u8], limits: &Limits) -> Result<Picture, ImageError> {
    const FORMAT: &str = "BMP";
    let decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(|e| translate(FORMAT, e))?;
    finish(decoder, FORMAT, false, Orientation::NoTransforms, limits)
}

/// Checks the size, reads the pixels, turns them upright.
pub(super) fn finish(
    decoder: impl ImageDecoder,
    format: &'static str,
    is_deep_grey: bool,
    orientation: Orientation,
    limits: &Limits,
) -> Result<Picture, ImageError> {
    let (width_px, height_px) = decoder.dimensions();
    let (width_px, height_px) = limits.check_size(format, width_px, height_px)?;
    let colour = decoder.color_type();
    let needed_bytes = decoder.total_bytes();
    let len = usize::try_from(needed_bytes).map_err(|_| ImageError::Memory { needed_bytes })?;
    let mut samples: Vec<u8> = zeroed(len)?;
    decoder.read_image(&mut samples).map_err(|e| translate(format, e))?;
    let notes = if has_transparency(&samples, colour) { vec![Note::Transparent] } else { Vec::new() };
    let pixels = to_pixels(samples, colour, is_deep_grey)
        .ok_or_else(|| ImageError::Unsupported { format, found: format!("pixels of type {colour:?}") })?;
    Ok(upright(Picture { width_px, height_px, pixels, format, pil_takes_high_byte: false, notes }, orientation))
}

/// Whether an alpha channel has a value that is not opaque.
fn has_transparency(samples: &[u8], colour: ColorType) -> bool {
    let sample_bytes = usize::from(colour.bytes_per_pixel() / colour.channel_count());
    let pixels = samples.chunks_exact(usize::from(colour.bytes_per_pixel()));
    let opaque = |pixel: &[u8]| pixel.iter().rev().take(sample_bytes).all(|&byte| byte == u8::MAX);
    matches!(colour, ColorType::La8 | ColorType::Rgba8 | ColorType::La16 | ColorType::Rgba16)
        && !pixels.into_iter().all(opaque)
}

/// Samples in native byte order to pixels as Pillow's `convert('RGB')` sees them; `None` for other types.
fn to_pixels(samples: Vec<u8>, colour: ColorType, is_deep_grey: bool) -> Option<Pixels> {
    /// Keeps the first `KEEP` of every `OF` samples of `BYTES` bytes, and of those the high byte.
    fn high_bytes<const KEEP: usize, const OF: usize, const BYTES: usize>(samples: &[u8]) -> Vec<u8> {
        let high = if cfg!(target_endian = "little") { BYTES - 1 } else { 0 };
        let pixels = samples.chunks_exact(OF * BYTES);
        pixels.flat_map(|pixel| pixel.chunks_exact(BYTES).take(KEEP).map(move |sample| sample[high])).collect()
    }
    let deep = |of: usize| Pixels::DeepGray {
        values: samples.chunks_exact(2 * of).map(|pixel| f32::from(u16::from_ne_bytes([pixel[0], pixel[1]]))).collect(),
        window: None,
    };
    Some(match colour {
        ColorType::L8 => Pixels::Gray8(samples),
        ColorType::La8 => Pixels::Gray8(high_bytes::<1, 2, 1>(&samples)),
        ColorType::Rgb8 => Pixels::Rgb8(samples),
        ColorType::Rgba8 => Pixels::Rgb8(high_bytes::<3, 4, 1>(&samples)),
        ColorType::L16 => deep(1),
        ColorType::La16 if is_deep_grey => deep(2),
        ColorType::La16 => Pixels::Gray8(high_bytes::<1, 2, 2>(&samples)),
        ColorType::Rgb16 => Pixels::Rgb8(high_bytes::<3, 3, 2>(&samples)),
        ColorType::Rgba16 => Pixels::Rgb8(high_bytes::<3, 4, 2>(&samples)),
        _ => return None,
    })
}

/// The library's error as one of ours.
pub(super) fn translate(format: &'static str, error: LibraryError) -> ImageError {
    match error {
        LibraryError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => {
            ImageError::Truncated { format, reason: "it ends before the last pixel".to_owned() }
        }
        LibraryError::Unsupported(e) => ImageError::Unsupported { format, found: e.to_string() },
        LibraryError::Limits(e) => ImageError::TooLarge {
            found: format!("a {format} file that needs more memory ({e})"),
            limit: "the size this build decodes".to_owned(),
        },
        // The cause without the format's name, which the message has already.
        other => {
            let reason = other.source().and_then(|cause| cause.source()).map_or(other.to_string(), |e| e.to_string());
            ImageError::Damaged { format, reason }
        }
    }
}
