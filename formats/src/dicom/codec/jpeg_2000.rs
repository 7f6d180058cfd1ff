//! JPEG 2000 by `hayro-jpeg2000`, and its high-throughput variant by `dicom-toolkit-jpeg2000`.

use std::borrow::Cow;

use super::{FORMAT, broken, check_size, guarded, stored};
use crate::bytes::Order;
use crate::dicom::header::Header;
use crate::limits::reserved;
use crate::{FormatError, Samples};

const CODEC: &str = "JPEG 2000";
const HIGH_THROUGHPUT: &str = "high-throughput JPEG 2000";

/// Start of a codestream: SOC and SIZ.
const START: &[u8] = b"\xff\x4f\xff\x51";

/// What a codestream's SIZ segment says (ISO/IEC 15444-1, A.5.1).
struct Size {
    bits: u32,
    signed: bool,
}

/// The codestream in a frame, without a JP2 file around it, with its size checked.
fn codestream<'a>(frame: &'a [u8], header: &Header) -> Result<(Cow<'a, [u8]>, Size), FormatError> {
    /// A JP2 file's boxes before the codestream are short.
    const SEARCH_BYTES: usize = 4096;
    let head = &frame[..frame.len().min(SEARCH_BYTES)];
    let at = head.windows(START.len()).position(|window| window == START);
    let stream = &frame[at.ok_or_else(|| broken(CODEC, "it has no codestream"))?..];
    let word = |at: usize| Order::Big.u32(stream, at).map(u64::from).ok_or_else(|| broken(CODEC, "it is cut off"));
    let [width, height, left, top] = [word(8)?, word(12)?, word(16)?, word(20)?];
    let [tile_width, tile_height] = [word(24)?, word(28)?];
    let channels = Order::Big.u16(stream, 40).unwrap_or(0);
    check_size(header, CODEC, width.saturating_sub(left), height.saturating_sub(top), channels.into())?;
    /// Each tile costs memory of its own.
    const MAX_TILES: u64 = 1 << 14;
    let tiles = width.div_ceil(tile_width.max(1)).saturating_mul(height.div_ceil(tile_height.max(1)));
    if tile_width == 0 || tile_height == 0 || tiles > MAX_TILES {
        return Err(broken(CODEC, format!("it has {tiles} tiles")));
    }
    check_blocks(stream, width, height)?;
    let depth = stream.get(42).copied().unwrap_or(0);
    let size = Size { bits: u32::from(depth & 0x7f) + 1, signed: depth & 0x80 != 0 };
    for channel in 0..usize::from(channels) {
        let part = stream.get(42 + channel * 3..45 + channel * 3);
        if part.is_none_or(|part| part[0] != depth || part[1] != 1 || part[2] != 1) {
            let found = "JPEG 2000 components of different depth or size".to_owned();
            return Err(FormatError::Unsupported {
                format: FORMAT,
                found,
                instead: "convert it to RGB without compression",
            });
        }
    }
    if size.bits > 16 {
        let found = format!("JPEG 2000 with {} bits", size.bits);
        return Err(FormatError::Unsupported { format: FORMAT, found, instead: "export it with 16 bits" });
    }
    Ok((with_length(stream), size))
}

/// The same codestream with the length of a last tile-part that has none, which stands for "up to the end marker" (A.4.2):
/// `hayro-jpeg2000` takes the marker and padding after it for data.
fn with_length(stream: &[u8]) -> Cow<'_, [u8]> {
    const START_OF_TILE: u8 = 0x90;
    let Some(mut at) = segment(stream, START_OF_TILE) else { return stream.into() };
    while stream.get(at..at + 2) == Some(&[0xff, START_OF_TILE]) {
        match Order::Big.u32(stream, at + 6) {
            Some(0) => {
                let data = stream.iter().rposition(|&byte| byte != 0).map_or(stream, |last| &stream[..=last]);
                let end = data.strip_suffix(b"\xff\xd9").unwrap_or(data).len();
                let Ok(length) = u32::try_from(end.saturating_sub(at)) else { break };
                let mut patched = stream[..end].to_vec();
                if let Some(place) = patched.get_mut(at + 6..at + 10) {
                    place.copy_from_slice(&length.to_be_bytes());
                }
                patched.extend(b"\xff\xd9");
                return patched.into();
            }
            Some(length) => at = at.saturating_add(length as usize),
            None => break,
        }
    }
    stream.into()
}

/// Refuses more pieces of code blocks than any encoder writes: each one costs the decoders memory.
fn check_blocks(stream: &[u8], width: u64, height: u64) -> Result<(), FormatError> {
    const MAX_PIECES: u64 = 1 << 24;
    const COD: u8 = 0x52;
    let Some(at) = segment(stream, COD) else { return Err(broken(CODEC, "its coding style is missing")) };
    let layers = Order::Big.u16(stream, at + 6).map_or(u64::MAX, u64::from);
    let side = |place: usize| 4u64 << stream.get(at + place).map_or(0, |&exponent| exponent.min(8));
    let blocks = width.div_ceil(side(10)).saturating_mul(height.div_ceil(side(11)));
    if blocks.saturating_mul(layers) > MAX_PIECES {
        return Err(broken(CODEC, format!("{blocks} code blocks in {layers} layers")));
    }
    Ok(())
}

pub(super) fn decode(frame: &[u8], header: &Header) -> Result<(Samples, bool), FormatError> {
    let (stream, size) = codestream(frame, header)?;
    let samples = guarded(CODEC, || {
        let settings =
            hayro_jpeg2000::DecodeSettings { resolve_palette_indices: false, strict: true, target_resolution: None };
        let image = hayro_jpeg2000::Image::new(&stream, &settings).map_err(|error| broken(CODEC, error))?;
        let mut context = hayro_jpeg2000::DecoderContext::default();
        let image = image.decode(&mut context).map_err(|error| broken(CODEC, error))?;
        let components = image.components();
        let pixels = header.rows * header.columns;
        let top = (1u32 << size.bits) - 1;
        let mut decoded = reserved(header.frame_samples())?;
        for pixel in 0..pixels {
            for component in components.iter().take(header.samples_per_pixel) {
                // The decoder lifts signed samples like unsigned ones; half values go to the even neighbour.
                let value = component.samples().get(pixel).copied().unwrap_or(0.0).round_ties_even();
                decoded.push((value.max(0.0) as u32).min(top));
            }
        }
        finish(decoded, &size, header)
    })?;
    Ok((samples, is_rgb(&stream, header)))
}

pub(super) fn decode_high_throughput(frame: &[u8], header: &Header) -> Result<(Samples, bool), FormatError> {
    let (stream, size) = codestream(frame, header)?;
    let stream = with_midpoint(&stream);
    let samples = guarded(HIGH_THROUGHPUT, || {
        let settings = dicom_toolkit_jpeg2000::DecodeSettings::default();
        let image =
            dicom_toolkit_jpeg2000::Image::new(&stream, &settings).map_err(|error| broken(HIGH_THROUGHPUT, error))?;
        let bitmap = image.decode_native().map_err(|error| broken(HIGH_THROUGHPUT, error))?;
        let mut decoded = reserved(header.frame_samples())?;
        if bitmap.bytes_per_sample == 1 {
            decoded.extend(bitmap.data.iter().map(|&v| u32::from(v)));
        } else {
            decoded.extend(
                (0..bitmap.data.len() / 2).filter_map(|i| Order::Little.u16(&bitmap.data, i * 2)).map(u32::from),
            );
        }
        finish(decoded, &size, header)
    })?;
    Ok((samples, is_rgb(&stream, header)))
}

/// Samples as the codestream means them: signed ones were lifted by half their range.
fn finish(mut decoded: Vec<u32>, size: &Size, header: &Header) -> Result<Samples, FormatError> {
    if !size.signed {
        return stored(&decoded, size.bits, header);
    }
    let half = 1u32 << (size.bits - 1);
    if header.signed {
        let mut words = reserved(decoded.len())?;
        words.extend(decoded.iter().map(|&v| (v.cast_signed() - half.cast_signed()) as i16));
        return super::whole(Samples::I16(words), header.frame_samples());
    }
    // The data set says unsigned: its bits count.
    for value in &mut decoded {
        *value = (*value).wrapping_sub(half) & (u32::MAX >> (32 - header.bits_stored));
    }
    stored(&decoded, size.bits, header)
}

/// Whether the codestream undoes the colour transform itself (COD's byte for it), or there was none to undo.
fn is_rgb(stream: &[u8], header: &Header) -> bool {
    let transforms = segment(stream, 0x52).and_then(|at| stream.get(at + 8)).is_some_and(|&v| v == 1);
    transforms || header.is_rgb()
}

/// Place of a marker segment's marker in the main header.
fn segment(stream: &[u8], marker: u8) -> Option<usize> {
    const START_OF_TILE: u8 = 0x90;
    let mut at = 2;
    loop {
        match *stream.get(at..at + 2)? {
            [0xff, found] if found == marker => return Some(at),
            [0xff, found] if found != START_OF_TILE => at += 2 + usize::from(Order::Big.u16(stream, at + 2)?),
            _ => return None,
        }
    }
}

/// The same codestream with half the quantization step and twice the numbers.
///
/// `dicom-toolkit-jpeg2000` cuts off the half that the block decoder puts into the middle of a quantization
/// interval. One more in the exponents of the main header's QCD segment halves the step and makes the decoder
/// keep one more bit, which is that half: the same values as OpenJPEG. Reversible streams have no step.
fn with_midpoint(stream: &[u8]) -> Vec<u8> {
    const QCD: u8 = 0x5c;
    let mut patched = stream.to_vec();
    let Some(at) = segment(stream, QCD) else { return patched };
    let length = usize::from(Order::Big.u16(stream, at + 2).unwrap_or(0));
    let style = stream.get(at + 4).copied().unwrap_or(0) & 0x1f;
    let Some(steps) = patched.get_mut(at + 5..at + 2 + length) else { return patched };
    // 1: one step, derived for the others; 2: all steps. Five bits of exponent, eleven of mantissa.
    let fits = steps.chunks_exact(2).all(|step| step[0] >> 3 < 31);
    if matches!(style, 1 | 2) && fits {
        steps.chunks_exact_mut(2).for_each(|step| step[0] += 8);
    }
    patched
}
