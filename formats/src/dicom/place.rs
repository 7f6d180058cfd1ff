//! Where the frames lie in the file.
//!
//! Plain pixels follow each other, 1-bit ones without gaps between frames. Compressed frames are one or more
//! fragments: told apart by the extended offset table, by the basic one, by their number, or by how they begin.

use std::borrow::Cow;
use std::ops::Range;

use super::FORMAT;
use super::dataset::{DataSet, Element, Value};
use super::header::{Header, SampleKind};
use super::syntax::Compression;
use super::tags;
use crate::FormatError;
use crate::bytes::Order;

/// Places of the frames.
#[derive(Debug)]
pub(super) enum Places {
    /// The whole pixel data, as far as it is there; samples of 8 bits or fewer may be swapped in big-endian words.
    Native { range: Range<usize>, is_swapped: bool },
    /// Fragments of each frame; bytes that the last one lacks.
    Encapsulated { frames: Vec<Vec<Range<usize>>>, missing_bytes: u64 },
}

impl Places {
    pub(super) fn find(bytes: &[u8], set: &DataSet<'_>, header: &Header) -> Result<Self, FormatError> {
        let tag = match header.kind {
            SampleKind::Integer => tags::PIXEL_DATA,
            SampleKind::Float32 => tags::FLOAT_PIXEL_DATA,
            SampleKind::Float64 => tags::DOUBLE_PIXEL_DATA,
        };
        let none = || FormatError::NoPicture { format: FORMAT, reason: "it has no pixel data".into() };
        let Element { at, value, missing_bytes, is_words, .. } = set.element(tag).ok_or_else(none)?;
        let missing_bytes = *missing_bytes;
        match value {
            Value::Bytes(value) => {
                let is_swapped = *is_words && set.order() == Order::Big && header.bits_allocated <= 8;
                let places = Self::Native { range: *at..at + value.len(), is_swapped };
                if places.whole_frames(header) == 0 {
                    return Err(too_short(
                        "the first frame",
                        header.native_frame_bits().div_ceil(8),
                        value.len() as u64,
                    ));
                }
                Ok(places)
            }
            Value::Fragments(places) => {
                let (table, fragments) = places.split_first().ok_or_else(|| empty(missing_bytes))?;
                if fragments.is_empty() {
                    return Err(empty(missing_bytes));
                }
                let table = bytes.get(table.clone()).unwrap_or(&[]);
                let frames = split(bytes, set, header.frames, table, fragments)?;
                Ok(Self::Encapsulated { frames, missing_bytes })
            }
            Value::Items(_) => Err(FormatError::damaged(FORMAT, "its pixel data is a sequence")),
        }
    }

    /// How the pixels really are compressed, where that contradicts the transfer syntax.
    pub(super) fn compression(&self, announced: Compression, bytes: &[u8]) -> Compression {
        match (self, announced) {
            (Self::Native { .. }, Compression::None { .. }) => announced,
            (Self::Native { .. }, _) => Compression::None { order: Order::Little },
            (Self::Encapsulated { frames, .. }, Compression::None { .. }) => {
                let first = frames.first().and_then(|frame| bytes.get(frame.first()?.clone())).unwrap_or(&[]);
                recognise(first)
            }
            (Self::Encapsulated { .. }, _) => announced,
        }
    }

    /// Number of frames that are there in full.
    pub(super) fn whole_frames(&self, header: &Header) -> usize {
        match self {
            Self::Native { range, .. } => {
                let whole = (range.len() as u64 * 8).checked_div(header.native_frame_bits()).unwrap_or(0);
                header.frames.min(usize::try_from(whole).unwrap_or(usize::MAX))
            }
            Self::Encapsulated { frames, missing_bytes } => {
                let cut = usize::from(*missing_bytes > 1 && frames.len() <= header.frames);
                header.frames.min(frames.len().saturating_sub(cut))
            }
        }
    }

    /// The bytes that hold frame `n`, from the one with its first bit.
    pub(super) fn native<'a>(&self, bytes: &'a [u8], n: usize, header: &Header) -> Result<Cow<'a, [u8]>, FormatError> {
        let Self::Native { range, is_swapped } = self else {
            return Err(FormatError::damaged(FORMAT, "compressed pixels in a syntax without compression"));
        };
        let bits = header.native_frame_bits();
        let start = bits * n as u64 / 8;
        let end = (bits * (n as u64 + 1)).div_ceil(8);
        let data = bytes.get(range.clone()).unwrap_or(&[]);
        let too_short = || too_short("this frame", end, data.len() as u64);
        let (start, end) = usize::try_from(start).ok().zip(usize::try_from(end).ok()).ok_or_else(too_short)?;
        let frame = data.get(start..end).ok_or_else(too_short)?;
        if !is_swapped {
            return Ok(frame.into());
        }
        let mut swapped = crate::limits::reserved(frame.len())?;
        swapped.extend((start..end).map(|i| data.get(i ^ 1).copied().unwrap_or(0)));
        Ok(swapped.into())
    }

    /// The fragments of frame `n`.
    pub(super) fn fragments(&self, n: usize, header: &Header) -> Result<Vec<Range<usize>>, FormatError> {
        let Self::Encapsulated { frames, .. } = self else {
            return Err(FormatError::damaged(FORMAT, "pixels without compression in a syntax with it"));
        };
        if let Some(frame) = frames.get(n).filter(|frame| !frame.is_empty()) {
            return Ok(frame.clone());
        }
        Err(too_short("this frame", header.frames as u64, frames.len() as u64))
    }
}

/// The compression of a frame by its first bytes.
fn recognise(frame: &[u8]) -> Compression {
    match frame {
        [0xff, 0xd8, 0xff, 0xf7, ..] => Compression::JpegLs,
        [0xff, 0xd8, 0xff, ..] => Compression::Jpeg,
        [0xff, 0x4f, 0xff, 0x51, ..] => Compression::Jpeg2000,
        [0xff, 0x0a, ..] => Compression::JpegXl,
        _ => Compression::Rle,
    }
}

fn too_short(part: &'static str, expected_bytes: u64, found_bytes: u64) -> FormatError {
    FormatError::Truncated { format: FORMAT, part, expected_bytes, found_bytes }
}

fn empty(missing_bytes: u64) -> FormatError {
    too_short("the first frame", missing_bytes.max(1), 0)
}

/// Divides fragments among frames.
fn split(
    bytes: &[u8],
    set: &DataSet<'_>,
    frames: usize,
    table: &[u8],
    fragments: &[Range<usize>],
) -> Result<Vec<Vec<Range<usize>>>, FormatError> {
    if frames == 1 {
        return Ok(vec![fragments.to_vec()]);
    }
    if let Some(exact) = extended(set, frames, fragments) {
        return Ok(exact);
    }
    if frames == fragments.len() {
        return Ok(fragments.iter().map(|fragment| vec![fragment.clone()]).collect());
    }
    let offsets: Vec<u64> =
        (0..table.len() / 4).filter_map(|i| Order::Little.u32(table, i * 4)).map(u64::from).collect();
    if offsets.len() == frames
        && let Some(split) = by_offsets(&offsets, fragments)
    {
        return Ok(split);
    }
    // A frame begins with its codec's first marker.
    let begins = |fragment: &Range<usize>| {
        let head = bytes.get(fragment.clone()).unwrap_or(&[]);
        head.starts_with(b"\xff\xd8\xff") || head.starts_with(b"\xff\x4f\xff\x51") || head.starts_with(b"\0\0\0\x0cjP")
    };
    let mut split: Vec<Vec<Range<usize>>> = Vec::new();
    for fragment in fragments {
        match split.last_mut() {
            Some(frame) if !begins(fragment) => frame.push(fragment.clone()),
            _ => split.push(vec![fragment.clone()]),
        }
    }
    // Fewer frames than announced are a file that ends early.
    if split.len() <= frames && fragments.first().is_some_and(begins) {
        return Ok(split);
    }
    // Each fragment a frame, as far as they go: RLE frames cannot have several.
    if fragments.len() < frames {
        return Ok(fragments.iter().map(|fragment| vec![fragment.clone()]).collect());
    }
    let reason = format!("{frames} frames in {} fragments without a valid offset table", fragments.len());
    Err(FormatError::damaged(FORMAT, reason))
}

/// By the extended offset table: offsets and lengths of 64 bits.
fn extended(set: &DataSet<'_>, frames: usize, fragments: &[Range<usize>]) -> Option<Vec<Vec<Range<usize>>>> {
    let numbers = |tag| {
        let bytes = set.bytes(tag).unwrap_or(&[]);
        (0..bytes.len() / 8).filter_map(|i| set.order().u64(bytes, i * 8)).collect::<Vec<u64>>()
    };
    let (offsets, lengths) = (numbers(tags::EXTENDED_OFFSETS), numbers(tags::EXTENDED_LENGTHS));
    if offsets.len() != frames {
        return None;
    }
    let mut split = by_offsets(&offsets, fragments)?;
    // The length leaves out a padding byte.
    for (frame, length) in split.iter_mut().zip(lengths) {
        if let [only] = frame.as_mut_slice()
            && let Ok(length) = usize::try_from(length)
            && (1..=only.len()).contains(&length)
        {
            only.end = only.start + length;
        }
    }
    Some(split)
}

/// By offsets of each frame's first item, counted from the first item.
fn by_offsets(offsets: &[u64], fragments: &[Range<usize>]) -> Option<Vec<Vec<Range<usize>>>> {
    /// Tag and length before a fragment.
    const ITEM_HEAD_BYTES: u64 = 8;
    let origin = fragments.first()?.start as u64 - ITEM_HEAD_BYTES;
    let mut split: Vec<Vec<Range<usize>>> = Vec::new();
    let mut next = offsets.iter().peekable();
    for fragment in fragments {
        let offset = fragment.start as u64 - ITEM_HEAD_BYTES - origin;
        if next.next_if(|&&o| o == offset).is_some() {
            split.push(Vec::new());
        }
        split.last_mut()?.push(fragment.clone());
    }
    // All were met, or the file ends early.
    (next.peek().is_none_or(|&&o| o > fragments.last().map_or(0, |f| f.end as u64 - origin - ITEM_HEAD_BYTES)))
        .then_some(split)
}
