//! Feature rows against words and against remembered rows.
//!
//! In: features `[rows, dim]` on the processor. Out: what the scores of the method compare. Each function gives None for
//! tensors that are elsewhere or carry gradients.

use burn::tensor::Tensor;
use mvfa_kernels::product;

use super::tensor::{tensor, values};

/// Sums that run side by side.
const LANES: usize = 8;

/// `[rows, dim]`, each row divided by its length, or by `tiny` where it is shorter.
pub(crate) fn unit_rows(x: &Tensor<2>, tiny: f32) -> Option<Tensor<2>> {
    let [rows, dim] = x.dims();
    let mut unit = values(x)?.as_slice().to_vec();
    for row in unit.chunks_exact_mut(dim.max(1)) {
        let length = dot(row, row).sqrt().max(tiny);
        row.iter_mut().for_each(|v| *v /= length);
    }
    Some(tensor(unit, [rows, dim]))
}

/// Rows `[rows, dim]` and words `[dim, 2]` → `scale · x · words`, `[rows, 2]`
pub(crate) fn logits(x: &Tensor<2>, words: &Tensor<2>, scale: f64) -> Option<Tensor<2>> {
    let ([rows, dim], words) = (x.dims(), values(&words.clone().transpose())?);
    let mut logits = product(values(x)?.as_slice(), words.as_slice(), [rows, dim, 2]).ok()?;
    logits.iter_mut().for_each(|v| *v *= scale as f32);
    Some(tensor(logits, [rows, 2]))
}

/// Rows `[rows, dim]` and remembered rows `[any, dim]` → per row `1 - largest product`, `[rows]`
pub(crate) fn nearest(x: &Tensor<2>, memory: &Tensor<2>) -> Option<Tensor<1>> {
    let ([rows, dim], [remembered, _]) = (x.dims(), memory.dims());
    let products = product(values(x)?.as_slice(), values(memory)?.as_slice(), [rows, dim, remembered]).ok()?;
    let largest = products.chunks_exact(remembered.max(1)).map(|row| row.iter().copied().fold(f32::MIN, f32::max));
    Some(tensor(largest.map(|largest| 1.0 - largest).collect(), [rows]))
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
    use super::*;

    #[test]
    fn rows_get_length_one_and_zeros_stay() {
        let unit = unit_rows(&tensor(vec![3.0, 4.0, 0.0, 0.0], [2, 2]), 1e-12).unwrap();
        let unit = values(&unit).unwrap();
        assert!(unit.as_slice().iter().zip([0.6, 0.8, 0.0, 0.0]).all(|(a, b)| (a - b).abs() < 1e-7));
    }

    #[test]
    fn the_nearest_remembered_row_and_both_words_count() {
        let x = tensor(vec![1.0, 0.0, 0.0, 1.0, 0.6, 0.8], [3, 2]);
        let memory = tensor(vec![1.0, 0.0, -1.0, 0.0, 0.8, 0.6], [3, 2]);
        let near = nearest(&x, &memory).unwrap();
        assert!(values(&near).unwrap().as_slice().iter().zip([0.0, 0.4, 0.04]).all(|(a, b)| (a - b).abs() < 1e-6));
        let words = tensor(vec![1.0, 3.0, 2.0, 4.0], [2, 2]);
        let logits = logits(&x, &words, 10.0).unwrap();
        assert!(
            values(&logits)
                .unwrap()
                .as_slice()
                .iter()
                .zip([10.0, 30.0, 20.0, 40.0, 22.0, 50.0])
                .all(|(a, b)| (a - b).abs() < 1e-4)
        );
    }

    #[test]
    fn sums_side_by_side_leave_nothing_out() {
        let values: Vec<f32> = (0..21).map(|n| n as f32).collect();
        assert_eq!(dot(&values, &values), 2870.0);
    }
}
