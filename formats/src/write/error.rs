//! Why something cannot be written about a series.

use thiserror::Error;

use crate::FormatError;

/// What the source lacks, with the next step.
#[derive(Debug, Error)]
pub enum WriteError {
    /// DICOM objects refer to DICOM files.
    #[error("a DICOM object refers to DICOM files, this is {format}; write a NIfTI file (.nii.gz) instead")]
    NotDicom {
        /// Format of the source.
        format: &'static str,
    },
    /// The source's files do not say who they are.
    #[error(
        "the DICOM files lack identifiers (of class, object, study or series), so nothing can refer to them; \
         write a NIfTI file (.nii.gz) instead"
    )]
    NoIdentifiers,
    /// One object cannot be about files of several studies.
    #[error("the files belong to different studies; take the series of one study")]
    SeveralStudies,
    /// An affine needs parallel slices with equal steps.
    #[error("{what}, so one array with one affine cannot hold the slices; {next}")]
    Uneven {
        /// What is uneven.
        what: String,
        /// What to do instead.
        next: &'static str,
    },
    /// A frame's values do not have its size.
    #[error("{what} has {found} values, expected {expected}")]
    Size {
        /// What was handed in.
        what: &'static str,
        /// Number of values a frame has.
        expected: usize,
        /// Number found.
        found: usize,
    },
    /// There is nothing to write.
    #[error("no frame was analysed, so there is nothing to write")]
    Nothing,
    /// Longer than the format can say.
    #[error("the slices need {bytes} bytes, the format holds {limit}; choose fewer slices")]
    TooLarge {
        /// Bytes needed by pixels, or by the list of pages.
        bytes: u64,
        /// Most bytes.
        limit: u64,
    },
    /// A frame of the source cannot be read again.
    #[error(transparent)]
    Source(#[from] FormatError),
    /// The place that is written to.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
