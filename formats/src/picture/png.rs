//! PNG through the decoder of the `image` crate, after a walk over its chunks.
//!
//! In: the file's bytes. Out: an upright [`Picture`]. The walk finds what the decoder does not tell: Apple's own variant, an
//! EXIF note behind the pixels, frames, and whether the end chunk is there. Source: PNG specification (third edition), 5.3.

use std::io::Cursor;

use ::image::codecs::png::PngDecoder;
use ::image::metadata::Orientation;

use super::raster::{finish, translate};
use super::{ImageError, Limits, Note, Picture};

const FORMAT: &str = "PNG";
/// Room for text and colour profile chunks, in bytes.
const EXTRA_BYTES: u64 = 64 << 20;
/// Bytes before the first chunk.
const SIGNATURE_BYTES: usize = 8;
/// The chunk that ends every PNG, with its check sum.
const END: [u8; 12] = *b"\0\0\0\0IEND\xae\x42\x60\x82";
/// Colour types of grey.
const GREY: u8 = 0;
const GREY_ALPHA: u8 = 4;

/// Decodes a PNG; of an animated one the still picture.
pub(super) fn decode_png(bytes: &[u8], limits: &Limits) -> Result<Picture, ImageError> {
    // The header chunk has a fixed place: 8 signature bytes, length, "IHDR", width, height, depth, colour.
    let cut = || ImageError::Truncated { format: FORMAT, reason: "it ends inside the header".to_owned() };
    match bytes.get(12..16).ok_or_else(cut)? {
        b"IHDR" => {}
        b"CgBI" => {
            let found = "Apple's own layout (an iPhone-optimised PNG, marked CgBI)".to_owned();
            return Err(ImageError::Unsupported { format: FORMAT, found });
        }
        _ => {
            let reason = "it does not begin with its header chunk".to_owned();
            return Err(ImageError::Damaged { format: FORMAT, reason });
        }
    }
    let [width_px, height_px] = [16, 20].map(|at| bytes.get(at..at + 4).and_then(|b| b.try_into().ok()));
    let width_px = u32::from_be_bytes(width_px.ok_or_else(cut)?);
    let height_px = u32::from_be_bytes(height_px.ok_or_else(cut)?);
    let (depth, colour) = (*bytes.get(24).ok_or_else(cut)?, *bytes.get(25).ok_or_else(cut)?);
    limits.check_size(FORMAT, width_px, height_px)?;

    let found = Survey::of(bytes);
    let lacks_end = !found.has_end && found.has_pixels;
    if !lacks_end {
        return decode(bytes, depth, colour, &found, limits);
    }
    let mended = [&bytes[..found.whole_bytes], &END].concat();
    match decode(&mended, depth, colour, &found, limits) {
        Ok(mut picture) => {
            picture.notes.push(Note::NoEnd);
            Ok(picture)
        }
        // With the end chunk in its place, what is missing looks like damage.
        Err(ImageError::Damaged { .. } | ImageError::Truncated { .. }) => {
            Err(ImageError::Truncated { format: FORMAT, reason: "it ends before the last pixel".to_owned() })
        }
        Err(error) => Err(error),
    }
}

fn decode(bytes: &[u8], depth: u8, colour: u8, found: &Survey<'_>, limits: &Limits) -> Result<Picture, ImageError> {
    let mut for_library = ::image::Limits::no_limits();
    for_library.max_alloc = Some(limits.max_decoded_bytes() as u64 + EXTRA_BYTES);
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), for_library).map_err(|e| translate(FORMAT, e))?;
    // A transparent grey value makes the decoder add an alpha channel; the grey is deep all the same.
    let is_deep_grey = matches!(colour, GREY | GREY_ALPHA) && depth == 16;
    let mut picture = finish(decoder, FORMAT, is_deep_grey, found.orientation(), limits)?;
    picture.pil_takes_high_byte = is_deep_grey && colour == GREY_ALPHA;
    let of = u64::from(found.frames) + u64::from(!found.still_is_frame);
    if found.frames > 0 && of > 1 {
        picture.notes.insert(0, Note::Part { what: "frame", number: 1, of });
    }
    Ok(picture)
}

/// What a walk over the chunks finds.
#[derive(Debug, Default)]
struct Survey<'a> {
    /// A whole chunk of pixels is there.
    has_pixels: bool,
    has_end: bool,
    /// Where the last whole chunk ends.
    whole_bytes: usize,
    /// The EXIF note, before or behind the pixels.
    exif: Option<&'a [u8]>,
    /// Frames of an animation, and whether the still picture is the first of them.
    frames: u32,
    still_is_frame: bool,
}

/// How a PNG is to be turned; `None` for other files.
pub(super) fn orientation(bytes: &[u8]) -> Option<Orientation> {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n").then(|| Survey::of(bytes).orientation())
}

impl<'a> Survey<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let mut found = Self { whole_bytes: SIGNATURE_BYTES, ..Self::default() };
        // Length, kind, content, check sum; one after the other.
        while let Some((length, rest)) = bytes.get(found.whole_bytes..).and_then(|rest| rest.split_first_chunk::<4>()) {
            let Some((kind, rest)) = rest.split_first_chunk::<4>() else { break };
            let length = u32::from_be_bytes(*length) as usize;
            let Some(content) = rest.get(..length) else { break };
            if rest.len() < length + 4 {
                break;
            }
            found.whole_bytes += 12 + length;
            match kind {
                b"IDAT" => found.has_pixels = true,
                b"eXIf" => found.exif = found.exif.or(Some(content)),
                b"acTL" => found.frames = content.first_chunk().map_or(0, |count| u32::from_be_bytes(*count)),
                b"fcTL" => found.still_is_frame |= !found.has_pixels,
                b"IEND" => {
                    found.has_end = true;
                    break;
                }
                _ => {}
            }
        }
        found
    }

    /// A note on orientation that cannot be read is no reason to refuse the picture.
    fn orientation(&self) -> Orientation {
        let exif = self.exif.map(|exif| exif.strip_prefix(b"Exif\0\0").unwrap_or(exif));
        exif.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms)
    }
}
