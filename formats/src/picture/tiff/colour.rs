//! What the samples of a page mean, and the picture they make.
//!
//! In: the tags that say so, then [`Samples`]. Out: [`Pixels`] as Pillow's `convert('RGB')` sees them where it reads such a
//! file, and [`Note`]s. Whole numbers of more than 8 bits in grey, and colour in other than 8 or 16 unsigned bits, keep
//! their depth for a window.

use half::f16;

use super::directory::{Directory, tag};
use super::layout::{Compression, Kind, Layout};
use super::samples::Samples;
use super::{damaged, names, unsupported};
use crate::picture::{ImageError, Note, Pixels};

/// What the first samples of a pixel are.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    Grey {
        white_is_zero: bool,
    },
    /// All reds, all greens, all blues.
    Palette(Vec<u8>),
    Rgb,
    Cmyk,
    YCbCr,
}

/// What is taken from a page.
pub(super) struct Colours {
    pub(super) meaning: Meaning,
    /// Place of the alpha channel.
    pub(super) alpha: Option<usize>,
    /// Channels that are neither.
    pub(super) left_out: usize,
}

impl Colours {
    /// Whether low values are bright in the file, and so are not those that come out.
    pub(super) fn is_turned_over(&self) -> bool {
        matches!(self.meaning, Meaning::Grey { white_is_zero: true })
    }

    /// Settles it, or names what is not read.
    pub(super) fn of(file: &[u8], page: &Directory<'_>, layout: &Layout<'_>) -> Result<Self, ImageError> {
        let Some(photometric) = page.number(tag::PHOTOMETRIC)? else {
            return Err(unsupported("pixels whose meaning is not stated (no photometric interpretation)"));
        };
        let extra = page.numbers(tag::EXTRA_SAMPLES)?;
        let (bits, kind) = (layout.bits, layout.kind);
        let is_bytes = bits == 8 && kind == Kind::Unsigned;
        let is_words = bits == 16 && kind == Kind::Unsigned;
        let meaning = match photometric {
            0 | 1 if layout.samples <= 2 => Meaning::Grey { white_is_zero: photometric == 0 },
            // Programs that know no colours write colour pictures so.
            1 if layout.samples == 3 && is_bytes && !extra.iter().any(|&kind| is_alpha(kind)) => Meaning::Rgb,
            0 | 1 => {
                let channels = layout.samples;
                return Err(unsupported(&format!(
                    "{channels} channels of {bits}-bit grey that are not said to be colours"
                )));
            }
            2 if bits < 8 || !bits.is_power_of_two() => return Err(unsupported(&format!("{bits}-bit colours"))),
            // Slide scanners say RGB of JPEG data that are YCbCr by their own header.
            2 if layout.samples == 3 && !layout.is_planar && is_jfif(file, layout) => Meaning::YCbCr,
            2 => Meaning::Rgb,
            3 if kind != Kind::Unsigned || !matches!(bits, 1..=8 | 16) => {
                return Err(unsupported(&format!("a palette with {bits}-bit {kind:?} places")));
            }
            3 => Meaning::Palette(palette(page, bits)?),
            5 if page.number(tag::INK_SET)?.unwrap_or(1) != 1 => {
                return Err(unsupported("inks other than cyan, magenta, yellow and black"));
            }
            5 if is_bytes || is_words => Meaning::Cmyk,
            5 => return Err(unsupported(&format!("inks in {bits}-bit {kind:?} numbers"))),
            6 if !is_bytes => return Err(unsupported(&format!("YCbCr colours in {bits}-bit {kind:?} numbers"))),
            6 => {
                check_ycbcr(page, layout)?;
                Meaning::YCbCr
            }
            other => return Err(unsupported(&names::photometric(other))),
        };
        let own = meaning.channels();
        let Some(further) = layout.samples.checked_sub(own) else {
            return Err(damaged(&format!("it has {} channels where its colours need {own}", layout.samples)));
        };
        // The list is about the last channels of a pixel.
        let first_listed = layout.samples - extra.len().min(layout.samples);
        let alpha = (own..layout.samples)
            .find(|&at| at.checked_sub(first_listed).and_then(|n| extra.get(n)).is_some_and(|&kind| is_alpha(kind)));
        Ok(Self { meaning, alpha, left_out: further - usize::from(alpha.is_some()) })
    }
}

/// Whether the first strip or tile is a JPEG file with a JFIF header, whose colours are YCbCr.
fn is_jfif(file: &[u8], layout: &Layout<'_>) -> bool {
    const HEADER: std::ops::Range<usize> = 6..10;
    let first = layout.chunks.first().and_then(|chunk| file.get(chunk.start..chunk.end));
    layout.compression == Compression::Jpeg && first.and_then(|data| data.get(HEADER)) == Some(b"JFIF")
}

/// Premultiplied or not: the stored colours are taken.
fn is_alpha(kind: u64) -> bool {
    matches!(kind, 1 | 2)
}

impl Meaning {
    /// Samples of a pixel that it needs.
    pub(super) fn channels(&self) -> usize {
        match self {
            Self::Grey { .. } | Self::Palette(_) => 1,
            Self::Rgb | Self::YCbCr => 3,
            Self::Cmyk => 4,
        }
    }
}

/// The colours of a palette: 16 bits each in the file; some writers use 8 of them.
fn palette(page: &Directory<'_>, bits: usize) -> Result<Vec<u8>, ImageError> {
    let table = page.numbers(tag::COLOR_MAP)?;
    if table.is_empty() || table.len() % 3 != 0 || table.len() > 3 << bits {
        return Err(damaged("it says that it has a palette, and the palette is missing or of a wrong length"));
    }
    let shift = if table.iter().all(|&value| value <= 255) { 0 } else { 8 };
    Ok(table.into_iter().map(|value| (value >> shift) as u8).collect())
}

/// JPEG brings its own sampling and range; other YCbCr is read where each pixel has its colours, in full range.
fn check_ycbcr(page: &Directory<'_>, layout: &Layout<'_>) -> Result<(), ImageError> {
    const FULL_RANGE: [f64; 6] = [0.0, 255.0, 128.0, 255.0, 128.0, 255.0];
    if layout.compression == Compression::Jpeg {
        return Ok(());
    }
    let sampling = page.numbers(tag::YCBCR_SUBSAMPLING)?;
    if sampling != [1, 1] {
        return Err(unsupported("YCbCr colours that several pixels share (subsampled), without JPEG compression"));
    }
    let range = page.rationals(tag::REFERENCE_BLACK_WHITE)?;
    if range.is_empty() || range == FULL_RANGE { Ok(()) } else { Err(unsupported("YCbCr colours in video range")) }
}

/// The picture, and what is to be known about it.
pub(super) fn pixels(
    colours: &Colours,
    layout: &Layout<'_>,
    samples: Samples,
) -> Result<(Pixels, Vec<Note>), ImageError> {
    let mut notes = Vec::new();
    if samples.has_transparency {
        notes.push(Note::Transparent);
    }
    if colours.left_out > 0 {
        notes.push(Note::FurtherChannels { left_out: colours.left_out });
    }
    let is_plain = layout.kind == Kind::Unsigned && samples.sample_bytes <= 2;
    let pixels = match &colours.meaning {
        Meaning::Grey { white_is_zero } if layout.kind == Kind::Unsigned && layout.bits <= 8 => {
            Pixels::Gray8(shallow_grey(samples.bytes, layout.bits, *white_is_zero))
        }
        Meaning::Grey { white_is_zero } => {
            let values = deep(&samples, layout, *white_is_zero, &mut notes)?;
            Pixels::DeepGray { values, window: None }
        }
        Meaning::Palette(table) => Pixels::Rgb8(coloured(&samples, table)?),
        Meaning::Rgb if is_plain => Pixels::Rgb8(high_bytes(samples)),
        Meaning::Rgb => Pixels::DeepRgb { values: deep(&samples, layout, false, &mut notes)? },
        Meaning::Cmyk => {
            let pixels = high_bytes(samples);
            let pixels = pixels.chunks_exact(4);
            Pixels::Rgb8(pixels.flat_map(|p| [uncmyk(p[0], p[3]), uncmyk(p[1], p[3]), uncmyk(p[2], p[3])]).collect())
        }
        Meaning::YCbCr => Pixels::Rgb8(samples.bytes.chunks_exact(3).flat_map(|p| unycc(p[0], p[1], p[2])).collect()),
    };
    Ok((pixels, notes))
}

/// Grey of 1 to 8 bits, stretched to 0..=255.
fn shallow_grey(mut grey: Vec<u8>, bits: usize, white_is_zero: bool) -> Vec<u8> {
    let most = (1_u32 << bits) - 1;
    let table: Vec<u8> = (0..=most)
        .map(|value| {
            let value = if white_is_zero { most - value } else { value };
            ((value * 255 + most / 2) / most) as u8
        })
        .collect();
    for value in &mut grey {
        *value = table.get(usize::from(*value)).copied().unwrap_or(255);
    }
    grey
}

/// The high byte of each sample of 8 or 16 bits.
fn high_bytes(samples: Samples) -> Vec<u8> {
    match samples.sample_bytes {
        1 => samples.bytes,
        bytes => samples.bytes.chunks_exact(bytes).map(|sample| sample[bytes - 1]).collect(),
    }
}

fn coloured(samples: &Samples, table: &[u8]) -> Result<Vec<u8>, ImageError> {
    let colours = table.len() / 3;
    let mut bytes = Vec::with_capacity(samples.bytes.len() / samples.sample_bytes * 3);
    for place in samples.bytes.chunks_exact(samples.sample_bytes) {
        let place = place.iter().rev().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
        if place >= colours {
            return Err(damaged("a pixel's colour is not in its palette"));
        }
        bytes.extend([table[place], table[colours + place], table[2 * colours + place]]);
    }
    Ok(bytes)
}

/// One ink over black ink to light, rounded as Pillow does.
fn uncmyk(ink: u8, black: u8) -> u8 {
    let paper = 255 - u32::from(black);
    let product = u32::from(ink) * paper + 128;
    (paper - ((product + (product >> 8)) >> 8)) as u8
}

/// Full-range YCbCr (ITU-R BT.601) to red, green, blue.
fn unycc(y: u8, blue: u8, red: u8) -> [u8; 3] {
    let (y, blue, red) = (f32::from(y), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    // `as u8` cuts to 0..=255.
    [y + 1.402 * red, y - 0.344_136 * blue - 0.714_136 * red, y + 1.772 * blue].map(|v| v.round() as u8)
}

/// Reads one little-endian sample.
fn number(sample: &[u8], kind: Kind) -> f64 {
    match (kind, sample) {
        (Kind::Unsigned, _) => sample.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte)) as f64,
        (Kind::Signed, &[a]) => f64::from(a as i8),
        (Kind::Signed, &[a, b]) => f64::from(i16::from_le_bytes([a, b])),
        (Kind::Signed, &[a, b, c, d]) => f64::from(i32::from_le_bytes([a, b, c, d])),
        (Kind::Signed, &[a, b, c, d, e, f, g, h]) => i64::from_le_bytes([a, b, c, d, e, f, g, h]) as f64,
        (Kind::Float, &[a, b]) => f16::from_le_bytes([a, b]).to_f64(),
        (Kind::Float, &[a, b, c, d]) => f64::from(f32::from_le_bytes([a, b, c, d])),
        (Kind::Float, &[a, b, c, d, e, f, g, h]) => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => f64::NAN,
    }
}

/// Samples in their own units. Where white is zero they are turned over: within the range of their type up to 16 bits, where
/// f32 holds every value; as `-1 - v` beyond, where the type's range is wider than f32 tells apart.
fn deep(
    samples: &Samples,
    layout: &Layout<'_>,
    white_is_zero: bool,
    notes: &mut Vec<Note>,
) -> Result<Vec<f32>, ImageError> {
    let top = match layout.kind {
        Kind::Unsigned if layout.bits <= 16 => f64::from((1_u32 << layout.bits) - 1),
        Kind::Unsigned | Kind::Signed => -1.0,
        Kind::Float => 1.0,
    };
    let numbers = || {
        let numbers = samples.bytes.chunks_exact(samples.sample_bytes).map(|sample| number(sample, layout.kind));
        numbers.map(move |value| if white_is_zero { top - value } else { value })
    };
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in numbers().filter(|value| value.is_finite()) {
        (low, high) = (low.min(value), high.max(value));
    }
    if low > high || low.abs().max(high.abs()) > f64::from(f32::MAX) {
        return Err(damaged("no grey value is a finite number, or some are beyond all measure"));
    }
    let zero = zero(low, high);
    if zero != 0.0 {
        notes.push(Note::CountedFrom { zero });
    }
    Ok(numbers().map(|value| (value - zero) as f32).collect())
}

/// What is subtracted so that f32 tells the values apart: 0, or the lowest where their range has fewer steps than 16 bits.
fn zero(low: f64, high: f64) -> f64 {
    const STEPS: f64 = 65_536.0;
    let step = low.abs().max(high.abs()) * f64::from(f32::EPSILON);
    // Values below 2^24 are exact as they are where they are whole numbers, and fractions of them are fine enough.
    if high > low && step > 1.0 && (high - low) / step < STEPS { low } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_of_few_bits_is_stretched_and_turned_over() {
        assert_eq!(shallow_grey(vec![0, 1], 1, false), [0, 255]);
        assert_eq!(shallow_grey(vec![0, 1, 2, 3], 2, true), [255, 170, 85, 0]);
        assert_eq!(shallow_grey(vec![7, 200], 8, true), [248, 55]);
        assert_eq!(shallow_grey(vec![0, 3, 7], 3, false), [0, 109, 255]);
    }

    #[test]
    fn values_that_f32_cannot_tell_apart_are_counted_from_the_lowest() {
        for (low, high, expected) in [
            (0.0, 65_535.0, 0.0),
            (-1024.0, 3071.0, 0.0),
            (0.0, 4_294_967_295.0, 0.0),
            (4_294_960_000.0, 4_294_962_567.0, 4_294_960_000.0),
            (-2568.0, -1.0, 0.0),
            (1e9, 1e9, 0.0),
        ] {
            assert_eq!(zero(low, high), expected, "{low}..{high}");
        }
    }

    #[test]
    fn inks_and_lights() {
        assert_eq!((uncmyk(0, 0), uncmyk(255, 0), uncmyk(0, 255), uncmyk(128, 0)), (255, 0, 0, 127));
        assert_eq!(unycc(100, 128, 128), [100; 3]);
    }
}
