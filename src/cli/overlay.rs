//! The map drawn over its picture, as a PNG file.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::disk::WholeFile;
use crate::disk::overlay_mark::OVERLAY_NOTE;
use crate::image::Rgb8;
use crate::render::{ColourMap, OverlayStyle, overlay};

/// Share of colour over the picture: both stay readable.
const OPACITY: f32 = 0.5;

/// Values in the lower half of the picture's own range are not drawn.
const DRAWN_FROM: f32 = 0.5;

/// Writes `picture` with `map` (`[side, side]`) over it. Colours span the map's own range, so they
/// show where a picture is most unusual and not how unusual it is; that is the score's part. Nothing below
/// `drawn_from`, the highest score of a normal picture, is drawn. The file holds a note by which it is known again.
///
/// # Errors
/// The disk's reason, with the file's name.
pub(super) fn write_png(path: &Path, picture: &Rgb8, map: &[f32], side: usize, drawn_from: Option<f32>) -> Result<()> {
    save(path, &blend_from(picture, map, side, drawn_from)).with_context(|| format!("cannot write {}", path.display()))
}

/// `picture` with `map` over it.
pub(super) fn blend(picture: &Rgb8, map: &[f32], side: usize) -> Rgb8 {
    blend_from(picture, map, side, None)
}

/// The same without what is below a value.
pub(super) fn blend_from(picture: &Rgb8, map: &[f32], side: usize, drawn_from: Option<f32>) -> Rgb8 {
    let (lo, hi) = range(map);
    let threshold = self::drawn_from(map, drawn_from);
    if threshold > hi {
        return picture.clone();
    }
    let style = OverlayStyle { lo, hi, threshold, opacity: OPACITY, colour_map: ColourMap::default() };
    overlay(picture, map, side, &style)
}

/// The value from which on something is drawn.
pub(super) fn drawn_from(map: &[f32], of_normals: Option<f32>) -> f32 {
    let (lo, hi) = range(map);
    (lo + DRAWN_FROM * (hi - lo)).max(of_normals.unwrap_or(f32::NEG_INFINITY))
}

/// Lowest and highest value.
fn range(map: &[f32]) -> (f32, f32) {
    (map.iter().copied().fold(f32::INFINITY, f32::min), map.iter().copied().fold(f32::NEG_INFINITY, f32::max))
}

fn save(path: &Path, picture: &Rgb8) -> Result<()> {
    let (width, height) = (u32::try_from(picture.width_px)?, u32::try_from(picture.height_px)?);
    let mut file = WholeFile::create(path)?;
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let (keyword, text) = OVERLAY_NOTE;
    encoder.add_text_chunk(keyword.to_owned(), text.to_owned())?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.bytes)?;
    writer.finish()?;
    file.flush()?;
    file.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_below_the_normal_pictures() {
        let picture = Rgb8 { width_px: 2, height_px: 2, bytes: vec![9; 12] };
        let map = [0.0, 0.2, 0.9, 1.0];
        let drawn = |from| {
            let found = blend_from(&picture, &map, 2, from);
            let pixels = found.bytes.chunks(3).zip(picture.bytes.chunks(3));
            pixels.map(|(found, before)| found != before).collect::<Vec<_>>()
        };
        assert_eq!(drawn(None), [false, false, true, true]);
        assert_eq!(drawn(Some(0.95)), [false, false, false, true]);
        assert_eq!(drawn(Some(1.1)), [false; 4]);
        assert_eq!(drawn(Some(f32::INFINITY)), [false; 4]);
    }
}
