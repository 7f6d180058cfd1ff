//! What the beginning of a file tells, so that a large file or a folder of thousands is judged before it is read.
//!
//! In: the first bytes of a file and its length. Out: [`Head`]: what is to be known of its frames, or that the whole file is
//! needed for that. Fails with what is certain already: sizes above the limits, formats that are not read, pixels in another
//! file.

use std::sync::Arc;

use crate::bytes::text;
use crate::open::{Format, open_any, recognise, unknown, unpacked_head};
use crate::picture::{self, PictureFile};
use crate::volume::nifti;
use crate::{FormatError, Limits, Series, dicom};

/// What a beginning tells.
#[derive(Debug, Clone)]
pub enum Head {
    /// Everything but the pixels: asking for a frame of it fails.
    Series(Series),
    /// The whole file must be read.
    Whole,
}

/// Judges a file of `file_bytes` by its first bytes.
///
/// # Errors
/// [`FormatError`]: what more bytes cannot change.
pub fn open_head(head: &[u8], file_bytes: u64, limits: &Limits) -> Result<Head, FormatError> {
    if head.is_empty() {
        return Err(FormatError::Empty);
    }
    match recognise(head) {
        Some(Format::Dicom) => {
            limits.check_bytes(file_bytes)?;
            Ok(dicom::open_head(head, file_bytes, limits)?.map_or(Head::Whole, Head::Series))
        }
        Some(Format::Gzip) => {
            limits.check_bytes(file_bytes)?;
            judge(&unpacked_head(head)?, limits).map(|()| Head::Whole)
        }
        Some(Format::Nifti) => {
            limits.check_bytes(file_bytes)?;
            let opened = nifti::open_head(head, file_bytes, limits);
            if let Err(FormatError::Truncated { expected_bytes, .. }) = opened {
                limits.check_bytes(expected_bytes)?;
            }
            opened.map(Head::Series)
        }
        Some(Format::Nrrd | Format::MetaImage) => {
            limits.check_bytes(file_bytes)?;
            judge(head, limits).map(|()| Head::Whole)
        }
        None if PictureFile::is_picture(head) => {
            picture::Limits::default().check_file(usize::try_from(file_bytes).unwrap_or(usize::MAX))?;
            Ok(Head::Whole)
        }
        None => Err(unknown(head)),
    }
}

/// What a beginning tells to somebody who wants no pixels: as [`open_head`], and of a packed NIfTI file what its header says.
/// Whether all of its voxels are there is not known then.
///
/// # Errors
/// As [`open_head`].
pub fn describe_head(head: &[u8], file_bytes: u64, limits: &Limits) -> Result<Head, FormatError> {
    let judged = open_head(head, file_bytes, limits)?;
    if recognise(head) != Some(Format::Gzip) {
        return Ok(judged);
    }
    let unpacked = unpacked_head(head)?;
    if recognise(&unpacked) != Some(Format::Nifti) {
        return Ok(judged);
    }
    nifti::open_head(&unpacked, u64::MAX, limits).map(Head::Series)
}

/// Refuses a volume by its header.
pub(crate) fn judge(head: &[u8], limits: &Limits) -> Result<(), FormatError> {
    match open_any(head.into(), None, limits) {
        Err(FormatError::Truncated { expected_bytes, .. }) => limits.check_bytes(expected_bytes),
        Err(
            error @ (FormatError::TooLarge { .. } | FormatError::Companion { .. } | FormatError::Unsupported { .. }),
        ) => Err(error),
        // What is cut may look damaged.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Names that the file with the pixels of a header may have, the likeliest first: named in it, else of the same name with a
/// usual ending. Names alone: a header does not choose files in other folders.
pub fn companion_names(name: &str, head: &[u8]) -> Vec<String> {
    /// Enough for the fields before the pixels.
    const HEAD_BYTES: usize = 4096;
    let text = text(&head[..head.len().min(HEAD_BYTES)]).into_owned();
    let named = text.lines().find_map(|line| {
        let (key, value) = line.split_once([':', '='])?;
        let is_name = ["data file", "datafile", "elementdatafile"].contains(&key.trim().to_lowercase().as_str());
        let file = value.trim().rsplit(['/', '\\']).next().unwrap_or("");
        (is_name && !file.is_empty()).then(|| file.to_owned())
    });
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let usual = ["img", "img.gz", "raw", "raw.gz", "zraw"].map(|ending| format!("{stem}.{ending}"));
    named.into_iter().chain(usual).filter(|other| other != name).collect()
}

impl Series {
    /// The same without the bytes of its files: what is known of the frames stays, asking for one fails.
    pub fn without_bytes(mut self) -> Self {
        let mut last: Option<(crate::series::Source, crate::series::Source)> = None;
        for entry in &mut self.entries {
            let known = last.as_ref().filter(|(full, _)| full.is_same(&entry.source));
            let empty = known.map_or_else(|| entry.source.without_bytes(), |(_, empty)| empty.clone());
            last = Some((entry.source.clone(), empty.clone()));
            entry.source = empty;
        }
        self
    }
}

/// No bytes.
pub(crate) fn nothing() -> Arc<[u8]> {
    Arc::from([])
}
