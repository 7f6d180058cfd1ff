//! Labelled pictures in folders: what is taken for what, and what is odd about it.
//!
//! Comes in: paths of files. Goes out: [`Layout`]s, with [`Finding`]s for people and programs and a summary in lines. It
//! opens no file, so the page and the command line share it.
//!
//! ```text
//! paths ─ place (words) ─▶ pictures, masks ─ pairing ─▶ layout ─ summary ─▶ lines
//! ```

mod finding;
mod layout;
mod pairing;
mod place;
mod summary;
mod words;

pub use finding::{Finding, Level, counted, listed};
pub use layout::{Entry, Layout, PartSummary, Style, Taken, is_medical_name};
pub use words::{Part, is_set_folder, part_of};
