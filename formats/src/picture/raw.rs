//! A picture on its way from the module that decodes to the one that analyses.
//!
//! In: a decoded [`Picture`], or a [`Frame`](crate::Frame) of a medical series. Out: 8-bit colour through a window, as every
//! program of this project shows it. As bytes ([`RawPicture::to_bytes`], in `raw_bytes.rs`) it travels as a `Blob` wherever a
//! picture file would. What it holds is about pixels alone: no name, number or date of a patient has a place in it.

use super::{GreySpread, Picture, Pixels, Rgb8, Shown, WindowChoice};
use crate::{Preset, WindowShape};

/// A note as it travels: a name for programs and a clause for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawNote {
    /// For programs.
    pub code: String,
    /// For people.
    pub text: String,
}

/// A decoded picture with what is needed to show it.
#[derive(Debug, Clone, PartialEq)]
pub struct RawPicture {
    /// The pixels, with the file's window. Its own notes are empty: they are in [`RawPicture::notes`].
    pub picture: Picture,
    /// What a person should know about how it was read.
    pub notes: Vec<RawNote>,
    /// Windows that the file proposes, the preferred one first.
    pub presets: Vec<Preset>,
    /// Unit of the values: `HU`.
    pub units: Option<String>,
    /// Low values are bright (DICOM's MONOCHROME1).
    pub inverted: bool,
    /// The file states that it is a synthetic phantom.
    pub synthetic: bool,
}

impl RawPicture {
    /// A picture of a plain format.
    pub fn of_picture(mut picture: Picture, synthetic: bool) -> Self {
        let notes = std::mem::take(&mut picture.notes);
        let notes = notes.iter().map(|note| RawNote { code: note.code().to_owned(), text: note.to_string() });
        let notes = notes.collect();
        Self { picture, notes, presets: Vec::new(), units: None, inverted: false, synthetic }
    }

    /// The picture as it is shown and analysed, and the window that was used; `None` where none applies.
    pub fn shown(&self, choice: WindowChoice) -> (Rgb8, Option<Shown>) {
        let (mut rgb, shown) = match (self.curve(), &self.picture.pixels) {
            (Some(curve), Pixels::DeepGray { values, .. }) if choice == WindowChoice::Auto => {
                let level = |value: &f32| (curve.apply(f64::from(*value)) * 255.0).round() as u8;
                let bytes = values.iter().map(level).flat_map(|level| [level; 3]).collect();
                (Rgb8 { width_px: self.picture.width_px, height_px: self.picture.height_px, bytes }, None)
            }
            _ => self.picture.shown(choice),
        };
        match &self.picture.pixels {
            _ if !self.inverted => {}
            Pixels::DeepGray { values, .. } => {
                // What lies outside the picture stays black.
                for (pixel, value) in rgb.bytes.chunks_exact_mut(3).zip(values) {
                    pixel.iter_mut().for_each(|byte| *byte = if value.is_nan() { 0 } else { 255 - *byte });
                }
            }
            Pixels::Gray8(_) => rgb.bytes.iter_mut().for_each(|byte| *byte = 255 - *byte),
            Pixels::Rgb8(_) | Pixels::DeepRgb { .. } => {}
        }
        (rgb, shown)
    }

    /// How the grey values are spread; `None` where no window applies.
    pub fn grey_spread(&self) -> Option<GreySpread> {
        self.picture.grey_spread()
    }

    /// The file's preferred way to show the values, where that is no straight line.
    fn curve(&self) -> Option<&Preset> {
        let is_curve = |preset: &&Preset| matches!(preset.shape, WindowShape::Sigmoid { .. } | WindowShape::Table(_));
        self.presets.first().filter(is_curve)
    }
}

#[cfg(feature = "files")]
mod of_frame {
    use super::super::{Picture, Pixels, Window};
    use super::RawPicture;
    use crate::{Channels, Frame, WindowShape};

    impl RawPicture {
        /// A frame of a medical series of this format; its values with their meaning, and the file's first window if that
        /// is a straight line.
        pub fn of_frame(frame: &Frame, format: &'static str, units: Option<String>) -> Self {
            let preset = frame.presets.first();
            let pixels = if let Some(rgb) = frame.rgb8() {
                Pixels::Rgb8(rgb)
            } else if let (Some(gray), None) = (frame.gray8(), preset) {
                Pixels::Gray8(gray.to_vec())
            } else {
                Pixels::DeepGray { values: frame.values(), window: preset.and_then(|preset| straight(&preset.shape)) }
            };
            let (width_px, height_px) = (frame.width_px, frame.height_px);
            let picture =
                Picture { width_px, height_px, pixels, format, pil_takes_high_byte: false, notes: Vec::new() };
            let inverted = frame.inverted && frame.channels == Channels::Gray;
            Self { picture, notes: Vec::new(), presets: frame.presets.clone(), units, inverted, synthetic: false }
        }
    }

    /// The window of a straight line. DICOM's LINEAR is half a unit lower and one narrower than it says.
    fn straight(shape: &WindowShape) -> Option<Window> {
        /// A width of 1 is a threshold.
        const NARROWEST: f64 = 1e-3;
        let (center, width) = match *shape {
            WindowShape::Linear { center, width } => (center - 0.5, (width - 1.0).max(NARROWEST)),
            WindowShape::LinearExact { center, width } => (center, width),
            WindowShape::Sigmoid { .. } | WindowShape::Table(_) => return None,
        };
        Some(Window { center: center as f32, width: width as f32 })
    }
}
