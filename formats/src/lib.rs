//! Medical picture files to series of frames.
//!
//! In: the bytes of a file, or of the two files of a pair. Out: a [`Series`]: ordered frames with geometry, the
//! meaning of the values, window presets, modality and body part; [`Series::frame`] decodes one [`Frame`] when it is
//! asked for. Fails with [`FormatError`], which says what was expected, what was found and what to do next.
//!
//! ```text
//! bytes ─ open ─▶ Series ─ frame(n) ─▶ Frame (stored samples + their meaning) ─ values / to_rgb8 ─▶ pixels
//! ```
//!
//! Read are DICOM, NIfTI-1 and -2, NRRD and MetaImage. The crate knows no model, no browser and no terminal.
//! Sizes are judged from headers before anything is allocated ([`Limits`]). Names, identifiers and dates of patients
//! are never read into any of these types, so no message and no `Debug` output can hold them.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bytes;
pub mod dicom;
mod error;
mod frame;
mod geometry;
mod limits;
mod open;
mod samples;
mod series;
mod value;
mod volume;
pub mod write;

pub use error::FormatError;
pub use frame::{Channels, Frame};
pub use geometry::{Geometry, Vector};
pub use limits::Limits;
pub use open::{open, open_pair, sniff};
pub use samples::Samples;
pub use series::{FrameInfo, Series};
pub use value::{Preset, Table, ValueMap, WindowShape};
pub use volume::{Axis, Volume};
