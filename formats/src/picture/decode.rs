//! Bytes of a file to a [`Picture`].
//!
//! The format is recognised by the content, never by the file's name. A new one is a line in each of
//! [`SUPPORTED_FORMATS`](super::SUPPORTED_FORMATS), [`FILE_ENDINGS`](super::FILE_ENDINGS), [`Format`] and [`decode`], and a
//! file. Outside Rust the page names the formats, too: `index.html` and `web/texts/en.js`, which a test compares, README.md
//! and docs/unsupported.md.

use super::{ImageError, Limits, Picture, jpeg, png, raster, tiff, webp};

/// A format that this build reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Png,
    Jpeg,
    WebP,
    Bmp,
    Tiff,
}

impl Format {
    /// As a person writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
        }
    }

    /// The format by the first bytes, or `None`.
    pub(crate) fn sniff(bytes: &[u8]) -> Option<Self> {
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

/// Whether a file may hold grey deeper than 8 bits, by its first bytes.
pub fn may_be_deep(bytes: &[u8]) -> bool {
    match Format::sniff(bytes) {
        Some(Format::Jpeg | Format::WebP | Format::Bmp) => false,
        // The header chunk has a fixed place; a file without it is no usual one.
        Some(Format::Png) => bytes.get(12..16) != Some(b"IHDR") || bytes.get(24) == Some(&16),
        Some(Format::Tiff) | None => true,
    }
}

/// Decodes one picture file: the first frame or page, turned upright by its EXIF orientation. What else a person should
/// know, such as how many pages there are, is in [`Picture::notes`].
///
/// 8-bit content gives the bytes of Pillow's `convert('RGB')` (alpha dropped without compositing,
/// palettes expanded, 16-bit colour cut to its high byte); grey deeper than 8 bits stays deep, colour deeper than 16 too.
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
        Some(Format::Png) => png::decode_png(bytes, limits),
        Some(Format::WebP) => webp::decode_webp(bytes, limits),
        Some(Format::Bmp) => raster::decode_bmp(bytes, limits),
        Some(Format::Jpeg) => jpeg::decode_jpeg(bytes, limits),
        Some(Format::Tiff) => tiff::decode_tiff(bytes, limits),
        None => Err(ImageError::NotAnImage { found: describe(bytes) }),
    }
}

/// What a file that is none of ours looks like, for the error message.
fn describe(bytes: &[u8]) -> String {
    if let Some(format) = crate::sniff(bytes) {
        return format!("a {format} file, not a plain picture");
    }
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let found = if starts(b"GIF8") {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_named() {
        let error = |parts: &[(usize, &[u8])]| {
            let mut bytes = vec![0; 400];
            for (at, part) in parts {
                bytes[*at..at + part.len()].copy_from_slice(part);
            }
            decode(&bytes, &Limits::default()).unwrap_err().to_string()
        };
        assert!(error(&[(128, b"DICM")]).starts_with("this is a DICOM file, not a plain picture; use "));
        assert!(error(&[(0, b"\x1f\x8b\x08\x08")]).contains("archive"));
        assert!(error(&[(0, b"%PDF")]).contains("PDF"));
    }
}
