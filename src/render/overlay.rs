//! A map drawn over a picture.
//!
//! In: a square map, a picture of any size and an [`OverlayStyle`]. Out: the blended picture, or the map
//! alone as a transparent layer. The map covers the whole picture: its pixels are stretched to the
//! picture's size and sampled bilinearly between their centres.

use mvfa_formats::map_at::{Neighbours, sample};

use super::ColourMap;
use crate::image::Rgb8;

/// How a map is coloured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OverlayStyle {
    /// Map value of the first colour.
    pub lo: f32,
    /// Map value of the last colour.
    pub hi: f32,
    /// Values below it are not drawn.
    pub threshold: f32,
    /// Share of the colour where it is drawn, 0 to 1.
    pub opacity: f32,
    /// The colours.
    pub colour_map: ColourMap,
}

impl OverlayStyle {
    /// Colour of a value, or `None` if nothing is drawn.
    fn colour(&self, value: f32) -> Option<[u8; 3]> {
        let is_drawn = value.is_finite() && value >= self.threshold;
        is_drawn.then(|| self.colour_map.colour(position(value, self.lo, self.hi)))
    }
}

/// Where a value lies between `lo` (0) and `hi` (1); a step where both are equal.
pub(super) fn position(value: f32, lo: f32, hi: f32) -> f32 {
    if hi > lo {
        (value - lo) / (hi - lo)
    } else if value > lo {
        1.0
    } else {
        0.0
    }
}

/// Blends a map over a picture. A map that is not [side, side] leaves the picture as it is.
pub fn overlay(picture: &Rgb8, map: &[f32], side: usize, style: &OverlayStyle) -> Rgb8 {
    let mut blended = picture.clone();
    if side == 0 || map.len() != side * side || picture.width_px == 0 {
        return blended;
    }
    let opacity = if style.opacity.is_finite() { style.opacity.clamp(0.0, 1.0) } else { 0.0 };
    let columns: Vec<Neighbours> = (0..picture.width_px).map(|x| Neighbours::at(x, picture.width_px, side)).collect();
    for (y, row) in blended.bytes.chunks_mut(picture.width_px * 3).enumerate() {
        let across = Neighbours::at(y, picture.height_px, side);
        for (pixel, column) in row.chunks_exact_mut(3).zip(&columns) {
            if let Some(colour) = style.colour(sample(map, side, across, *column)) {
                for (byte, colour) in pixel.iter_mut().zip(colour) {
                    let (under, over) = (f32::from(*byte), f32::from(colour));
                    *byte = (under + (over - under) * opacity).round() as u8;
                }
            }
        }
    }
    blended
}

/// The map alone, [side, side, 4]: colour and full alpha where it is drawn, all zero elsewhere.
/// `style.opacity` is not used: a canvas has its own.
pub fn map_rgba(map: &[f32], style: &OverlayStyle) -> Vec<u8> {
    map.iter().flat_map(|&value| style.colour(value).map_or([0; 4], |[r, g, b]| [r, g, b, 255])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: OverlayStyle =
        OverlayStyle { lo: 0.0, hi: 1.0, threshold: 0.5, opacity: 1.0, colour_map: ColourMap::Grey };

    fn flat(width_px: usize, height_px: usize, value: u8) -> Rgb8 {
        Rgb8 { width_px, height_px, bytes: vec![value; width_px * height_px * 3] }
    }

    #[test]
    fn below_the_threshold_the_picture_shows() {
        let found = overlay(&flat(2, 2, 7), &[0.0, 0.4, 0.5, 1.0], 2, &STYLE);
        assert_eq!(found.bytes, [7, 7, 7, 7, 7, 7, 128, 128, 128, 255, 255, 255]);
    }

    #[test]
    fn opacity_mixes() {
        let style = OverlayStyle { opacity: 0.25, ..STYLE };
        assert_eq!(overlay(&flat(1, 1, 100), &[1.0], 1, &style).bytes, [139; 3]);
        assert_eq!(overlay(&flat(1, 1, 100), &[1.0], 1, &OverlayStyle { opacity: f32::NAN, ..style }).bytes, [100; 3]);
    }

    #[test]
    fn the_map_covers_the_whole_picture() {
        // Two map pixels over four picture pixels: centres at 1/4 and 3/4 of the width.
        let style = OverlayStyle { threshold: -1.0, ..STYLE };
        let found = overlay(&flat(4, 1, 9), &[0.0, 1.0, 0.0, 1.0], 2, &style);
        let grey: Vec<u8> = found.bytes.chunks(3).map(|p| p[0]).collect();
        assert_eq!(grey, [0, 64, 191, 255]);
    }

    #[test]
    fn what_is_not_a_number_is_not_drawn() {
        let map = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.0];
        assert_eq!(map_rgba(&map, &STYLE), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]);
        assert_eq!(overlay(&flat(2, 2, 7), &map, 2, &STYLE).bytes, [7, 7, 7, 7, 7, 7, 7, 7, 7, 255, 255, 255]);
    }

    #[test]
    fn a_map_of_another_size_draws_nothing() {
        for (map, side) in [(&[1.0; 3][..], 2), (&[], 0), (&[1.0; 4], 3)] {
            assert_eq!(overlay(&flat(2, 2, 7), map, side, &STYLE), flat(2, 2, 7));
        }
        assert_eq!(overlay(&flat(0, 0, 0), &[1.0], 1, &STYLE), flat(0, 0, 0));
    }

    #[test]
    fn equal_ends_make_a_step() {
        assert_eq!([1.0, 2.0, 3.0].map(|v| position(v, 2.0, 2.0)), [0.0, 0.0, 1.0]);
    }
}
