//! Matrix product of bytes: quantised rows by weights of one byte.
//!
//! Comes in: rows as [`quantise_rows`] makes them, weights as [`pack_bytes`] lays them out. Goes out:
//! the f32 product, changed on its way by an [`Epilogue`]. A value of a row is a number of fourteen
//! bits, in two digits of seven that are multiplied each for itself: seven bits alone are faster and
//! too coarse (docs/decisions.md). The sums are whole numbers, the same on every machine.

use super::lane::{Bytes, F32x4, Sums};
use super::matmul::{Epilogue, PANEL, finish};

/// Neighbours on the shared axis that one instruction multiplies and adds up.
pub(crate) const GROUP: usize = 4;
/// Digits of a value, the high one first.
pub const DIGITS: usize = 2;
/// Bits of a digit.
pub(crate) const DIGIT_BITS: u32 = 7;
/// What one of the high digit is worth.
const HIGH: f32 = (1 << DIGIT_BITS) as f32;
/// The largest value.
const LARGEST: f32 = HIGH * HIGH - 1.0;
/// Rows of a full tile: with two digits as many sums as for f32, and for the same reason.
const TILE_ROWS: usize = 2;
/// Bytes of rows that are walked together (half a megabyte).
const ROW_BYTES: usize = 512 * 1024;

/// Lays out weights `[columns, depth]`: panels of [`PANEL`] columns, in each the groups of `GROUP`
/// neighbours one after the other, in each group the columns.
///
/// # Safety
/// `source` and `target` are good for `columns · depth` bytes; `columns` is a multiple of [`PANEL`],
/// `depth` of `GROUP`.
pub unsafe fn pack_bytes(source: *const i8, (columns, depth): (usize, usize), target: *mut i8) {
    let mut to = target;
    for first in (0..columns).step_by(PANEL) {
        for k in (0..depth).step_by(GROUP) {
            for column in first..first + PANEL {
                for neighbour in k..k + GROUP {
                    // SAFETY: inside both by the caller's promise; `to` moves over each place once.
                    unsafe {
                        *to = *source.add(column * depth + neighbour);
                        to = to.add(1);
                    }
                }
            }
        }
    }
}

/// Each row of `depth` values becomes numbers between its least and its largest value: a row of high
/// digits, then one of low digits. `ranges` gets the size of one step and the least value of each row.
///
/// # Safety
/// `from` holds `rows · depth` values, `to` [`DIGITS`] times as many, `ranges` `2 · rows`; `depth` is a multiple of
/// [`PANEL`].
pub(crate) unsafe fn quantise_rows(from: *const f32, (rows, depth): (usize, usize), to: *mut u8, ranges: *mut f32) {
    for row in 0..rows {
        // SAFETY: inside the rows by the caller's promise.
        unsafe {
            let (from, to) = (from.add(row * depth), to.add(row * DIGITS * depth));
            let mut least = F32x4::load(from);
            let mut largest = least;
            let mut at = F32x4::LANES;
            while at < depth {
                let values = F32x4::load(from.add(at));
                least = least.min(values);
                largest = largest.max(values);
                at += F32x4::LANES;
            }
            let (least, largest) = (least.smallest(), largest.largest());
            let span = largest - least;
            // Rows without a span, or with one too small to divide by, are their least value.
            let factor = if span > f32::MIN_POSITIVE { LARGEST / span } else { 0.0 };
            *ranges.add(2 * row) = span / LARGEST;
            *ranges.add(2 * row + 1) = least;
            let (least, factor) = (F32x4::splat(least), F32x4::splat(factor));
            at = 0;
            while at < depth {
                let steps = |at: usize| F32x4::load(from.add(at)).sub(least).mul_add(factor, F32x4::splat(0.5));
                F32x4::store_digits([steps(at), steps(at + F32x4::LANES)], [to.add(at), to.add(depth + at)]);
                at += PANEL;
            }
        }
    }
}

/// Where the operands lie.
#[derive(Clone, Copy)]
pub(crate) struct ByteOperands {
    /// `[rows, DIGITS, depth]`
    pub(crate) a: *const u8,
    /// `[rows, 2]`: step and least value.
    pub(crate) ranges: *const f32,
    /// Packed.
    pub(crate) b: *const i8,
    /// `[columns]`: what one step of a column's weights is worth.
    pub(crate) steps: *const f32,
    /// `[columns]`: the sum of a column's weights.
    pub(crate) totals: *const f32,
    /// `[rows, columns]`
    pub(crate) c: *mut f32,
    pub(crate) rows: usize,
    pub(crate) depth: usize,
    pub(crate) columns: usize,
}

/// `c = a · b` with what `epilogue` adds.
///
/// # Safety
/// The operands lie as [`ByteOperands`] says, `columns` is a multiple of [`PANEL`], `depth` of
/// `GROUP`, and the epilogue's vectors hold `columns` values.
pub(crate) unsafe fn multiply_bytes(on: &ByteOperands, epilogue: Epilogue) {
    let fitting = ROW_BYTES.checked_div(on.depth * DIGITS * TILE_ROWS).unwrap_or(1);
    let group = if fitting == 0 { TILE_ROWS } else { fitting * TILE_ROWS };
    let mut first = 0;
    while first < on.rows {
        let end = if first + group < on.rows { first + group } else { on.rows };
        let mut column = 0;
        while column < on.columns {
            // SAFETY: rows first..end and this panel are inside the operands.
            unsafe {
                let mut row = first;
                while row + TILE_ROWS <= end {
                    tile::<TILE_ROWS>(on, row, column, epilogue);
                    row += TILE_ROWS;
                }
                if row < end {
                    tile::<1>(on, row, column, epilogue);
                }
            }
            column += PANEL;
        }
        first = end;
    }
}

/// `R` rows by [`PANEL`] columns.
///
/// # Safety
/// As [`multiply_bytes`], for rows `row..row + R`.
#[inline(always)]
unsafe fn tile<const R: usize>(on: &ByteOperands, row: usize, column: usize, epilogue: Epilogue) {
    let mut left = [[Sums::zero(); DIGITS]; R];
    let mut right = [[Sums::zero(); DIGITS]; R];
    // SAFETY: `row..row + R` are rows of `a` and `c`; the panel holds `depth` times `PANEL` bytes.
    unsafe {
        let base = on.a.add(row * DIGITS * on.depth);
        let mut a = [[base; DIGITS]; R];
        for (n, digits) in a.as_flattened_mut().iter_mut().enumerate() {
            *digits = base.add(n * on.depth);
        }
        let mut b = on.b.add(column * on.depth);
        let end = b.add(on.depth * PANEL);
        while b < end {
            let b0 = Bytes::load(b);
            let b1 = Bytes::load(b.add(16));
            for r in 0..R {
                for d in 0..DIGITS {
                    let values = Bytes::load_splat(a[r][d]);
                    left[r][d] = left[r][d].add_products(b0, values);
                    right[r][d] = right[r][d].add_products(b1, values);
                    a[r][d] = a[r][d].add(GROUP);
                }
            }
            b = b.add(GROUP * PANEL);
        }
        for r in 0..R {
            let to = on.c.add((row + r) * on.columns + column);
            let step = F32x4::splat(*on.ranges.add(2 * (row + r)));
            let least = F32x4::splat(*on.ranges.add(2 * (row + r) + 1));
            for (half, [high, low]) in [left[r], right[r]].into_iter().enumerate() {
                let column = column + half * F32x4::LANES;
                let sums = high.to_f32().mul_add(F32x4::splat(HIGH), low.to_f32());
                // value = least + step · number, weight = steps · byte: the sum of their products.
                let product = sums.mul(F32x4::load(on.steps.add(column))).mul(step);
                let product = F32x4::load(on.totals.add(column)).mul_add(least, product);
                finish(product, to.add(half * F32x4::LANES), column, epilogue);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rest_of_rows_equals_the_product_of_the_rounded_values() {
        for (rows, depth, columns) in [(1, 8, 8), (2, 16, 24), (3, 8, 16), (4, 24, 8), (7, 64, 16), (290, 32, 8)] {
            let values: Vec<f32> = (0..rows * depth).map(|i| ((i * 37) % 101) as f32 * 0.03 - 1.0).collect();
            let weights: Vec<i8> =
                (0..columns * depth).map(|i| ((i * 53) % 255) as u8 as i8).map(|w| w.max(-127)).collect();
            let steps: Vec<f32> = (0..columns).map(|i| 0.01 + i as f32 * 0.002).collect();
            let totals: Vec<f32> = weights
                .chunks_exact(depth)
                .zip(&steps)
                .map(|(w, s)| w.iter().map(|w| f32::from(*w)).sum::<f32>() * s)
                .collect();
            let mut packed = vec![0; columns * depth];
            let (mut bytes, mut ranges) = (vec![0; rows * DIGITS * depth], vec![0.0; 2 * rows]);
            let mut c = vec![f32::NAN; rows * columns];
            // SAFETY: all sizes are as the functions ask.
            unsafe {
                pack_bytes(weights.as_ptr(), (columns, depth), packed.as_mut_ptr());
                quantise_rows(values.as_ptr(), (rows, depth), bytes.as_mut_ptr(), ranges.as_mut_ptr());
                let on = ByteOperands {
                    a: bytes.as_ptr(),
                    ranges: ranges.as_ptr(),
                    b: packed.as_ptr(),
                    steps: steps.as_ptr(),
                    totals: totals.as_ptr(),
                    c: c.as_mut_ptr(),
                    rows,
                    depth,
                    columns,
                };
                multiply_bytes(&on, Epilogue::Store);
            }
            for row in 0..rows {
                let (step, least) = (f64::from(ranges[2 * row]), f64::from(ranges[2 * row + 1]));
                let digits = &bytes[row * DIGITS * depth..(row + 1) * DIGITS * depth];
                let (high, low) = digits.split_at(depth);
                let number = |(high, low): (&u8, &u8)| f64::from(128 * i32::from(*high) + i32::from(*low));
                let rounded: Vec<f64> = high.iter().zip(low).map(|pair| least + step * number(pair)).collect();
                for (value, rounded) in values[row * depth..].iter().zip(&rounded) {
                    assert!((f64::from(*value) - rounded).abs() <= step * 0.501, "{value} became {rounded}");
                }
                for column in 0..columns {
                    let weights = &weights[column * depth..(column + 1) * depth];
                    let sum: f64 = rounded.iter().zip(weights).map(|(v, w)| v * f64::from(*w)).sum();
                    let expected = sum * f64::from(steps[column]);
                    let found = f64::from(c[row * columns + column]);
                    assert!((found - expected).abs() <= 1e-4, "{rows}x{depth}x{columns} at {row},{column}");
                }
            }
        }
    }

    #[test]
    fn rows_keep_their_ends_and_flat_rows_their_value() {
        let values = [-3.0, 1.0, 2.0, 0.0, 5.0, 4.0, -1.0, 3.0, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25];
        let (mut bytes, mut ranges) = ([9; 32], [f32::NAN; 4]);
        // SAFETY: two rows of eight values.
        unsafe { quantise_rows(values.as_ptr(), (2, 8), bytes.as_mut_ptr(), ranges.as_mut_ptr()) };
        assert_eq!((bytes[0], bytes[8], bytes[4], bytes[12]), (0, 0, 127, 127));
        assert_eq!(ranges, [8.0 / 16383.0, -3.0, 0.0, 0.25]);
        assert_eq!(bytes[16..], [0; 16]);
    }
}
