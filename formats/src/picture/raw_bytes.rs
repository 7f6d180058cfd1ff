//! A [`RawPicture`] as bytes.
//!
//! Numbers are little-endian, texts are UTF-8 behind their length (`u32`).
//!
//! ```text
//! magic "MVFAPIC1"  width u32  height u32  kind u8  flags u8  window centre f32, width f32
//! format text  units text  notes: count u32, each code text, text text
//! presets: count u32, each name text, curve u8, two f64 or a table (first i32, bits u8, count u32, entries u16)
//! pixels: 3 or 1 bytes a pixel (kinds 1 and 2), 1 or 3 numbers f32 (kinds 3 and 4), to the end
//! ```
//!
//! Read back, every length is checked against the bytes that are there before anything is allocated, and the pixels must
//! end exactly with the last byte. Fails with [`RawPictureError`].

use thiserror::Error;

use super::raw::{RawNote, RawPicture};
use super::{Picture, Pixels, Window};
use crate::{Preset, Table, WindowShape};

const MAGIC: &[u8; 8] = b"MVFAPIC1";
/// As the largest picture that is decoded.
const MAX_PIXELS: u64 = 64 << 20;
/// Longer texts are cut when they are written.
const MAX_TEXT_BYTES: usize = 4096;
/// Notes, or presets.
const MAX_ITEMS: usize = 1024;
/// Names that a format may have; a picture of another one is not from this program.
const FORMATS: [&str; 9] = ["PNG", "JPEG", "WebP", "BMP", "TIFF", "DICOM", "NIfTI", "NRRD", "MetaImage"];

const PIL_TAKES_HIGH_BYTE: u8 = 1;
const SYNTHETIC: u8 = 2;
const INVERTED: u8 = 4;
const HAS_WINDOW: u8 = 8;

/// Bytes that are no raw picture.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RawPictureError {
    /// They begin otherwise.
    #[error("expected a decoded picture, found other data; open the file with an Opener first")]
    Foreign,
    /// They end early.
    #[error(
        "the decoded picture is cut off: {part} needs {expected_bytes} bytes, found {found_bytes}; open the file again"
    )]
    Truncated {
        /// What ends early.
        part: &'static str,
        /// Bytes it needs.
        expected_bytes: u64,
        /// Bytes there are.
        found_bytes: u64,
    },
    /// They contradict themselves.
    #[error("the decoded picture is damaged: {reason}; open the file again")]
    Damaged {
        /// What is wrong.
        reason: String,
    },
}

fn damaged(reason: impl Into<String>) -> RawPictureError {
    RawPictureError::Damaged { reason: reason.into() }
}

impl RawPicture {
    /// As bytes, for [`RawPicture::from_bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let picture = &self.picture;
        let (kind, pixel_bytes, window) = match &picture.pixels {
            Pixels::Rgb8(bytes) => (1, bytes.len(), None),
            Pixels::Gray8(bytes) => (2, bytes.len(), None),
            Pixels::DeepGray { values, window } => (3, values.len() * 4, *window),
            Pixels::DeepRgb { values } => (4, values.len() * 4, None),
        };
        let mut out = Vec::with_capacity(pixel_bytes + 1024);
        out.extend(MAGIC);
        out.extend((picture.width_px as u32).to_le_bytes());
        out.extend((picture.height_px as u32).to_le_bytes());
        out.push(kind);
        let flag = |bit: u8, is_set: bool| if is_set { bit } else { 0 };
        out.push(
            flag(PIL_TAKES_HIGH_BYTE, picture.pil_takes_high_byte)
                | flag(SYNTHETIC, self.synthetic)
                | flag(INVERTED, self.inverted)
                | flag(HAS_WINDOW, window.is_some()),
        );
        let Window { center, width } = window.unwrap_or(Window { center: 0.0, width: 0.0 });
        out.extend(center.to_le_bytes());
        out.extend(width.to_le_bytes());
        put_text(&mut out, picture.format);
        put_text(&mut out, self.units.as_deref().unwrap_or(""));
        let notes = &self.notes[..self.notes.len().min(MAX_ITEMS)];
        out.extend((notes.len() as u32).to_le_bytes());
        for note in notes {
            put_text(&mut out, &note.code);
            put_text(&mut out, &note.text);
        }
        let presets = &self.presets[..self.presets.len().min(MAX_ITEMS)];
        out.extend((presets.len() as u32).to_le_bytes());
        presets.iter().for_each(|preset| put_preset(&mut out, preset));
        match &picture.pixels {
            Pixels::Rgb8(bytes) | Pixels::Gray8(bytes) => out.extend_from_slice(bytes),
            Pixels::DeepGray { values, .. } | Pixels::DeepRgb { values } => {
                values.iter().for_each(|value| out.extend(value.to_le_bytes()));
            }
        }
        out
    }

    /// Reads what [`RawPicture::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`RawPictureError`]: see its variants.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RawPictureError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(RawPictureError::Foreign)?;
        let mut reader = Reader { rest };
        let [width, height] = [reader.u32("its size")?, reader.u32("its size")?];
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 || pixels > MAX_PIXELS {
            return Err(damaged(format!("it says {width} x {height} pixels, at most {MAX_PIXELS} in all")));
        }
        let kind = reader.u8("its kind")?;
        let flags = reader.u8("its flags")?;
        let [center, width_of_window] = [reader.f32("its window")?, reader.f32("its window")?];
        let is_window = center.is_finite() && width_of_window.is_finite() && width_of_window > 0.0;
        let window = (flags & HAS_WINDOW != 0 && is_window).then_some(Window { center, width: width_of_window });
        let name = reader.text("the format")?;
        let known = FORMATS.into_iter().find(|known| *known == name);
        let format = known.ok_or_else(|| damaged("the name of its format is not known"))?;
        let units = Some(reader.text("the units")?).filter(|units| !units.is_empty());
        let notes = (0..reader.count("the notes")?)
            .map(|_| Ok(RawNote { code: reader.text("a note")?, text: reader.text("a note")? }))
            .collect::<Result<_, RawPictureError>>()?;
        let presets =
            (0..reader.count("the presets")?).map(|_| reader.preset()).collect::<Result<_, RawPictureError>>()?;
        let samples = pixels * if matches!(kind, 1 | 4) { 3 } else { 1 };
        let expected_bytes = samples * if matches!(kind, 3 | 4) { 4 } else { 1 };
        let found_bytes = reader.rest.len() as u64;
        if found_bytes < expected_bytes {
            return Err(RawPictureError::Truncated { part: "its pixels", expected_bytes, found_bytes });
        }
        if found_bytes > expected_bytes {
            return Err(damaged(format!("{} bytes follow its pixels", found_bytes - expected_bytes)));
        }
        let values = || reader.rest.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let pixels = match kind {
            1 => Pixels::Rgb8(reader.rest.to_vec()),
            2 => Pixels::Gray8(reader.rest.to_vec()),
            3 => Pixels::DeepGray { values: values(), window },
            4 => Pixels::DeepRgb { values: values() },
            other => return Err(damaged(format!("its kind of pixels is {other}, expected 1 to 4"))),
        };
        let picture = Picture {
            width_px: width as usize,
            height_px: height as usize,
            pixels,
            format,
            pil_takes_high_byte: flags & PIL_TAKES_HIGH_BYTE != 0,
            notes: Vec::new(),
        };
        let (inverted, synthetic) = (flags & INVERTED != 0, flags & SYNTHETIC != 0);
        Ok(Self { picture, notes, presets, units, inverted, synthetic })
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    let mut end = text.len().min(MAX_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    out.extend((end as u32).to_le_bytes());
    out.extend_from_slice(&text.as_bytes()[..end]);
}

fn put_preset(out: &mut Vec<u8>, preset: &Preset) {
    put_text(out, preset.name.as_deref().unwrap_or(""));
    let (kind, numbers) = match &preset.shape {
        WindowShape::Linear { center, width } => (1, [*center, *width]),
        WindowShape::LinearExact { center, width } => (2, [*center, *width]),
        WindowShape::Sigmoid { center, width } => (3, [*center, *width]),
        WindowShape::Table(table) => {
            out.push(4);
            out.extend(table.first.to_le_bytes());
            out.push(table.bits);
            out.extend((table.entries.len() as u32).to_le_bytes());
            table.entries.iter().for_each(|entry| out.extend(entry.to_le_bytes()));
            return;
        }
    };
    out.push(kind);
    numbers.iter().for_each(|number| out.extend(number.to_le_bytes()));
}

/// What is left to read.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize, part: &'static str) -> Result<&'a [u8], RawPictureError> {
        let (expected_bytes, found_bytes) = (bytes as u64, self.rest.len() as u64);
        let too_short = RawPictureError::Truncated { part, expected_bytes, found_bytes };
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or(too_short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, part: &'static str) -> Result<[u8; N], RawPictureError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, part)?);
        Ok(array)
    }

    fn u8(&mut self, part: &'static str) -> Result<u8, RawPictureError> {
        self.array(part).map(u8::from_le_bytes)
    }

    fn u32(&mut self, part: &'static str) -> Result<u32, RawPictureError> {
        self.array(part).map(u32::from_le_bytes)
    }

    fn f32(&mut self, part: &'static str) -> Result<f32, RawPictureError> {
        self.array(part).map(f32::from_le_bytes)
    }

    fn count(&mut self, part: &'static str) -> Result<usize, RawPictureError> {
        let count = self.u32(part)? as usize;
        if count > MAX_ITEMS { Err(damaged(format!("it has {count} of {part}"))) } else { Ok(count) }
    }

    fn text(&mut self, part: &'static str) -> Result<String, RawPictureError> {
        let bytes = self.u32(part)? as usize;
        if bytes > MAX_TEXT_BYTES {
            return Err(damaged(format!("the text of {part} has {bytes} bytes")));
        }
        let text = std::str::from_utf8(self.take(bytes, part)?);
        text.map(str::to_owned).map_err(|_| damaged(format!("the text of {part} is no UTF-8")))
    }

    fn preset(&mut self) -> Result<Preset, RawPictureError> {
        const PART: &str = "a preset";
        let name = Some(self.text(PART)?).filter(|name| !name.is_empty());
        let kind = self.u8(PART)?;
        if kind == 4 {
            let first = i32::from_le_bytes(self.array(PART)?);
            let bits = self.u8(PART)?;
            let count = self.u32(PART)? as usize;
            let entries = self.take(count.saturating_mul(2), PART)?.chunks_exact(2);
            let entries = entries.map(|entry| u16::from_le_bytes([entry[0], entry[1]])).collect();
            return Ok(Preset { name, shape: WindowShape::Table(Table { first, entries, bits }) });
        }
        let [center, width] = [f64::from_le_bytes(self.array(PART)?), f64::from_le_bytes(self.array(PART)?)];
        if !(center.is_finite() && width.is_finite() && width > 0.0) {
            return Err(damaged(format!("a preset has the window {center}, {width}")));
        }
        let shape = match kind {
            1 => WindowShape::Linear { center, width },
            2 => WindowShape::LinearExact { center, width },
            3 => WindowShape::Sigmoid { center, width },
            other => return Err(damaged(format!("the curve of a preset is {other}, expected 1 to 4"))),
        };
        Ok(Preset { name, shape })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::WindowChoice;

    fn raw(pixels: Pixels) -> RawPicture {
        let note = RawNote { code: "part".into(), text: "page 1 of 3 is analysed".into() };
        let table = Table { first: -3, entries: vec![0, 7, 900].into(), bits: 10 };
        RawPicture {
            picture: Picture {
                width_px: 3,
                height_px: 2,
                pixels,
                format: "DICOM",
                pil_takes_high_byte: true,
                notes: Vec::new(),
            },
            notes: vec![note],
            presets: vec![
                Preset { name: Some("LUNG".into()), shape: WindowShape::Linear { center: -600.0, width: 1500.0 } },
                Preset { name: None, shape: WindowShape::Table(table) },
                Preset { name: None, shape: WindowShape::Sigmoid { center: 1.0, width: 2.0 } },
                Preset { name: None, shape: WindowShape::LinearExact { center: 1.0, width: 0.5 } },
            ],
            units: Some("HU".into()),
            inverted: true,
            synthetic: true,
        }
    }

    fn all() -> [RawPicture; 4] {
        let window = Some(Window { center: 40.0, width: 400.0 });
        [
            raw(Pixels::Rgb8((0..18).collect())),
            raw(Pixels::Gray8((0..6).collect())),
            raw(Pixels::DeepGray { values: vec![-1.5, 0.0, 3e9, f32::INFINITY, 1e-40, 7.0], window }),
            raw(Pixels::DeepRgb { values: vec![0.25; 18] }),
        ]
    }

    #[test]
    fn every_kind_comes_back_as_it_was() {
        for picture in all() {
            assert_eq!(RawPicture::from_bytes(&picture.to_bytes()).as_ref(), Ok(&picture));
        }
    }

    #[test]
    fn every_beginning_and_every_longer_one_is_refused() {
        for picture in all() {
            let mut bytes = picture.to_bytes();
            for end in 0..bytes.len() {
                assert!(RawPicture::from_bytes(&bytes[..end]).is_err(), "{end}");
            }
            bytes.push(0);
            assert!(RawPicture::from_bytes(&bytes).unwrap_err().to_string().contains("follow"));
        }
    }

    #[test]
    fn no_byte_ends_the_program() {
        for picture in all() {
            let bytes = picture.to_bytes();
            for at in 0..bytes.len() {
                for value in [0, 1, 0x7f, 0xff] {
                    let mut bytes = bytes.clone();
                    bytes[at] = value;
                    if let Ok(read) = RawPicture::from_bytes(&bytes) {
                        read.shown(WindowChoice::Auto);
                    }
                }
            }
        }
    }

    #[test]
    fn sizes_are_judged_before_pixels() {
        let mut bytes = all()[1].to_bytes();
        bytes[8..16].copy_from_slice(&[0xff; 8]);
        assert!(RawPicture::from_bytes(&bytes).unwrap_err().to_string().contains("4294967295 x 4294967295"));
        assert_eq!(RawPicture::from_bytes(b"\x89PNG\r\n\x1a\n").unwrap_err(), RawPictureError::Foreign);
    }

    #[test]
    fn low_values_are_bright_where_the_file_says_so() {
        let mut picture = raw(Pixels::DeepGray { values: vec![0.0, 10.0, f32::NAN, 0.0, 10.0, 5.0], window: None });
        picture.presets.clear();
        let window = WindowChoice::Manual(Window { center: 5.0, width: 10.0 });
        let grey = |picture: &RawPicture| picture.shown(window).0.bytes.iter().copied().step_by(3).collect::<Vec<u8>>();
        assert_eq!(grey(&picture), [255, 0, 0, 255, 0, 127]);
        picture.inverted = false;
        assert_eq!(grey(&picture), [0, 255, 0, 0, 255, 128]);
    }
}
