//! PNG, WebP and BMP through the decoders of the `image` crate.
//!
//! In: the file's bytes. Out: an upright [`Picture`] with the bytes of Pillow's `convert('RGB')`.
//! A file that ends early or contradicts itself is an error.

use std::error::Error;
use std::io::{Cursor, ErrorKind};

use ::image::codecs::{bmp::BmpDecoder, png::PngDecoder, webp::WebPDecoder};
use ::image::{ColorType, ImageDecoder, ImageError as LibraryError};

use super::limits::zeroed;
use super::orient::upright;
use super::{ImageError, Limits, Picture, Pixels};

/// Room for a PNG's text and colour profile chunks, in bytes.
const PNG_EXTRA_BYTES: u64 = 64 << 20;
/// PNG colour type of grey without an alpha channel.
const PNG_GREY: u8 = 0;

/// Decodes a PNG; of an animated one the still picture.
pub(super) fn decode_png(bytes: &[u8], limits: &Limits) -> Result<Picture, ImageError> {
    const FORMAT: &str = "PNG";
    // The header chunk has a fixed place: 8 signature bytes, length, "IHDR", width, height, depth, colour.
    let cut = || ImageError::Truncated { format: FORMAT, reason: "it ends inside the header".to_owned() };
    let [width_px, height_px] = [16, 20].map(|at| bytes.get(at..at + 4).and_then(|b| b.try_into().ok()));
    let width_px = u32::from_be_bytes(width_px.ok_or_else(cut)?);
    let height_px = u32::from_be_bytes(height_px.ok_or_else(cut)?);
    let (depth, colour) = (*bytes.get(24).ok_or_else(cut)?, *bytes.get(25).ok_or_else(cut)?);
    limits.check_size(FORMAT, width_px, height_px)?;

    let mut for_library = ::image::Limits::no_limits();
    for_library.max_alloc = Some(limits.max_decoded_bytes() as u64 + PNG_EXTRA_BYTES);
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), for_library).map_err(|e| translate(FORMAT, e))?;
    // A transparent grey value makes the decoder add an alpha channel; the grey is deep all the same.
    let is_deep_grey = colour == PNG_GREY && depth == 16;
    finish(decoder, FORMAT, is_deep_grey, limits)
}

/// Decodes a WebP, lossy or lossless; of an animated one the first frame.
pub(super) fn decode_webp(bytes: &[u8], limits: &Limits) -> Result<Picture, ImageError> {
    const FORMAT: &str = "WebP";
    // The lossy decoder reads zeros past the end; the container states how long it should be.
    let said = bytes.get(4..8).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes);
    let said = u64::from(said) + 8;
    if said > bytes.len() as u64 {
        let reason = format!("it has {} bytes, its header says {said}", bytes.len());
        return Err(ImageError::Truncated { format: FORMAT, reason });
    }
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|e| translate(FORMAT, e))?;
    let is_animated = decoder.has_animation();
    if is_animated && !bytes.windows(4).any(|chunk| chunk == b"ANMF") {
        return Err(ImageError::Damaged { format: FORMAT, reason: "it is animated but has no frame".to_owned() });
    }
    finish(decoder, FORMAT, false, limits)
}

/// Decodes a BMP.
pub(super) fn decode_bmp(bytes: &[u8], limits: &Limits) -> Result<Picture, ImageError> {
    const FORMAT: &str = "BMP";
    let decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(|e| translate(FORMAT, e))?;
    finish(decoder, FORMAT, false, limits)
}

/// Checks the size, reads the pixels, turns them upright.
fn finish(
    mut decoder: impl ImageDecoder,
    format: &'static str,
    is_deep_grey: bool,
    limits: &Limits,
) -> Result<Picture, ImageError> {
    let (width_px, height_px) = decoder.dimensions();
    let (width_px, height_px) = limits.check_size(format, width_px, height_px)?;
    // A note on orientation that cannot be read is no reason to refuse the picture.
    let orientation = decoder.orientation().unwrap_or(::image::metadata::Orientation::NoTransforms);
    let colour = decoder.color_type();
    let needed_bytes = decoder.total_bytes();
    let len = usize::try_from(needed_bytes).map_err(|_| ImageError::Memory { needed_bytes })?;
    let mut samples: Vec<u8> = zeroed(len)?;
    decoder.read_image(&mut samples).map_err(|e| translate(format, e))?;
    let pixels = to_pixels(samples, colour, is_deep_grey)
        .ok_or_else(|| ImageError::Unsupported { format, found: format!("pixels of type {colour:?}") })?;
    Ok(upright(Picture { width_px, height_px, pixels, format, notes: Vec::new() }, orientation))
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
fn translate(format: &'static str, error: LibraryError) -> ImageError {
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
