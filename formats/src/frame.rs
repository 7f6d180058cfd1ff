//! One decoded frame: stored samples and what they mean.

use crate::{Preset, Samples, ValueMap};

/// What the samples of a pixel are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// One sample: grey.
    Gray,
    /// Three interleaved samples: red, green, blue, each of so many bits.
    Rgb {
        /// Bits of a sample.
        bits: u8,
    },
}

/// One decoded frame, rows from the top.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Width in pixels.
    pub width_px: usize,
    /// Height in pixels.
    pub height_px: usize,
    /// Grey or colour.
    pub channels: Channels,
    /// [height, width] or [height, width, 3], as stored.
    pub samples: Samples,
    /// Bits that a stored grey sample uses; 32 or 64 for floating point.
    pub bits: u8,
    /// What a stored grey sample means.
    pub map: ValueMap,
    /// Low values are bright (DICOM's MONOCHROME1).
    pub inverted: bool,
    /// Stored samples from the first to the second number lie outside the picture.
    pub padding: Option<(f64, f64)>,
    /// Windows that the file proposes, the preferred one first.
    pub presets: Vec<Preset>,
}

impl Frame {
    /// Value of one grey pixel with its meaning, or one sample of colour.
    pub fn value(&self, index: usize) -> Option<f64> {
        let stored = self.samples.get(index)?;
        Some(if self.channels == Channels::Gray { self.map.apply(stored) } else { stored })
    }

    /// All grey values in row order; padding is NaN. Empty for colour.
    pub fn values(&self) -> Vec<f32> {
        if self.channels != Channels::Gray {
            return Vec::new();
        }
        let outside = |stored: f64| self.padding.is_some_and(|(low, high)| (low..=high).contains(&stored));
        let value = |stored: f64| if outside(stored) { f32::NAN } else { self.map.apply(stored) as f32 };
        self.samples.iter().map(value).collect()
    }

    /// The stored samples, if they are 8-bit grey whose values are the samples themselves.
    pub fn gray8(&self) -> Option<&[u8]> {
        match &self.samples {
            Samples::U8(bytes)
                if self.channels == Channels::Gray
                    && self.bits == 8
                    && self.map == ValueMap::STORED
                    && self.padding.is_none() =>
            {
                Some(bytes)
            }
            _ => None,
        }
    }

    /// Colour cut to 8 bits a sample; nothing for grey.
    pub fn rgb8(&self) -> Option<Vec<u8>> {
        let Channels::Rgb { bits } = self.channels else { return None };
        if let (Samples::U8(bytes), 8) = (&self.samples, bits) {
            return Some(bytes.clone());
        }
        // The high bits of deep colour; fewer bits are spread over the range.
        let factor = if bits > 8 {
            f64::from(i32::from(bits) - 8).exp2().recip()
        } else {
            255.0 / (f64::from(bits).exp2() - 1.0)
        };
        Some(self.samples.iter().map(|v| (v * factor) as u8).collect())
    }
}
