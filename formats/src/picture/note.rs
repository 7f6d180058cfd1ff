//! What a person should know about how a picture was read.
//!
//! Comes in: what a decoder found. Goes out: a code for programs and a clause for people. A note is no error: the picture
//! is read, but another reading of the file is possible, or something in it is not looked at.

use std::fmt;

use super::window::Shown;

/// One thing to know about a [`Picture`](super::Picture), told once and near the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// The file holds several pages, frames or pictures; one is analysed.
    Part {
        /// "page", "frame" or "picture".
        what: &'static str,
        /// Which of them, from 1.
        number: u64,
        /// How many there are.
        of: u64,
    },
    /// Some pixels are transparent; the colours under them are analysed.
    Transparent,
    /// The file has channels beside grey or colour that are not transparency.
    FurtherChannels {
        /// How many are not looked at.
        left_out: usize,
    },
    /// Every pixel is there, the mark of the file's end is not.
    NoEnd,
    /// Grey values are too large for their differences to be kept as they are.
    CountedFrom {
        /// The value that is now 0.
        zero: f64,
    },
    /// The window that deep grey was shown and analysed through.
    Window(Shown),
}

impl Note {
    /// A name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Part { .. } => "part",
            Self::Transparent => "transparent",
            Self::FurtherChannels { .. } => "further-channels",
            Self::NoEnd => "no-end",
            Self::CountedFrom { .. } => "counted-from",
            Self::Window(_) => "window",
        }
    }
}

impl fmt::Display for Note {
    /// A clause without a capital and a full stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part { what, number, of } => write!(f, "{what} {number} of {of} is analysed"),
            Self::Transparent => {
                write!(f, "transparent parts are analysed as stored, with the colours that lie hidden under them")
            }
            Self::FurtherChannels { left_out: 1 } => write!(f, "one further channel of the file is left out"),
            Self::FurtherChannels { left_out } => write!(f, "{left_out} further channels of the file are left out"),
            Self::NoEnd => write!(f, "the mark of the file's end is missing, though every pixel is there"),
            Self::CountedFrom { zero } => write!(f, "grey values are large and are counted from {zero}"),
            Self::Window(Shown { range, is_padded: false }) => write!(f, "window {range}"),
            Self::Window(Shown { range, is_padded: true }) => write!(f, "window {range}, padding left out"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::GreyRange;

    #[test]
    fn notes_are_clauses() {
        for (note, expected) in [
            (Note::Part { what: "page", number: 1, of: 3 }, "page 1 of 3 is analysed"),
            (Note::FurtherChannels { left_out: 1 }, "one further channel of the file is left out"),
            (Note::FurtherChannels { left_out: 2 }, "2 further channels of the file are left out"),
            (Note::CountedFrom { zero: 4_294_960_000.0 }, "grey values are large and are counted from 4294960000"),
            (
                Note::Window(Shown { range: GreyRange { low: -1000.0, high: 1100.0 }, is_padded: true }),
                "window -1000 … 1100, padding left out",
            ),
        ] {
            assert_eq!(note.to_string(), expected);
        }
    }
}
