//! A transformer block on weights packed for one processor core.
//!
//! In and out: tokens `[batch, tokens, width]` on the CPU device, each picture on its own. The same
//! arithmetic as `Block` without a mask, run by the crate `mvfa-kernels`;
//! it carries no gradients. Building fails with [`BundleError`] as the plain block does.
//!
//! In a browser the arithmetic may be done by a second WebAssembly module with fused multiply-add:
//! whoever loads it says so with [`compute_elsewhere`].

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use burn::tensor::{Tensor, TensorData};
use mvfa_kernels::{FrozenBlock, LinearWeights, NormWeights, Runner, Shape, ShapeError, Workspace};

use crate::bundle::error::BundleError;
use crate::bundle::weights::Weights;
use crate::clip::block::BlockConfig;
use crate::clip::config::Activation;

static ELSEWHERE: OnceLock<Runner> = OnceLock::new();

/// From now on `runner` computes all packed blocks; it is given the address of a
/// [`BlockCall`](mvfa_kernels::raw::BlockCall). Only the first call counts.
pub fn compute_elsewhere(runner: Runner) {
    // A second runner would be the same module again.
    let _ = ELSEWHERE.set(runner);
}

/// Whether blocks of this geometry can be packed.
pub(crate) fn is_supported(config: &BlockConfig) -> bool {
    !config.causal && shape(config).is_supported()
}

/// One block with its weights in memory.
#[derive(Clone, Debug)]
pub(crate) struct PackedBlock {
    block: Arc<FrozenBlock>,
    /// Shared by the blocks of a tower, which run one after the other.
    space: Arc<Mutex<Workspace>>,
    width: usize,
}

impl PackedBlock {
    /// Takes the tensors under `prefix` (for example `vision.blocks.0`).
    pub(crate) fn take(
        weights: &mut Weights,
        prefix: &str,
        config: BlockConfig,
        space: &Arc<Mutex<Workspace>>,
    ) -> Result<Self, BundleError> {
        let BlockConfig { width, mlp_width, .. } = config;
        let mut vector = |leaf: &str, count: usize| -> Result<Vec<f32>, BundleError> {
            values(weights.take(&format!("{prefix}.{leaf}"), [count])?)
        };
        let mut norm = |name: &str| -> Result<NormWeights, BundleError> {
            Ok(NormWeights {
                gamma: vector(&format!("{name}.weight"), width)?,
                beta: vector(&format!("{name}.bias"), width)?,
            })
        };
        let norms = [norm("ln1")?, norm("ln2")?];
        let mut linear = |name: &str, outputs: usize, inputs: usize, scale: Option<&str>| {
            let scale = scale.filter(|_| config.layer_scale);
            Ok(LinearWeights {
                weight: values(weights.take(&format!("{prefix}.{name}.weight"), [outputs, inputs])?)?,
                bias: values(weights.take(&format!("{prefix}.{name}.bias"), [outputs])?)?,
                scale: scale.map(|s| values(weights.take(&format!("{prefix}.{s}"), [outputs])?)).transpose()?,
            })
        };
        let linears = [
            linear("attn.qkv", 3 * width, width, None)?,
            linear("attn.out", width, width, Some("ls1"))?,
            linear("mlp.fc1", mlp_width, width, None)?,
            linear("mlp.fc2", width, mlp_width, Some("ls2"))?,
        ];
        let block = FrozenBlock::new(shape(&config), norms, linears).map_err(|e| unfit(prefix, &e))?;
        Ok(Self { block: Arc::new(block), space: space.clone(), width })
    }

    /// `[batch, tokens, width]` → the same.
    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let (dims, device) = (x.dims(), x.device());
        // `try_into_vec` goes value by value here and would cost half as much as the block.
        let read = x.to_data().as_slice::<f32>().map(<[f32]>::to_vec);
        // Neither step can fail with tokens of this tower; should one, the result must not look like one.
        let Ok(mut tokens) = read else { return x * f32::NAN };
        let mut space = self.space.lock().unwrap_or_else(PoisonError::into_inner);
        for picture in tokens.chunks_exact_mut((dims[1] * self.width).max(1)) {
            if self.block.forward(picture, &mut space, ELSEWHERE.get().copied()).is_err() {
                return x * f32::NAN;
            }
        }
        Tensor::from_data(TensorData::new(tokens, dims), &device)
    }
}

fn shape(config: &BlockConfig) -> Shape {
    Shape {
        width: config.width,
        heads: config.heads,
        mlp_width: config.mlp_width,
        quick_gelu: config.activation == Activation::QuickGelu,
        eps: config.eps as f32,
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, BundleError> {
    let found = tensor.dims().to_vec();
    tensor.into_data().try_into_vec::<f32>().map_err(|e| BundleError::Shape {
        name: "weights".to_owned(),
        expected: found.clone(),
        found,
        hint: format!("the processor tier could not read them back ({e}); convert the checkpoint again"),
    })
}

fn unfit(prefix: &str, error: &ShapeError) -> BundleError {
    BundleError::Shape {
        name: format!("{prefix}.{}", error.what),
        expected: vec![error.expected],
        found: vec![error.found],
        hint: "the manifest and the model disagree; convert again".to_owned(),
    }
}
