//! Which bytes of a file hold one slice, so that of a file of gigabytes only headers and the slices that are looked at are
//! read.
//!
//! In: a series that was opened by its beginning ([`open_head`](crate::open_head)), and a slice. Out: a [`Part`], if the
//! pixels lie plainly in the file. [`Series::frame_of_part`] makes the frame of these bytes.

use std::sync::Arc;

use crate::series::Source;
use crate::{Axis, FormatError, Frame, Series};

/// Equally spaced runs of bytes, several lines of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The first byte.
    pub start: u64,
    /// Bytes of a run: a voxel, or a whole frame.
    pub run_bytes: u64,
    /// From one run of a line to the next, in bytes.
    pub run_step: u64,
    /// Runs of a line.
    pub runs: u64,
    /// From one line to the next, in bytes.
    pub line_step: u64,
    /// Lines.
    pub lines: u64,
}

impl Series {
    /// Where slice `n` across an axis lies; of DICOM files frame `n`, whatever the axis. Nothing where the whole file is
    /// needed.
    pub fn part(&self, axis: Axis, n: usize) -> Option<Part> {
        match &self.entries.first()?.source {
            Source::Volume(volume) => volume.part(axis, n),
            Source::Dicom(file) => {
                let bytes = file.part(self.entries.get(n)?.index)?;
                let length = bytes.end - bytes.start;
                Some(Part {
                    start: bytes.start,
                    run_bytes: length,
                    run_step: length,
                    runs: 1,
                    line_step: length,
                    lines: 1,
                })
            }
            Source::Picture(_) => None,
        }
    }

    /// The slice of the runs that [`Series::part`] names, one after the other.
    ///
    /// # Errors
    /// As [`Series::frame`].
    pub fn frame_of_part(&self, axis: Axis, n: usize, bytes: Arc<[u8]>) -> Result<Frame, FormatError> {
        let entry = self.entries.first().ok_or(FormatError::Empty)?;
        match &entry.source {
            Source::Volume(volume) => volume.of_part(axis, bytes).slice(axis, n),
            Source::Dicom(file) => file.frame_of_part(self.entries.get(n).unwrap_or(entry).index, &bytes),
            Source::Picture(_) => self.frame(n),
        }
    }
}
