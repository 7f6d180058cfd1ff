//! Matrix products of tensors on the processor, one after the other.
//!
//! In: `[.., rows, inner]` and, transposed, `[.., cols, inner]`. Out: `[.., rows, cols]`. Cannot fail.

use burn::tensor::Tensor;

use super::tensor::{Values, tensor};

/// a and b in batches of `sizes` `[rows, inner, cols]` → `shape`.
pub(crate) fn product<const D: usize>(
    a: &Values,
    b: &Values,
    [rows, inner, cols]: [usize; 3],
    shape: [usize; D],
) -> Tensor<D> {
    let (a, b) = (a.as_slice(), b.as_slice());
    let count = shape.iter().product();
    let mut values = Vec::with_capacity(count);
    for (a, b) in a.chunks_exact((rows * inner).max(1)).zip(b.chunks_exact((cols * inner).max(1))) {
        values.extend(mvfa_kernels::product(a, b, inner));
    }
    // Sums over nothing are zero.
    values.resize(count, 0.0);
    tensor(values, shape)
}
