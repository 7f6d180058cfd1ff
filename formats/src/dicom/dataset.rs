//! Bytes to a data set: elements with their value's place in the file.
//!
//! Own code rather than `dicom-object` 0.10.1, because this is what hostile files reach first: that crate allocates
//! the length an element claims (4.2 GB for a file of 1 kB) and ends the process on deep nesting. Here a value is a
//! slice of the file, nesting and the number of elements are bounded, and what pydicom reads is read: odd lengths,
//! unknown VRs, sequences of unknown VR, data sets that end early.

use std::ops::Range;

use super::FORMAT;
use crate::FormatError;
use crate::bytes::Order;

/// Nesting of sequences; real files have at most ten levels.
const MAX_DEPTH: usize = 48;

/// Elements in one file, nested ones included: an enhanced object of 10 000 frames has about a million.
const MAX_ELEMENTS: usize = 4 << 20;

/// The length that stands for "until the delimiter".
const UNDEFINED: u32 = 0xffff_ffff;

const ITEM: u32 = 0xfffe_e000;
const ITEM_END: u32 = 0xfffe_e00d;
const SEQUENCE_END: u32 = 0xfffe_e0dd;

/// Value representations with a length of four bytes in explicit encoding (PS3.5, table 7.1-1).
const LONG: [&[u8; 2]; 13] =
    [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];

/// How a data set is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding {
    pub(super) explicit: bool,
    pub(super) order: Order,
}

impl Encoding {
    pub(super) const EXPLICIT_LITTLE: Self = Self { explicit: true, order: Order::Little };
    pub(super) const IMPLICIT_LITTLE: Self = Self { explicit: false, order: Order::Little };
}

/// Value of an element.
pub(super) enum Value<'a> {
    Bytes(&'a [u8]),
    /// A sequence of undefined length; one of defined length stays bytes until it is asked for.
    Items(Vec<DataSet<'a>>),
    /// Encapsulated pixels: places of the fragments in the file.
    Fragments(Vec<Range<usize>>),
}

pub(super) struct Element<'a> {
    pub(super) tag: u32,
    /// Place of the value in the file.
    pub(super) at: usize,
    pub(super) value: Value<'a>,
    /// Bytes that the value should have and that the file lacks.
    pub(super) missing_bytes: u64,
    /// Its VR is OW: numbers of 16 bits, whatever they are used for.
    pub(super) is_words: bool,
}

/// Elements in the order of the file.
pub(super) struct DataSet<'a> {
    pub(super) elements: Vec<Element<'a>>,
    pub(super) encoding: Encoding,
}

/// What a walk through a file has used up.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    elements_left: usize,
}

/// Reads the data set in `range`, up to its end or the end of what can be read.
pub(super) fn read(bytes: &[u8], range: Range<usize>, encoding: Encoding) -> Result<DataSet<'_>, FormatError> {
    let end = range.end.min(bytes.len());
    Reader { bytes, at: range.start, end, elements_left: MAX_ELEMENTS }.data_set(encoding, 0, |_| false)
}

/// Reads elements while `belongs` holds for their tags; gives the place of the first that does not.
pub(super) fn read_while(
    bytes: &[u8],
    at: usize,
    encoding: Encoding,
    belongs: impl Fn(u32) -> bool,
) -> Result<(DataSet<'_>, usize), FormatError> {
    let mut reader = Reader { bytes, at, end: bytes.len(), elements_left: MAX_ELEMENTS };
    let set = reader.data_set(encoding, 0, |tag| !belongs(tag))?;
    Ok((set, reader.at))
}

impl<'a> Reader<'a> {
    fn tag(&self, order: Order) -> Option<u32> {
        let group = order.u16(self.bytes, self.at)?;
        let element = order.u16(self.bytes, self.at + 2)?;
        (self.at + 8 <= self.end).then_some(u32::from(group) << 16 | u32::from(element))
    }

    /// Elements up to the end, an item's delimiter or a tag that `stops`.
    fn data_set(
        &mut self,
        encoding: Encoding,
        depth: usize,
        stops: impl Fn(u32) -> bool,
    ) -> Result<DataSet<'a>, FormatError> {
        if depth > MAX_DEPTH {
            let reason = format!("its sequences are nested more than {MAX_DEPTH} deep");
            return Err(FormatError::damaged(FORMAT, reason));
        }
        let mut elements = Vec::new();
        while let Some(tag) = self.tag(encoding.order) {
            if stops(tag) {
                break;
            }
            if tag == ITEM_END || tag == SEQUENCE_END || tag == ITEM {
                // An item's end ends this data set; a stray delimiter at the top is skipped.
                self.at += 8;
                if depth > 0 && tag == ITEM_END {
                    break;
                }
                continue;
            }
            self.elements_left = self.elements_left.checked_sub(1).ok_or_else(|| {
                let (found, limit) = ("more elements".to_owned(), format!("{MAX_ELEMENTS} elements"));
                FormatError::TooLarge { found, limit }
            })?;
            let Some(element) = self.element(tag, encoding, depth)? else { break };
            let is_cut = element.missing_bytes > 0;
            elements.push(element);
            if is_cut {
                break;
            }
        }
        Ok(DataSet { elements, encoding })
    }

    /// One element; `None` where its header is cut off.
    fn element(&mut self, tag: u32, encoding: Encoding, depth: usize) -> Result<Option<Element<'a>>, FormatError> {
        let Some(head) = self.bytes.get(self.at..self.at + 8) else { return Ok(None) };
        let vr = [head[4], head[5]];
        // Bytes that are no letters are a length: implicit elements occur in explicit data sets.
        let has_vr = encoding.explicit && vr.iter().all(u8::is_ascii_uppercase);
        let (length, head_bytes) = if !has_vr {
            (encoding.order.u32(self.bytes, self.at + 4), 8)
        } else if LONG.contains(&&vr) {
            (encoding.order.u32(self.bytes, self.at + 8), 12)
        } else {
            (encoding.order.u16(self.bytes, self.at + 6).map(u32::from), 8)
        };
        let Some(length) = length else { return Ok(None) };
        let is_words = has_vr && &vr == b"OW";
        let at = self.at + head_bytes;
        self.at = at;
        if length != UNDEFINED {
            let wanted = at.saturating_add(length as usize);
            let value_end = wanted.min(self.end);
            self.at = value_end;
            let value = Value::Bytes(self.bytes.get(at..value_end).unwrap_or(&[]));
            return Ok(Some(Element { tag, at, value, missing_bytes: (wanted - value_end) as u64, is_words }));
        }
        if tag == super::tags::PIXEL_DATA {
            let (fragments, missing_bytes) = self.fragments(encoding.order);
            return Ok(Some(Element { tag, at, value: Value::Fragments(fragments), missing_bytes, is_words }));
        }
        // An unknown VR of undefined length is a sequence in implicit little endian (PS3.5, 6.2.2, note 4).
        let inner = if has_vr && &vr == b"UN" { Encoding::IMPLICIT_LITTLE } else { encoding };
        let items = self.items(inner, depth + 1)?;
        Ok(Some(Element { tag, at, value: Value::Items(items), missing_bytes: 0, is_words }))
    }

    /// Items up to the sequence's delimiter or the end.
    fn items(&mut self, encoding: Encoding, depth: usize) -> Result<Vec<DataSet<'a>>, FormatError> {
        let mut items = Vec::new();
        while let Some(tag) = self.tag(encoding.order) {
            let length = encoding.order.u32(self.bytes, self.at + 4).unwrap_or(0);
            self.at += 8;
            match tag {
                SEQUENCE_END => break,
                ITEM if length == UNDEFINED => items.push(self.data_set(encoding, depth, |_| false)?),
                ITEM => {
                    let whole_end = self.end;
                    let item_end = self.at.saturating_add(length as usize).min(whole_end);
                    self.end = item_end;
                    let item = self.data_set(encoding, depth, |_| false);
                    self.end = whole_end;
                    self.at = item_end;
                    items.push(item?);
                }
                _ => {
                    // Not an item: the delimiter is missing, what follows belongs to the outer data set.
                    self.at -= 8;
                    break;
                }
            }
            if items.len() > MAX_ELEMENTS {
                return Err(FormatError::damaged(FORMAT, "a sequence has too many items"));
            }
        }
        Ok(items)
    }

    /// Places of the fragments of encapsulated pixels, the offset table first, and the bytes the last one lacks.
    fn fragments(&mut self, order: Order) -> (Vec<Range<usize>>, u64) {
        let mut fragments = Vec::new();
        while let Some(tag) = self.tag(order) {
            let length = order.u32(self.bytes, self.at + 4).unwrap_or(0);
            if tag != ITEM {
                self.at += 8;
                return (fragments, u64::from(tag != SEQUENCE_END));
            }
            let start = self.at + 8;
            let wanted = start.saturating_add(length as usize);
            let fragment_end = wanted.min(self.end);
            fragments.push(start..fragment_end);
            self.at = fragment_end;
            if wanted > fragment_end {
                return (fragments, (wanted - fragment_end) as u64);
            }
        }
        (fragments, 1)
    }
}

impl<'a> DataSet<'a> {
    pub(super) fn element(&self, tag: u32) -> Option<&Element<'a>> {
        self.elements.iter().find(|element| element.tag == tag)
    }

    /// An element's bytes; nothing for an empty value.
    pub(super) fn bytes(&self, tag: u32) -> Option<&'a [u8]> {
        match self.element(tag)?.value {
            Value::Bytes(bytes) if !bytes.is_empty() => Some(bytes),
            _ => None,
        }
    }

    /// Text values, split at backslashes, without padding.
    pub(super) fn texts(&self, tag: u32) -> Vec<String> {
        let Some(bytes) = self.bytes(tag) else { return Vec::new() };
        let trim = |part: &str| part.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned();
        String::from_utf8_lossy(bytes).split('\\').map(trim).collect()
    }

    /// The first text value, if it is not empty.
    pub(super) fn text(&self, tag: u32) -> Option<String> {
        self.texts(tag).into_iter().next().filter(|text| !text.is_empty())
    }

    /// Numbers written as text (VR DS, IS).
    pub(super) fn numbers(&self, tag: u32) -> Vec<f64> {
        self.texts(tag).iter().filter_map(|text| text.parse().ok()).filter(|v: &f64| v.is_finite()).collect()
    }

    /// The first number written as text.
    pub(super) fn number(&self, tag: u32) -> Option<f64> {
        self.numbers(tag).first().copied()
    }

    /// Exactly `N` numbers written as text.
    pub(super) fn array<const N: usize>(&self, tag: u32) -> Option<[f64; N]> {
        self.numbers(tag).get(..N)?.try_into().ok()
    }

    /// A 16-bit number (VR US); text in its place is read, too.
    pub(super) fn u16(&self, tag: u32) -> Option<u16> {
        let bytes = self.bytes(tag)?;
        // Some files write it with four bytes.
        let at = if bytes.len() == 4 && self.order() == Order::Big { 2 } else { 0 };
        self.order().u16(bytes, at)
    }

    pub(super) fn order(&self) -> Order {
        self.encoding.order
    }

    /// All 16-bit numbers of an element.
    pub(super) fn u16s(&self, tag: u32) -> Vec<u16> {
        let bytes = self.bytes(tag).unwrap_or(&[]);
        (0..bytes.len() / 2).filter_map(|i| self.order().u16(bytes, i * 2)).collect()
    }

    /// A number of the type of the pixels (VR US or SS).
    pub(super) fn u16_or_i16(&self, tag: u32, signed: bool) -> Option<i32> {
        let bytes = self.bytes(tag)?;
        if signed { self.order().i16(bytes, 0).map(i32::from) } else { self.order().u16(bytes, 0).map(i32::from) }
    }

    /// The items of a sequence.
    pub(super) fn items(&self, tag: u32) -> Vec<DataSet<'a>> {
        let Some(element) = self.element(tag) else { return Vec::new() };
        match &element.value {
            Value::Items(items) => items.iter().map(DataSet::shallow).collect(),
            Value::Bytes(bytes) => {
                let mut reader = Reader { bytes, at: 0, end: bytes.len(), elements_left: MAX_ELEMENTS };
                reader.items(self.encoding, 1).unwrap_or_default()
            }
            Value::Fragments(_) => Vec::new(),
        }
    }

    /// The first item of a sequence.
    pub(super) fn item(&self, tag: u32) -> Option<DataSet<'a>> {
        self.items(tag).into_iter().next()
    }

    /// A copy that shares the values.
    fn shallow(&self) -> DataSet<'a> {
        let elements = self.elements.iter().map(|element| {
            let value = match &element.value {
                Value::Bytes(bytes) => Value::Bytes(bytes),
                Value::Items(items) => Value::Items(items.iter().map(DataSet::shallow).collect()),
                Value::Fragments(places) => Value::Fragments(places.clone()),
            };
            Element {
                tag: element.tag,
                at: element.at,
                value,
                missing_bytes: element.missing_bytes,
                is_words: element.is_words,
            }
        });
        DataSet { elements: elements.collect(), encoding: self.encoding }
    }
}
