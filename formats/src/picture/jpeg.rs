//! JPEG, baseline and progressive, in grey, colour and CMYK.
//!
//! In: the file's bytes. Out: an upright [`Picture`]. The decoder is called directly, because by default
//! it fills what it cannot read with grey and reports success. Here it runs strictly, and a file without
//! its end marker is refused first. What stays undetected (as in Pillow) is a file that was cut and then
//! given an end marker by some repair program. Decoders of this format may differ by rounding from one another.

use ::image::metadata::Orientation;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::limits::zeroed;
use super::orient::upright;
use super::{ImageError, Limits, Picture, Pixels};

const FORMAT: &str = "JPEG";

/// Decodes a JPEG; of a file that holds several pictures one after the other the first.
pub(super) fn decode_jpeg(bytes: &[u8], limits: &Limits) -> Result<Picture, ImageError> {
    survey(bytes).check()?;
    // Sizes are checked below against our own limits; the library's errors are less precise.
    let options = DecoderOptions::default().set_strict_mode(true).set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(translate)?;
    let damaged = |reason: &str| ImageError::Damaged { format: FORMAT, reason: reason.to_owned() };
    let info = decoder.info().ok_or_else(|| damaged("it has no header"))?;
    let (width_px, height_px) = limits.check_size(FORMAT, info.width.into(), info.height.into())?;

    let colour = decoder.input_colorspace().ok_or_else(|| damaged("it has no colour space"))?;
    let (wanted, channels) = match colour {
        ColorSpace::Luma => (ColorSpace::Luma, 1),
        ColorSpace::YCbCr | ColorSpace::RGB | ColorSpace::CMYK | ColorSpace::YCCK => (ColorSpace::RGB, 3),
        other => return Err(ImageError::Unsupported { format: FORMAT, found: format!("pixels of type {other:?}") }),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(wanted));
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));

    let mut samples: Vec<u8> = zeroed(width_px * height_px * channels)?;
    decoder.decode_into(&mut samples).map_err(translate)?;
    let pixels = if channels == 1 { Pixels::Gray8(samples) } else { Pixels::Rgb8(samples) };
    let picture =
        Picture { width_px, height_px, pixels, format: FORMAT, pil_takes_high_byte: false, notes: Vec::new() };
    Ok(upright(picture, orientation.unwrap_or(Orientation::NoTransforms)))
}

/// The channels of a JPEG inside another file, as they are stored: no colours are converted.
pub(super) struct RawComponents {
    pub(super) width_px: usize,
    pub(super) height_px: usize,
    pub(super) components: usize,
    /// [height, width, components]
    pub(super) bytes: Vec<u8>,
}

/// Decodes a JPEG of a strip or tile that has this size at most.
pub(super) fn raw_components(
    bytes: &[u8],
    max_width_px: usize,
    max_height_px: usize,
    components: usize,
) -> Result<RawComponents, ImageError> {
    survey(bytes).check()?;
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(max_width_px.next_multiple_of(16))
        .set_max_height(max_height_px.next_multiple_of(16));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(translate)?;
    let damaged = |reason: &str| ImageError::Damaged { format: FORMAT, reason: reason.to_owned() };
    let info = decoder.info().ok_or_else(|| damaged("it has no header"))?;
    let colour = decoder.input_colorspace().ok_or_else(|| damaged("it has no colour space"))?;
    decoder.set_options(options.jpeg_set_out_colorspace(colour));
    let found = colour.num_components();
    if found != components {
        return Err(damaged(&format!("it has {found} channels where {components} were expected")));
    }
    let (width_px, height_px) = (usize::from(info.width), usize::from(info.height));
    let mut bytes: Vec<u8> = zeroed(width_px * height_px * found)?;
    decoder.decode_into(&mut bytes).map_err(translate)?;
    Ok(RawComponents { width_px, height_px, components: found, bytes })
}

/// What a walk over the markers finds, before anything is decoded.
#[derive(Debug, Default, PartialEq, Eq)]
struct Survey {
    /// The end-of-image marker is there.
    has_end: bool,
    /// Code of the first start-of-frame marker, which names the compression.
    frame: Option<u8>,
    /// Bits of a sample, by that marker.
    bits: Option<u8>,
}

/// Walks the markers from the start of the file to the end-of-image marker.
/// Segments are skipped by their length, so that a thumbnail's end marker does not count.
fn survey(bytes: &[u8]) -> Survey {
    const END_OF_IMAGE: u8 = 0xd9;
    let mut found = Survey::default();
    let mut at = 2;
    while let Some(&[first, code]) = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>()) {
        at += match (first, code) {
            // Fill bytes before a marker.
            (0xff, 0xff) => 1,
            (0xff, END_OF_IMAGE) => {
                found.has_end = true;
                return found;
            }
            // Markers without a segment: a stuffed zero, TEM, RST0..7, SOI.
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => 2,
            (0xff, code) => {
                // DHT, JPG and DAC sit among the start-of-frame codes; JPEG-LS has one of its own.
                if matches!(code, 0xc0..=0xcf | 0xf7) && !matches!(code, 0xc4 | 0xc8 | 0xcc) && found.frame.is_none() {
                    found.frame = Some(code);
                    found.bits = bytes.get(at + 4).copied();
                }
                let length = bytes.get(at + 2..).and_then(|rest| rest.first_chunk::<2>());
                2 + length.map_or(0, |&length| usize::from(u16::from_be_bytes(length)))
            }
            // Entropy-coded data.
            _ => 1,
        };
    }
    found
}

impl Survey {
    /// Refuses files that end early and kinds of compression that no common decoder reads.
    fn check(&self) -> Result<(), ImageError> {
        let unsupported = |found: &str| Err(ImageError::Unsupported { format: FORMAT, found: found.to_owned() });
        match (self.frame, self.bits) {
            (Some(0xf7), _) => unsupported("JPEG-LS compression"),
            (Some(0xc3 | 0xc7 | 0xcb | 0xcf), _) => unsupported("lossless compression"),
            (Some(0xc9..), _) => unsupported("arithmetic compression"),
            (Some(0xc5 | 0xc6), _) => unsupported("hierarchical compression"),
            (Some(_), Some(bits)) if bits != 8 => unsupported(&format!("{bits}-bit samples")),
            _ if !self.has_end => {
                Err(ImageError::Truncated { format: FORMAT, reason: "its end marker is missing".to_owned() })
            }
            _ => Ok(()),
        }
    }
}

/// The library's error as one of ours.
fn translate(error: DecodeErrors) -> ImageError {
    match error {
        DecodeErrors::Unsupported(scheme) => {
            ImageError::Unsupported { format: FORMAT, found: format!("a kind of compression ({scheme:?})") }
        }
        DecodeErrors::ExhaustedData => {
            ImageError::Truncated { format: FORMAT, reason: "it ends before the last pixel".to_owned() }
        }
        // The library prints its texts with the quotes of a debug form.
        other => {
            let reason = other.to_string().replace('"', "");
            if reason.contains("not a power of two") {
                let found = "channels of sizes that do not divide evenly".to_owned();
                return ImageError::Unsupported { format: FORMAT, found };
            }
            ImageError::Damaged { format: FORMAT, reason }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pictures_own_end_marker_counts() {
        for (bytes, expected) in [
            (&b"\xff\xd8\xff\xd9"[..], true),
            (b"\xff\xd8", false),
            (b"", false),
            // A thumbnail's end marker inside an APP1 segment of 8 bytes.
            (b"\xff\xd8\xff\xe1\x00\x08\xff\xd8\xff\xd9ab", false),
            (b"\xff\xd8\xff\xe1\x00\x08\xff\xd8\xff\xd9ab\xff\xff\xd9", true),
            // Stuffed zeros and restart markers in the data.
            (b"\xff\xd8\xff\xda\x00\x02a\xff\x00\xd9\xff\xd0b\xff\xd9", true),
            (b"\xff\xd8\xff\xda\x00\x02a\xff\x00\xd9\xff\xd0b\xff", false),
            // A segment that is longer than the file.
            (b"\xff\xd8\xff\xda\xff\xff\xff\xd9", false),
        ] {
            assert_eq!(survey(bytes).has_end, expected, "{bytes:x?}");
        }
    }
}
