//! Picture files: which they are, and their pixels.
//!
//! Comes in: paths. Goes out: bytes, or 8-bit RGB seen through a grey window. Fails with [`PictureFileError`], which
//! does not name the file: the caller knows what it is for. A file larger than the limits is read only until
//! that is known.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use thiserror::Error;

use crate::dataset::is_medical_name;
use crate::disk::medical_file::{self, MedicalFileError};
use crate::image::{FILE_ENDINGS, ImageError, Limits, Picture, Rgb8, WindowChoice, decode};

/// A picture file that cannot be used.
#[derive(Debug, Error)]
pub enum PictureFileError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its content is no picture.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// It is a medical file that cannot be used as one picture.
    #[error(transparent)]
    Medical(#[from] MedicalFileError),
}

/// Whether a file in a folder counts as a picture: by its ending. What a hidden file is for is not known.
pub fn is_picture(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    let is_medical = path.file_name().is_some_and(|name| is_medical_name(&name.to_string_lossy()));
    !hidden && (is_medical || ending.is_some_and(|e| FILE_ENDINGS.contains(&e.as_str())))
}

/// The bytes of a file, or so many of them that [`decoded`] refuses it as too large.
///
/// # Errors
/// The system's reason.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(Limits::default().max_file_bytes as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads and decodes a file, with what is to be known about it.
///
/// # Errors
/// [`PictureFileError`].
pub fn whole(path: &Path) -> Result<Picture, PictureFileError> {
    picture(&read(path)?)
}

/// The picture in the bytes of a file, with what is to be known about it.
///
/// # Errors
/// [`PictureFileError`].
pub fn picture(bytes: &[u8]) -> Result<Picture, PictureFileError> {
    if is_medical(bytes) {
        return Ok(medical_file::picture(bytes)?);
    }
    Ok(decode(bytes, &Limits::default())?)
}

/// Whether a file is DICOM, NIfTI, NRRD or MetaImage, by its content.
pub fn is_medical(bytes: &[u8]) -> bool {
    mvfa_formats::sniff(bytes).is_some()
}

/// The picture in the bytes of a file.
///
/// # Errors
/// [`PictureFileError`].
pub fn decoded(bytes: &[u8], window: WindowChoice) -> Result<Rgb8, PictureFileError> {
    Ok(picture(bytes)?.to_rgb8(window))
}

/// Reads and decodes a file.
///
/// # Errors
/// [`PictureFileError`].
pub fn open(path: &Path, window: WindowChoice) -> Result<Rgb8, PictureFileError> {
    decoded(&read(path)?, window)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_endings() {
        for (name, expected) in [
            ("a.PNG", true),
            ("b.jpeg", true),
            (".c.png", false),
            ("d.dat", false),
            ("png", false),
            ("e.nii.gz", true),
            ("f.DCM", true),
        ] {
            assert_eq!(is_picture(Path::new(name)), expected, "{name}");
        }
    }

    #[test]
    fn what_is_missing_and_what_is_no_picture_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        assert!(matches!(open(&path, WindowChoice::Auto), Err(PictureFileError::Io(_))));
        std::fs::write(&path, "no picture").unwrap();
        assert!(matches!(open(&path, WindowChoice::Auto), Err(PictureFileError::Image(_))));
    }
}
