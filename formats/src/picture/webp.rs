//! WebP through the decoder of the `image` crate, after a walk over its chunks.
//!
//! In: the file's bytes. Out: an upright [`Picture`]. The decoder allocates what a chunk says of its length; a chunk that
//! reaches past the file is refused before. Source: WebP container specification (RIFF).

use std::io::Cursor;

use ::image::ImageDecoder;
use ::image::codecs::webp::WebPDecoder;
use ::image::metadata::Orientation;

use super::orient::of_exif;
use super::raster::{finish, translate};
use super::{ImageError, Limits, Note, Picture};

const FORMAT: &str = "WebP";
/// "RIFF", length, "WEBP".
const HEADER_BYTES: usize = 12;

/// Decodes a WebP, lossy or lossless; of an animated one the first frame.
pub(super) fn decode_webp(bytes: &[u8], limits: &Limits) -> Result<Picture, ImageError> {
    // The lossy decoder reads zeros past the end; the container states how long it should be.
    let said = bytes.get(4..8).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes);
    let said = u64::from(said) + 8;
    if said > bytes.len() as u64 {
        let reason = format!("it has {} bytes, its header says {said}", bytes.len());
        return Err(ImageError::Truncated { format: FORMAT, reason });
    }
    let frames = frames(bytes)?;
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|e| translate(FORMAT, e))?;
    if decoder.has_animation() && frames == 0 {
        return Err(ImageError::Damaged { format: FORMAT, reason: "it is animated but has no frame".to_owned() });
    }
    let (width_px, height_px) = decoder.dimensions();
    limits.check_size(FORMAT, width_px, height_px)?;
    // A note on orientation that cannot be read is no reason to refuse the picture.
    let orientation = of_exif(&mut decoder).unwrap_or(Orientation::NoTransforms);
    let mut picture = finish(decoder, FORMAT, false, orientation, limits)?;
    if frames > 1 {
        picture.notes.insert(0, Note::Part { what: "frame", number: 1, of: frames });
    }
    Ok(picture)
}

/// Walks the chunks; gives the number of an animation's frames.
fn frames(bytes: &[u8]) -> Result<u64, ImageError> {
    let mut frames = 0;
    let mut at = HEADER_BYTES;
    while let Some(&[a, b, c, d, l0, l1, l2, l3]) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        let left = bytes.len() - at - 8;
        if length as usize > left {
            let reason = format!("its part {} says {length} bytes, {left} are left", [a, b, c, d].escape_ascii());
            return Err(ImageError::Truncated { format: FORMAT, reason });
        }
        frames += u64::from([a, b, c, d] == *b"ANMF");
        // Chunks begin at even places.
        at = at.saturating_add(8).saturating_add(length as usize).saturating_add(length as usize % 2);
    }
    Ok(frames)
}
