//! What a DICOM data set says about its pixels: size, sample type, photometric interpretation, palette.

use super::FORMAT;
use super::dataset::DataSet;
use super::tags;
use crate::{FormatError, Limits};

/// Meaning of the samples (PS3.3, C.7.6.3.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Photometric {
    /// Low values are bright.
    Monochrome1,
    Monochrome2,
    Palette,
    Rgb,
    YbrFull,
    YbrFull422,
    /// JPEG 2000 undoes these two itself.
    YbrReversible,
}

/// Type of a stored sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SampleKind {
    Integer,
    Float32,
    Float64,
}

/// Description of the pixels.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) frames: usize,
    pub(super) samples_per_pixel: usize,
    pub(super) photometric: Photometric,
    pub(super) photometric_name: &'static str,
    pub(super) bits_allocated: u32,
    pub(super) bits_stored: u32,
    pub(super) high_bit: u32,
    pub(super) signed: bool,
    pub(super) is_planar: bool,
    pub(super) kind: SampleKind,
    pub(super) palette: Option<Palette>,
}

/// Three tables from an index to colour.
#[derive(Debug, Clone)]
pub(super) struct Palette {
    pub(super) first: i32,
    /// Red, green, blue.
    pub(super) entries: [Vec<u16>; 3],
    pub(super) bits: u8,
}

const EXPORT: &str = "export the picture as grey or RGB";

impl Header {
    pub(super) fn read(set: &DataSet<'_>, is_encapsulated: bool, limits: &Limits) -> Result<Self, FormatError> {
        let missing = |what: &str| FormatError::NoPicture { format: FORMAT, reason: format!("it does not say {what}") };
        let kind = if set.element(tags::PIXEL_DATA).is_some() {
            SampleKind::Integer
        } else if set.element(tags::FLOAT_PIXEL_DATA).is_some() {
            SampleKind::Float32
        } else if set.element(tags::DOUBLE_PIXEL_DATA).is_some() {
            SampleKind::Float64
        } else {
            return Err(FormatError::NoPicture { format: FORMAT, reason: what_instead(set) });
        };
        let rows = set.u16(tags::ROWS).ok_or_else(|| missing("how many rows it has"))?;
        let columns = set.u16(tags::COLUMNS).ok_or_else(|| missing("how many columns it has"))?;
        let frames = set.number(tags::FRAMES).filter(|&n| n >= 1.0).map_or(1, |n| n as u64);
        limits.check_frames(FORMAT, columns.into(), rows.into(), frames)?;
        let samples_per_pixel = set.u16(tags::SAMPLES_PER_PIXEL).unwrap_or(1);
        let name = set.text(tags::PHOTOMETRIC).unwrap_or_default().to_ascii_uppercase();
        let (photometric, photometric_name) = photometric(&name, samples_per_pixel)?;
        let bits_allocated = match kind {
            SampleKind::Integer => {
                u32::from(set.u16(tags::BITS_ALLOCATED).ok_or_else(|| missing("how many bits a sample has"))?)
            }
            SampleKind::Float32 => 32,
            SampleKind::Float64 => 64,
        };
        if !matches!(bits_allocated, 1 | 8 | 16 | 32 | 64) || (bits_allocated == 64 && kind == SampleKind::Integer) {
            let found = format!("samples of {bits_allocated} bits");
            return Err(FormatError::Unsupported { format: FORMAT, found, instead: "export it with 16 bits" });
        }
        // Numbers that contradict each other are common; the container's size then counts.
        let bits_stored = set.u16(tags::BITS_STORED).map(u32::from);
        let bits_stored = bits_stored.filter(|bits| (1..=bits_allocated).contains(bits)).unwrap_or(bits_allocated);
        let high_bit = set.u16(tags::HIGH_BIT).map(u32::from);
        let fits = |bit: &u32| *bit < bits_allocated && *bit + 1 >= bits_stored;
        let high_bit = high_bit.filter(fits).unwrap_or(bits_stored - 1);
        let header = Self {
            rows: rows.into(),
            columns: columns.into(),
            frames: frames as usize,
            samples_per_pixel: samples_per_pixel.into(),
            photometric,
            photometric_name,
            bits_allocated,
            bits_stored,
            high_bit,
            signed: set.u16(tags::PIXEL_REPRESENTATION) == Some(1),
            is_planar: samples_per_pixel > 1 && set.u16(tags::PLANAR) == Some(1),
            kind,
            palette: if photometric == Photometric::Palette { Some(Palette::read(set)?) } else { None },
        };
        if photometric == Photometric::YbrFull422 && !is_encapsulated && header.columns % 2 == 1 {
            return Err(FormatError::damaged(FORMAT, "YBR_FULL_422 with an odd number of columns"));
        }
        Ok(header)
    }

    /// Whether samples are RGB where no codec converts them. JPEG 2000's own colours are undone by it, and stay in the header
    /// of files that were once compressed so.
    pub(super) fn is_rgb(&self) -> bool {
        matches!(self.photometric, Photometric::Rgb | Photometric::YbrReversible)
    }

    /// Samples of a frame after decoding.
    pub(super) fn frame_samples(&self) -> usize {
        self.rows * self.columns * self.samples_per_pixel
    }

    /// Bits that a frame takes when it is not compressed.
    pub(super) fn native_frame_bits(&self) -> u64 {
        let pixels = self.rows as u64 * self.columns as u64;
        // Two pixels share their chroma: four samples instead of six.
        let samples = if self.photometric == Photometric::YbrFull422 {
            pixels * 2
        } else {
            pixels * self.samples_per_pixel as u64
        };
        samples * u64::from(self.bits_allocated)
    }
}

/// Codes of the standard, also of its earlier editions, that are not read.
const OTHER_PHOTOMETRIC: [&str; 6] = ["HSV", "ARGB", "CMYK", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "XYB"];

fn photometric(name: &str, samples_per_pixel: u16) -> Result<(Photometric, &'static str), FormatError> {
    let known = match name {
        "MONOCHROME1" => (Photometric::Monochrome1, "MONOCHROME1"),
        "MONOCHROME2" => (Photometric::Monochrome2, "MONOCHROME2"),
        "PALETTE COLOR" => (Photometric::Palette, "PALETTE COLOR"),
        "RGB" => (Photometric::Rgb, "RGB"),
        "YBR_FULL" => (Photometric::YbrFull, "YBR_FULL"),
        "YBR_FULL_422" => (Photometric::YbrFull422, "YBR_FULL_422"),
        "YBR_RCT" => (Photometric::YbrReversible, "YBR_RCT"),
        "YBR_ICT" => (Photometric::YbrReversible, "YBR_ICT"),
        "" if samples_per_pixel == 1 => (Photometric::Monochrome2, "MONOCHROME2"),
        "" if samples_per_pixel == 3 => (Photometric::Rgb, "RGB"),
        _ => {
            // Only codes are repeated: a broken file may have anything in this place, a person's name too.
            let code = OTHER_PHOTOMETRIC.into_iter().find(|&code| code == name);
            let found = format!("the photometric interpretation {}", code.unwrap_or("of no standard"));
            return Err(FormatError::Unsupported { format: FORMAT, found, instead: EXPORT });
        }
    };
    let is_gray = matches!(known.0, Photometric::Monochrome1 | Photometric::Monochrome2 | Photometric::Palette);
    let expected = if is_gray { 1 } else { 3 };
    if samples_per_pixel != expected {
        let reason = format!("{} with {samples_per_pixel} samples a pixel, expected {expected}", known.1);
        return Err(FormatError::damaged(FORMAT, reason));
    }
    Ok(known)
}

/// What a file without pixels is.
fn what_instead(set: &DataSet<'_>) -> String {
    let class = set.text(tags::SOP_CLASS).unwrap_or_default();
    // Most directories have their class in the file meta information only.
    let what = if class == "1.2.840.10008.1.3.10" || set.element(tags::DIRECTORY_RECORDS).is_some() {
        "it is a directory (DICOMDIR)"
    } else if class.starts_with("1.2.840.10008.5.1.4.1.1.88") {
        "it is a structured report"
    } else if class.starts_with("1.2.840.10008.5.1.4.1.1.11") {
        "it is a presentation state"
    } else if class.starts_with("1.2.840.10008.5.1.4.1.1.9.") {
        "it is a waveform"
    } else if class.starts_with("1.2.840.10008.5.1.4.39.") {
        "it is a colour palette"
    } else if class.starts_with("1.2.840.10008.5.1.4.1.1.104") {
        "it holds a document"
    } else if class.starts_with("1.2.840.10008.5.1.4.1.1.481") {
        "it is a radiotherapy object without pixels"
    } else {
        "it has no pixel data"
    };
    what.to_owned()
}

impl Palette {
    fn read(set: &DataSet<'_>) -> Result<Self, FormatError> {
        let damaged = |reason: &str| FormatError::damaged(FORMAT, reason);
        let mut entries: [Vec<u16>; 3] = Default::default();
        let mut first = 0;
        let mut bits = 16;
        for (channel, table) in entries.iter_mut().enumerate() {
            let descriptor = set.u16s(tags::PALETTE_DESCRIPTORS[channel]);
            let &[count, start, width, ..] = descriptor.as_slice() else {
                return Err(damaged("a palette has no descriptor"));
            };
            // The first index has the sign of the pixels.
            let signed = set.u16(tags::PIXEL_REPRESENTATION) == Some(1);
            first = if signed { i32::from(start.cast_signed()) } else { i32::from(start) };
            bits = if width <= 8 { 8 } else { 16 };
            let count = if count == 0 { 1 << 16 } else { usize::from(count) };
            *table = match set.bytes(tags::PALETTES[channel]) {
                // One byte an entry, or one 16-bit word.
                Some(bytes) if width <= 8 && bytes.len() < count * 2 => {
                    bytes.iter().take(count).map(|&b| u16::from(b)).collect()
                }
                Some(_) => set.u16s(tags::PALETTES[channel]).into_iter().take(count).collect(),
                None => segmented(&set.u16s(tags::SEGMENTED_PALETTES[channel]), count)
                    .ok_or_else(|| damaged("a palette is missing or its segments are wrong"))?,
            };
            if table.is_empty() {
                return Err(damaged("a palette is empty"));
            }
        }
        Ok(Self { first, entries, bits })
    }

    /// Colour of an index: what lies outside takes the nearest entry.
    pub(super) fn look_up(&self, channel: usize, index: f64) -> u16 {
        let table = &self.entries[channel];
        let at = ((index - f64::from(self.first)) as usize).min(table.len().saturating_sub(1));
        table.get(at).copied().unwrap_or(0)
    }
}

/// Unpacks segmented palette data of 16-bit words (PS3.3, C.7.9.2).
fn segmented(words: &[u16], count: usize) -> Option<Vec<u16>> {
    let mut table: Vec<u16> = Vec::new();
    let mut at = 0;
    while at < words.len() && table.len() < count {
        at = segment(words, at, &mut table, count, true)?;
    }
    table.truncate(count);
    (table.len() == count).then_some(table)
}

/// Runs the segment at `at`; gives the place of the next one.
fn segment(words: &[u16], at: usize, table: &mut Vec<u16>, count: usize, may_repeat: bool) -> Option<usize> {
    let length = usize::from(*words.get(at + 1)?);
    match words[at] {
        0 => {
            table.extend_from_slice(words.get(at + 2..at + 2 + length)?);
            Some(at + 2 + length)
        }
        1 => {
            let from = f64::from(*table.last()?);
            let to = f64::from(*words.get(at + 2)?);
            for step in 1..=length {
                table.push((from + (to - from) * step as f64 / length as f64).round() as u16);
            }
            Some(at + 3)
        }
        2 if may_repeat => {
            // `length` segments from a byte offset, given as two words.
            let offset = (usize::from(*words.get(at + 3)?) << 16 | usize::from(*words.get(at + 2)?)) / 2;
            let mut place = offset;
            for _ in 0..length {
                if table.len() >= count {
                    break;
                }
                place = segment(words, place, table, count, false)?;
            }
            Some(at + 4)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_of_a_palette_are_unpacked() {
        // Discrete 10, 20; linear in 4 steps to 60; the discrete one again.
        let words = [0, 2, 10, 20, 1, 4, 60, 2, 1, 0, 0];
        assert_eq!(segmented(&words, 8), Some(vec![10, 20, 30, 40, 50, 60, 10, 20]));
        assert_eq!(segmented(&words, 9), None, "shorter than the descriptor says");
        assert_eq!(segmented(&[2, 1, 0, 0], 2), None, "repeats itself");
        assert_eq!(segmented(&[0, 9, 1], 9), None, "cut");
    }
}
