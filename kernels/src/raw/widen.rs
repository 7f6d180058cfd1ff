//! Panels of narrow weights become panels of f32.
//!
//! Comes in: whole panels as `pack_columns` (halves) and `pack_bytes` (bytes) lay them out. Goes out:
//! the same panels as `multiply` reads them. Nothing is rounded.

use super::lane::{four_by_four, four_halves};
use super::matmul::PANEL;
use super::matmul_bytes::GROUP;

/// 2^112: the difference between the exponents of f32 and f16.
pub(super) const EXPONENT: f32 = f32::from_bits((127 + 112) << 23);
/// Where sign, exponent and digits of an f16 lie after a shift by 13; the sign was copied into what lies between.
pub(super) const MEANING: i32 = 0x8fff_e000_u32 as i32;

/// `count` numbers of 16 bits, none of them infinite or NaN.
///
/// # Safety
/// `from` and `to` hold `count` values, a multiple of [`PANEL`].
pub(crate) unsafe fn widen_halves(from: *const u16, count: usize, to: *mut f32) {
    let mut at = 0;
    while at < count {
        // SAFETY: inside both by the caller's promise.
        unsafe { four_halves(from.add(at), to.add(at)) };
        at += 4;
    }
}

/// Panels of `columns` columns; `steps` says what one step of each column is worth.
///
/// # Safety
/// `from` and `to` hold `columns · depth` values, `steps` `columns`, a multiple of [`PANEL`]; `depth` is a multiple of
/// [`GROUP`].
pub(crate) unsafe fn widen_bytes(from: *const i8, (columns, depth): (usize, usize), steps: *const f32, to: *mut f32) {
    let (mut from, mut to, mut column) = (from, to, 0);
    while column < columns {
        let mut k = 0;
        while k < depth {
            for half in 0..2 {
                // SAFETY: inside all three by the caller's promise.
                unsafe { four_by_four(from.add(16 * half), steps.add(column + 4 * half), to.add(4 * half)) };
            }
            // SAFETY: at most one past the end.
            unsafe {
                from = from.add(GROUP * PANEL);
                to = to.add(GROUP * PANEL);
            }
            k += GROUP;
        }
        column += PANEL;
    }
}

#[cfg(test)]
mod tests {
    use super::super::matmul::pack_columns;
    use super::super::matmul_bytes::pack_bytes;
    use super::*;

    #[test]
    fn halves_keep_sign_size_and_the_least_of_numbers() {
        let bits = [0x3c00, 0xbc00, 0x0001, 0x8001, 0x03ff, 0x7bff, 0xfbff, 0x0000];
        let mut wide = [f32::NAN; 8];
        // SAFETY: eight values each.
        unsafe { widen_halves(bits.as_ptr(), 8, wide.as_mut_ptr()) };
        let least = 2.0_f32.powi(-24);
        assert_eq!(wide, [1.0, -1.0, least, -least, 1023.0 * least, 65504.0, -65504.0, 0.0]);
    }

    #[test]
    fn bytes_end_where_f32_weights_would_lie() {
        let (columns, depth) = (24, 12);
        let bytes: Vec<i8> = (0..columns * depth).map(|i| ((i * 53) % 255) as u8 as i8).collect();
        let steps: Vec<f32> = (0..columns).map(|i| 0.5 + i as f32).collect();
        let values: Vec<f32> = bytes.iter().enumerate().map(|(i, b)| f32::from(*b) * steps[i / depth]).collect();
        let (mut packed, mut wide) = (vec![0; bytes.len()], vec![f32::NAN; bytes.len()]);
        let mut expected = vec![0.0; bytes.len()];
        // SAFETY: all hold `columns · depth` values.
        unsafe {
            pack_bytes(bytes.as_ptr(), (columns, depth), packed.as_mut_ptr());
            widen_bytes(packed.as_ptr(), (columns, depth), steps.as_ptr(), wide.as_mut_ptr());
            pack_columns(values.as_ptr(), (depth, 1), (columns, depth), expected.as_mut_ptr());
        }
        assert_eq!(wide, expected);
    }
}
