//! DICOM objects about a series: explicit little endian, one file each.
//!
//! Comes in: a series of DICOM frames, what was found on them, and a [`Stamp`]. Goes out: a file with preamble. Names,
//! numbers, birth dates and study dates of patients stay empty (the standard lets them), and the object says that it was
//! de-identified. Kept are the unique identifiers of study and frame of reference: with others no viewer would show it
//! on its source. Fails with [`WriteError`](super::WriteError).

mod capture;
mod common;
mod item;
mod segmentation;

pub use capture::{secondary_capture, secondary_capture_head};
pub use common::{IMPLEMENTATION, Stamp, check_dicom};
pub use segmentation::{Segment, segmentation};
