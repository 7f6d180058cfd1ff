//! The product of two matrices whose right side is used once.
//!
//! Comes in: `a` `[rows, inner]` and `b` as weights are stored, `[cols, inner]`. Goes out: `a · bᵀ`,
//! `[rows, cols]`. Cannot fail: the sizes follow from the slices.

use crate::raw::{Epilogue, Operands, PANEL, multiply, pack_columns};

/// `a` `[rows, inner]` times `b` `[cols, inner]` → `[rows, cols]`. What fills no whole row is left out; where `inner` is
/// 0 there are no rows.
///
/// # Panics
/// As any vector does if the result is larger than the memory that can be addressed.
pub fn product(a: &[f32], b: &[f32], inner: usize) -> Vec<f32> {
    let rows_of = |values: &[f32]| values.len().checked_div(inner).unwrap_or(0);
    let (rows, cols) = (rows_of(a), rows_of(b));
    let padded = cols.next_multiple_of(PANEL);
    // Saturating: sizes that wrap would give less memory than is written to, so they must not be had at all.
    let mut packed = vec![0.0; padded.saturating_mul(inner)];
    let mut c = vec![0.0; rows.saturating_mul(padded)];
    let on = Operands {
        a: a.as_ptr(),
        a_step: inner,
        b: packed.as_ptr(),
        c: c.as_mut_ptr(),
        c_step: padded,
        rows,
        depth: inner,
        columns: cols,
    };
    // SAFETY: both sides hold as many rows as were counted; `packed` and `c` have their columns rounded up to the panel.
    unsafe {
        pack_columns(b.as_ptr(), (inner, 1), (cols, inner), packed.as_mut_ptr());
        multiply(&on, Epilogue::Store);
    }
    if padded > cols {
        for row in 1..rows {
            c.copy_within(row * padded..row * padded + cols, row * cols);
        }
        c.truncate(rows * cols);
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_sizes_give_the_plain_sums_and_no_row_is_made_of_a_remainder() {
        let numbers = |count: usize, step: usize| -> Vec<f32> { (0..count).map(|i| (i * step % 13) as f32).collect() };
        for [rows, inner, cols] in [[3, 5, 2], [1, 4, 8], [6, 7, 17], [0, 3, 2], [2, 3, 0]] {
            let (a, b) = (numbers(rows * inner, 5), numbers(cols * inner, 7));
            let sum = |i: usize| (0..inner).map(|k| a[i / cols * inner + k] * b[i % cols * inner + k]).sum::<f32>();
            let expected: Vec<f32> = (0..rows * cols).map(sum).collect();
            assert_eq!(product(&a, &b, inner), expected, "{rows}x{inner}x{cols}");
        }
        assert_eq!(product(&[1.0; 5], &[1.0; 7], 3), [3.0, 3.0]);
        assert_eq!(product(&[1.0; 5], &[1.0; 7], usize::MAX), []);
        assert_eq!(product(&[1.0; 5], &[1.0; 7], 0), []);
    }
}
