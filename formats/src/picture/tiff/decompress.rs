//! The bytes of one strip or tile to its rows.
//!
//! In: compressed bytes, and how many bytes come out. Out: exactly so many, or an error: data that ends early is never filled
//! up. No kind of compression can write more than the room it is given, which bounds time and memory.

use std::borrow::Cow;

use fax::Color;
use fax::decoder::{DecodeStatus, Group4Decoder, pels};
use flate2::{Decompress, FlushDecompress};
use weezl::LzwStatus;
use weezl::decode::Configuration;

use super::layout::{Compression, Layout};
use super::{damaged, truncated, unsupported};
use crate::picture::ImageError;
use crate::picture::jpeg::{self, RawComponents};

/// Rows of a strip or tile, packed as the file has them.
pub(super) struct Rows {
    /// [rows, row_bytes]
    pub(super) bytes: Vec<u8>,
    pub(super) row_bytes: usize,
}

fn ends_early() -> ImageError {
    truncated("a strip or tile ends before its last pixel")
}

/// Decompresses a chunk of so many rows.
pub(super) fn decompress(layout: &Layout<'_>, data: &[u8], rows: usize) -> Result<Rows, ImageError> {
    if layout.compression == Compression::Jpeg {
        return of_jpeg(layout, data, rows);
    }
    let data = if layout.is_bit_reversed {
        Cow::Owned(data.iter().map(|byte| byte.reverse_bits()).collect())
    } else {
        Cow::Borrowed(data)
    };
    let row_bytes = layout.chunk_row_bytes();
    let mut bytes = crate::picture::limits::zeroed(row_bytes * rows)?;
    match layout.compression {
        Compression::Lzw => unpack_lzw(&data, &mut bytes)?,
        Compression::Deflate => unpack_deflate(&data, &mut bytes)?,
        Compression::PackBits => unpack_bits(&data, &mut bytes)?,
        Compression::FaxGroup4 => unpack_fax(&data, &mut bytes, layout.chunk_width_px, row_bytes)?,
        Compression::None | Compression::Jpeg => {
            let length = bytes.len();
            bytes.copy_from_slice(data.get(..length).ok_or_else(ends_early)?);
        }
    }
    Ok(Rows { bytes, row_bytes })
}

fn unpack_lzw(mut data: &[u8], mut out: &mut [u8]) -> Result<(), ImageError> {
    if matches!(data, [0, second, ..] if second & 1 == 1) {
        return Err(unsupported("LZW compression of the old style (before TIFF 5)"));
    }
    let mut decoder =
        Configuration::with_tiff_size_switch(weezl::BitOrder::Msb, 8).with_yield_on_full_buffer(true).build();
    while !out.is_empty() {
        let step = decoder.decode_bytes(data, out);
        data = &data[step.consumed_in..];
        out = &mut out[step.consumed_out..];
        match step.status {
            Err(_) => return Err(damaged("its LZW data contradict themselves")),
            Ok(LzwStatus::Done | LzwStatus::NoProgress) if !out.is_empty() => return Err(ends_early()),
            // Nothing came in and nothing went out: it waits for bytes that are not there.
            Ok(_) if step.consumed_in == 0 && step.consumed_out == 0 => return Err(ends_early()),
            Ok(_) => {}
        }
    }
    Ok(())
}

fn unpack_deflate(data: &[u8], out: &mut [u8]) -> Result<(), ImageError> {
    let mut decoder = Decompress::new(true);
    decoder
        .decompress(data, out, FlushDecompress::Finish)
        .map_err(|_| damaged("its deflate data contradict themselves"))?;
    if decoder.total_out() < out.len() as u64 { Err(ends_early()) } else { Ok(()) }
}

/// PackBits: a count, then so many bytes or one byte so many times (TIFF 6.0, section 9).
fn unpack_bits(mut data: &[u8], mut out: &mut [u8]) -> Result<(), ImageError> {
    while !out.is_empty() {
        let (&count, rest) = data.split_first().ok_or_else(ends_early)?;
        data = rest;
        let (length, repeats) = match count as i8 {
            -128 => continue,
            count @ ..0 => (1 + usize::from(count.unsigned_abs()), true),
            count => (1 + usize::from(count.unsigned_abs()), false),
        };
        let (part, after) = out.split_at_mut(length.min(out.len()));
        let (from, rest) = data.split_at_checked(if repeats { 1 } else { part.len() }).ok_or_else(ends_early)?;
        if repeats {
            part.fill(from[0]);
        } else {
            part.copy_from_slice(from);
        }
        (data, out) = (rest, after);
    }
    Ok(())
}

/// CCITT Group 4: lines of runs, white first; white is 0 here.
fn unpack_fax(data: &[u8], out: &mut [u8], width_px: usize, row_bytes: usize) -> Result<(), ImageError> {
    let width = u16::try_from(width_px).map_err(|_| damaged("its lines are too long for fax compression"))?;
    let bytes = data.iter().map(|&byte| Ok::<u8, std::convert::Infallible>(byte));
    let mut decoder = Group4Decoder::new(bytes, width).map_err(|_| ends_early())?;
    for row in out.chunks_exact_mut(row_bytes) {
        match decoder.advance() {
            Ok(DecodeStatus::Incomplete) => {}
            Ok(DecodeStatus::End) | Err(_) => return Err(ends_early()),
        }
        for (at, colour) in pels(decoder.transition(), width).enumerate() {
            if colour == Color::Black {
                row[at / 8] |= 0x80 >> (at % 8);
            }
        }
    }
    Ok(())
}

/// What is wrong with the JPEG data of a TIFF file is wrong with the TIFF file.
fn inside(error: ImageError) -> ImageError {
    match error {
        ImageError::Truncated { reason, .. } => truncated(&format!("of the JPEG data in it: {reason}")),
        ImageError::Damaged { reason, .. } => damaged(&format!("of the JPEG data in it: {reason}")),
        ImageError::Unsupported { found, .. } => unsupported(&format!("JPEG data with {found}")),
        other => other,
    }
}

/// A whole JPEG file in each chunk, without the tables that all have in common.
fn of_jpeg(layout: &Layout<'_>, data: &[u8], rows: usize) -> Result<Rows, ImageError> {
    let samples = layout.chunk_samples();
    if samples == 2 {
        return Err(unsupported("grey with a further channel in JPEG compression"));
    }
    // Tables: start marker … end marker. They go between the picture's start marker and the rest of it.
    let joined: Cow<'_, [u8]> = match layout.jpeg_tables {
        None => Cow::Borrowed(data),
        Some([0xff, 0xd8, tables @ .., 0xff, 0xd9]) if data.starts_with(b"\xff\xd8") => {
            Cow::Owned([b"\xff\xd8", tables, &data[2..]].concat())
        }
        Some(_) => return Err(damaged("its JPEG tables are not whole")),
    };
    let RawComponents { width_px, height_px, components, bytes } =
        jpeg::raw_components(&joined, layout.chunk_width_px, layout.chunk_height_px, samples).map_err(inside)?;
    if components != samples {
        return Err(damaged(&format!("its JPEG data have {components} channels, it says {samples}")));
    }
    if width_px < layout.chunk_width_px || height_px < rows {
        return Err(damaged("its JPEG data are smaller than their strip or tile"));
    }
    Ok(Rows { bytes, row_bytes: width_px * samples })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_bits_are_those_of_the_specification() {
        // The example of Apple's technical note 1023, which the specification refers to.
        let packed = b"\xfe\xaa\x02\x80\x00\x2a\xfd\xaa\x03\x80\x00\x2a\x22\xf7\xaa";
        let expected =
            b"\xaa\xaa\xaa\x80\x00\x2a\xaa\xaa\xaa\xaa\x80\x00\x2a\x22\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa";
        let mut out = vec![0; expected.len()];
        unpack_bits(packed, &mut out).unwrap();
        assert_eq!(out, expected);
        for end in 0..packed.len() {
            assert!(unpack_bits(&packed[..end], &mut out).is_err(), "{end}");
        }
    }
}
