//! Bytes of pixels without compression to stored samples.

use super::FORMAT;
use super::header::{Header, Photometric, SampleKind};
use crate::bytes::Order;
use crate::limits::reserved;
use crate::{FormatError, Samples};

/// Samples of frame `n`, whose bits begin in the first byte of `bytes`; colour interleaved.
pub(super) fn native(bytes: &[u8], n: usize, order: Order, header: &Header) -> Result<Samples, FormatError> {
    let count = header.frame_samples();
    match header.kind {
        SampleKind::Float32 => {
            let mut values = reserved(count)?;
            values.extend((0..count).filter_map(|i| order.f32(bytes, i * 4)));
            return whole(Samples::F32(values), count);
        }
        SampleKind::Float64 => {
            let mut values = reserved(count)?;
            values.extend((0..count).filter_map(|i| order.f64(bytes, i * 8)));
            return whole(Samples::F64(values), count);
        }
        SampleKind::Integer => {}
    }
    if header.bits_allocated == 1 {
        // Frames follow each other without filling up a byte; the lowest bit comes first.
        let first_bit = (header.native_frame_bits() * n as u64 % 8) as usize;
        let mut values = reserved(count)?;
        let bit = |i: usize| bytes.get(i / 8).map(|byte| byte >> (i % 8) & 1);
        values.extend((first_bit..first_bit + count).filter_map(bit));
        return whole(Samples::U8(values), count);
    }
    let raw = |i: usize| match header.bits_allocated {
        8 => bytes.get(i).copied().map(u32::from),
        16 => order.u16(bytes, i * 2).map(u32::from),
        _ => order.u32(bytes, i * 4),
    };
    if header.photometric == Photometric::YbrFull422 {
        // Y Y Cb Cr: two pixels share their chroma.
        let sample = |i: usize| {
            let (pixel, channel) = (i / 3, i % 3);
            raw(pixel / 2 * 4 + if channel == 0 { pixel % 2 } else { channel + 1 })
        };
        return integers((0..count).map_while(sample), count, header);
    }
    if header.is_planar {
        let pixels = count / header.samples_per_pixel;
        let sample = |i: usize| raw(i % header.samples_per_pixel * pixels + i / header.samples_per_pixel);
        return integers((0..count).map_while(sample), count, header);
    }
    integers((0..count).map_while(raw), count, header)
}

/// Raw containers to samples: the stored bits, with their sign.
pub(super) fn integers(raw: impl Iterator<Item = u32>, count: usize, header: &Header) -> Result<Samples, FormatError> {
    let (bits, shift) = (header.bits_stored, header.high_bit + 1 - header.bits_stored);
    let mask = u32::MAX >> (32 - bits);
    let unsigned = raw.map(|v| (v >> shift) & mask);
    if !header.signed {
        return if bits <= 8 {
            collect(unsigned.map(|v| v as u8), count, Samples::U8)
        } else if bits <= 16 {
            collect(unsigned.map(|v| v as u16), count, Samples::U16)
        } else {
            collect(unsigned, count, Samples::U32)
        };
    }
    let signed = unsigned.map(|v| sign_extended(v, bits));
    if bits <= 16 {
        collect(signed.map(|v| v as i16), count, Samples::I16)
    } else {
        collect(signed, count, Samples::I32)
    }
}

/// Two's complement of so many bits.
pub(super) fn sign_extended(value: u32, bits: u32) -> i32 {
    let unused = 32 - bits;
    (value << unused).cast_signed() >> unused
}

fn collect<T>(
    values: impl Iterator<Item = T>,
    count: usize,
    wrap: fn(Vec<T>) -> Samples,
) -> Result<Samples, FormatError> {
    let mut collected = reserved(count)?;
    collected.extend(values.take(count));
    whole(wrap(collected), count)
}

/// Refuses fewer samples than the frame has.
pub(super) fn whole(samples: Samples, count: usize) -> Result<Samples, FormatError> {
    if samples.len() == count {
        return Ok(samples);
    }
    let (expected_bytes, found_bytes) = (count as u64, samples.len() as u64);
    Err(FormatError::Truncated { format: FORMAT, part: "a frame", expected_bytes, found_bytes })
}
