//! The directories of a TIFF file: one a page, each a list of tags.
//!
//! In: the file's bytes. Out: [`File`] and its [`Directory`] entries, classic and BigTIFF, in both byte orders. A value is
//! looked up when it is asked for and is a part of the file, so that no count in a file can ask for memory. Source: TIFF 6.0,
//! section 2; the BigTIFF design (8-byte offsets, version 43).

use super::{damaged, truncated};
use crate::picture::ImageError;

/// Names of the tags that are read.
pub(super) mod tag {
    pub(crate) const NEW_SUBFILE_TYPE: u16 = 254;
    pub(crate) const SUBFILE_TYPE: u16 = 255;
    pub(crate) const IMAGE_WIDTH: u16 = 256;
    pub(crate) const IMAGE_LENGTH: u16 = 257;
    pub(crate) const BITS_PER_SAMPLE: u16 = 258;
    pub(crate) const COMPRESSION: u16 = 259;
    pub(crate) const PHOTOMETRIC: u16 = 262;
    pub(crate) const FILL_ORDER: u16 = 266;
    pub(crate) const IMAGE_DESCRIPTION: u16 = 270;
    pub(crate) const STRIP_OFFSETS: u16 = 273;
    pub(crate) const ORIENTATION: u16 = 274;
    pub(crate) const SAMPLES_PER_PIXEL: u16 = 277;
    pub(crate) const ROWS_PER_STRIP: u16 = 278;
    pub(crate) const STRIP_BYTE_COUNTS: u16 = 279;
    pub(crate) const PLANAR_CONFIGURATION: u16 = 284;
    pub(crate) const PREDICTOR: u16 = 317;
    pub(crate) const COLOR_MAP: u16 = 320;
    pub(crate) const TILE_WIDTH: u16 = 322;
    pub(crate) const TILE_LENGTH: u16 = 323;
    pub(crate) const TILE_OFFSETS: u16 = 324;
    pub(crate) const TILE_BYTE_COUNTS: u16 = 325;
    pub(crate) const INK_SET: u16 = 332;
    pub(crate) const EXTRA_SAMPLES: u16 = 338;
    pub(crate) const SAMPLE_FORMAT: u16 = 339;
    pub(crate) const JPEG_TABLES: u16 = 347;
    pub(crate) const YCBCR_SUBSAMPLING: u16 = 530;
    pub(crate) const REFERENCE_BLACK_WHITE: u16 = 532;
    pub(crate) const GDAL_NODATA: u16 = 42113;
}

/// A TIFF file, its header read.
pub(super) struct File<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) is_little_endian: bool,
    is_big_tiff: bool,
    /// Where the first directory is.
    pub(super) first: u64,
}

impl<'a> File<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, ImageError> {
        let is_little_endian = bytes.starts_with(b"II");
        let mut file = Self { bytes, is_little_endian, is_big_tiff: false, first: 0 };
        let cut = || truncated("it ends inside the header");
        file.is_big_tiff = file.number(2, 2).ok_or_else(cut)? == 43;
        file.first = if file.is_big_tiff { file.number(8, 8) } else { file.number(4, 4) }.ok_or_else(cut)?;
        Ok(file)
    }

    /// The part of the file at an offset, or `None` where it is shorter.
    fn slice(&self, at: u64, bytes: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(at).ok()?;
        let end = usize::try_from(at.checked_add(bytes)?).ok()?;
        self.bytes.get(start..end)
    }

    /// An unsigned number of 1 to 8 bytes.
    fn number(&self, at: u64, bytes: u64) -> Option<u64> {
        self.slice(at, bytes).map(|digits| self.unsigned(digits))
    }

    fn unsigned(&self, digits: &[u8]) -> u64 {
        let add = |sum: u64, digit: &u8| sum << 8 | u64::from(*digit);
        if self.is_little_endian { digits.iter().rev().fold(0, add) } else { digits.iter().fold(0, add) }
    }

    /// The directory at an offset.
    pub(super) fn directory(&'a self, at: u64) -> Result<Directory<'a>, ImageError> {
        let (count_bytes, entry_bytes, offset_bytes) = if self.is_big_tiff { (8, 20, 8) } else { (2, 12, 4) };
        let cut = || truncated("it ends before the list of its contents");
        let count = self.number(at, count_bytes).ok_or_else(cut)?;
        let start = at + count_bytes;
        let entries = count.checked_mul(entry_bytes).and_then(|bytes| self.slice(start, bytes)).ok_or_else(cut)?;
        let next = self.number(start + entries.len() as u64, offset_bytes).unwrap_or(u64::MAX);
        Ok(Directory { file: self, start, entries: entries.chunks_exact(entry_bytes as usize), next })
    }
}

/// The tags of one page.
pub(super) struct Directory<'a> {
    file: &'a File<'a>,
    start: u64,
    entries: std::slice::ChunksExact<'a, u8>,
    /// Where the next directory is; 0 after the last, beyond any file where the file ends before it says so.
    pub(super) next: u64,
}

/// Kinds of values (TIFF 6.0, section 2; 13, 16 and 18 of the later notes), and their bytes.
const BYTE: u64 = 1;
const RATIONAL: u64 = 5;
fn value_bytes(kind: u64) -> Option<u64> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16 | 17 | 18 => Some(8),
        _ => None,
    }
}

impl<'a> Directory<'a> {
    /// Kind and bytes of a tag's values.
    fn raw(&self, tag: u16) -> Result<Option<(u64, &'a [u8])>, ImageError> {
        let Some(index) = self.entries.clone().position(|entry| self.file.unsigned(&entry[..2]) == u64::from(tag))
        else {
            return Ok(None);
        };
        let (offset_bytes, entry_bytes) = if self.file.is_big_tiff { (8, 20) } else { (4, 12) };
        let at = self.start + index as u64 * entry_bytes;
        let lacks = || truncated("it ends before the values that describe its pixels");
        let kind = self.file.number(at + 2, 2).ok_or_else(lacks)?;
        let count = self.file.number(at + 4, offset_bytes).ok_or_else(lacks)?;
        let Some(bytes) = value_bytes(kind).and_then(|one| one.checked_mul(count)) else {
            return Err(damaged("a value that describes its pixels has an unknown form"));
        };
        let field = at + 4 + offset_bytes;
        let place = if bytes <= offset_bytes { Some(field) } else { self.file.number(field, offset_bytes) };
        let values = place.and_then(|place| self.file.slice(place, bytes)).ok_or_else(lacks)?;
        Ok(Some((kind, values)))
    }

    /// All values of a tag as unsigned numbers; empty if it is not there.
    pub(super) fn numbers(&self, tag: u16) -> Result<Vec<u64>, ImageError> {
        match self.raw(tag)? {
            None => Ok(Vec::new()),
            Some((1 | 3 | 4 | 13 | 16 | 18, [])) => Ok(Vec::new()),
            Some((kind @ (1 | 3 | 4 | 13 | 16 | 18), values)) => {
                let width = value_bytes(kind).unwrap_or(1) as usize;
                Ok(values.chunks_exact(width).map(|digits| self.file.unsigned(digits)).collect())
            }
            Some(_) => Err(damaged("a number that describes its pixels is of the wrong kind")),
        }
    }

    /// The first value of a tag.
    pub(super) fn number(&self, tag: u16) -> Result<Option<u64>, ImageError> {
        Ok(self.numbers(tag)?.first().copied())
    }

    /// A tag's values as bytes, whatever is said of their kind.
    pub(super) fn bytes(&self, tag: u16) -> Result<Option<&'a [u8]>, ImageError> {
        Ok(self.raw(tag)?.filter(|&(kind, _)| kind <= BYTE + 1 || kind == 7).map(|(_, values)| values))
    }

    /// Quotients, as 64-bit floats.
    pub(super) fn rationals(&self, tag: u16) -> Result<Vec<f64>, ImageError> {
        Ok(match self.raw(tag)? {
            Some((RATIONAL, values)) => {
                let part = |digits: &[u8]| self.file.unsigned(digits) as f64;
                values.chunks_exact(8).map(|pair| part(&pair[..4]) / part(&pair[4..])).collect()
            }
            _ => Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with one tag, classic little-endian.
    fn file(kind: u8, count: u32, value: [u8; 4]) -> Vec<u8> {
        let mut bytes = b"II*\0\x08\0\0\0\x01\0\x00\x01".to_vec();
        bytes.extend([kind, 0]);
        bytes.extend(count.to_le_bytes());
        bytes.extend(value);
        bytes.extend([0; 4]);
        bytes
    }

    #[test]
    fn a_count_beyond_the_file_is_an_error_and_asks_for_no_memory() {
        for (kind, count, expected) in [(3, 1, Some(vec![7])), (4, u32::MAX, None), (9, 1, None), (99, 1, None)] {
            let bytes = file(kind, count, [7, 0, 0, 0]);
            let file = File::open(&bytes).unwrap();
            let found = file.directory(file.first).unwrap().numbers(256);
            assert_eq!(found.ok(), expected, "kind {kind}, count {count}");
        }
    }
}
