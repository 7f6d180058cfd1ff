//! A frozen block on the WebGPU tier: seven dispatches, no upload, no uniform.
//!
//! In and out: tokens `[batch, tokens, width]` on the graphics device. The same arithmetic as
//! `Block` without a mask; it carries no gradients. Building fails with [`BundleError`] as the plain
//! block does.

use burn::tensor::Tensor;
use burn_wgpu::{CubeBackend, CubeTensor, into_contiguous};

use super::attention::Attention;
use super::matmul::{self, Epilogue, Matmul};
use super::norm::LayerNorm;
use crate::bundle::error::BundleError;
use crate::bundle::weights::Weights;
use crate::clip::block::BlockConfig;
use crate::clip::config::Activation;

/// Whether there are shaders for blocks of this geometry.
pub(crate) fn is_supported(config: &BlockConfig) -> bool {
    let BlockConfig { width, heads, mlp_width, .. } = *config;
    let layers = [(width, 3 * width), (width, width), (width, mlp_width), (mlp_width, width)];
    !config.causal
        && width.is_multiple_of(heads.max(1))
        && (width / heads.max(1)).is_multiple_of(4)
        && layers.into_iter().all(|(inner, cols)| matmul::is_supported(inner, cols))
}

/// An affine map: weight `[in, out]`, bias `[out]`.
#[derive(Clone, Debug)]
struct Affine {
    weight: CubeTensor,
    bias: CubeTensor,
}

/// One block with its weights on the device.
#[derive(Clone, Debug)]
pub(crate) struct GpuBlock {
    config: BlockConfig,
    norms: [[CubeTensor; 2]; 2],
    qkv: Affine,
    out: Affine,
    fc1: Affine,
    fc2: Affine,
    scales: Option<[CubeTensor; 2]>,
}

impl GpuBlock {
    /// Takes the tensors under `prefix` (for example `vision.blocks.0`).
    pub(crate) fn take(weights: &mut Weights, prefix: &str, config: BlockConfig) -> Result<Self, BundleError> {
        let BlockConfig { width, mlp_width, .. } = config;
        let mut vector = |leaf: &str, count: usize| -> Result<CubeTensor, BundleError> {
            let name = format!("{prefix}.{leaf}");
            buffer(weights.take::<1>(&name, [count])?).ok_or_else(|| elsewhere(&name, &[count]))
        };
        let norms = [
            [vector("ln1.weight", width)?, vector("ln1.bias", width)?],
            [vector("ln2.weight", width)?, vector("ln2.bias", width)?],
        ];
        let scales = if config.layer_scale { Some([vector("ls1", width)?, vector("ls2", width)?]) } else { None };
        let mut affine = |layer: &str, outputs: usize, inputs: usize| -> Result<Affine, BundleError> {
            let (weight, bias) = (format!("{prefix}.{layer}.weight"), format!("{prefix}.{layer}.bias"));
            Ok(Affine {
                weight: buffer(weights.take_linear(&weight, [outputs, inputs])?)
                    .ok_or_else(|| elsewhere(&weight, &[outputs, inputs]))?,
                bias: buffer(weights.take::<1>(&bias, [outputs])?).ok_or_else(|| elsewhere(&bias, &[outputs]))?,
            })
        };
        Ok(Self {
            qkv: affine("attn.qkv", 3 * width, width)?,
            out: affine("attn.out", width, width)?,
            fc1: affine("mlp.fc1", mlp_width, width)?,
            fc2: affine("mlp.fc2", width, mlp_width)?,
            norms,
            scales,
            config,
        })
    }

    /// `[batch, tokens, width]` → the same.
    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let dims = x.dims();
        // Cannot fail with tokens of this tower; should it, the result must not look like one.
        match buffer(x.clone()).and_then(|x| self.run(&x, dims)) {
            Some(y) => Tensor::from_primitive::<CubeBackend>(y),
            None => x * f32::NAN,
        }
    }

    fn run(&self, x: &CubeTensor, dims: [usize; 3]) -> Option<CubeTensor> {
        let [batch, tokens, width] = dims;
        let BlockConfig { heads, mlp_width, eps, .. } = self.config;
        let rows = batch * tokens;
        let norm = LayerNorm::new(width, eps);
        let residual = if self.scales.is_some() { Epilogue::ScaledResidual } else { Epilogue::Residual };
        let activation = match self.config.activation {
            Activation::Gelu => Epilogue::Gelu,
            Activation::QuickGelu => Epilogue::QuickGelu,
        };
        let scale = |n: usize| self.scales.as_ref().and_then(|s| s.get(n));
        let linear = |layer: &Affine, from: &CubeTensor, sizes: [usize; 2], epilogue, scale| -> Option<CubeTensor> {
            let kernel = Matmul::new(rows, sizes[0], sizes[1], epilogue)?;
            Some(kernel.launch(from, &layer.weight, &layer.bias, scale, [batch, tokens]))
        };
        let [[gamma, beta], [gamma2, beta2]] = &self.norms;

        let h = norm.launch(x, gamma, beta, dims);
        let qkv = linear(&self.qkv, &h, [width, 3 * width], Epilogue::Bias, (x, None))?;
        let mixed = Attention::new(tokens, heads, width / heads).launch(&qkv, dims);
        let x = linear(&self.out, &mixed, [width, width], residual, (x, scale(0)))?;
        let h = norm.launch(&x, gamma2, beta2, dims);
        let h = linear(&self.fc1, &h, [width, mlp_width], activation, (&x, None))?;
        linear(&self.fc2, &h, [mlp_width, width], residual, (&x, scale(1)))
    }
}

/// The buffer behind a tensor of the graphics device, row-major.
fn buffer<const D: usize>(tensor: Tensor<D>) -> Option<CubeTensor> {
    tensor.try_into_primitive::<CubeBackend>().ok().map(into_contiguous)
}

fn elsewhere(name: &str, shape: &[usize]) -> BundleError {
    BundleError::Shape {
        name: name.to_owned(),
        expected: shape.to_vec(),
        found: shape.to_vec(),
        hint: "the values are not on the graphics device; choose the cpu device".to_owned(),
    }
}
