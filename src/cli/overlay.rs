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
/// show where a picture is most unusual and not how unusual it is; that is the score's part. The file
/// holds a note by which it is known again.
///
/// # Errors
/// The disk's reason, with the file's name.
pub(super) fn write_png(path: &Path, picture: &Rgb8, map: &[f32], side: usize) -> Result<()> {
    save(path, &blend(picture, map, side)).with_context(|| format!("cannot write {}", path.display()))
}

/// `picture` with `map` over it.
pub(super) fn blend(picture: &Rgb8, map: &[f32], side: usize) -> Rgb8 {
    let lo = map.iter().copied().fold(f32::INFINITY, f32::min);
    let hi = map.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let threshold = lo + DRAWN_FROM * (hi - lo);
    let style = OverlayStyle { lo, hi, threshold, opacity: OPACITY, colour_map: ColourMap::default() };
    overlay(picture, map, side, &style)
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
