//! Feature rows against words and against remembered rows, on whichever device they are.
//!
//! In: features `[rows, dim]`. Out: what the scores of the method compare. Nothing here fails: what the kernels of a
//! device do not fit is computed by burn's operations.

use burn::tensor::Tensor;

use crate::compute::place::Place;
use crate::compute::{burn as plain, cpu, gpu};

/// Far below any real feature's length, so it changes nothing but 0 / 0.
const TINY: f32 = 1e-12;

/// `[rows, dim]`, each row divided by its length. Rows of zeros stay zeros.
pub(crate) fn unit_rows(x: Tensor<2>) -> Tensor<2> {
    let dims = x.dims();
    match Place::of(&x) {
        Place::Cpu(values) => cpu::unit_rows(&values, dims, TINY),
        Place::Gpu(values) if gpu::has_rows(dims) => gpu::unit_rows(&values, dims, TINY),
        _ => plain::unit_rows(x, TINY),
    }
}

/// Rows `[rows, dim]` and words `[dim, 2]` → `scale · x · words`, `[rows, 2]`
pub(crate) fn logits(x: Tensor<2>, words: Tensor<2>, scale: f64) -> Tensor<2> {
    let dims = x.dims();
    match (Place::of(&x), Place::of(&words)) {
        (Place::Cpu(values), Place::Cpu(words)) => cpu::logits(&values, &words, dims, scale),
        (Place::Gpu(values), Place::Gpu(words)) if gpu::has_rows(dims) => gpu::logits(&values, &words, dims, scale),
        _ => plain::logits(x, words, scale),
    }
}

/// Rows `[rows, dim]` and remembered rows `[any, dim]` → per row `1 - largest product`, `[rows]`
pub(crate) fn nearest(x: Tensor<2>, memory: Tensor<2>) -> Tensor<1> {
    let dims = x.dims();
    match (Place::of(&x), Place::of(&memory)) {
        (Place::Cpu(values), Place::Cpu(memory)) => cpu::nearest(&values, &memory, dims),
        (Place::Gpu(values), Place::Gpu(memory)) if gpu::has_rows(dims) => gpu::nearest(&values, &memory, dims),
        _ => plain::nearest(x, memory),
    }
}
