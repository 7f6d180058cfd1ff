//! A picture's pixels as a number, to find pictures that are equal pixel for pixel.
//!
//! Comes in: a decoded picture, or what is shown of one. Goes out: SHA-256 of size and values; the file's
//! format, name, notes and window do not count, and grey saved as colour equals the same grey. Cannot fail.

use std::fmt;

use sha2::{Digest, Sha256};

use super::{Picture, Pixels, Rgb8};

/// The hash of a picture's pixels: equal for equal pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PixelHash([u8; 32]);

/// What one pixel is made of; part of the hash, so that the same bytes of another kind are another picture.
#[derive(Clone, Copy)]
enum Kind {
    Grey = 1,
    Colour = 3,
    DeepGrey = 4,
    DeepColour = 5,
}

impl PixelHash {
    /// Of a decoded picture; deep grey counts with all its bits, before any window.
    pub fn of_picture(picture: &Picture) -> Self {
        match &picture.pixels {
            Pixels::Rgb8(bytes) => of_colour(picture.width_px, picture.height_px, bytes),
            Pixels::Gray8(grey) => finish(start(Kind::Grey, picture.width_px, picture.height_px).chain_update(grey)),
            Pixels::DeepGray { values, .. } => of_values(Kind::DeepGrey, picture, values),
            Pixels::DeepRgb { values } => of_values(Kind::DeepColour, picture, values),
        }
    }

    /// 128 bits of it in hexadecimal, for records.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn short(&self) -> String {
        self.0.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The same from its hexadecimal digits; `None` if they are not 64.
    pub fn of_digits(digits: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() || !digits.is_ascii() {
            return None;
        }
        for (n, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(2 * n..2 * n + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Of a picture as it is shown; equal to [`Self::of_picture`] unless the grey is deep.
    pub fn of_rgb(picture: &Rgb8) -> Self {
        of_colour(picture.width_px, picture.height_px, &picture.bytes)
    }
}

/// As hexadecimal digits.
impl fmt::Display for PixelHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn of_values(kind: Kind, picture: &Picture, values: &[f32]) -> PixelHash {
    let mut hash = start(kind, picture.width_px, picture.height_px);
    // Zeros of both signs are one value.
    values.iter().for_each(|value| hash.update((value + 0.0).to_le_bytes()));
    finish(hash)
}

fn of_colour(width_px: usize, height_px: usize, bytes: &[u8]) -> PixelHash {
    if bytes.chunks_exact(3).any(|pixel| pixel[0] != pixel[1] || pixel[0] != pixel[2]) {
        return finish(start(Kind::Colour, width_px, height_px).chain_update(bytes));
    }
    let grey: Vec<u8> = bytes.iter().copied().step_by(3).collect();
    finish(start(Kind::Grey, width_px, height_px).chain_update(grey))
}

fn start(kind: Kind, width_px: usize, height_px: usize) -> Sha256 {
    let hash = Sha256::new().chain_update([kind as u8]);
    hash.chain_update((width_px as u64).to_le_bytes()).chain_update((height_px as u64).to_le_bytes())
}

fn finish(hash: Sha256) -> PixelHash {
    PixelHash(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(width_px: usize, height_px: usize, pixels: Pixels) -> PixelHash {
        PixelHash::of_picture(&Picture {
            width_px,
            height_px,
            pixels,
            format: "PNG",
            pil_takes_high_byte: false,
            notes: Vec::new(),
        })
    }

    #[test]
    fn grey_saved_as_colour_is_the_same_picture() {
        let grey = hash(2, 1, Pixels::Gray8(vec![1, 2]));
        assert_eq!(grey, hash(2, 1, Pixels::Rgb8(vec![1, 1, 1, 2, 2, 2])));
        assert_eq!(grey, PixelHash::of_rgb(&Rgb8 { width_px: 2, height_px: 1, bytes: vec![1, 1, 1, 2, 2, 2] }));
    }

    #[test]
    fn size_values_and_depth_make_another_picture() {
        let deep = |values: Vec<f32>| hash(2, 1, Pixels::DeepGray { values, window: None });
        let all = [
            hash(2, 1, Pixels::Gray8(vec![1, 2])),
            hash(1, 2, Pixels::Gray8(vec![1, 2])),
            hash(2, 1, Pixels::Gray8(vec![2, 1])),
            hash(2, 1, Pixels::Rgb8(vec![1, 1, 1, 2, 2, 3])),
            deep(vec![1.0, 2.0]),
            deep(vec![1.0, 2.000_000_2]),
        ];
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(deep(vec![-0.0, 1.0]), deep(vec![0.0, 1.0]));
    }
}
