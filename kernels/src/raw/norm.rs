//! Layer norm of rows.

use super::lane::{F32x4, square_root};

/// `to = (from - mean) / sqrt(variance + eps) · gamma + beta`, row by row of `width` values.
///
/// # Safety
/// `from` and `to` hold `rows · width` values, `gamma` and `beta` `width`, which is a multiple of four.
pub(crate) unsafe fn layer_norm(
    (from, to): (*const f32, *mut f32),
    (rows, width): (usize, usize),
    (gamma, beta): (*const f32, *const f32),
    eps: f32,
) {
    let share = 1.0 / width as f32;
    for row in 0..rows {
        // SAFETY: inside the rows by the caller's promise.
        unsafe {
            let from = from.add(row * width);
            let to = to.add(row * width);
            let mut sum = F32x4::splat(0.0);
            let mut at = 0;
            while at < width {
                sum = sum.add(F32x4::load(from.add(at)));
                at += F32x4::LANES;
            }
            let mean = F32x4::splat(sum.sum() * share);
            let mut squares = F32x4::splat(0.0);
            at = 0;
            while at < width {
                let off = F32x4::load(from.add(at)).sub(mean);
                squares = off.mul_add(off, squares);
                at += F32x4::LANES;
            }
            let factor = F32x4::splat(1.0 / square_root(squares.sum() * share + eps));
            at = 0;
            while at < width {
                let unit = F32x4::load(from.add(at)).sub(mean).mul(factor);
                unit.mul_add(F32x4::load(gamma.add(at)), F32x4::load(beta.add(at))).store(to.add(at));
                at += F32x4::LANES;
            }
        }
    }
}
