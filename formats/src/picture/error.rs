//! What can be wrong with a picture file, grouped by who can act. The file's name is added by callers.

use thiserror::Error;

/// A picture that cannot be used, with what was found and the next step.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImageError {
    // Who chose the file can choose another one.
    /// The file has no bytes.
    #[error("the file is empty (0 bytes); export or copy it again")]
    Empty,
    /// The content is not one of the formats this build reads.
    #[error("this is {found}; use a picture in one of these formats: {supported}", supported = super::SUPPORTED_FORMATS)]
    NotAnImage {
        /// What the first bytes look like.
        found: String,
    },
    /// The content is known, but this kind of it is not read.
    #[error(
        "this {format} file has {found}, which this build does not read; open it in a program that shows it and save it again as an 8-bit or 16-bit PNG"
    )]
    Unsupported {
        /// Name of the format.
        format: &'static str,
        /// The feature that is not read.
        found: String,
    },
    /// The picture or the file is larger than the limits.
    #[error(
        "the picture is too large: found {found}, the limit is {limit}; make it smaller or crop it, then try again"
    )]
    TooLarge {
        /// Size found, with its unit.
        found: String,
        /// Size allowed, with its unit.
        limit: String,
    },
    /// The machine has no room for the decoded picture.
    #[error(
        "there is no memory for the decoded picture ({needed_bytes} bytes); close other programs or make the picture smaller"
    )]
    Memory {
        /// Bytes the decoded picture needs.
        needed_bytes: u64,
    },

    // Who made or moved the file can get it whole.
    /// The file ends before the picture does.
    #[error("the {format} file is cut off: {reason}; copy or download it again")]
    Truncated {
        /// Name of the format.
        format: &'static str,
        /// Where it ends.
        reason: String,
    },
    /// The file contradicts its own format.
    #[error("the {format} file is damaged: {reason}; get a fresh copy or export it again")]
    Damaged {
        /// Name of the format.
        format: &'static str,
        /// What is wrong in it.
        reason: String,
    },

    // Who typed the setting can type another one.
    /// A grey-value window that cannot be read.
    #[error(
        "the window {found:?} is not valid; use auto, pil, LOW..HIGH, or CENTER,WIDTH with a width above 0, for example 40,400"
    )]
    Window {
        /// What was typed.
        found: String,
    },
}
