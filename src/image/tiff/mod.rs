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

use super::orient::upright;
use super::padding::clear_no_data;
use super::{ImageError, Limits, Note, Picture, Pixels};
use directory::{Directory, File, tag};

const FORMAT: &str = "TIFF";

/// Decodes the first page that is no reduced copy and no mask.
pub(super) fn decode_tiff(bytes: &[u8], limits: &Limits) -> Result<Picture, ImageError> {
    let file = File::open(bytes)?;
    let (page, pages) = pages::choose(&file)?;
    let layout = layout::Layout::of(&file, &page, limits)?;
    let colours = colour::Colours::of(bytes, &page, &layout)?;
    let samples = samples::read(bytes, &layout, colours.meaning.channels(), colours.alpha, limits)?;
    let (mut pixels, mut notes) = colour::pixels(&colours, &layout, samples)?;
    // Values that were turned over or counted from another zero are not those that the tag names.
    let is_as_stored = !colours.is_turned_over() && !notes.iter().any(|note| matches!(note, Note::CountedFrom { .. }));
    if let Pixels::DeepGray { values, .. } | Pixels::DeepRgb { values } = &mut pixels
        && is_as_stored
        && let Some(no_data) = page.bytes(tag::GDAL_NODATA)?
    {
        clear_no_data(values, &String::from_utf8_lossy(no_data));
    }
    if pages > 1 {
        notes.insert(0, Note::Part { what: "page", number: 1, of: pages });
    }
    let orientation = orientation(&page)?;
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
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn is_tiff(bytes: &[u8]) -> bool {
    [b"II\x2a\0", b"II\x2b\0", b"MM\0\x2a", b"MM\0\x2b"].iter().any(|start| bytes.starts_with(*start))
}

/// Columns and rows of the page that [`decode_tiff`] reads, and how it turns them; `None` if it is damaged.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn stored(bytes: &[u8]) -> Option<(usize, usize, Orientation)> {
    let file = File::open(bytes).ok()?;
    let (page, _) = pages::choose(&file).ok()?;
    let side = |tag| page.number(tag).ok()?.and_then(|side| usize::try_from(side).ok());
    Some((side(tag::IMAGE_WIDTH)?, side(tag::IMAGE_LENGTH)?, orientation(&page).ok()?))
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
