//! The product of two matrices whose right side is used once.
//!
//! Comes in: `a` `[rows, inner]` and `b` as weights are stored, `[cols, inner]`. Goes out: `a · bᵀ`,
//! `[rows, cols]`. Fails with [`ShapeError`] where one has another length than the sizes say.

use crate::raw::{Epilogue, Operands, PANEL, multiply, pack_columns};
use crate::shape::{ShapeError, check};

/// `a` `[rows, inner]` times `b` `[cols, inner]` → `[rows, cols]`
///
/// # Errors
/// [`ShapeError`].
pub fn product(a: &[f32], b: &[f32], [rows, inner, cols]: [usize; 3]) -> Result<Vec<f32>, ShapeError> {
    check("left side", rows * inner, a.len())?;
    check("right side", cols * inner, b.len())?;
    let padded = cols.next_multiple_of(PANEL);
    let mut packed = vec![0.0; padded * inner];
    let mut c = vec![0.0; rows * padded];
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
    // SAFETY: both sides were checked; `packed` and `c` have their columns rounded up to the panel.
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
    Ok(c)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn any_sizes_give_the_plain_sums_and_wrong_ones_are_refused() {
        let numbers = |count: usize, step: usize| -> Vec<f32> { (0..count).map(|i| (i * step % 13) as f32).collect() };
        for [rows, inner, cols] in [[3, 5, 2], [1, 4, 8], [6, 7, 17], [2, 0, 3], [0, 3, 2]] {
            let (a, b) = (numbers(rows * inner, 5), numbers(cols * inner, 7));
            let sum = |i: usize| (0..inner).map(|k| a[i / cols * inner + k] * b[i % cols * inner + k]).sum::<f32>();
            let expected: Vec<f32> = (0..rows * cols).map(sum).collect();
            assert_eq!(product(&a, &b, [rows, inner, cols]).unwrap(), expected, "{rows}x{inner}x{cols}");
        }
        assert_eq!(product(&[1.0; 5], &[1.0; 6], [2, 3, 2]).unwrap_err().what, "left side");
        assert_eq!(product(&[1.0; 6], &[1.0; 5], [2, 3, 2]).unwrap_err().what, "right side");
    }
}
