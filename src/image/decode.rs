//! Bytes of a file to a [`Picture`].
//!
//! The format is recognised by the content, never by the file's name. A new one is a line in each of
//! [`SUPPORTED_FORMATS`], [`FILE_ENDINGS`], [`Format::sniff`] and [`decode`], and a file. Outside Rust the page names
//! the formats, too: `index.html` and `web/ui/intake.js`, which a test compares, README.md and docs/unsupported.md.

use super::{ImageError, Limits, Picture, jpeg, png, raster, tiff, webp};

/// The formats [`decode`] reads, as a person writes them.
pub const SUPPORTED_FORMATS: &str = "PNG, JPEG, WebP, BMP, TIFF";

/// Endings of their files, to find pictures in a folder. A file named explicitly may have any.
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

/// Whether a file may hold grey deeper than 8 bits, by its first bytes.
pub(crate) fn may_be_deep(bytes: &[u8]) -> bool {
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
        // A DICOM file may begin like a TIFF: its first 128 bytes are free.
        Some(Format::Tiff) => tiff::decode_tiff(bytes, limits).map_err(|error| not_yet(bytes).unwrap_or(error)),
        None => Err(not_yet(bytes).unwrap_or_else(|| ImageError::NotAnImage { found: describe(bytes) })),
    }
}

/// The error for a medical format that is known and not read yet.
fn not_yet(bytes: &[u8]) -> Option<ImageError> {
    let is_nifti = matches!(bytes.get(344..348), Some(b"n+1\0" | b"ni1\0"))
        || matches!(bytes.get(4..8), Some(b"n+2\0"))
        || gzip_name(bytes).is_some_and(|name| name.to_ascii_lowercase().ends_with(b".nii"));
    if bytes.get(128..132) == Some(b"DICM") {
        Some(ImageError::NotYet { files: "DICOM files", part: "the slice" })
    } else if is_nifti {
        Some(ImageError::NotYet { files: "NIfTI volumes", part: "slices" })
    } else {
        None
    }
}

/// The name of the file in a gzip file, if its header has it (RFC 1952, 2.3: FNAME without FEXTRA before it).
fn gzip_name(bytes: &[u8]) -> Option<&[u8]> {
    let (header, rest) = bytes.split_at_checked(10)?;
    let tells_name = header.starts_with(b"\x1f\x8b") && header[3] & 0b1100 == 0b1000;
    tells_name.then(|| rest.split(|&b| b == 0).next().unwrap_or(rest))
}

/// What a file that is none of ours looks like, for the error message.
fn describe(bytes: &[u8]) -> String {
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

    /// The error for a file of 400 bytes with the given ones at their places.
    fn error(parts: &[(usize, &[u8])]) -> String {
        let mut bytes = vec![0; 400];
        for (at, part) in parts {
            bytes[*at..at + part.len()].copy_from_slice(part);
        }
        decode(&bytes, &Limits::default()).unwrap_err().to_string()
    }

    #[test]
    fn medical_formats_are_named_however_they_begin() {
        let dicom = "DICOM files cannot be opened yet. Export the slice as PNG or 16-bit TIFF";
        assert_eq!(error(&[(128, b"DICM")]), dicom);
        assert_eq!(error(&[(0, b"II*\0"), (128, b"DICM")]), dicom, "with the preamble of a TIFF");
        let nifti = "NIfTI volumes cannot be opened yet. Export slices as PNG or 16-bit TIFF";
        assert_eq!(error(&[(344, b"n+1\0")]), nifti);
        assert_eq!(error(&[(0, b"\x1f\x8b\x08\x08"), (10, b"brain.NII\0")]), nifti, "compressed");
        assert!(error(&[(0, b"\x1f\x8b\x08\x08"), (10, b"notes.txt\0")]).contains("archive"));
    }

    #[test]
    fn the_page_offers_these_formats_and_no_others() {
        let page = include_str!("../../index.html");
        let choosers: Vec<&str> = page.split("accept=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(choosers.len(), 2, "images and normal images");
        for accept in choosers {
            let (endings, types): (Vec<&str>, Vec<&str>) = accept.split(',').partition(|part| part.starts_with('.'));
            assert_eq!(endings, FILE_ENDINGS.map(|ending| format!(".{ending}")), "endings in index.html");
            let mut types: Vec<&str> = types.iter().map(|one| one.trim_start_matches("image/")).collect();
            types.sort_unstable();
            let mut names: Vec<String> = SUPPORTED_FORMATS.split(", ").map(str::to_ascii_lowercase).collect();
            names.sort_unstable();
            assert_eq!(types, names, "types in index.html");
        }
        let (others, last) = SUPPORTED_FORMATS.rsplit_once(", ").unwrap();
        let advice = format!("Choose {others} or {last} files.");
        assert!(include_str!("../../web/ui/intake.js").contains(&advice), "intake.js: expected {advice}");
    }
}
