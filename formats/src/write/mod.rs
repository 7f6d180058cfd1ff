//! What one can keep of an analysis, as files that other programs open.
//!
//! Comes in: a map or a mask, frame by frame in pixels of the source, and the [`Series`](crate::Series) it belongs to.
//! Goes out: bytes. Fails with [`WriteError`], which says what the source lacks. Nothing here knows a disk.
//!
//! | file | what it keeps |
//! |---|---|
//! | [`npy()`] | values as a NumPy array |
//! | [`png16()`] | a map as grey of 16 bits, with its range |
//! | [`contours()`] | outlines and regions as JSON |
//! | [`nifti_map`], [`nifti_labels`] | a volume in the source's space, `.nii.gz` |
//! | [`segmentation`] | DICOM Segmentation that refers to the source's frames |
//! | [`secondary_capture`] | DICOM colour pictures that refer to the source's frames |
//!
//! No name, number, date or other text of a patient gets into any of them: of the source's DICOM header only unique
//! identifiers are used, without which a segmentation cannot be shown on its source, and the geometry.

mod contours;
mod dicom;
mod error;
mod grid;
mod nifti;
mod npy;
mod png16;
mod regions;

pub use contours::{Outlines, contours};
pub use dicom::{IMPLEMENTATION, Segment, Stamp, check_dicom, secondary_capture, secondary_capture_head, segmentation};
pub use error::WriteError;
pub use nifti::{DESCRIPTION, check_nifti, nifti_labels, nifti_map};
pub use npy::npy;
pub use png16::{MAP_NOTE, png16};
pub use regions::{Region, regions};
