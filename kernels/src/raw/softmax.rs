//! Softmax of rows, in place.

use super::elementwise::exp;
use super::lane::F32x4;

/// Rows of `count` values, `step` apart, become `softmax(scale · row)`; what the places
/// from `count` up to `step` hold afterwards means nothing.
///
/// # Safety
/// `values` holds `rows · step` values, `step` is a multiple of four and `0 < count <= step`.
pub(crate) unsafe fn softmax(values: *mut f32, rows: usize, (count, step): (usize, usize), scale: f32) {
    let whole = count - count % F32x4::LANES;
    let factor = F32x4::splat(scale);
    for row in 0..rows {
        // SAFETY: inside the rows by the caller's promise.
        unsafe {
            let row = values.add(row * step);
            // What lies beyond the row must win no maximum and add nothing.
            let mut at = count;
            while at < step {
                *row.add(at) = f32::MIN;
                at += 1;
            }
            let mut top = F32x4::splat(f32::MIN);
            at = 0;
            while at < step {
                top = top.max(F32x4::load(row.add(at)));
                at += F32x4::LANES;
            }
            let shift = F32x4::splat(-top.largest() * scale);
            let mut sum = F32x4::splat(0.0);
            at = 0;
            while at < whole {
                let e = exp(F32x4::load(row.add(at)).mul_add(factor, shift));
                e.store(row.add(at));
                sum = sum.add(e);
                at += F32x4::LANES;
            }
            let mut total = sum.sum();
            if whole < count {
                exp(F32x4::load(row.add(whole)).mul_add(factor, shift)).store(row.add(whole));
                at = whole;
                while at < count {
                    total += *row.add(at);
                    at += 1;
                }
            }
            let share = F32x4::splat(1.0 / total);
            at = 0;
            while at < count {
                F32x4::load(row.add(at)).mul(share).store(row.add(at));
                at += F32x4::LANES;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_any_length_sum_to_one_whatever_lies_beyond() {
        for count in [1, 2, 3, 4, 5, 26, 290] {
            let step = usize::next_multiple_of(count, 8);
            let mut values: Vec<f32> = (0..2 * step).map(|i| ((i * 37) % 101) as f32 * 0.7 - 30.0).collect();
            for row in values.chunks_exact_mut(step) {
                row[count..].fill(f32::INFINITY);
            }
            let before = values.clone();
            // SAFETY: two rows of `step` values.
            unsafe { softmax(values.as_mut_ptr(), 2, (count, step), 0.25) };
            for (found, row) in values.chunks_exact(step).zip(before.chunks_exact(step)) {
                let top = row[..count].iter().copied().fold(f32::MIN, f32::max);
                let e: Vec<f64> = row[..count].iter().map(|v| (f64::from(v - top) * 0.25).exp()).collect();
                let sum: f64 = e.iter().sum();
                for (found, e) in found.iter().zip(&e) {
                    assert!((f64::from(*found) - e / sum).abs() <= 1e-6 * (e / sum), "{count}: {found}");
                }
            }
        }
    }
}
