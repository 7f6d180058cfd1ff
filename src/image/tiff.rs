//! TIFF: the first page, in strips or tiles, with the compressions of the `tiff` crate.
//!
//! In: the file's bytes. Out: an upright [`Picture`]. Grey of 16 bits and more, signed or floating, is
//! [`Pixels::DeepGray`]. A strip or tile that lies outside the file is an error.

use std::borrow::Cow;
use std::io::{Cursor, ErrorKind};

use ::image::metadata::Orientation;
use ::tiff::decoder::{Decoder, DecodingResult, Limits as LibraryLimits};
use ::tiff::tags::Tag;
use ::tiff::{ColorType, TiffError};

use super::orient::upright;
use super::padding::clear_no_data;
use super::{ImageError, Limits, Picture, Pixels};

const FORMAT: &str = "TIFF";

type Reader<'a> = Decoder<Cursor<&'a [u8]>>;

/// Decodes a TIFF; of several pages the first.
pub(super) fn decode_tiff(bytes: &[u8], limits: &Limits) -> Result<Picture, ImageError> {
    // The library refuses palettes. Told that the indices are grey, it gives them, and the table is ours.
    let as_grey = palette_as_grey(bytes);
    let has_palette = matches!(as_grey, Cow::Owned(_));
    let mut library_limits = LibraryLimits::default();
    library_limits.decoding_buffer_size = limits.max_decoded_bytes();
    library_limits.intermediate_buffer_size = limits.max_decoded_bytes();
    let mut reader = Decoder::new(Cursor::new(as_grey.as_ref())).map_err(translate)?.with_limits(library_limits);

    let (width_px, height_px) = reader.dimensions().map_err(translate)?;
    let (width_px, height_px) = limits.check_size(FORMAT, width_px, height_px)?;
    check_chunks(&mut reader, bytes.len() as u64, limits)?;
    let colour = reader.colortype().map_err(translate)?;
    let orientation = reader.find_tag_unsigned::<u8>(Tag::Orientation).ok().flatten();
    let palette = if has_palette { Some(reader.get_tag_u16_vec(Tag::ColorMap).map_err(translate)?) } else { None };

    let mut result = DecodingResult::U8(Vec::new());
    let layout = reader.read_image_to_buffer(&mut result).map_err(translate)?;
    if result.as_buffer(0).byte_len() < layout.complete_len {
        return Err(damaged("some of its colour planes are missing"));
    }
    let planes = layout.planes.max(1);
    let mut pixels = match palette {
        Some(palette) => expand_palette(&indices(result, colour, width_px)?, &palette)?,
        None => to_pixels(result, colour, planes, width_px)?,
    };
    if let Pixels::DeepGray { values, .. } = &mut pixels
        && let Ok(no_data) = reader.get_tag_ascii_string(Tag::GdalNodata)
    {
        clear_no_data(values, &no_data);
    }
    let picture = Picture { width_px, height_px, pixels, format: FORMAT, notes: Vec::new() };
    if pixel_count(&picture.pixels) != width_px * height_px {
        return Err(damaged("it holds another number of pixels than its header says"));
    }
    Ok(upright(picture, orientation.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms)))
}

fn damaged(reason: &str) -> ImageError {
    ImageError::Damaged { format: FORMAT, reason: reason.to_owned() }
}

fn pixel_count(pixels: &Pixels) -> usize {
    match pixels {
        Pixels::Rgb8(bytes) => bytes.len() / 3,
        Pixels::Gray8(bytes) => bytes.len(),
        Pixels::DeepGray { values, .. } => values.len(),
    }
}

/// Refuses what the library would trust: strips or tiles outside the file (some compressions then fill
/// with grey), tiles of absurd size (allocated before they are read) and tables too short to be any.
fn check_chunks(reader: &mut Reader<'_>, file_bytes: u64, limits: &Limits) -> Result<(), ImageError> {
    for tag in [Tag::TileWidth, Tag::TileLength] {
        let side: Option<u64> = reader.find_tag_unsigned(tag).map_err(translate)?;
        if side.is_some_and(|side| side == 0 || side > limits.max_side_px as u64) {
            return Err(damaged("the size of its tiles makes no sense"));
        }
    }
    for (offsets, counts) in [(Tag::StripOffsets, Tag::StripByteCounts), (Tag::TileOffsets, Tag::TileByteCounts)] {
        let offsets: Vec<u64> = reader.find_tag_unsigned_vec(offsets).map_err(translate)?.unwrap_or_default();
        let counts: Vec<u64> = reader.find_tag_unsigned_vec(counts).map_err(translate)?.unwrap_or_default();
        for (offset, count) in offsets.into_iter().zip(counts) {
            let end = offset.saturating_add(count);
            if end > file_bytes {
                let reason = format!("it has {file_bytes} bytes, its pixels reach to byte {end}");
                return Err(ImageError::Truncated { format: FORMAT, reason });
            }
        }
    }
    if let Ok(Some(_)) = reader.find_tag(Tag::JPEGTables)
        && reader.get_tag_u8_vec(Tag::JPEGTables).map_or(0, |tables| tables.len()) < 4
    {
        return Err(damaged("its JPEG tables are too short"));
    }
    Ok(())
}

/// Samples to pixels as Pillow's `convert('RGB')` sees them.
fn to_pixels(samples: DecodingResult, colour: ColorType, planes: usize, width_px: usize) -> Result<Pixels, ImageError> {
    let unsupported = || ImageError::Unsupported { format: FORMAT, found: format!("pixels of type {colour:?}") };
    match colour {
        ColorType::Gray(bits @ (1 | 2 | 4)) => {
            // Grey of few bits is stretched to 0..255.
            let step = 255 / ((1u8 << bits) - 1);
            Ok(Pixels::Gray8(indices(samples, colour, width_px)?.into_iter().map(|v| v * step).collect()))
        }
        ColorType::Gray(_) => match samples {
            DecodingResult::U8(grey) => Ok(Pixels::Gray8(grey)),
            deep => Ok(Pixels::DeepGray { values: to_f32(deep)?, window: None }),
        },
        _ => {
            let channels = usize::from(colour.num_samples());
            let bytes = match samples {
                DecodingResult::U8(bytes) => bytes,
                DecodingResult::U16(words) => words.into_iter().map(|word| (word >> 8) as u8).collect(),
                _ => return Err(unsupported()),
            };
            let bytes = if planes > 1 { interleave(&bytes, planes) } else { bytes };
            let pixels = bytes.chunks_exact(channels.max(1));
            match colour {
                ColorType::GrayA(_) | ColorType::Multiband { num_samples: 2, .. } => {
                    Ok(Pixels::Gray8(pixels.map(|pixel| pixel[0]).collect()))
                }
                ColorType::RGB(_) | ColorType::RGBA(_) => {
                    Ok(Pixels::Rgb8(pixels.flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()))
                }
                ColorType::CMYK(_) | ColorType::CMYKA(_) => {
                    Ok(Pixels::Rgb8(pixels.flat_map(|pixel| [0, 1, 2].map(|i| uncmyk(pixel[i], pixel[3]))).collect()))
                }
                ColorType::YCbCr(8) => Ok(Pixels::Rgb8(pixels.flat_map(|p| unycc(p[0], p[1], p[2])).collect())),
                _ => Err(unsupported()),
            }
        }
    }
}

/// Planes one after the other to interleaved samples.
fn interleave(bytes: &[u8], planes: usize) -> Vec<u8> {
    let area = bytes.len() / planes;
    (0..area).flat_map(|i| (0..planes).map(move |plane| bytes[plane * area + i])).collect()
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

/// Deep grey to f32.
fn to_f32(samples: DecodingResult) -> Result<Vec<f32>, ImageError> {
    let values: Vec<f32> = match samples {
        DecodingResult::U8(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::U16(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::U32(v) => v.into_iter().map(|v| v as f32).collect(),
        DecodingResult::U64(v) => v.into_iter().map(|v| v as f32).collect(),
        DecodingResult::I8(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::I16(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::I32(v) => v.into_iter().map(|v| v as f32).collect(),
        DecodingResult::I64(v) => v.into_iter().map(|v| v as f32).collect(),
        DecodingResult::F16(v) => v.into_iter().map(|v| v.to_f32()).collect(),
        DecodingResult::F32(v) => v,
        DecodingResult::F64(v) => v.into_iter().map(|v| v as f32).collect(),
    };
    if values.iter().any(|v| v.is_finite()) { Ok(values) } else { Err(damaged("no grey value is a finite number")) }
}

/// Unscaled values of grey or palette pixels of 1 to 8 bits; rows start on byte boundaries.
fn indices(samples: DecodingResult, colour: ColorType, width_px: usize) -> Result<Vec<u8>, ImageError> {
    let (DecodingResult::U8(bytes), ColorType::Gray(bits @ (1 | 2 | 4 | 8))) = (samples, colour) else {
        return Err(ImageError::Unsupported { format: FORMAT, found: format!("palette pixels of type {colour:?}") });
    };
    let per_byte = usize::from(8 / bits);
    let mask = (0xff_u16 >> (8 - bits)) as u8;
    let of_byte = |byte: u8| (0..8 / bits).rev().map(move |i| (byte >> (i * bits)) & mask);
    let rows = bytes.chunks_exact(width_px.div_ceil(per_byte).max(1));
    Ok(rows.flat_map(|row| row.iter().flat_map(|&byte| of_byte(byte)).take(width_px)).collect())
}

/// Indices to colours. The table has all reds, then all greens, then all blues, in 16 bits.
fn expand_palette(indices: &[u8], table: &[u16]) -> Result<Pixels, ImageError> {
    let colours = table.len() / 3;
    let colour = |index: u8| {
        let channel = |n: usize| table.get(n * colours + usize::from(index)).map(|&v| (v >> 8) as u8);
        if usize::from(index) < colours { Some([channel(0)?, channel(1)?, channel(2)?]) } else { None }
    };
    let bytes: Option<Vec<[u8; 3]>> = indices.iter().map(|&index| colour(index)).collect();
    Ok(Pixels::Rgb8(bytes.ok_or_else(|| damaged("a pixel's colour is not in its palette"))?.into_flattened()))
}

/// The file with the first page's palette interpretation changed to grey, or as it is.
fn palette_as_grey(bytes: &[u8]) -> Cow<'_, [u8]> {
    palette_tag(bytes).map_or(Cow::Borrowed(bytes), |at| {
        let mut changed = bytes.to_vec();
        const BLACK_IS_ZERO: u8 = 1;
        if let Some(value) = changed.get_mut(at) {
            *value = BLACK_IS_ZERO;
        }
        Cow::Owned(changed)
    })
}

/// Where the low byte of "photometric interpretation = palette" is, in the first page of a classic TIFF.
fn palette_tag(bytes: &[u8]) -> Option<usize> {
    const PHOTOMETRIC: u16 = 262;
    const PALETTE: u16 = 3;
    const ENTRY_BYTES: usize = 12;
    let little = match bytes.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let pair: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let first: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
    let first = if little { u32::from_le_bytes(first) } else { u32::from_be_bytes(first) } as usize;
    let entries = usize::from(short(first)?);
    let entry = (0..entries).map(|i| first + 2 + i * ENTRY_BYTES).find(|&at| short(at) == Some(PHOTOMETRIC))?;
    (short(entry + 8)? == PALETTE).then_some(entry + if little { 8 } else { 9 })
}

/// The library's error as one of ours.
fn translate(error: TiffError) -> ImageError {
    match error {
        TiffError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => {
            ImageError::Truncated { format: FORMAT, reason: "it ends before the last pixel".to_owned() }
        }
        TiffError::UnsupportedError(e) => ImageError::Unsupported { format: FORMAT, found: e.to_string() },
        TiffError::LimitsExceeded => ImageError::TooLarge {
            found: "a TIFF file that needs more memory".to_owned(),
            limit: "the size this build decodes".to_owned(),
        },
        other => ImageError::Damaged { format: FORMAT, reason: other.to_string() },
    }
}
