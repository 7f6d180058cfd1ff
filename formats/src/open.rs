//! Recognises a file by its content and hands it to its reader.
//!
//! Medical formats are looked for before plain pictures: a DICOM file may begin like a TIFF, since its first 128 bytes are
//! free.

use std::sync::Arc;

use crate::bytes::{unpack_counted, unpack_exactly};
use crate::head::judge;
use crate::picture::PictureFile;
use crate::volume::{meta_image, nifti, nrrd};
use crate::{FormatError, Limits, Series, dicom};

/// A format by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Dicom,
    Nifti,
    Nrrd,
    MetaImage,
    Gzip,
}

pub(crate) fn recognise(bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(b"\x1f\x8b") {
        Some(Format::Gzip)
    } else if bytes.starts_with(b"NRRD000") {
        Some(Format::Nrrd)
    } else if nifti::is_nifti(bytes) {
        Some(Format::Nifti)
    } else if meta_image::is_meta_image(bytes) {
        Some(Format::MetaImage)
    } else if dicom::is_dicom(bytes) {
        Some(Format::Dicom)
    } else {
        None
    }
}

/// The name of the medical format that a file seems to have; looks into gzip. Nothing for plain pictures.
pub fn sniff(bytes: &[u8]) -> Option<&'static str> {
    /// Enough for every signature (NIfTI's ends at 348).
    const HEAD_BYTES: u64 = 1024;
    match recognise(bytes)? {
        Format::Dicom => Some(dicom::FORMAT),
        Format::Nifti => Some(nifti::FORMAT),
        Format::Nrrd => Some(nrrd::FORMAT),
        Format::MetaImage => Some(meta_image::FORMAT),
        Format::Gzip => {
            let limits = Limits { max_file_bytes: HEAD_BYTES, ..Limits::default() };
            let mut head = Vec::new();
            let reader = std::io::Read::take(flate2::read::GzDecoder::new(bytes), limits.max_file_bytes);
            // What was unpacked before an error still tells.
            let _ = std::io::Read::read_to_end(&mut { reader }, &mut head);
            if recognise(&head) == Some(Format::Gzip) { None } else { sniff(&head) }
        }
    }
}

/// Opens one file. Its name does not matter.
///
/// # Errors
/// [`FormatError`]: see its variants. [`FormatError::Companion`] for the header of a pair: see [`open_pair`].
pub fn open(bytes: impl Into<Arc<[u8]>>, limits: &Limits) -> Result<Series, FormatError> {
    open_any(bytes.into(), None, limits)
}

/// Opens a pair: a header (`.hdr`, `.nhdr`, `.mhd`) and the file with its pixels (`.img`, `.raw`).
///
/// # Errors
/// [`FormatError`]: see its variants.
pub fn open_pair(
    header: impl Into<Arc<[u8]>>,
    pixels: impl Into<Arc<[u8]>>,
    limits: &Limits,
) -> Result<Series, FormatError> {
    open_any(header.into(), Some(pixels.into()), limits)
}

pub(crate) fn open_any(bytes: Arc<[u8]>, pixels: Option<Arc<[u8]>>, limits: &Limits) -> Result<Series, FormatError> {
    if bytes.is_empty() {
        return Err(FormatError::Empty);
    }
    limits.check_bytes(bytes.len() as u64)?;
    limits.check_bytes(pixels.as_ref().map_or(0, |p| p.len() as u64))?;
    let is_packed = recognise(&bytes) == Some(Format::Gzip);
    let bytes = if is_packed { gunzip(&bytes, limits)? } else { bytes };
    let pixels = pixels.map(|p| if p.starts_with(b"\x1f\x8b") { gunzip_pixels(&bytes, &p, limits) } else { Ok(p) });
    let pixels = pixels.transpose()?;
    match recognise(&bytes) {
        Some(Format::Dicom) => dicom::open(bytes, limits),
        Some(Format::Nifti) => nifti::open(&bytes, pixels, limits),
        Some(Format::Nrrd) => nrrd::open(&bytes, pixels, limits),
        Some(Format::MetaImage) => meta_image::open(&bytes, pixels, limits),
        Some(Format::Gzip) => Err(FormatError::Unknown { found: "a gzip file inside a gzip file" }),
        None if PictureFile::is_picture(&bytes) => PictureFile::open(bytes),
        None => Err(unknown(&bytes)),
    }
}

/// More than the header of any volume.
const UNPACKED_HEAD_BYTES: u64 = 1 << 20;

/// The beginning of what a gzip file holds, as far as it can be unpacked.
pub(crate) fn unpacked_head(packed: &[u8]) -> Result<Vec<u8>, FormatError> {
    let mut head = Vec::new();
    let mut reader = std::io::Read::take(flate2::read::MultiGzDecoder::new(packed), UNPACKED_HEAD_BYTES);
    match std::io::Read::read_to_end(&mut reader, &mut head) {
        // What was unpacked before an error still tells.
        Err(_) if head.is_empty() => Err(FormatError::damaged("gzip", "its compressed content cannot be unpacked")),
        _ => Ok(head),
    }
}

/// What a gzip file holds. The header is unpacked first, and the size judged by it.
fn gunzip(bytes: &[u8], limits: &Limits) -> Result<Arc<[u8]>, FormatError> {
    let head = unpacked_head(bytes)?;
    if (head.len() as u64) < UNPACKED_HEAD_BYTES {
        limits.check_bytes(head.len() as u64)?;
        return Ok(head.into());
    }
    judge(&head, limits)?;
    let unpacked = || flate2::read::MultiGzDecoder::new(bytes);
    if recognise(&head) != Some(Format::Nifti) {
        return unpack_counted("gzip", unpacked, limits);
    }
    let head: Arc<[u8]> = head.into();
    match nifti::open(&head, None, limits) {
        // All voxels are in it.
        Ok(_) => Ok(head),
        Err(FormatError::Truncated { expected_bytes, found_bytes: found_bytes @ 1.., .. }) => {
            let start = head.len() as u64 - found_bytes;
            let whole = unpack_exactly(nifti::FORMAT, unpacked(), start + expected_bytes, bytes.len(), limits);
            whole.map_err(|error| match error {
                FormatError::Truncated { format, part, found_bytes, .. } => {
                    let found_bytes = found_bytes.saturating_sub(start);
                    FormatError::Truncated { format, part, expected_bytes, found_bytes }
                }
                other => other,
            })
        }
        Err(FormatError::Truncated { .. }) => unpack_counted("gzip", unpacked, limits),
        Err(error) => Err(error),
    }
}

/// The file of a header's pixels, whose size the header is judged by first.
fn gunzip_pixels(header: &Arc<[u8]>, packed: &[u8], limits: &Limits) -> Result<Arc<[u8]>, FormatError> {
    if let Err(error @ FormatError::TooLarge { .. }) =
        open_any(Arc::clone(header), Some(crate::head::nothing()), limits)
    {
        return Err(error);
    }
    unpack_counted("gzip", || flate2::read::MultiGzDecoder::new(packed), limits)
}

/// The error for a file that is none of ours.
pub(crate) fn unknown(bytes: &[u8]) -> FormatError {
    FormatError::Unknown { found: describe(bytes) }
}

/// What a file that is none of ours looks like.
fn describe(bytes: &[u8]) -> &'static str {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if starts(b"GIF8") {
        "a GIF file, which is not read"
    } else if matches!(bytes.get(4..8), Some(b"ftyp")) {
        "a HEIC, AVIF or video file, which is not read"
    } else if nifti::is_analyze(bytes) {
        "the header of an Analyze 7.5 volume, which is not read (save it as NIfTI)"
    } else if starts(b"\0\0\0\x0cjP  ") || starts(b"\xff\x4f\xff\x51") {
        "a JPEG 2000 file, which is not read"
    } else if starts(b"%PDF") {
        "a PDF document, not a picture"
    } else if starts(b"PK\x03\x04") {
        "a zip archive, not a picture (unpack it first)"
    } else if bytes.iter().take(256).all(|&b| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e)) {
        "a text file, not a picture"
    } else {
        "not a picture that is known here"
    }
}
