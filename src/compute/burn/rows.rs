//! Feature rows against words and against remembered rows.
//!
//! In: features `[rows, dim]` on any device. Out: what the scores of the method compare. Gradients flow through.

use burn::tensor::Tensor;

use super::product::product;

/// `[rows, dim]`, each row divided by its length, or by `tiny` if it is shorter.
pub(crate) fn unit_rows(x: Tensor<2>, tiny: f32) -> Tensor<2> {
    let length = x.clone().powi_scalar(2).sum_dim(1).sqrt().clamp_min(tiny);
    x / length
}

/// Rows `[rows, dim]` and words `[dim, 2]` → `scale · x · words`, `[rows, 2]`
pub(crate) fn logits(x: Tensor<2>, words: Tensor<2>, scale: f64) -> Tensor<2> {
    product(x, words) * scale
}

/// Rows `[rows, dim]` and remembered rows `[any, dim]` → per row `1 - largest product`, `[rows]`
pub(crate) fn nearest(x: Tensor<2>, memory: Tensor<2>) -> Tensor<1> {
    let [rows, _] = x.dims();
    let nearest = product(x, memory.transpose()).max_dim(1).reshape([rows]);
    nearest * -1.0 + 1.0
}
