//! A DICOM Secondary Capture of colour pictures, one for each source frame.
//!
//! Source: PS3.3, A.8.5 (Multi-frame True Color Secondary Capture) and C.8.6. The source's frames are named in the order of
//! the pictures. What is drawn into the source's pixels is in these, too.

use std::io::Write;

use super::common::{SourceFrame, Stamp, burned_in, common, file_head, referenced_series, side, sources};
use super::item::Item;
use crate::Series;
use crate::write::WriteError;

const CLASS: &str = "1.2.840.10008.5.1.4.1.1.7.4";

/// Writes the file. `picture` gives the colours over a frame, [height, width, 3]; `description` tells what they are.
///
/// # Errors
/// [`WriteError`]: see its variants.
pub fn secondary_capture(
    series: &Series,
    frames: &[usize],
    description: &str,
    stamp: &Stamp,
    out: &mut impl Write,
    mut picture: impl FnMut(usize) -> Result<Vec<u8>, WriteError>,
) -> Result<(), WriteError> {
    out.write_all(&secondary_capture_head(series, frames, description, stamp)?)?;
    let frame_bytes = series.width_px * series.height_px * 3;
    for &frame in frames {
        let picture = picture(frame)?;
        if picture.len() != frame_bytes {
            return Err(WriteError::Size { what: "a picture", expected: frame_bytes, found: picture.len() });
        }
        out.write_all(&picture)?;
    }
    if frame_bytes * frames.len() % 2 == 1 {
        out.write_all(&[0])?;
    }
    Ok(())
}

/// The file up to its pixels: the colours over each frame follow, [height, width, 3], and a zero byte where all of them
/// are of an odd number of bytes.
///
/// # Errors
/// [`WriteError`]: see its variants.
pub fn secondary_capture_head(
    series: &Series,
    frames: &[usize],
    description: &str,
    stamp: &Stamp,
) -> Result<Vec<u8>, WriteError> {
    let sources = sources(series, frames)?;
    let Some(first) = sources.first() else { return Err(WriteError::Nothing) };
    let bytes = (series.width_px * series.height_px * 3) as u64 * sources.len() as u64;
    let set = common(first.origin, stamp, CLASS, "OT", "MVFA anomaly map over its source")
        .and(pixels(series, sources.len()))
        .and(pages(sources.len())?)
        .and(referenced_series(&sources))
        .text(0x0008_2111, b"ST", description)
        .items(0x0008_2112, sources.iter().map(source).collect())
        .text(0x0028_0301, b"CS", burned_in(series, first.origin));
    // In the plane of the body only: the spacing of a film is the detector's.
    let set = match (first.geometry.spacing_mm, first.geometry.orientation) {
        (Some(spacing), Some(_)) => set.numbers(0x0028_0030, &spacing),
        _ => set,
    };
    file_head(CLASS, &stamp.uid(0), set, bytes)
}

fn source(frame: &SourceFrame<'_>) -> Item {
    frame
        .reference()
        .text(0x0028_135a, b"CS", "YES")
        .code(0x0040_a170, ["121322", "DCM", "Source image for image processing operation"])
}

fn pixels(series: &Series, frames: usize) -> Item {
    Item::new()
        .text(0x0008_0008, b"CS", "DERIVED\\SECONDARY")
        .text(0x0008_0064, b"CS", "WSD")
        // Orientation and side of the body: not known.
        .empty(&[(0x0020_0020, b"CS"), (0x0020_0060, b"CS")])
        .u16s(0x0028_0002, &[3])
        .text(0x0028_0004, b"CS", "RGB")
        .u16s(0x0028_0006, &[0])
        .text(0x0028_0008, b"IS", &frames.to_string())
        .u16s(0x0028_0010, &[side(series.height_px)])
        .u16s(0x0028_0011, &[side(series.width_px)])
        .u16s(0x0028_0100, &[8])
        .u16s(0x0028_0101, &[8])
        .u16s(0x0028_0102, &[7])
        .u16s(0x0028_0103, &[0])
}

/// What tells several pictures apart: pages, since they need not be evenly spaced in space or time.
fn pages(frames: usize) -> Result<Item, WriteError> {
    /// Longest value of an element of this kind.
    const LIMIT: u64 = 0xfffe;
    let numbers: Vec<String> = (1..=frames).map(|n| n.to_string()).collect();
    let numbers = numbers.join("\\");
    let bytes = numbers.len() as u64;
    match frames {
        1 => Ok(Item::new()),
        _ if bytes > LIMIT => Err(WriteError::TooLarge { bytes, limit: LIMIT }),
        _ => Ok(Item::new().tag(0x0028_0009, 0x0018_2001).text(0x0018_2001, b"IS", &numbers)),
    }
}
