//! Undoes what a writer did to rows so that they compress better.
//!
//! In: rows of samples as they were compressed. Out: the samples, little-endian. Each row is by itself; in a tile it has the
//! padding too. Cannot fail: [`Layout`](super::layout::Layout) admits only what is handled here. Source: TIFF 6.0, section 14
//! (differences); Adobe Photoshop TIFF Technical Note 3 (floating point).

/// How the rows of a page were changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Predictor {
    /// Not at all.
    None,
    /// Each sample is the difference from the same sample of the pixel before.
    Differences,
    /// Bytes of the same weight stand together, most significant first, as differences.
    FloatingPoint,
}

/// Turns one row of `samples` a pixel, each of `sample_bytes`, into what it was, little-endian.
pub(super) fn undo(row: &mut [u8], predictor: Predictor, samples: usize, sample_bytes: usize, is_little_endian: bool) {
    match predictor {
        Predictor::FloatingPoint => return floating_point(row, samples, sample_bytes),
        Predictor::None | Predictor::Differences if !is_little_endian => {
            row.chunks_exact_mut(sample_bytes).for_each(<[u8]>::reverse);
        }
        Predictor::None | Predictor::Differences => {}
    }
    if predictor == Predictor::Differences {
        match sample_bytes {
            1 => add_up::<1>(row, samples),
            2 => add_up::<2>(row, samples),
            4 => add_up::<4>(row, samples),
            _ => add_up::<8>(row, samples),
        }
    }
}

/// Adds to each little-endian number of `N` bytes the one of the pixel before, without carry out of it.
fn add_up<const N: usize>(row: &mut [u8], samples: usize) {
    let (numbers, _) = row.as_chunks_mut::<N>();
    for at in samples..numbers.len() {
        let before = numbers[at - samples];
        let mut carry = 0;
        for (digit, add) in numbers[at].iter_mut().zip(before) {
            let sum = u16::from(*digit) + u16::from(add) + carry;
            *digit = sum as u8;
            carry = sum >> 8;
        }
    }
}

fn floating_point(row: &mut [u8], samples: usize, sample_bytes: usize) {
    for at in samples..row.len() {
        row[at] = row[at].wrapping_add(row[at - samples]);
    }
    let planes = row.to_vec();
    let values = row.len() / sample_bytes;
    for (at, value) in row.chunks_exact_mut(sample_bytes).enumerate() {
        for (weight, byte) in value.iter_mut().rev().enumerate() {
            *byte = planes[weight * values + at];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_add_up_in_each_channel_with_carry() {
        let mut row = [0x00, 0xff, 0x01, 0x00, 0x00, 0x02, 0xff, 0xff];
        undo(&mut row, Predictor::Differences, 2, 2, false);
        assert_eq!(row, [0xff, 0x00, 0x00, 0x01, 0x01, 0x01, 0xff, 0x00]);
    }

    #[test]
    fn bytes_of_floats_come_together() {
        // 1.0 and 2.0: 3f800000, 40000000; planes 3f 40, 80 00, 00 00, 00 00; differences of neighbours.
        let planes = [0x3f_u8, 0x40, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00];
        let mut row: Vec<u8> = planes.to_vec();
        for at in (1..row.len()).rev() {
            row[at] = row[at].wrapping_sub(row[at - 1]);
        }
        undo(&mut row, Predictor::FloatingPoint, 1, 4, false);
        assert_eq!(row, [1.0_f32.to_le_bytes(), 2.0_f32.to_le_bytes()].concat());
    }
}
