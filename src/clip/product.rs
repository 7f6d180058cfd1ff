//! Matrix products of tensors.
//!
//! In: `[.., rows, inner]` and `[.., inner, cols]` on one device, the leading axes alike. Out:
//! `[.., rows, cols]`. Nothing here fails at run time.
//!
//! In a browser burn's own product is left out: with every tiling that it has for every graphics card
//! it is a third of the download (docs/decisions.md). There a processor's products come from
//! `mvfa-kernels` and a graphics device's from a shader, without gradients.

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

    use crate::{cpu, gpu};

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
        gpu::product(&a, &b).or_else(|| on_processor(&a, &b)).unwrap_or_else(|| {
            // Cannot happen with tensors of these shapes; should it, the result must not look like one.
            a.slice_dim(D - 1, 0..1) * b.slice_dim(D - 2, 0..1) * f32::NAN
        })
    }

    fn on_processor<const D: usize>(a: &Tensor<D>, b: &Tensor<D>) -> Option<Tensor<D>> {
        let mut shape = a.dims();
        let [rows, inner, cols] = [shape[D - 2], shape[D - 1], b.dims()[D - 1]];
        // Weights and remembered rows were transposed on their way here, so that this is how they lie.
        let (a, b) = (cpu::values(a)?, cpu::values(&b.clone().swap_dims(D - 2, D - 1))?);
        let (a, b) = (a.as_slice(), b.as_slice());
        let mut values = Vec::with_capacity(a.len() / inner.max(1) * cols);
        for (a, b) in a.chunks_exact((rows * inner).max(1)).zip(b.chunks_exact((cols * inner).max(1))) {
            values.extend(mvfa_kernels::product(a, b, [rows, inner, cols]).ok()?);
        }
        shape[D - 1] = cols;
        Some(cpu::tensor(values, shape))
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
            near(product(a.clone(), b.clone()).into_data(), a.matmul(b).into_data());
            let (a, b) = (tensor([5, 16], 3), tensor([16, 2], 11));
            near(product(a.clone(), b.clone()).into_data(), a.matmul(b).into_data());
            let (x, weight, bias) = (tensor([2, 4, 16], 3), tensor([16, 24], 11), tensor([24], 2));
            let expected = burn::tensor::module::linear(x.clone(), weight.clone(), Some(bias.clone()));
            near(linear(x, weight, Some(bias)).into_data(), expected.into_data());
        }
    }
}

#[cfg(target_arch = "wasm32")]
pub(crate) use in_a_browser::{linear, product};
