//! How a picture lies in its file, before it is turned upright.
//!
//! Comes in: the bytes of a file that [`decode`](super::decode) reads. Goes out: its stored size and the note on how to
//! turn it, or `None` if the file's own library cannot tell. Native only: masks are compared with their pictures by it.

use std::io::Cursor;

use ::image::metadata::Orientation;
use ::image::{DynamicImage, ImageDecoder, ImageReader};

use super::orient::{of_exif, swaps_axes, turned};
use super::{png, tiff};

/// A picture as its file stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Columns in the file.
    pub width_px: usize,
    /// Rows in the file.
    pub height_px: usize,
    orientation: Orientation,
}

impl Stored {
    /// Reads the header of a file.
    pub fn of_file(bytes: &[u8]) -> Option<Self> {
        if tiff::is_tiff(bytes) {
            let (width_px, height_px, orientation) = tiff::stored(bytes)?;
            return Some(Self { width_px, height_px, orientation });
        }
        let mut decoder = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?.into_decoder().ok()?;
        let (width, height) = decoder.dimensions();
        // The library does not look behind the pixels of a PNG.
        let behind = png::orientation(bytes);
        let orientation = behind.or_else(|| of_exif(&mut decoder)).unwrap_or(Orientation::NoTransforms);
        Some(Self { width_px: width as usize, height_px: height as usize, orientation })
    }

    /// Whether it has to be turned to stand upright.
    pub fn is_turned(&self) -> bool {
        self.orientation != Orientation::NoTransforms
    }

    /// Size after turning.
    pub fn upright_px(&self) -> (usize, usize) {
        match swaps_axes(self.orientation) {
            true => (self.height_px, self.width_px),
            false => (self.width_px, self.height_px),
        }
    }

    /// Turns pixels that lie as this file stores its own.
    pub fn turn(&self, pixels: &[u8]) -> Vec<u8> {
        turned::<u8, 1>(pixels, self.width_px, self.height_px, self.orientation)
    }
}

/// The alpha channel of a picture, upright, in 8 bits; `None` if it has none.
pub fn alpha_of(bytes: &[u8]) -> Option<Vec<u8>> {
    if tiff::is_tiff(bytes) {
        return tiff::alpha(bytes);
    }
    let mut decoder = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?.into_decoder().ok()?;
    let orientation = of_exif(&mut decoder).unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    if !picture.color().has_alpha() {
        return None;
    }
    picture.apply_orientation(orientation);
    Some(picture.to_rgba8().chunks_exact(4).map(|pixel| pixel[3]).collect())
}
