//! Picture files to series of frames.
//!
//! In: the bytes of a file, or of the two files of a pair. Out: a [`Series`]: ordered frames with geometry, the
//! meaning of the values, window presets, modality and body part; [`Series::frame`] decodes one [`Frame`] when it is
//! asked for. Fails with [`FormatError`], which says what was expected, what was found and what to do next.
//!
//! ```text
//! bytes ─ open ─▶ Series ─┬ frame(n) ───▶ Frame (stored samples + their meaning)
//!                         └ picture(n) ─▶ RawPicture (what is shown and analysed) ─ shown(window) ─▶ Rgb8
//! ```
//!
//! Read are DICOM, NIfTI-1 and -2, NRRD and MetaImage, and plain pictures ([`picture`]), which are series of one frame, or
//! of the pages of a TIFF. Without the feature `files` only the types of pictures are left, for modules that decode nothing.
//! The crate knows no model, no browser and no terminal.
//! Sizes are judged from headers before anything is allocated ([`Limits`]). Names, identifiers and dates of patients
//! are never read into any of these types, so no message and no `Debug` output can hold them.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

#[cfg(feature = "files")]
mod bytes;
#[cfg(feature = "files")]
pub mod dicom;
#[cfg(feature = "files")]
mod error;
#[cfg(feature = "files")]
mod frame;
#[cfg(feature = "files")]
mod geometry;
#[cfg(feature = "files")]
mod head;
#[cfg(feature = "files")]
mod limits;
pub mod map_at;
#[cfg(feature = "files")]
mod open;
#[cfg(feature = "files")]
mod part;
pub mod picture;
#[cfg(feature = "files")]
mod samples;
#[cfg(feature = "files")]
mod series;
#[cfg(feature = "files")]
mod slice_place;
mod value;
#[cfg(feature = "files")]
mod volume;
#[cfg(all(feature = "web", target_arch = "wasm32"))]
mod web;
#[cfg(feature = "files")]
pub mod write;

#[cfg(feature = "files")]
pub use error::FormatError;
#[cfg(feature = "files")]
pub use frame::{Channels, Frame};
#[cfg(feature = "files")]
pub use geometry::{Geometry, Vector};
#[cfg(feature = "files")]
pub use head::{Head, companion_names, describe_head, open_head};
#[cfg(feature = "files")]
pub use limits::Limits;
#[cfg(feature = "files")]
pub use open::{open, open_pair, sniff};
#[cfg(feature = "files")]
pub use part::Part;
#[cfg(feature = "files")]
pub use samples::Samples;
#[cfg(feature = "files")]
pub use series::{FrameInfo, Series};
#[cfg(feature = "files")]
pub use slice_place::SlicePlace;
pub use value::{Preset, Table, ValueMap, WindowShape};
#[cfg(feature = "files")]
pub use volume::{Axis, Volume};
