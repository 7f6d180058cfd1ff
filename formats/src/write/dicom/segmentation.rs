//! A DICOM Segmentation: one bit a pixel, one segment, one frame for each frame that was analysed.
//!
//! Source: PS3.3, A.51 and C.8.20. Frames without a pixel are there, too: they tell what was analysed and found normal.

use super::common::{SourceFrame, Stamp, common, file_head, referenced_series, side, sources};
use super::item::Item;
use crate::write::WriteError;
use crate::{Geometry, Series};

const CLASS: &str = "1.2.840.10008.5.1.4.1.1.66.4";

/// What the pixels mean.
#[derive(Debug, Clone)]
pub struct Segment<'a> {
    /// How they were found, without line breaks: the threshold.
    pub description: &'a str,
    /// Program and model.
    pub algorithm: &'a str,
}

/// The file. `mask` gives the pixels of a frame that belong to the segment, [height, width].
///
/// # Errors
/// [`WriteError`]: see its variants.
pub fn segmentation(
    series: &Series,
    frames: &[usize],
    segment: &Segment<'_>,
    stamp: &Stamp,
    mut mask: impl FnMut(usize) -> Result<Vec<bool>, WriteError>,
) -> Result<Vec<u8>, WriteError> {
    let sources = sources(series, frames)?;
    let Some(first) = sources.first() else { return Err(WriteError::Nothing) };
    let frame_pixels = series.width_px * series.height_px;
    let bits = frame_pixels as u64 * sources.len() as u64;
    let space = Space::of(series, &sources);
    let set = common(first.origin, stamp, CLASS, "SEG", "MVFA anomaly segmentation")
        .and(picture(series, sources.len()))
        .and(what(segment))
        .and(dimensions(stamp, &space))
        .and(groups(&sources, &space))
        .and(referenced_series(&sources));
    let set = match (&space, &first.origin.frame_of_reference) {
        (Space::Placed { .. }, Some(uid)) => set.text(0x0020_0052, b"UI", uid).empty(&[(0x0020_1040, b"LO")]),
        // How the body lies is not known.
        _ => set.empty(&[(0x0020_0020, b"CS")]),
    };
    let mut file = file_head(CLASS, &stamp.uid(0), set, bits.div_ceil(8))?;
    let start = file.len();
    file.resize(start + (bits.div_ceil(8) as usize).next_multiple_of(2), 0);
    // Bits of all frames one after the other, the lowest bit first (PS3.5, 8.1.1).
    for (n, &frame) in frames.iter().enumerate() {
        let mask = mask(frame)?;
        if mask.len() != frame_pixels {
            return Err(WriteError::Size { what: "a mask", expected: frame_pixels, found: mask.len() });
        }
        for pixel in mask.iter().enumerate().filter(|(_, is_in)| **is_in).map(|(pixel, _)| n * frame_pixels + pixel) {
            file[start + pixel / 8] |= 1 << (pixel % 8);
        }
    }
    Ok(file)
}

fn picture(series: &Series, frames: usize) -> Item {
    Item::new()
        .text(0x0008_0008, b"CS", "DERIVED\\PRIMARY")
        .u16s(0x0028_0002, &[1])
        .text(0x0028_0004, b"CS", "MONOCHROME2")
        .text(0x0028_0008, b"IS", &frames.to_string())
        .u16s(0x0028_0010, &[side(series.height_px)])
        .u16s(0x0028_0011, &[side(series.width_px)])
        .u16s(0x0028_0100, &[1])
        .u16s(0x0028_0101, &[1])
        .u16s(0x0028_0102, &[0])
        .u16s(0x0028_0103, &[0])
}

fn what(segment: &Segment<'_>) -> Item {
    /// CIELab of a warm yellow, as 16-bit numbers (PS3.3, C.10.7.1.1).
    const COLOUR: [u16; 3] = [53_000, 34_500, 50_000];
    let only = Item::new()
        .u16s(0x0062_0004, &[1])
        .text(0x0062_0005, b"LO", "Anomaly")
        .text(0x0062_0006, b"ST", segment.description)
        .text(0x0062_0008, b"CS", "AUTOMATIC")
        .text(0x0062_0009, b"LO", &short(segment.algorithm))
        .u16s(0x0062_000d, &COLOUR)
        .code(0x0062_0003, ["49755003", "SCT", "Morphologically Abnormal Structure"])
        .code(0x0062_000f, ["52988006", "SCT", "Lesion"]);
    Item::new()
        .text(0x0062_0001, b"CS", "BINARY")
        .item(0x0062_0002, only)
        .text(0x0070_0080, b"CS", "ANOMALY")
        .text(0x0070_0081, b"LO", "What lies above a threshold of an anomaly map; not for diagnosis")
        .empty(&[(0x0070_0084, b"PN")])
}

/// At most the 64 characters of a long string.
fn short(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii() && !c.is_control() && *c != '\\').take(64).collect()
}

/// Whether the frames have a place in space.
enum Space {
    Placed {
        /// Size of pixels and directions, if all frames share them.
        shared: Option<Geometry>,
        between_mm: Option<f64>,
    },
    Unplaced,
}

impl Space {
    fn of(series: &Series, sources: &[SourceFrame<'_>]) -> Self {
        let is_placed = |source: &SourceFrame<'_>| {
            let Geometry { spacing_mm, position_mm, orientation, .. } = source.geometry;
            let first = &sources[0].origin.frame_of_reference;
            spacing_mm.is_some()
                && position_mm.is_some()
                && orientation.is_some()
                && first.is_some()
                && source.origin.frame_of_reference == *first
        };
        if !sources.iter().all(is_placed) {
            return Self::Unplaced;
        }
        let of = |g: &Geometry| (g.spacing_mm, g.orientation, g.thickness_mm);
        let first = sources[0].geometry;
        let is_shared = sources.iter().all(|source| of(&source.geometry) == of(&first));
        Self::Placed { shared: is_shared.then_some(first), between_mm: series.slice_spacing_mm() }
    }
}

fn measures(geometry: &Geometry, between_mm: Option<f64>) -> Item {
    let Geometry { spacing_mm: Some(spacing), orientation: Some(directions), thickness_mm, .. } = geometry else {
        return Item::new();
    };
    let measures = Item::new().numbers(0x0028_0030, spacing);
    // A thickness is asked for; the distance of slices is the best guess.
    let measures = measures.numbers(0x0018_0050, &[thickness_mm.or(between_mm).unwrap_or(1.0)]);
    let measures = between_mm.into_iter().fold(measures, |item, step| item.numbers(0x0018_0088, &[step]));
    Item::new().item(0x0028_9110, measures).item(0x0020_9116, Item::new().numbers(0x0020_0037, &directions.concat()))
}

/// What tells the frames apart: the segment, and the place or the number of the frame.
fn dimensions(stamp: &Stamp, space: &Space) -> Item {
    let uid = stamp.uid(2);
    let index = |pointer: u32, group: u32, label: &str| {
        Item::new().text(0x0020_9164, b"UI", &uid).tag(0x0020_9165, pointer).tag(0x0020_9167, group).text(
            0x0020_9421,
            b"LO",
            label,
        )
    };
    let place = match space {
        Space::Placed { .. } => index(0x0020_0032, 0x0020_9113, "Position"),
        Space::Unplaced => index(0x0020_9057, 0x0020_9111, "Frame"),
    };
    Item::new()
        .item(0x0020_9221, Item::new().text(0x0020_9164, b"UI", &uid))
        .items(0x0020_9222, vec![index(0x0062_000b, 0x0062_000a, "Segment"), place])
}

fn groups(sources: &[SourceFrame<'_>], space: &Space) -> Item {
    let shared = match space {
        Space::Placed { shared: Some(geometry), between_mm } => measures(geometry, *between_mm),
        _ => Item::new(),
    };
    let frame = |(n, source): (usize, &SourceFrame<'_>)| {
        let number = n as u32 + 1;
        let content = Item::new().u32s(0x0020_9157, &[1, number]);
        let content = match space {
            Space::Placed { .. } => content,
            Space::Unplaced => content.text(0x0020_9056, b"SH", "1").u32s(0x0020_9057, &[number]),
        };
        let image = source
            .reference()
            .text(0x0028_135a, b"CS", "YES")
            .code(0x0040_a170, ["121322", "DCM", "Source image for image processing operation"]);
        let derivation = Item::new().item(0x0008_2112, image).code(0x0008_9215, ["113076", "DCM", "Segmentation"]);
        let item = Item::new()
            .item(0x0020_9111, content)
            .item(0x0008_9124, derivation)
            .item(0x0062_000a, Item::new().u16s(0x0062_000b, &[1]));
        match (space, source.geometry.position_mm) {
            (Space::Placed { shared, between_mm }, Some(position)) => {
                let item = item.item(0x0020_9113, Item::new().numbers(0x0020_0032, &position));
                if shared.is_some() { item } else { item.and(measures(&source.geometry, *between_mm)) }
            }
            _ => item,
        }
    };
    Item::new().item(0x5200_9229, shared).items(0x5200_9230, sources.iter().enumerate().map(frame).collect())
}
