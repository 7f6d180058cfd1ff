//! Recognises a file by its content and hands it to its reader.
//!
//! Medical formats are looked for before plain pictures: a DICOM file may begin like a TIFF, since its first 128 bytes are
//! free.

use std::sync::Arc;

use crate::bytes::unpack;
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
    let pixels = pixels.map(|p| if p.starts_with(b"\x1f\x8b") { gunzip(&p, limits) } else { Ok(p) }).transpose()?;
    let is_packed = recognise(&bytes) == Some(Format::Gzip);
    let bytes = if is_packed { gunzip(&bytes, limits)? } else { bytes };
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

fn gunzip(bytes: &[u8], limits: &Limits) -> Result<Arc<[u8]>, FormatError> {
    Ok(unpack("gzip", flate2::read::MultiGzDecoder::new(bytes), limits)?.into())
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
