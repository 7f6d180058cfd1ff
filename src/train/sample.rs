//! Which pictures are trained on, and what is done to them.

use std::path::{Path, PathBuf};

use crate::eval::Sample;
use crate::image::Planes;

/// A picture that is trained on, and where it comes from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The picture, and its mask and label.
    pub sample: Sample,
    /// Which object it shows, by number.
    pub object: usize,
    /// Which data set of the plan it is from, by number.
    pub set: usize,
    /// What is done to it.
    pub change: Change,
}

/// What is done to a picture before it is trained on.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// One of the views of spec §6, by number; 0 is the picture itself.
    View(usize),
    /// A synthetic anomaly is put in, with material of another normal picture.
    Synthetic {
        /// The other picture.
        other: PathBuf,
        /// Distinguishes several of one picture.
        number: u64,
    },
}

impl Source {
    /// One line that identifies it.
    pub fn line(&self) -> String {
        let path = |p: &Path| p.display().to_string();
        let Self { sample, object, set: _, change } = self;
        let change = match change {
            Change::View(view) => format!("view {view}"),
            Change::Synthetic { other, number } => format!("synthetic {number} with {}", path(other)),
        };
        let mask = sample.mask.as_deref().map_or_else(|| "none".to_owned(), path);
        let label = if sample.abnormal { "abnormal" } else { "normal" };
        format!("{} | mask {mask} | {label} | object {object} | {change}", path(&sample.image))
    }
}

/// A picture of the model's size with what it should show.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// Pixels.
    pub planes: Planes,
    /// 0 and 1, `[side, side]`.
    pub mask: Vec<u8>,
    /// The label.
    pub abnormal: bool,
}
