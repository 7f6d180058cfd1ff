//! A transformer block on weights packed for one processor core.
//!
//! In and out: tokens `[tokens, width]` in memory, replaced in place. The same arithmetic as with burn's operations,
//! without a mask, run by the crate `mvfa-kernels`; it carries no gradients. Weights stay in the type the bundle stores
//! them in, and are held once. Building fails with [`BundleError`] as theirs does.
//!
//! In a browser the arithmetic may be done by a second WebAssembly module with fused multiply-add: then the device has a
//! [`Runner`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use half::vec::HalfFloatVecExt;
use mvfa_kernels::{FrozenBlock, LinearWeights, Matrix, NormWeights, Runner, Shape, ShapeError, Way, Workspace};

use crate::bundle::config::Activation;
use crate::bundle::error::BundleError;
use crate::bundle::values::Values;
use crate::compute::Weights;
use crate::compute::geometry::BlockConfig;

/// Runs of a block in each of two modes, of which the fastest counts.
const ATTEMPTS: usize = 3;
/// Part of a picture's tokens that they are given.
const TRIAL_SHARE: usize = 3;

/// Whether blocks of this geometry can be packed.
pub(crate) fn is_supported(config: &BlockConfig) -> bool {
    !config.causal && shape(config).is_supported()
}

/// What the blocks of a tower, which run one after the other, have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    space: Mutex<Workspace>,
    /// Whether weights of one byte are multiplied as such, with tokens rounded to fourteen bits.
    by_bytes: AtomicBool,
    /// Who computes, if not this module.
    runner: Option<Runner>,
}

/// One block with its weights in memory.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    block: Arc<FrozenBlock>,
    shared: Arc<Shared>,
    width: usize,
}

impl Shared {
    pub(crate) fn new(by_bytes: bool, runner: Option<Runner>) -> Arc<Self> {
        Arc::new(Self { space: Mutex::default(), by_bytes: by_bytes.into(), runner })
    }
}

impl Block {
    /// Takes the tensors under `prefix` (for example `vision.blocks.0`).
    pub(crate) fn take(
        weights: &mut Weights,
        prefix: &str,
        config: BlockConfig,
        shared: &Arc<Shared>,
    ) -> Result<Self, BundleError> {
        let BlockConfig { width, mlp_width, .. } = config;
        let mut take = |leaf: &str, shape: &[usize]| weights.take_values(&format!("{prefix}.{leaf}"), shape);
        let mut norm = |name: &str| -> Result<NormWeights, BundleError> {
            Ok(NormWeights {
                gamma: take(&format!("{name}.weight"), &[width])?.into_f32(),
                beta: take(&format!("{name}.bias"), &[width])?.into_f32(),
            })
        };
        let norms = [norm("ln1")?, norm("ln2")?];
        let mut linear = |name: &str, outputs: usize, inputs: usize, scale: Option<&str>| {
            let scale = scale.filter(|_| config.layer_scale);
            Ok(LinearWeights {
                weight: matrix(take(&format!("{name}.weight"), &[outputs, inputs])?),
                bias: take(&format!("{name}.bias"), &[outputs])?.into_f32(),
                scale: scale.map(|s| take(s, &[outputs])).transpose()?.map(Values::into_f32),
            })
        };
        let linears = [
            linear("attn.qkv", 3 * width, width, None)?,
            linear("attn.out", width, width, Some("ls1"))?,
            linear("mlp.fc1", mlp_width, width, None)?,
            linear("mlp.fc2", width, mlp_width, Some("ls2"))?,
        ];
        let block = FrozenBlock::new(shape(&config), norms, linears).map_err(|e| unfit(prefix, &e))?;
        Ok(Self { block: Arc::new(block), shared: shared.clone(), width })
    }

    /// Replaces tokens `[tokens, width]` by those after the block.
    pub(crate) fn forward(&self, tokens: &mut [f32]) {
        let way = Way { elsewhere: self.shared.runner, by_bytes: self.shared.by_bytes.load(Ordering::Relaxed) };
        let mut space = self.shared.space.lock().unwrap_or_else(PoisonError::into_inner);
        self.block.forward(tokens, &mut space, way);
    }

    /// Lets the tower of this block compute with bytes only if that is faster: processors without an
    /// instruction for products of bytes take longer than with f32. Does nothing for other weights.
    pub(crate) fn choose_faster(&self, tokens: usize, now_ms: impl Fn() -> f64) {
        let by_bytes = &self.shared.by_bytes;
        if !self.block.has_bytes() || !by_bytes.load(Ordering::Relaxed) {
            return;
        }
        // Part of a picture: this is waited for while a model opens.
        let mut x: Vec<f32> =
            (0..tokens.div_ceil(TRIAL_SHARE) * self.width).map(|i| (i % 251) as f32 * 0.01 - 1.25).collect();
        let mut least_ms = [f64::INFINITY; 2];
        for attempt in 0..2 * ATTEMPTS {
            by_bytes.store(attempt % 2 == 1, Ordering::Relaxed);
            let start = now_ms();
            self.forward(&mut x);
            least_ms[attempt % 2] = least_ms[attempt % 2].min(now_ms() - start);
        }
        by_bytes.store(least_ms[1] < least_ms[0], Ordering::Relaxed);
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

fn matrix(values: Values) -> Matrix {
    match values {
        Values::F32(values) => Matrix::F32(values),
        Values::F16(values) => Matrix::F16(values.reinterpret_into()),
        Values::I8(rows) => Matrix::I8 { integers: rows.integers, steps: rows.scales },
    }
}

fn unfit(prefix: &str, error: &ShapeError) -> BundleError {
    BundleError::Shape {
        name: format!("{prefix}.{}", error.what),
        expected: vec![error.expected],
        found: vec![error.found],
        hint: "the manifest and the model disagree; convert again".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use burn::tensor::Device;

    use super::*;
    use crate::bundle::{ScaledRows, TensorPart};

    const CONFIG: BlockConfig = BlockConfig {
        width: 16,
        heads: 2,
        mlp_width: 32,
        layer_scale: false,
        activation: Activation::Gelu,
        eps: 1e-6,
        causal: false,
    };

    fn block(shared: &Arc<Shared>) -> Block {
        let mut weights = Weights::on(&Device::flex());
        let mut add = |name: String, shape: Vec<usize>, values: Values| {
            weights.insert(TensorPart { name, shape, rows: None, values }).unwrap();
        };
        for name in ["ln1", "ln2"] {
            add(format!("b.{name}.weight"), vec![16], vec![1.0; 16].into());
            add(format!("b.{name}.bias"), vec![16], vec![0.1; 16].into());
        }
        for (name, outputs, inputs) in
            [("attn.qkv", 48, 16), ("attn.out", 16, 16), ("mlp.fc1", 32, 16), ("mlp.fc2", 16, 32)]
        {
            let integers = (0..outputs * inputs).map(|i| ((i * 37) % 255) as u8 as i8).collect();
            let rows = ScaledRows { integers, scales: vec![0.003; outputs] };
            add(format!("b.{name}.weight"), vec![outputs, inputs], Values::I8(rows));
            add(format!("b.{name}.bias"), vec![outputs], vec![0.2; outputs].into());
        }
        Block::take(&mut weights, "b", CONFIG, shared).unwrap()
    }

    fn after(block: &Block) -> Vec<f32> {
        let mut tokens: Vec<f32> = (0..5 * 16).map(|i| ((i * 31) % 23) as f32 * 0.1 - 1.0).collect();
        block.forward(&mut tokens);
        tokens
    }

    #[test]
    fn bytes_are_multiplied_as_bytes_only_where_that_is_faster() {
        let (widened, by_bytes) = (after(&block(&Shared::new(false, None))), after(&block(&Shared::new(true, None))));
        assert_ne!(widened, by_bytes, "fourteen bits round");
        assert!(widened.iter().zip(&by_bytes).all(|(a, b)| (a - b).abs() < 1e-3));
        for (durations_ms, expected) in [([2.0, 1.0], &by_bytes), ([1.0, 2.0], &widened)] {
            let (now_ms, calls) = (Cell::new(0.0), Cell::new(0));
            let clock = || {
                // Asked before and after each run; the two modes take turns, f32 first.
                if calls.get() % 2 == 1 {
                    now_ms.set(now_ms.get() + durations_ms[calls.get() / 2 % 2]);
                }
                calls.set(calls.get() + 1);
                now_ms.get()
            };
            let block = block(&Shared::new(true, None));
            block.choose_faster(5, clock);
            assert_eq!(&after(&block), expected);
        }
        let never = block(&Shared::new(false, None));
        never.choose_faster(5, || unreachable!("no choice where bytes are not multiplied"));
    }
}
