//! A medical file of one slice as a picture, for data sets.
//!
//! Comes in: the bytes of a DICOM, NIfTI, NRRD or MetaImage file. Goes out: its values with the file's window, as a picture
//! file has them. Fails with [`MedicalFileError`].

use mvfa_formats::{Channels, FormatError, Limits, Series, WindowShape, open};
use thiserror::Error;

use crate::image::{Picture, Pixels, Window};

/// A file that is no single picture.
#[derive(Debug, Error)]
pub enum MedicalFileError {
    /// It cannot be read.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A data set has pictures, not volumes.
    #[error(
        "the file has {found} slices, expected 1: a data set has a file for each picture; write slices to files of their own"
    )]
    Slices {
        /// Number of slices.
        found: usize,
    },
}

/// The picture. Where low values are bright all values change their sign, and the window with them.
///
/// # Errors
/// [`MedicalFileError`].
pub fn picture(bytes: &[u8]) -> Result<Picture, MedicalFileError> {
    let series = open(bytes, &Limits::default())?;
    if series.len() != 1 {
        return Err(MedicalFileError::Slices { found: series.len() });
    }
    Ok(of_frame(&series, 0)?)
}

/// One slice of a series as a picture, with the same rules.
///
/// # Errors
/// [`FormatError`].
pub fn of_frame(series: &Series, n: usize) -> Result<Picture, FormatError> {
    let frame = series.frame(n)?;
    let is_inverted = frame.inverted && frame.channels == Channels::Gray;
    let sign = if is_inverted { -1.0 } else { 1.0 };
    let window = frame.presets.first().and_then(|preset| match preset.shape {
        // DICOM's LINEAR is half a unit lower and one narrower than it says; a width of 1 is a threshold.
        WindowShape::Linear { center, width } => Some((center - 0.5, (width - 1.0).max(1e-3))),
        WindowShape::LinearExact { center, width } | WindowShape::Sigmoid { center, width } => Some((center, width)),
        WindowShape::Table(_) => None,
    });
    let window = window.map(|(center, width)| Window { center: sign * center as f32, width: width as f32 });
    let pixels = if let Some(rgb) = frame.rgb8() {
        Pixels::Rgb8(rgb)
    } else if let (Some(gray), None) = (frame.gray8(), window) {
        Pixels::Gray8(gray.iter().map(|&value| if is_inverted { 255 - value } else { value }).collect())
    } else {
        Pixels::DeepGray { values: frame.values().into_iter().map(|value| sign * value).collect(), window }
    };
    let (width_px, height_px, format) = (frame.width_px, frame.height_px, series.format);
    Ok(Picture { width_px, height_px, pixels, format, pil_takes_high_byte: false, notes: Vec::new() })
}
