//! TIFF: one page, in strips or tiles, with planes together or apart, classic and BigTIFF.
//!
//! In: the file's bytes. Out: an upright [`Picture`]. The samples are those of tifffile, the colours those of Pillow; every
//! combination of layout and kind is compared in `tests/tiff`. What is not read is refused by a name that people know, and
//! data that end early are an error, never a grey rest.
//!
//! ```text
//! bytes ─ directory ─ pages ─▶ the page's tags ─ layout ─▶ where and what the samples are
//!                                    └─ colour ─▶ which are wanted ─ samples (decompress, predictor) ─ colour ─▶ Pixels
//! ```
//!
//! The `tiff` crate (0.11.3) is not used: it ends the program on planes in padded tiles, mixes up channels where some are
//! left out, and takes whole LZW tiles for cut ones.

mod colour;
mod decompress;
mod directory;
mod layout;
mod names;
mod pages;
mod predictor;
mod samples;

use ::image::metadata::Orientation;

use super::orient::{swaps_axes, turned, upright};
use super::padding::clear_no_data;
use super::{ImageError, Limits, Note, Picture, Pixels};
use directory::{Directory, File, tag};

const FORMAT: &str = "TIFF";

/// Decodes the first page that is no reduced copy and no mask.
pub(super) fn decode_tiff(bytes: &[u8], limits: &Limits) -> Result<Picture, ImageError> {
    let file = File::open(bytes)?;
    let (page, pages) = pages::choose(&file)?;
    let mut picture = decode(bytes, &file, &page, limits)?;
    if pages > 1 {
        picture.notes.insert(0, Note::Part { what: "page", number: 1, of: pages });
    }
    Ok(picture)
}

/// A page that is neither a reduced copy nor a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// Where its directory is.
    at: u64,
    /// Columns and rows, upright.
    pub(super) size_px: (usize, usize),
}

/// The pages of a file, in order; those with a size that cannot be read are left out.
pub(super) fn pages(bytes: &[u8]) -> Result<Vec<Page>, ImageError> {
    let file = File::open(bytes)?;
    let page = |at: u64| {
        let (width_px, height_px, orientation) = placed(&file.directory(at).ok()?)?;
        let size_px = if swaps_axes(orientation) { (height_px, width_px) } else { (width_px, height_px) };
        Some(Page { at, size_px })
    };
    Ok(pages::places(&file)?.into_iter().filter_map(page).collect())
}

/// Decodes one page of [`pages`].
pub(super) fn decode_page(bytes: &[u8], page: Page, limits: &Limits) -> Result<Picture, ImageError> {
    let file = File::open(bytes)?;
    decode(bytes, &file, &file.directory(page.at)?, limits)
}

fn decode(bytes: &[u8], file: &File<'_>, page: &Directory<'_>, limits: &Limits) -> Result<Picture, ImageError> {
    let layout = layout::Layout::of(file, page, limits)?;
    let colours = colour::Colours::of(bytes, page, &layout)?;
    let samples = samples::read(bytes, &layout, colours.meaning.channels(), colours.alpha, limits)?;
    let (mut pixels, notes) = colour::pixels(&colours, &layout, samples)?;
    // Values that were turned over or counted from another zero are not those that the tag names.
    let is_as_stored = !colours.is_turned_over() && !notes.iter().any(|note| matches!(note, Note::CountedFrom { .. }));
    if let Pixels::DeepGray { values, .. } | Pixels::DeepRgb { values } = &mut pixels
        && is_as_stored
        && let Some(no_data) = page.bytes(tag::GDAL_NODATA)?
    {
        clear_no_data(values, &String::from_utf8_lossy(no_data));
    }
    let orientation = orientation(page)?;
    let picture = Picture {
        width_px: layout.width_px,
        height_px: layout.height_px,
        pixels,
        format: FORMAT,
        pil_takes_high_byte: false,
        notes,
    };
    Ok(upright(picture, orientation))
}

fn orientation(page: &Directory<'_>) -> Result<Orientation, ImageError> {
    let number = page.number(tag::ORIENTATION)?.and_then(|value| u8::try_from(value).ok());
    Ok(number.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms))
}

/// Whether a file begins as a TIFF does.
pub(super) fn is_tiff(bytes: &[u8]) -> bool {
    [b"II\x2a\0", b"II\x2b\0", b"MM\0\x2a", b"MM\0\x2b"].iter().any(|start| bytes.starts_with(*start))
}

/// Columns and rows of the page that [`decode_tiff`] reads, and how it turns them; `None` if it is damaged.
pub(super) fn stored(bytes: &[u8]) -> Option<(usize, usize, Orientation)> {
    let file = File::open(bytes).ok()?;
    placed(&pages::choose(&file).ok()?.0)
}

fn placed(page: &Directory<'_>) -> Option<(usize, usize, Orientation)> {
    let side = |tag| page.number(tag).ok()?.and_then(|side| usize::try_from(side).ok());
    Some((side(tag::IMAGE_WIDTH)?, side(tag::IMAGE_LENGTH)?, orientation(page).ok()?))
}

/// The alpha channel of the page that [`decode_tiff`] reads, upright, in 8 bits; `None` if there is none in whole bytes.
pub(super) fn alpha(bytes: &[u8]) -> Option<Vec<u8>> {
    let file = File::open(bytes).ok()?;
    let (page, _) = pages::choose(&file).ok()?;
    let limits = Limits::default();
    let layout = layout::Layout::of(&file, &page, &limits).ok()?;
    let at = colour::Colours::of(bytes, &page, &layout).ok()?.alpha?;
    if layout.kind != layout::Kind::Unsigned || !layout.bits.is_multiple_of(8) {
        return None;
    }
    let samples = samples::read(bytes, &layout, at + 1, None, &limits).ok()?;
    let pixels = samples.bytes.chunks_exact((at + 1) * samples.sample_bytes);
    // The last byte is the highest.
    let values: Option<Vec<u8>> = pixels.map(|pixel| pixel.last().copied()).collect();
    Some(turned::<u8, 1>(&values?, layout.width_px, layout.height_px, orientation(&page).ok()?))
}

fn damaged(reason: &str) -> ImageError {
    ImageError::Damaged { format: FORMAT, reason: reason.to_owned() }
}

fn truncated(reason: &str) -> ImageError {
    ImageError::Truncated { format: FORMAT, reason: reason.to_owned() }
}

fn unsupported(found: &str) -> ImageError {
    ImageError::Unsupported { format: FORMAT, found: found.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use ::tiff::encoder::TiffEncoder;
    use ::tiff::encoder::colortype::GrayI16;
    use ::tiff::tags::Tag;

    use super::*;

    /// What the values 5, -9999, 7, 9 become in a file that calls one of them "no data".
    fn values(no_data: Option<&str>) -> Vec<f32> {
        let mut bytes = Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
        let mut page = encoder.new_image::<GrayI16>(2, 2).unwrap();
        if let Some(text) = no_data {
            page.encoder().write_tag(Tag::Unknown(tag::GDAL_NODATA), text).unwrap();
        }
        page.write_data(&[5, -9999, 7, 9]).unwrap();
        match decode_tiff(bytes.get_ref(), &Limits::default()).unwrap().pixels {
            Pixels::DeepGray { values, .. } => values,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_the_file_calls_no_data_is_no_value() {
        assert_eq!(values(None), [5.0, -9999.0, 7.0, 9.0]);
        let cleared = values(Some("-9999"));
        assert!(cleared[1].is_nan() && [cleared[0], cleared[2], cleared[3]] == [5.0, 7.0, 9.0], "{cleared:?}");
        assert_eq!(values(Some("none")), values(None));
    }
}
