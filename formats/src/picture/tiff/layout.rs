//! What the tags of a page say about its samples, checked.
//!
//! In: a [`Directory`]. Out: [`Layout`]: size, kind of samples, strips or tiles with their place in the file. What is not
//! read is refused here by its name, and what asks for more work than a picture of the largest size is refused too, both
//! before anything is decompressed.

use super::directory::{Directory, File, tag};
use super::predictor::Predictor;
use super::{damaged, names, truncated, unsupported};
use crate::picture::{ImageError, Limits};

/// How the bytes of a strip or tile are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Lzw,
    Deflate,
    PackBits,
    FaxGroup4,
    Jpeg,
}

/// What the bits of a sample are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Unsigned,
    Signed,
    Float,
}

/// A strip or tile in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Everything that is needed to get at the samples of a page.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    pub(super) width_px: usize,
    pub(super) height_px: usize,
    /// Samples a pixel.
    pub(super) samples: usize,
    pub(super) bits: usize,
    pub(super) kind: Kind,
    /// Each sample has planes of its own.
    pub(super) is_planar: bool,
    pub(super) is_little_endian: bool,
    /// The lowest bit of a byte comes first.
    pub(super) is_bit_reversed: bool,
    pub(super) compression: Compression,
    pub(super) predictor: Predictor,
    pub(super) is_tiled: bool,
    pub(super) chunk_width_px: usize,
    pub(super) chunk_height_px: usize,
    /// Row by row, and plane by plane where there are planes.
    pub(super) chunks: Vec<Chunk>,
    pub(super) jpeg_tables: Option<&'a [u8]>,
}

impl<'a> Layout<'a> {
    /// Reads and checks the tags; `bytes` is the file.
    pub(super) fn of(file: &File<'a>, page: &Directory<'a>, limits: &Limits) -> Result<Self, ImageError> {
        let side = |tag| Ok(u32::try_from(page.number(tag)?.unwrap_or(0)).unwrap_or(u32::MAX));
        let (width_px, height_px) =
            limits.check_size(super::FORMAT, side(tag::IMAGE_WIDTH)?, side(tag::IMAGE_LENGTH)?)?;
        let samples = page.number(tag::SAMPLES_PER_PIXEL)?.unwrap_or(1) as usize;
        if !(1..=usize::from(u16::MAX)).contains(&samples) {
            return Err(damaged("it says how many channels it has, and that makes no sense"));
        }
        let bits = equal(&page.numbers(tag::BITS_PER_SAMPLE)?, "channels of different depth")?.unwrap_or(1);
        let kind = kind(page, bits)?;
        let is_planar = samples > 1 && page.number(tag::PLANAR_CONFIGURATION)? == Some(2);
        let compression = compression(page)?;
        let predictor = predictor(page, compression, kind, bits)?;
        if compression == Compression::Jpeg && bits != 8 {
            return Err(unsupported(&format!("JPEG compression of {bits}-bit samples")));
        }
        if compression == Compression::FaxGroup4 && (bits != 1 || samples != 1) {
            return Err(unsupported("CCITT compression (fax) of more than black and white"));
        }

        let is_tiled = page.number(tag::TILE_WIDTH)?.is_some();
        let (chunk_width_px, chunk_height_px) = if is_tiled {
            let side = |tag| Ok::<_, ImageError>(page.number(tag)?.unwrap_or(0) as usize);
            (side(tag::TILE_WIDTH)?, side(tag::TILE_LENGTH)?)
        } else {
            let rows = page.number(tag::ROWS_PER_STRIP)?.unwrap_or(height_px as u64);
            (width_px, usize::try_from(rows).unwrap_or(height_px).min(height_px))
        };
        let makes_sense = |side| (1..=limits.max_side_px).contains(&side);
        if !makes_sense(chunk_width_px) || !makes_sense(chunk_height_px) {
            return Err(damaged("the size of its strips or tiles makes no sense"));
        }
        let mut layout = Self {
            width_px,
            height_px,
            samples,
            bits: bits as usize,
            kind,
            is_planar,
            is_little_endian: file.is_little_endian,
            is_bit_reversed: page.number(tag::FILL_ORDER)? == Some(2) && compression != Compression::Jpeg,
            compression,
            predictor,
            is_tiled,
            chunk_width_px,
            chunk_height_px,
            chunks: Vec::new(),
            jpeg_tables: if compression == Compression::Jpeg { page.bytes(tag::JPEG_TABLES)? } else { None },
        };
        layout.check_work(limits)?;
        layout.chunks = layout.places(file, page)?;
        Ok(layout)
    }

    /// Samples a pixel in one strip or tile.
    pub(super) fn chunk_samples(&self) -> usize {
        if self.is_planar { 1 } else { self.samples }
    }

    /// Bytes of one row of a strip or tile; rows begin on whole bytes.
    pub(super) fn chunk_row_bytes(&self) -> usize {
        (self.chunk_width_px * self.chunk_samples() * self.bits).div_ceil(8)
    }

    pub(super) fn chunks_across(&self) -> usize {
        self.width_px.div_ceil(self.chunk_width_px)
    }

    pub(super) fn chunks_down(&self) -> usize {
        self.height_px.div_ceil(self.chunk_height_px)
    }

    /// Rows that a strip or tile of this row of chunks holds; tiles have all, with padding.
    pub(super) fn chunk_rows(&self, down: usize) -> usize {
        if self.is_tiled {
            self.chunk_height_px
        } else {
            self.chunk_height_px.min(self.height_px - down * self.chunk_height_px)
        }
    }

    /// Refuses files whose padding or channels are many times the picture: their work is not bounded by its size.
    fn check_work(&self, limits: &Limits) -> Result<(), ImageError> {
        let padded = |side: usize, chunk: usize| (side.div_ceil(chunk) * chunk) as u64;
        let area = padded(self.width_px, self.chunk_width_px) * padded(self.height_px, self.chunk_height_px);
        let bits = (self.samples * self.bits) as u64;
        let most_bytes = 2 * limits.max_decoded_bytes() as u64;
        match area.checked_mul(bits).map(|bits| bits / 8) {
            Some(bytes) if bytes <= most_bytes => Ok(()),
            _ => Err(ImageError::TooLarge {
                found: format!("{area} pixels with the padding of its tiles, of {bits} bits each"),
                limit: format!("{most_bytes} bytes"),
            }),
        }
    }

    /// Where the strips or tiles are. Writers that leave out or zero the lengths mean: up to the next one.
    fn places(&self, file: &File<'a>, page: &Directory<'a>) -> Result<Vec<Chunk>, ImageError> {
        let (offsets, counts) = if self.is_tiled {
            (tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS)
        };
        let mut offsets = page.numbers(offsets)?;
        if offsets.is_empty() && self.is_tiled {
            // Some writers of tiles use the strips' tags.
            offsets = page.numbers(tag::STRIP_OFFSETS)?;
        }
        let counts = page.numbers(counts)?;
        let planes = if self.is_planar { self.samples } else { 1 };
        let needed = self.chunks_across() * self.chunks_down() * planes;
        if offsets.len() < needed {
            return Err(damaged("some of its strips, tiles or colour planes are missing"));
        }
        offsets.truncate(needed);
        if !counts.is_empty() && counts.len() < needed {
            return Err(damaged("it has fewer lengths of strips or tiles than strips or tiles"));
        }
        let file_bytes = file.bytes.len() as u64;
        let mut starts = offsets.clone();
        starts.sort_unstable();
        let up_to_next = |start: u64| {
            let next = starts.get(starts.partition_point(|&other| other <= start));
            next.map_or(file_bytes, |&next| next.min(file_bytes))
        };
        let place = |(index, start): (usize, u64)| {
            if start == 0 {
                return Err(unsupported("tiles that were left out because they are empty (a sparse file)"));
            }
            let end = match counts.get(index) {
                Some(&count) if count > 0 => start.saturating_add(count),
                _ => up_to_next(start).max(start),
            };
            match (usize::try_from(start), usize::try_from(end)) {
                (Ok(start), Ok(end)) if end as u64 <= file_bytes => Ok(Chunk { start, end }),
                _ => Err(truncated(&format!("it has {file_bytes} bytes, its pixels reach to byte {end}"))),
            }
        };
        offsets.into_iter().enumerate().map(place).collect()
    }
}

/// The one value of a list that has to be the same for all channels.
fn equal(values: &[u64], otherwise: &str) -> Result<Option<u64>, ImageError> {
    match values {
        [] => Ok(None),
        [first, rest @ ..] if rest.iter().all(|value| value == first) => Ok(Some(*first)),
        _ => Err(unsupported(otherwise)),
    }
}

/// What the bits of a sample are; only depths that are read pass.
fn kind(page: &Directory<'_>, bits: u64) -> Result<Kind, ImageError> {
    let number = equal(&page.numbers(tag::SAMPLE_FORMAT)?, "channels of different kinds of numbers")?.unwrap_or(1);
    match (number, bits) {
        // "Undefined" is what some writers say of plain numbers.
        (1 | 4, 1..=16 | 32 | 64) => Ok(Kind::Unsigned),
        (2, 8 | 16 | 32 | 64) => Ok(Kind::Signed),
        (3, 16 | 32 | 64) => Ok(Kind::Float),
        (5 | 6, _) => Err(unsupported("complex numbers")),
        (1 | 4, _) => Err(unsupported(&format!("samples of {bits} bits"))),
        (2, _) => Err(unsupported(&format!("signed samples of {bits} bits"))),
        (3, _) => Err(unsupported(&format!("floating-point samples of {bits} bits"))),
        _ => Err(unsupported(&format!("samples of an unknown kind (sample format {number})"))),
    }
}

fn compression(page: &Directory<'_>) -> Result<Compression, ImageError> {
    match page.number(tag::COMPRESSION)?.unwrap_or(1) {
        1 => Ok(Compression::None),
        4 => Ok(Compression::FaxGroup4),
        5 => Ok(Compression::Lzw),
        7 | 33007 => Ok(Compression::Jpeg),
        8 | 32946 => Ok(Compression::Deflate),
        32773 => Ok(Compression::PackBits),
        other => Err(unsupported(&names::compression(other))),
    }
}

fn predictor(page: &Directory<'_>, compression: Compression, kind: Kind, bits: u64) -> Result<Predictor, ImageError> {
    let number = page.number(tag::PREDICTOR)?.unwrap_or(1);
    if number <= 1 {
        return Ok(Predictor::None);
    }
    if !matches!(compression, Compression::Lzw | Compression::Deflate) {
        // Programs differ in whether it counts then.
        return Err(unsupported("a predictor without LZW or deflate compression"));
    }
    match (number, kind, bits) {
        (2, _, 8 | 16 | 32 | 64) => Ok(Predictor::Differences),
        (3, Kind::Float, _) => Ok(Predictor::FloatingPoint),
        (2, ..) => Err(unsupported(&format!("a predictor on samples of {bits} bits"))),
        (3, ..) => Err(unsupported("a predictor for floating-point numbers on whole numbers")),
        _ => Err(unsupported(&format!("predictor {number}"))),
    }
}
