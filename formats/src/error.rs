//! What can be wrong with a medical picture file. The file's name is added by callers.

use thiserror::Error;

use crate::picture::ImageError;

/// A file that cannot be used, with what was found and the next step.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormatError {
    /// The file has no bytes.
    #[error("the file is empty (0 bytes); export or copy it again")]
    Empty,
    /// The content is none of the formats that this crate reads.
    #[error(
        "this is {found}; use a file in one of these formats: DICOM, NIfTI, NRRD, MetaImage, {pictures}",
        pictures = crate::picture::SUPPORTED_FORMATS
    )]
    Unknown {
        /// What the first bytes look like.
        found: &'static str,
    },
    /// The file is whole, but holds no picture.
    #[error("this {format} file holds no picture: {reason}; choose the file that has the pixels")]
    NoPicture {
        /// Name of the format.
        format: &'static str,
        /// What it lacks, or what it is instead.
        reason: String,
    },
    /// The format is known, but this kind of it is not read.
    #[error("this {format} file has {found}, which is not read; {instead}")]
    Unsupported {
        /// Name of the format.
        format: &'static str,
        /// The feature that is not read.
        found: String,
        /// How to convert it.
        instead: &'static str,
    },
    /// The picture or the file is larger than the limits.
    #[error("the file is too large: found {found}, the limit is {limit}; split it or crop it, then try again")]
    TooLarge {
        /// Size found, with its unit.
        found: String,
        /// Size allowed, with its unit.
        limit: String,
    },
    /// The machine has no room for what the file holds.
    #[error("there is no memory for {needed_bytes} bytes of pixels; close other programs or use a smaller file")]
    Memory {
        /// Bytes needed.
        needed_bytes: u64,
    },
    /// The file ends before its pixels do.
    #[error(
        "the {format} file is cut off: {part} needs {expected_bytes} bytes, found {found_bytes}; copy or download it again"
    )]
    Truncated {
        /// Name of the format.
        format: &'static str,
        /// What ends early.
        part: &'static str,
        /// Bytes that the header asks for.
        expected_bytes: u64,
        /// Bytes there are.
        found_bytes: u64,
    },
    /// The file contradicts its own format.
    #[error("the {format} file is damaged: {reason}; get a fresh copy or export it again")]
    Damaged {
        /// Name of the format.
        format: &'static str,
        /// What is wrong in it.
        reason: String,
    },
    /// A plain picture that cannot be read.
    #[error(transparent)]
    Picture(#[from] ImageError),
    /// A frame that the series does not have.
    #[error("there is no frame {wanted}: the series has {frames}, numbered from 0; choose one of them")]
    NoSuchFrame {
        /// The number asked for, from 0.
        wanted: usize,
        /// Number of frames.
        frames: usize,
    },
    /// The pixels are in another file.
    #[error("this {format} file is a header, its pixels are in another file; open it together with {file}")]
    Companion {
        /// Name of the format.
        format: &'static str,
        /// The other file.
        file: String,
    },
}

impl FormatError {
    /// A [`FormatError::Damaged`].
    pub(crate) fn damaged(format: &'static str, reason: impl Into<String>) -> Self {
        Self::Damaged { format, reason: reason.into() }
    }
}
