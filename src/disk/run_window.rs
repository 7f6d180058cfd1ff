//! The grey window of a run, taken from its normal pictures.
//!
//! Comes in: the files of the normal pictures, and the window that was chosen. Goes out: the window for them and for the
//! pictures that are compared with them. Cannot fail: a file that cannot be read is passed over, and is named where it is
//! opened. Files of 8 bits are not decoded for this.

use std::fmt;
use std::path::Path;

use super::picture_file;
use crate::image::{GreySpread, Shown, WindowChoice, may_be_deep, pooled_range};

/// The window of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunWindow {
    /// For every picture of the run.
    pub choice: WindowChoice,
    /// What the normal pictures have together, if that is the choice.
    pub shared: Option<Shown>,
    /// They are the slices themselves that it was taken from, not normal pictures.
    pub is_of_slices: bool,
}

impl RunWindow {
    /// Each picture through the window that was chosen; nothing is taken from other pictures.
    pub fn each(choice: WindowChoice) -> Self {
        Self { choice, shared: None, is_of_slices: false }
    }

    /// One window for all, where none was chosen and a normal picture is deeper than 8 bits.
    pub fn of<'a>(references: impl IntoIterator<Item = &'a Path>, choice: WindowChoice) -> Self {
        if choice != WindowChoice::Auto {
            return Self::each(choice);
        }
        Self::of_spreads(references.into_iter().filter_map(grey_spread), choice)
    }

    /// The same from grey values that were looked at before.
    pub fn of_spreads(spreads: impl IntoIterator<Item = GreySpread>, choice: WindowChoice) -> Self {
        if choice != WindowChoice::Auto {
            return Self::each(choice);
        }
        let spreads: Vec<GreySpread> = spreads.into_iter().collect();
        let is_padded = spreads.iter().any(|spread| spread.is_padded);
        match pooled_range(spreads.iter().map(|spread| spread.knots.as_slice())) {
            Some(range) => {
                let shared = Some(Shown { range, is_padded });
                Self { choice: WindowChoice::Between(range), shared, is_of_slices: false }
            }
            None => Self::each(choice),
        }
    }
}

impl fmt::Display for RunWindow {
    /// A clause for people; empty if nothing is shared.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Shown { range, is_padded }) = self.shared else { return Ok(()) };
        match self.is_of_slices {
            false => write!(f, "window {range} for all pictures, taken from the normal pictures")?,
            true => write!(f, "window {range} for all slices, taken from them")?,
        }
        if is_padded { f.write_str(", padding left out") } else { Ok(()) }
    }
}

/// How the grey values of a file are spread; nothing where no window applies, or for what cannot be read.
pub fn grey_spread(path: &Path) -> Option<GreySpread> {
    let bytes = picture_file::read(path).ok()?;
    let is_deep = may_be_deep(&bytes) || picture_file::is_medical(&bytes);
    is_deep.then(|| picture_file::picture(&bytes))?.ok()?.grey_spread()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_shared_where_a_window_was_chosen_or_no_picture_needs_one() {
        let missing = [Path::new("not-there.png")];
        for choice in [WindowChoice::Auto, WindowChoice::Pil] {
            assert_eq!(RunWindow::of(missing, choice), RunWindow::each(choice));
        }
        assert_eq!(RunWindow::each(WindowChoice::Auto).to_string(), "");
    }
}
