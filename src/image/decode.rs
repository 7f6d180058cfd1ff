//! Bytes of a file to a [`Picture`].
//!
//! The format is told from the content, never from the file's name. A new one is a line in each of
//! [`SUPPORTED_FORMATS`], [`FILE_ENDINGS`], [`Format::sniff`] and [`decode`], and a file. Outside Rust the page names
//! the formats, too: `index.html`, `web/ui/intake.js`, README.md and docs/unsupported.md.

use super::{ImageError, Limits, Picture, jpeg, raster, tiff};

/// The formats [`decode`] reads, as a person writes them.
pub const SUPPORTED_FORMATS: &str = "PNG, JPEG, WebP, BMP, TIFF";

/// Endings of their files, to find pictures in a folder. A file named by itself may have any.
pub const FILE_ENDINGS: [&str; 7] = ["png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff"];

/// A format that this build reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Png,
    Jpeg,
    WebP,
    Bmp,
    Tiff,
}

impl Format {
    /// The format by the first bytes, or `None`.
    fn sniff(bytes: &[u8]) -> Option<Self> {
        let starts = |magic: &[u8]| bytes.starts_with(magic);
        if starts(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if starts(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::WebP)
        } else if starts(b"II*\0") || starts(b"MM\0*") || starts(b"II+\0") || starts(b"MM\0+") {
            Some(Self::Tiff)
        } else if starts(b"BM") && !is_text(bytes) {
            Some(Self::Bmp)
        } else {
            None
        }
    }
}

/// Decodes one picture file: the first frame or page, turned upright by its EXIF orientation.
///
/// 8-bit content gives the bytes of Pillow's `convert('RGB')` (alpha dropped without compositing,
/// palettes expanded, 16-bit colour cut to its high byte); grey deeper than 8 bits stays deep.
///
/// # Errors
/// [`ImageError`]: see its variants. Sizes are checked on the header before anything is allocated.
/// A file that ends early is an error, never a picture with a grey rest.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Empty);
    }
    limits.check_file(bytes.len())?;
    match Format::sniff(bytes) {
        Some(Format::Png) => raster::decode_png(bytes, limits),
        Some(Format::WebP) => raster::decode_webp(bytes, limits),
        Some(Format::Bmp) => raster::decode_bmp(bytes, limits),
        Some(Format::Jpeg) => jpeg::decode_jpeg(bytes, limits),
        Some(Format::Tiff) => tiff::decode_tiff(bytes, limits),
        None => Err(ImageError::NotAnImage { found: describe(bytes) }),
    }
}

/// What a file that is none of ours looks like, for the error message.
fn describe(bytes: &[u8]) -> String {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let found = if bytes.get(128..132) == Some(b"DICM") {
        "a DICOM file, which this build does not read"
    } else if matches!(bytes.get(344..348), Some(b"n+1\0" | b"ni1\0")) || matches!(bytes.get(4..8), Some(b"n+2\0")) {
        "a NIfTI file, which this build does not read"
    } else if starts(b"GIF8") {
        "a GIF file, which this build does not read"
    } else if matches!(bytes.get(4..8), Some(b"ftyp")) {
        "a HEIC, AVIF or video file, which this build does not read"
    } else if starts(b"%PDF") {
        "a PDF document, not a picture"
    } else if starts(b"\x1f\x8b") || starts(b"PK\x03\x04") {
        "a compressed archive, not a picture (unpack it first)"
    } else if starts(b"\0\0\0\x0cjP  ") || starts(b"\xff\x4f\xff\x51") {
        "a JPEG 2000 file, which this build does not read"
    } else if is_text(bytes) {
        "a text file, not a picture"
    } else {
        "not a picture that this build knows"
    };
    found.to_owned()
}

/// Whether the start of the file reads as plain text.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().take(256).all(|&b| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e))
}
