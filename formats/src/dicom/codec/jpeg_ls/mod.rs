//! JPEG-LS (ISO/IEC 14495-1 = ITU-T T.87), lossless and near-lossless, all interleavings.
//!
//! Own code, because no crate reads what DICOM has: `dicom-toolkit-codec` 0.5.0 lacks sample interleaving and
//! decodes line interleaving approximately, `pure_jpegls` 2.0.0 reads one component only, `charls` binds C++.

mod bits;
mod scan;

use bits::BitReader;
use scan::{Parameters, Scan};

use super::{FORMAT, broken, check_size, stored};
use crate::bytes::Order;
use crate::dicom::header::Header;
use crate::limits::reserved;
use crate::{FormatError, Samples};

const CODEC: &str = "JPEG-LS";

/// How the components of a scan follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interleave {
    /// One component a scan.
    None,
    Line,
    Sample,
}

pub(super) fn decode(frame: &[u8], header: &Header) -> Result<Samples, FormatError> {
    let mut decoder = Decoder { header, bits: 0, preset: [0; 5], pixels: Vec::new(), done: 0 };
    decoder.run(frame)?;
    stored(&decoder.pixels, decoder.bits, header)
}

struct Decoder<'a> {
    header: &'a Header,
    /// Sample precision; 0 before the frame header.
    bits: u32,
    /// MAXVAL, T1, T2, T3, RESET of the file; 0 asks for the default.
    preset: [u32; 5],
    /// [height, width, components]
    pixels: Vec<u32>,
    /// Components decoded so far.
    done: usize,
}

impl Decoder<'_> {
    fn run(&mut self, frame: &[u8]) -> Result<(), FormatError> {
        let cut = || broken(CODEC, "it is cut off");
        if !frame.starts_with(b"\xff\xd8") {
            return Err(broken(CODEC, "it does not begin with a start marker"));
        }
        let mut at = 2;
        while self.done < self.header.samples_per_pixel {
            let [mark, marker] = *frame.get(at..at + 2).ok_or_else(cut)? else { return Err(cut()) };
            if mark != 0xff {
                return Err(broken(CODEC, "a marker is missing"));
            }
            // Fill bytes.
            if marker == 0xff {
                at += 1;
                continue;
            }
            let length = usize::from(Order::Big.u16(frame, at + 2).ok_or_else(cut)?);
            let segment = frame.get(at + 4..at + 2 + length).ok_or_else(cut)?;
            at += 2 + length;
            match marker {
                0xf7 => self.frame_header(segment)?,
                0xf8 => self.presets(segment),
                0xe8 if segment.starts_with(b"mrfx") && segment.get(4).is_some_and(|&t| t != 0) => {
                    return Err(unsupported("the HP colour transform"));
                }
                0xdd if segment.iter().any(|&b| b != 0) => return Err(unsupported("restart intervals")),
                0xda => at += self.scan(segment, frame.get(at..).unwrap_or(&[]))?,
                0xd9 => return Err(broken(CODEC, "it ends before its last component")),
                _ => {}
            }
        }
        Ok(())
    }

    fn frame_header(&mut self, segment: &[u8]) -> Result<(), FormatError> {
        let [bits, height_high, height_low, width_high, width_low, components, ..] = *segment else {
            return Err(broken(CODEC, "its frame header is too short"));
        };
        let height = u16::from_be_bytes([height_high, height_low]);
        let width = u16::from_be_bytes([width_high, width_low]);
        check_size(self.header, CODEC, width.into(), height.into(), components.into())?;
        if !(2..=16).contains(&bits) {
            return Err(broken(CODEC, format!("samples of {bits} bits, expected 2 to 16")));
        }
        self.bits = bits.into();
        let count = self.header.frame_samples();
        let mut pixels = reserved(count)?;
        pixels.resize(count, 0);
        self.pixels = pixels;
        Ok(())
    }

    /// Preset coding parameters (C.2.4.1.1).
    fn presets(&mut self, segment: &[u8]) {
        if segment.first() == Some(&1) {
            for (i, preset) in self.preset.iter_mut().enumerate() {
                *preset = Order::Big.u16(segment, 1 + i * 2).map_or(0, u32::from);
            }
        }
    }

    /// Decodes one scan; gives the bytes it takes.
    fn scan(&mut self, segment: &[u8], coded: &[u8]) -> Result<usize, FormatError> {
        if self.bits == 0 {
            return Err(broken(CODEC, "a scan comes before the frame header"));
        }
        let components = usize::from(segment.first().copied().unwrap_or(0));
        let tail = segment.get(1 + components * 2..).unwrap_or(&[]);
        let &[near, interleave, transform, ..] = tail else {
            return Err(broken(CODEC, "its scan header is too short"));
        };
        let interleave = match (interleave, components) {
            (0, 1) | (_, 1) => Interleave::None,
            (1, _) => Interleave::Line,
            (2, _) => Interleave::Sample,
            _ => return Err(broken(CODEC, "the interleaving of a scan is not known")),
        };
        if components == 0 || self.done + components > self.header.samples_per_pixel || transform & 0x0f != 0 {
            return Err(broken(CODEC, "its scan header is wrong"));
        }
        let parameters = Parameters::new(self.bits, near.into(), self.preset)
            .ok_or_else(|| broken(CODEC, "its coding parameters are wrong"))?;
        let end = bits::scan_length(coded);
        let reader = BitReader::new(coded.get(..end).unwrap_or(coded));
        let mut scan = Scan::new(parameters, reader, self.header.columns, components);
        let total = self.header.samples_per_pixel;
        for row in 0..self.header.rows {
            let whole = match interleave {
                Interleave::Sample => scan.pixels(),
                Interleave::None | Interleave::Line => (0..components).try_for_each(|component| scan.line(component)),
            };
            whole.ok_or_else(|| broken(CODEC, format!("its data ends in row {row} of {}", self.header.rows)))?;
            for component in 0..components {
                let pixels = self.pixels.iter_mut().skip(row * self.header.columns * total + self.done + component);
                for (to, from) in pixels.step_by(total).zip(scan.decoded(component)) {
                    *to = from.cast_unsigned();
                }
            }
            scan.next_row();
        }
        self.done += components;
        Ok(end)
    }
}

fn unsupported(what: &str) -> FormatError {
    let instead = "convert it to Explicit VR Little Endian without compression, for example with `gdcmconv --raw`";
    FormatError::Unsupported { format: FORMAT, found: format!("JPEG-LS with {what}"), instead }
}
