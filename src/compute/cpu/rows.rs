//! Feature rows against words and against remembered rows.
//!
//! In: features `[rows, dim]`, row-major. Out: what the scores of the method compare. Cannot fail: what does not fill a
//! row is left out.

use burn::tensor::Tensor;
use mvfa_kernels::product;

use super::tensor::{Values, tensor};

/// Sums that run side by side.
const LANES: usize = 8;

/// `[rows, dim]`, each row divided by its length, or by `tiny` if it is shorter.
pub(crate) fn unit_rows(x: &Values, dims: [usize; 2], tiny: f32) -> Tensor<2> {
    let mut unit = x.as_slice().to_vec();
    for row in unit.chunks_exact_mut(dims[1].max(1)) {
        let length = dot(row, row).sqrt().max(tiny);
        row.iter_mut().for_each(|v| *v /= length);
    }
    tensor(unit, dims)
}

/// Rows `[rows, dim]` and words `[dim, 2]` → `scale · x · words`, `[rows, 2]`
pub(crate) fn logits(x: &Values, words: &Values, [rows, dim]: [usize; 2], scale: f64) -> Tensor<2> {
    let columns = (0..2).flat_map(|word| words.as_slice().iter().skip(word).step_by(2).copied());
    let mut logits = product(x.as_slice(), &columns.collect::<Vec<_>>(), dim);
    logits.iter_mut().for_each(|v| *v *= scale as f32);
    logits.resize(2 * rows, 0.0);
    tensor(logits, [rows, 2])
}

/// Rows `[rows, dim]` and remembered rows `[any, dim]` → per row `1 - largest product`, `[rows]`
pub(crate) fn nearest(x: &Values, memory: &Values, [rows, dim]: [usize; 2]) -> Tensor<1> {
    let remembered = memory.as_slice().len() / dim.max(1);
    let products = product(x.as_slice(), memory.as_slice(), dim);
    let largest = products.chunks_exact(remembered.max(1)).map(|row| row.iter().copied().fold(f32::MIN, f32::max));
    let mut distances: Vec<f32> = largest.map(|largest| 1.0 - largest).collect();
    // Nothing remembered: infinitely far.
    distances.resize(rows, f32::INFINITY);
    tensor(distances, [rows])
}

/// Sum of products, for rows of one length.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (a_whole, b_whole) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a_whole.remainder().iter().zip(b_whole.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_whole.zip(b_whole) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::super::tensor::values;
    use super::*;

    fn of<const D: usize>(values_of: Vec<f32>, shape: [usize; D]) -> Values {
        values(&tensor(values_of, shape)).unwrap()
    }

    fn assert_near<const D: usize>(found: &Tensor<D>, expected: &[f32], limit: f32) {
        let found = values(found).unwrap();
        assert_eq!(found.as_slice().len(), expected.len());
        for (a, b) in found.as_slice().iter().zip(expected) {
            assert!((a - b).abs() < limit, "{a} is not {b}");
        }
    }

    #[test]
    fn rows_get_length_one_and_zeros_stay() {
        let unit = unit_rows(&of(vec![3.0, 4.0, 0.0, 0.0], [2, 2]), [2, 2], 1e-12);
        assert_near(&unit, &[0.6, 0.8, 0.0, 0.0], 1e-7);
    }

    #[test]
    fn the_nearest_remembered_row_and_both_words_count() {
        let x = of(vec![1.0, 0.0, 0.0, 1.0, 0.6, 0.8], [3, 2]);
        let memory = of(vec![1.0, 0.0, -1.0, 0.0, 0.8, 0.6], [3, 2]);
        assert_near(&nearest(&x, &memory, [3, 2]), &[0.0, 0.4, 0.04], 1e-6);
        let words = of(vec![1.0, 3.0, 2.0, 4.0], [2, 2]);
        assert_near(&logits(&x, &words, [3, 2], 10.0), &[10.0, 30.0, 20.0, 40.0, 22.0, 50.0], 1e-4);
    }

    #[test]
    fn sums_side_by_side_leave_nothing_out() {
        let values: Vec<f32> = (0..21).map(|n| n as f32).collect();
        assert_eq!(dot(&values, &values), 2870.0);
    }
}
