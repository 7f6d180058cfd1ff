//! A decoded picture, and the 8-bit colour picture that is shown and analysed.

use super::window::Shown;
use super::{Note, Window, WindowChoice};

/// 8-bit colour, rows from the top, three interleaved bytes (red, green, blue) a pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rgb8 {
    /// Width in pixels.
    pub width_px: usize,
    /// Height in pixels.
    pub height_px: usize,
    /// [height, width, 3]
    pub bytes: Vec<u8>,
}

impl Rgb8 {
    /// One row, [width, 3]; empty if `bytes` is shorter than its size.
    pub fn row(&self, y: usize) -> &[u8] {
        let row_bytes = self.width_px * 3;
        self.bytes.get(y * row_bytes..(y + 1) * row_bytes).unwrap_or(&[])
    }
}

/// The pixels of a [`Picture`], rows from the top.
#[derive(Debug, Clone, PartialEq)]
pub enum Pixels {
    /// [height, width, 3]
    Rgb8(Vec<u8>),
    /// [height, width]
    Gray8(Vec<u8>),
    /// Grey deeper than 8 bits: it needs a window before it can be seen.
    DeepGray {
        /// [height, width], in the file's own units; may hold values that are not finite.
        values: Vec<f32>,
        /// The window the file asks for.
        window: Option<Window>,
    },
    /// Colour of more than 16 bits, of signed or floating numbers: one window for its three channels.
    DeepRgb {
        /// [height, width, 3], in the file's own units; may hold values that are not finite.
        values: Vec<f32>,
    },
}

/// One decoded picture, turned upright.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Width in pixels, after turning.
    pub width_px: usize,
    /// Height in pixels, after turning.
    pub height_px: usize,
    /// The pixels.
    pub pixels: Pixels,
    /// Name of the file's format, for messages.
    pub format: &'static str,
    /// [`WindowChoice::Pil`] takes the high byte, as Pillow does of 16-bit grey with alpha in PNG.
    pub pil_takes_high_byte: bool,
    /// What a person should know about how it was read.
    pub notes: Vec<Note>,
}

impl Picture {
    /// Whether the values are deeper than 8 bits, so that the window matters.
    pub fn is_deep(&self) -> bool {
        matches!(self.pixels, Pixels::DeepGray { .. } | Pixels::DeepRgb { .. })
    }

    /// The picture as it is shown and analysed. `window` matters for deep pictures only.
    pub fn to_rgb8(&self, window: WindowChoice) -> Rgb8 {
        self.shown(window).0
    }

    /// The same with the window that was used; `None` where none applies.
    pub fn shown(&self, window: WindowChoice) -> (Rgb8, Option<Shown>) {
        let mut shown = None;
        let bytes = match &self.pixels {
            Pixels::Rgb8(bytes) => bytes.clone(),
            Pixels::Gray8(grey) => spread(grey.iter().copied()),
            Pixels::DeepGray { values, .. } if self.pil_takes_high_byte && window == WindowChoice::Pil => {
                spread(values.iter().map(|&value| (value / 256.0) as u8))
            }
            Pixels::DeepRgb { values } => {
                let tone = window.tone(values, None);
                shown = tone.shown();
                values.iter().map(|&value| tone.apply(value)).collect()
            }
            Pixels::DeepGray { values, window: of_file } => {
                let tone = window.tone(values, *of_file);
                shown = tone.shown();
                spread(values.iter().map(|&value| tone.apply(value)))
            }
        };
        (Rgb8 { width_px: self.width_px, height_px: self.height_px, bytes }, shown)
    }
}

/// Grey to three equal channels.
fn spread(grey: impl Iterator<Item = u8>) -> Vec<u8> {
    grey.flat_map(|v| [v, v, v]).collect()
}
