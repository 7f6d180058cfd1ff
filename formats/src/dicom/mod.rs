//! DICOM: one file to a series of its frames.
//!
//! `open` reads the header only. Frames are decoded from the file's bytes when they are asked for.

mod codec;
mod colour;
mod dataset;
mod describe;
mod file;
mod group;
mod header;
mod origin;
mod place;
mod stored;
mod syntax;
mod tags;

pub use file::File;
pub(crate) use file::{is_dicom, open, open_head};
pub use group::group;
pub(crate) use origin::Origin;

/// Name of the format, for messages.
pub(crate) const FORMAT: &str = "DICOM";
