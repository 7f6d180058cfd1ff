//! Pictures ready to be trained on, before the tower has seen them.
//!
//! Comes in: picture files with masks and labels, or normal pictures alone. Goes out: planes of
//! the model's size with a mask of 0 and 1. Fails with [`TrainError::Picture`] that names the file.

use std::path::{Path, PathBuf};

use crate::eval::{Sample, check_size, read_mask};
use crate::image::{Limits, Planes, Rgb8, WindowChoice, augment_mvfa, decode, resize_bicubic, to_planes};
use crate::train::error::TrainError;
use crate::train::random::{Purpose, stream};
use crate::train::synthesis::synthesize;

/// A picture that is trained on, and where it comes from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The picture, and its mask and label.
    pub sample: Sample,
    /// Which object it shows, by number.
    pub object: usize,
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

/// A picture of the model's size with what it should show.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Pixels.
    pub planes: Planes,
    /// 0 and 1, `[side, side]`.
    pub mask: Vec<u8>,
    /// The label.
    pub abnormal: bool,
}

/// Reads and prepares one picture.
///
/// # Errors
/// [`TrainError::Picture`] and [`TrainError::Data`].
pub fn prepare(source: &Source, side_px: usize, seed: u64) -> Result<Prepared, TrainError> {
    let picture = open(&source.sample.image)?;
    let planes = to_planes(&resize_bicubic(&picture, side_px));
    match &source.change {
        Change::View(view) => {
            let mask = match &source.sample.mask {
                Some(path) => {
                    check_size(path, &picture)?;
                    read_mask(path, side_px)?
                }
                None => vec![0; side_px * side_px],
            };
            let abnormal = source.sample.abnormal;
            if *view == 0 {
                return Ok(Prepared { planes, mask, abnormal });
            }
            let mask_plane = Planes { side_px, values: mask.iter().map(|m| f32::from(*m)).collect() };
            let pick = |planes: &Planes| augment_mvfa(planes).into_iter().nth(*view);
            let (Some(planes), Some(mask)) = (pick(&planes), pick(&mask_plane)) else {
                return Err(TrainError::Settings(format!("there is no view {view}")));
            };
            Ok(Prepared { planes, mask: mask.values.iter().map(|v| u8::from(*v > 0.5)).collect(), abnormal })
        }
        Change::Synthetic { other, number } => {
            let other = to_planes(&resize_bicubic(&open(other)?, side_px));
            let made = synthesize(&planes, &other, &mut stream(seed, Purpose::Synthesis, *number));
            let abnormal = made.mask.contains(&1);
            Ok(Prepared { planes: made.planes, mask: made.mask, abnormal })
        }
    }
}

fn open(path: &Path) -> Result<Rgb8, TrainError> {
    let wrong = |reason: String| TrainError::Picture { path: path.display().to_string(), reason };
    let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
    Ok(decode(&bytes, &Limits::default()).map_err(|e| wrong(e.to_string()))?.to_rgb8(WindowChoice::Auto))
}
