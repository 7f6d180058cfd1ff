//! Matrix products of tensors.
//!
//! In: `[.., rows, inner]` and `[.., inner, cols]` on one device, the leading axes alike. Out:
//! `[.., rows, cols]`. Nothing here fails at run time.
//!
//! Burn's own product is left out of the browser's module: with a tiling for every graphics card it would be a
//! third of that module (docs/decisions.md). There a processor's products come from `mvfa-kernels` and a
//! graphics device's from a shader, without gradients.

#[cfg(not(target_arch = "wasm32"))]
use burn::tensor::Tensor;

/// a `[.., rows, inner]` times b `[.., inner, cols]` → `[.., rows, cols]`
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn product<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<D> {
    a.matmul(b)
}

/// `x · weight + bias`: x `[batch, tokens, in]`, weight `[in, out]`, bias `[out]` →
/// `[batch, tokens, out]`
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn linear(x: Tensor<3>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<3> {
    burn::tensor::module::linear(x, weight, bias)
}

#[cfg(any(target_arch = "wasm32", test))]
mod in_a_browser {
    use burn::tensor::Tensor;

    use crate::compute::place::Place;
    use crate::compute::{cpu, gpu};

    pub(crate) fn linear(x: Tensor<3>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<3> {
        let [batch, tokens, inputs] = x.dims();
        let outputs = weight.dims()[1];
        let y = product(x.reshape([batch * tokens, inputs]), weight).reshape([batch, tokens, outputs]);
        match bias {
            Some(bias) => y + bias.unsqueeze::<3>(),
            None => y,
        }
    }

    pub(crate) fn product<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<D> {
        let mut shape = a.dims();
        let sizes = [shape[D - 2], shape[D - 1], b.dims()[D - 1]];
        let batch = shape.iter().take(D - 2).product();
        shape[D - 1] = sizes[2];
        // Weights and remembered rows were transposed on their way here, so that on a processor this is how they lie.
        let place_of_b = |on_processor: bool| match on_processor {
            true => Place::of(&b.clone().swap_dims(D - 2, D - 1)),
            false => Place::of(&b),
        };
        match Place::of(&a) {
            Place::Cpu(left) => match place_of_b(true) {
                Place::Cpu(right) => cpu::product(&left, &right, sizes, shape),
                _ => by_elements(a, b, batch, sizes).reshape(shape),
            },
            Place::Gpu(left) => match place_of_b(false) {
                Place::Gpu(right) => gpu::product(&left, &right, batch, sizes, shape),
                _ => by_elements(a, b, batch, sizes).reshape(shape),
            },
            Place::Elsewhere => by_elements(a, b, batch, sizes).reshape(shape),
        }
    }

    /// For tensors that neither has: right everywhere, and slow. Batches `[batch, rows, cols]`.
    fn by_elements<const D: usize>(
        a: Tensor<D>,
        b: Tensor<D>,
        batch: usize,
        [rows, inner, cols]: [usize; 3],
    ) -> Tensor<4> {
        (a.reshape([batch, rows, inner, 1]) * b.reshape([batch, 1, inner, cols])).sum_dim(2)
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use burn::tensor::{TensorData, Tolerance};

        fn tensor<const D: usize>(shape: [usize; D], step: usize) -> Tensor<D> {
            let values = (0..shape.iter().product()).map(|i| (i * step % 23) as f32 * 0.1 - 1.0).collect();
            cpu::tensor(values, shape)
        }

        #[test]
        fn equals_the_product_of_burn() {
            let near = |a: TensorData, b: TensorData| a.assert_approx_eq::<f32>(&b, Tolerance::absolute(1e-4));
            let (a, b) = (tensor([2, 3, 7, 12], 5), tensor([2, 3, 9, 12], 7).swap_dims(2, 3));
            near(product(a.clone(), b.clone()).into_data(), a.clone().matmul(b.clone()).into_data());
            let elements = by_elements(a.clone(), b.clone(), 6, [7, 12, 9]).reshape([2, 3, 7, 9]);
            near(elements.into_data(), a.matmul(b).into_data());
            let (a, b) = (tensor([5, 16], 3), tensor([16, 2], 11));
            near(product(a.clone(), b.clone()).into_data(), a.matmul(b).into_data());
            let (x, weight, bias) = (tensor([2, 4, 16], 3), tensor([16, 24], 11), tensor([24], 2));
            let expected = burn::tensor::module::linear(x.clone(), weight.clone(), Some(bias.clone()));
            near(linear(x, weight, Some(bias)).into_data(), expected.into_data());
        }

        #[test]
        fn tensors_that_record_gradients_are_computed_right_too() {
            let [a, b] = [tensor([5, 16], 3), tensor([16, 2], 11)];
            let found = product(a.clone().autodiff(), b.clone().autodiff());
            found.into_data().assert_approx_eq::<f32>(&a.matmul(b).into_data(), Tolerance::absolute(1e-4));
        }
    }
}

#[cfg(target_arch = "wasm32")]
pub(crate) use in_a_browser::{linear, product};
