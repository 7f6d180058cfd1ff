//! A DICOM file: finds its data set, describes it, and decodes single frames of it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::dataset::{self, Encoding, Value};
use super::describe::{Description, FrameDescription};
use super::header::{Header, Photometric};
use super::origin::Origin;
use super::place::Places;
use super::syntax::{self, Compression, Syntax};
use super::{FORMAT, codec, colour, stored, tags};
use crate::bytes::{Order, unpack_counted};
use crate::series::{Entry, Source};
use crate::{Channels, FormatError, Frame, FrameInfo, Limits, Samples, Series};

/// An opened DICOM file.
pub struct File {
    bytes: Arc<[u8]>,
    compression: Compression,
    header: Header,
    places: Places,
    description: Description,
}

impl fmt::Debug for File {
    /// Without the bytes and identifiers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("header", &self.header)
            .field("compression", &self.compression)
            .finish_non_exhaustive()
    }
}

/// Where the data set begins, and in which syntax it is written.
struct Start {
    at: usize,
    syntax: Syntax,
}

/// Place of the data set's first element: after the preamble of 128 bytes, if there is one.
fn first_element(bytes: &[u8]) -> usize {
    if bytes.get(128..132) == Some(b"DICM") {
        132
    } else if bytes.starts_with(b"DICM") {
        4
    } else {
        0
    }
}

/// Whether a file is DICOM: by its preamble, else by a first element of a group that begins a data set.
pub(crate) fn is_dicom(bytes: &[u8]) -> bool {
    first_element(bytes) > 0 || guess(bytes, 0).is_some()
}

/// The encoding that the element at `at` has, if it looks like the beginning of a data set.
fn guess(bytes: &[u8], at: usize) -> Option<Encoding> {
    let head = bytes.get(at..at.checked_add(8)?)?;
    [Order::Little, Order::Big].into_iter().find_map(|order| {
        let group = order.u16(head, 0)?;
        let element = order.u16(head, 2)?;
        let has_vr = head[4..6].iter().all(u8::is_ascii_uppercase);
        let length = order.u32(head, 4)?;
        let fits = has_vr || u64::from(length) <= (bytes.len() - at) as u64;
        let starts = matches!(group, 0x0002 | 0x0008) && element <= 0x0100;
        (starts && fits).then_some(Encoding { explicit: has_vr, order })
    })
}

/// Reads the file meta information, or does without it.
fn start(bytes: &[u8]) -> Result<Start, FormatError> {
    let begin = first_element(bytes);
    let is_meta = |tag: u32| tag >> 16 == 0x0002;
    // The meta information is always explicit little endian; only some writers forget.
    let meta_encoding = Encoding { explicit: true, order: Order::Little };
    let (meta, at) = dataset::read_while(bytes, begin, meta_encoding, is_meta)?;
    if let Some(uid) = meta.text(tags::TRANSFER_SYNTAX) {
        let mut found = syntax::find(&uid)?;
        // What is written counts more than what is announced, as in pydicom.
        if !found.is_deflated
            && let Some(actual) = guess(bytes, at)
            && actual != found.encoding
        {
            // GE's private syntax has an order of its own for pixels.
            if found.compression == (Compression::None { order: found.encoding.order }) {
                found.compression = Compression::None { order: actual.order };
            }
            found.encoding = actual;
        }
        return Ok(Start { at, syntax: found });
    }
    if at >= bytes.len() || bytes.len() - at < 8 {
        return Err(FormatError::NoPicture { format: FORMAT, reason: "it ends with its file meta information".into() });
    }
    let encoding = guess(bytes, at).unwrap_or(Encoding { explicit: true, order: Order::Little });
    Ok(Start { at, syntax: Syntax::plain(encoding) })
}

/// Opens a DICOM file: one series of its frames, in the order and with the numbers they have there.
pub(crate) fn open(bytes: Arc<[u8]>, limits: &Limits) -> Result<Series, FormatError> {
    let Start { at, syntax } = start(&bytes)?;
    let (bytes, at) =
        if syntax.is_deflated { (inflate(bytes.get(at..).unwrap_or(&[]), limits)?, 0) } else { (bytes, at) };
    let set = dataset::read(&bytes, at..bytes.len(), syntax.encoding)?;
    let is_encapsulated = !matches!(syntax.compression, Compression::None { .. });
    let header = Header::read(&set, is_encapsulated, limits)?;
    let places = Places::find(&bytes, &set, &header)?;
    let compression = places.compression(syntax.compression, &bytes);
    let description = Description::read(&set, &header);
    drop(set);
    let whole = places.whole_frames(&header);
    Ok(series(File { bytes, compression, header, places, description }, whole))
}

/// What the beginning of a file tells: the series without its pixels, or nothing where the whole file is needed, which is
/// so if it is deflated, has several frames that do not simply follow each other, or its pixels begin later.
pub(crate) fn open_head(head: &[u8], file_bytes: u64, limits: &Limits) -> Result<Option<Series>, FormatError> {
    let Ok(Start { at, syntax: Syntax { is_deflated: false, encoding, compression } }) = start(head) else {
        return Ok(None);
    };
    let set = dataset::read(head, at..head.len(), encoding)?;
    let pixels = [tags::PIXEL_DATA, tags::FLOAT_PIXEL_DATA, tags::DOUBLE_PIXEL_DATA];
    let Some(pixels) = pixels.into_iter().find_map(|tag| set.element(tag)) else { return Ok(None) };
    let is_encapsulated = !matches!(compression, Compression::None { .. });
    let header = Header::read(&set, is_encapsulated, limits)?;
    // Short ones and those that contradict themselves are for the reader of whole files.
    let bits = header.native_frame_bits();
    let pixel_bytes = bits.saturating_mul(header.frames as u64).div_ceil(8);
    let is_short = !is_encapsulated && file_bytes < (pixels.at as u64).saturating_add(pixel_bytes);
    let is_swapped = pixels.is_words && encoding.order == Order::Big && header.bits_allocated <= 8;
    let is_plain = !is_encapsulated && bits.is_multiple_of(8) && !is_swapped;
    if header.frames != 1 && !is_plain || is_short || is_encapsulated != matches!(pixels.value, Value::Fragments(_)) {
        return Ok(None);
    }
    let description = Description::read(&set, &header);
    let end = usize::try_from(pixel_bytes).ok().and_then(|length| pixels.at.checked_add(length));
    let range = end.filter(|_| is_plain).map_or(0..0, |end| pixels.at..end);
    let places = Places::Native { range, is_swapped };
    let whole = header.frames;
    Ok(Some(series(File { bytes: crate::head::nothing(), compression, header, places, description }, whole)))
}

/// The data set of a deflated file: raw deflate, or zlib as some write it.
fn inflate(packed: &[u8], limits: &Limits) -> Result<Arc<[u8]>, FormatError> {
    let raw = unpack_counted(FORMAT, || flate2::read::DeflateDecoder::new(packed), limits);
    match raw {
        Ok(bytes) if guess(&bytes, 0).is_some() => Ok(bytes),
        Err(error @ FormatError::TooLarge { .. }) => Err(error),
        _ => unpack_counted(FORMAT, || flate2::read::ZlibDecoder::new(packed), limits),
    }
}

/// The series of one file's frames, of which so many are whole.
fn series(file: File, whole: usize) -> Series {
    let description = &file.description;
    let mut notes = description.notes.clone();
    if whole < file.header.frames {
        notes.push(format!("cut off: {whole} of {} frames are whole", file.header.frames));
    }
    let first = description.frame(0);
    match description.modality.as_deref() {
        Some("SEG") => notes.push("this is a segmentation, not an image: open the series that it refers to".to_owned()),
        Some("RTDOSE") => {
            notes.push(
                "these are doses of radiation, not an image: open the series that they were planned on".to_owned(),
            );
        }
        _ => {}
    }
    if first.info.geometry.spacing_mm.is_none() {
        notes.push("pixel spacing is not given: lengths in mm are not known".to_owned());
    }
    let (width_px, height_px) = (file.header.columns, file.header.rows);
    let (modality, body_part) = (description.modality.clone(), description.body_part.clone());
    let (units, presets) = (first.units.clone(), first.presets.clone());
    let file = Arc::new(file);
    let entry = |index: usize| {
        let info: FrameInfo = file.description.frame(index).info.clone();
        Entry { source: Source::Dicom(Arc::clone(&file)), index, file: 0, info }
    };
    let entries = (0..file.header.frames).map(entry).collect();
    Series { format: FORMAT, width_px, height_px, modality, body_part, units, presets, notes, entries }
}

impl File {
    /// Photometric interpretation, as DICOM names it.
    pub fn photometric(&self) -> &'static str {
        self.header.photometric_name
    }

    /// The same without its pixels.
    pub(crate) fn without_bytes(&self) -> Self {
        let places = Places::Native { range: 0..0, is_swapped: false };
        let (header, description) = (self.header.clone(), self.description.clone());
        Self { bytes: crate::head::nothing(), compression: self.compression, header, places, description }
    }

    /// Number of frames that the file says it has.
    pub fn frames(&self) -> usize {
        self.header.frames
    }

    /// What tells series apart; not shown anywhere.
    pub(super) fn description(&self) -> &Description {
        &self.description
    }

    /// What objects about this file refer to; nothing where the file lacks it.
    pub(crate) fn origin(&self) -> Option<&Origin> {
        self.description.origin.as_ref()
    }

    /// Decodes frame `n` of the file.
    pub(crate) fn frame(&self, n: usize) -> Result<Frame, FormatError> {
        let header = &self.header;
        if n >= header.frames {
            return Err(FormatError::NoSuchFrame { wanted: n, frames: header.frames });
        }
        let (samples, is_rgb) = match self.compression {
            Compression::None { order } => {
                let samples = stored::native(&self.places.native(&self.bytes, n, header)?, n, order, header)?;
                (samples, header.is_rgb())
            }
            compression => {
                let fragments: Vec<Range<usize>> = self.places.fragments(n, header)?;
                let joined = join(&self.bytes, &fragments)?;
                codec::decode(compression, &joined, header)?
            }
        };
        self.described(n, samples, is_rgb)
    }

    /// The bytes of frame `n`, where the file's pixels are plain.
    pub(crate) fn part(&self, n: usize) -> Option<Range<u64>> {
        let Places::Native { range, is_swapped: false } = &self.places else { return None };
        let bits = self.header.native_frame_bits();
        if !matches!(self.compression, Compression::None { .. })
            || bits == 0
            || !bits.is_multiple_of(8)
            || n >= self.header.frames
        {
            return None;
        }
        let start = range.start as u64 + bits / 8 * n as u64;
        (start + bits / 8 <= range.end as u64).then_some(start..start + bits / 8)
    }

    /// Decodes frame `n` of the bytes that [`File::part`] names.
    pub(crate) fn frame_of_part(&self, n: usize, bytes: &[u8]) -> Result<Frame, FormatError> {
        let Compression::None { order } = self.compression else {
            return Err(FormatError::NoSuchFrame { wanted: n, frames: self.header.frames });
        };
        let samples = stored::native(bytes, 0, order, &self.header)?;
        self.described(n, samples, self.header.is_rgb())
    }

    /// Whether the pixel spacing is the detector's, of a film that says no other.
    pub(crate) fn is_detector_spacing(&self) -> bool {
        self.description.is_detector_spacing
    }

    /// Samples of frame `n` with their meaning.
    fn described(&self, n: usize, mut samples: Samples, is_rgb: bool) -> Result<Frame, FormatError> {
        let header = &self.header;
        let FrameDescription { map, presets, padding, .. } = self.description.frame(n);
        let channels = match header.photometric {
            Photometric::Monochrome1 | Photometric::Monochrome2 => Channels::Gray,
            Photometric::Palette => {
                let Some(palette) = &header.palette else {
                    return Err(FormatError::damaged(FORMAT, "PALETTE COLOR without a palette"));
                };
                samples = colour::from_palette(&samples, palette)?;
                Channels::Rgb { bits: palette.bits }
            }
            _ => {
                if !is_rgb {
                    samples = colour::from_ybr(samples, header.bits_stored)?;
                }
                Channels::Rgb { bits: header.bits_stored as u8 }
            }
        };
        Ok(Frame {
            width_px: header.columns,
            height_px: header.rows,
            channels,
            samples,
            bits: header.bits_stored as u8,
            map: map.clone(),
            inverted: header.photometric == Photometric::Monochrome1,
            padding: *padding,
            presets: presets.clone(),
        })
    }
}

/// The bytes of a frame: its fragments one after the other.
fn join<'a>(bytes: &'a [u8], fragments: &[Range<usize>]) -> Result<Cow<'a, [u8]>, FormatError> {
    if let [only] = fragments {
        return Ok(bytes.get(only.clone()).unwrap_or(&[]).into());
    }
    let parts: Vec<&[u8]> = fragments.iter().filter_map(|place| bytes.get(place.clone())).collect();
    let mut joined = crate::limits::reserved(parts.iter().map(|part| part.len()).sum())?;
    for part in parts {
        joined.extend_from_slice(part);
    }
    Ok(joined.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_recognised_without_a_preamble() {
        assert_eq!(guess(b"\x08\x00\x05\x00CS\x0a\x00", 0), Some(Encoding::EXPLICIT_LITTLE));
        assert_eq!(guess(b"\x08\x00\x05\x00\x00\x00\x00\x00", 0), Some(Encoding::IMPLICIT_LITTLE));
        let big = Encoding { explicit: true, order: Order::Big };
        assert_eq!(guess(b"\x00\x08\x00\x05CS\x00\x0a", 0), Some(big));
        assert_eq!(guess(b"\x08\x00\x05\x00\x00\x00\x00\x7f", 0), None, "longer than the file");
        assert!(!is_dicom(b"GIF89a  "));
    }

    #[test]
    fn a_data_set_that_claims_too_much_is_cut() {
        let bytes = b"\x28\x00\x10\x00US\x02\x00\x07\x00\xe0\x7f\x10\x00OW\0\0\xfe\xff\xff\xff\x01";
        let set = dataset::read(bytes, 0..bytes.len(), Encoding::EXPLICIT_LITTLE).unwrap();
        assert_eq!(set.u16(tags::ROWS), Some(7));
        assert_eq!(set.element(tags::PIXEL_DATA).unwrap().missing_bytes, 0xffff_fffe - 1);
    }

    #[test]
    fn deep_nesting_is_refused() {
        let level = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff";
        let bytes = level.repeat(100_000);
        assert!(dataset::read(&bytes, 0..bytes.len(), Encoding::EXPLICIT_LITTLE).is_err());
    }
}
