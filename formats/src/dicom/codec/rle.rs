//! DICOM's run lengths (PS3.5, annex G): one segment a byte of each sample, the most significant byte first.

use super::{FORMAT, integers};
use crate::bytes::Order;
use crate::dicom::header::Header;
use crate::limits::reserved;
use crate::{FormatError, Samples};

/// Segments that the header of a frame has room for.
const MAX_SEGMENTS: usize = 15;

pub(super) fn decode(frame: &[u8], header: &Header) -> Result<Samples, FormatError> {
    let pixels = header.rows * header.columns;
    let sample_bytes = (header.bits_allocated as usize).div_ceil(8);
    let wanted = sample_bytes * header.samples_per_pixel;
    let word = |i: usize| Order::Little.u32(frame, i * 4).map(|v| v as usize);
    let count = word(0).unwrap_or(0);
    if count != wanted || count > MAX_SEGMENTS {
        let reason = format!("an RLE frame has {count} segments, expected {wanted}");
        return Err(FormatError::damaged(FORMAT, reason));
    }
    // 1-bit pixels are packed before they are run-length coded.
    let segment_bytes = if header.bits_allocated == 1 { pixels.div_ceil(8) } else { pixels };
    let mut planes = Vec::with_capacity(count);
    for segment in 0..count {
        let start = word(segment + 1).unwrap_or(usize::MAX);
        let end = if segment + 1 < count { word(segment + 2).unwrap_or(frame.len()) } else { frame.len() };
        let packed = frame.get(start..end.min(frame.len())).unwrap_or(&[]);
        planes.push(unpack(packed, segment_bytes)?);
    }
    if header.bits_allocated == 1 {
        return super::super::stored::native(&planes[0], 0, Order::Little, header);
    }
    let sample = |i: usize| {
        let (pixel, channel) = (i / header.samples_per_pixel, i % header.samples_per_pixel);
        let bytes = &planes[channel * sample_bytes..(channel + 1) * sample_bytes];
        bytes.iter().fold(0u32, |value, plane| value << 8 | u32::from(plane[pixel]))
    };
    let samples = header.frame_samples();
    integers((0..samples).map(sample), samples, header)
}

/// Unpacks one segment (PackBits) to exactly `length` bytes.
fn unpack(packed: &[u8], length: usize) -> Result<Vec<u8>, FormatError> {
    let mut bytes: Vec<u8> = reserved(length)?;
    let mut at = 0;
    while bytes.len() < length {
        let Some(&code) = packed.get(at) else { break };
        let room = length - bytes.len();
        match code.cast_signed() {
            run @ 0.. => {
                let end = at + 2 + run as usize;
                let literal = packed.get(at + 1..end.min(packed.len())).unwrap_or(&[]);
                bytes.extend_from_slice(&literal[..literal.len().min(room)]);
                at = end;
            }
            -128 => at += 1,
            run => {
                let Some(&byte) = packed.get(at + 1) else { break };
                let times = 1 - isize::from(run);
                bytes.extend(std::iter::repeat_n(byte, times.unsigned_abs().min(room)));
                at += 2;
            }
        }
    }
    if bytes.len() == length {
        return Ok(bytes);
    }
    let (expected_bytes, found_bytes) = (length as u64, bytes.len() as u64);
    Err(FormatError::Truncated { format: FORMAT, part: "a segment of an RLE frame", expected_bytes, found_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_literals_are_unpacked() {
        // Three literals, nothing, the byte 9 four times.
        assert_eq!(unpack(&[2, 1, 2, 3, 128, 253, 9], 7).unwrap(), [1, 2, 3, 9, 9, 9, 9]);
        assert_eq!(unpack(&[253, 9], 2).unwrap(), [9, 9], "a run that goes over the end");
        assert!(matches!(unpack(&[2, 1], 3), Err(FormatError::Truncated { .. })));
    }
}
