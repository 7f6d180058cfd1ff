//! How it is made fast: the only room that names a tier.
//!
//! Comes in: weights, and what to compute. Goes out: tokens, features, distances. A tower is taken with the kernels that
//! the device has; one whose geometry they do not fit is computed by burn's operations as a whole. Building fails with
//! [`BundleError`]; running does not fail: a device that stops answers with nothing when something is read from it.
//!
//! ```text
//!            block  embedding  adapter  rows  product
//! burn/      burn's operations, any device, with gradients
//! cpu/       mvfa-kernels, one core, weights as narrow as they are stored
//! gpu/       shaders of our own in burn's queue
//! ```

mod burn;
mod cpu;
pub mod device;
mod done;
mod geometry;
mod gpu;
mod kind;
mod parts;
mod place;
mod read;
mod rows;
mod table;
mod weights;

use ::burn::tensor::Tensor;
use burn_wgpu::CubeTensor;
use mvfa_kernels::Runner;

use crate::bundle::config::VisionConfig;
use crate::bundle::error::BundleError;
use crate::bundle::manifest::AdapterConfig;

#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub(crate) use burn::{Block, Norm, product};
#[cfg(target_arch = "wasm32")]
pub(crate) use cpu::warm_up;
pub(crate) use cpu::{dot, from_values};
pub use device::{DeviceChoice, DeviceError, OpenDevice, Tier, open_cpu, open_gpu};
pub(crate) use done::Done;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub(crate) use geometry::BlockConfig;
pub use kind::Kernels;
pub(crate) use read::Reading;
pub(crate) use rows::{logits, nearest, unit_rows};
pub use weights::Weights;

use gpu::Arithmetic;
use parts::Parts;

/// Slope of the leaky ReLU after both layers of an adapter (spec §3; the paper says plain ReLU).
const NEGATIVE_SLOPE: f64 = 0.01;

type BurnParts = Parts<burn::Embedding, burn::Block, burn::Adapter>;
type CpuParts = Parts<cpu::Embedding, cpu::Block, cpu::Adapter>;
type GpuParts = Parts<gpu::Embedding, gpu::Block, gpu::Adapter>;

/// A frozen tower, with adapters or without, on the tier that computes it. A clone shares all weights.
#[derive(Clone, Debug)]
pub(crate) enum Tower {
    Burn(BurnParts),
    Cpu(CpuParts),
    Gpu(GpuParts, Arithmetic),
}

/// Tokens `[1, tokens, width]` where the tower keeps them, each with the tower they are in: tokens of another tier
/// cannot come in.
#[derive(Clone, Debug)]
pub(crate) enum Tokens<'a> {
    Burn(&'a BurnParts, Tensor<3>),
    Cpu(&'a CpuParts, Vec<f32>),
    Gpu(&'a GpuParts, Arithmetic, CubeTensor),
}

/// What the end of a level gives.
pub(crate) struct Level<'a> {
    /// Features `[tokens, dim]` of the segmentation and of the detection bank.
    pub(crate) features: [Tensor<2>; 2],
    /// The tokens before the adapters were mixed in, if they were.
    pub(crate) premix: Option<Tokens<'a>>,
}

impl Tower {
    /// Takes the tensors `vision.*`. `runner` runs the processor's blocks, if not this module.
    ///
    /// # Errors
    /// [`BundleError::MissingTensor`], [`BundleError::Shape`], and [`BundleError::Placement`] if the weights are not on
    /// a device of these kernels.
    pub(crate) fn take(
        weights: &mut Weights,
        config: &VisionConfig,
        kernels: Kernels,
        runner: Option<Runner>,
    ) -> Result<Self, BundleError> {
        let (block, blocks) = (geometry::BlockConfig::of(config), config.layers);
        match kernels {
            Kernels::Packed | Kernels::PackedBytes if cpu::is_supported(&block) => {
                let shared = cpu::Shared::new(kernels == Kernels::PackedBytes, runner);
                let embedding = cpu::Embedding::take(weights, config)?;
                Parts::new(embedding, blocks, |prefix| cpu::Block::take(weights, prefix, block, &shared)).map(Self::Cpu)
            }
            Kernels::Gpu | Kernels::Gpu16 if gpu::is_supported(&block) => {
                let arithmetic = if kernels == Kernels::Gpu16 { Arithmetic::F16 } else { Arithmetic::F32 };
                let embedding = gpu::Embedding::take(weights, config)?;
                let parts = Parts::new(embedding, blocks, |prefix| gpu::Block::take(weights, prefix, block))?;
                Ok(Self::Gpu(parts, arithmetic))
            }
            _ => {
                let embedding = burn::Embedding::take(weights, config)?;
                Parts::new(embedding, blocks, |prefix| burn::Block::take(weights, prefix, block)).map(Self::Burn)
            }
        }
    }

    /// The same tower with adapters in its stream: takes the tensors `adapters.*`.
    ///
    /// # Errors
    /// As [`Tower::take`].
    pub(crate) fn with_adapters(
        &self,
        weights: &mut Weights,
        vision: &VisionConfig,
        config: &AdapterConfig,
    ) -> Result<Self, BundleError> {
        let (levels, sizes) = (vision.levels.len(), [vision.width, config.bottleneck]);
        Ok(match self {
            Self::Burn(parts) => {
                Self::Burn(parts.with_adapters(levels, config, |p| burn::Adapter::take(weights, p, sizes))?)
            }
            Self::Cpu(parts) => {
                Self::Cpu(parts.with_adapters(levels, config, |p| cpu::Adapter::take(weights, p, sizes))?)
            }
            Self::Gpu(parts, arithmetic) => {
                Self::Gpu(parts.with_adapters(levels, config, |p| gpu::Adapter::take(weights, p, sizes))?, *arithmetic)
            }
        })
    }

    /// The same tower without adapters.
    pub(crate) fn without_adapters(&self) -> Self {
        match self {
            Self::Burn(parts) => Self::Burn(parts.without_adapters()),
            Self::Cpu(parts) => Self::Cpu(parts.without_adapters()),
            Self::Gpu(parts, arithmetic) => Self::Gpu(parts.without_adapters(), *arithmetic),
        }
    }

    /// The same embedding and adapters with block `n` alone, as its first: for a tower whose blocks are never there
    /// together.
    ///
    /// # Errors
    /// As [`Tower::take`].
    #[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
    pub(crate) fn with_only_block(
        &self,
        weights: &mut Weights,
        config: &VisionConfig,
        n: usize,
        open: &OpenDevice,
    ) -> Result<Self, BundleError> {
        let (block, prefix) = (geometry::BlockConfig::of(config), format!("vision.blocks.{n}"));
        Ok(match self {
            Self::Burn(parts) => Self::Burn(parts.with_only_block(burn::Block::take(weights, &prefix, block)?)),
            Self::Cpu(parts) => {
                let shared = cpu::Shared::new(open.kernels() == Kernels::PackedBytes, open.runner);
                Self::Cpu(parts.with_only_block(cpu::Block::take(weights, &prefix, block, &shared)?))
            }
            Self::Gpu(parts, arithmetic) => {
                Self::Gpu(parts.with_only_block(gpu::Block::take(weights, &prefix, block)?), *arithmetic)
            }
        })
    }

    /// From now on shaders multiply 32-bit floats.
    pub(crate) fn use_f32(&mut self) {
        if let Self::Gpu(_, arithmetic) = self {
            *arithmetic = Arithmetic::F32;
        }
    }

    /// Lets blocks whose weights are bytes multiply them as bytes only if that is faster on this machine, by a trial
    /// with so many tokens.
    pub(crate) fn choose_faster(&self, tokens: usize, now_ms: impl Fn() -> f64) {
        if let Self::Cpu(parts) = self
            && let Some(block) = parts.blocks.first()
        {
            block.choose_faster(tokens, now_ms);
        }
    }

    /// Normalised pixels `[3, side, side]` of the tower's side → tokens before the first block.
    pub(crate) fn embed(&self, pixels: Vec<f32>) -> Tokens<'_> {
        match self {
            Self::Burn(parts) => Tokens::Burn(parts, parts.embedding.forward(pixels)),
            Self::Cpu(parts) => Tokens::Cpu(parts, parts.embedding.forward(&pixels)),
            Self::Gpu(parts, arithmetic) => {
                Tokens::Gpu(parts, *arithmetic, parts.embedding.forward(pixels, *arithmetic))
            }
        }
    }

    /// Tokens `[tokens, width]` that were read from a tower before.
    #[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
    pub(crate) fn resume(&self, values: Vec<f32>) -> Tokens<'_> {
        match self {
            Self::Burn(parts) => Tokens::Burn(parts, parts.embedding.resume(values)),
            Self::Cpu(parts) => Tokens::Cpu(parts, values),
            Self::Gpu(parts, arithmetic) => Tokens::Gpu(parts, *arithmetic, parts.embedding.resume(values)),
        }
    }
}

impl<'a> Tokens<'a> {
    /// Runs block `n` (0-based); past the last block the tokens stay as they are.
    pub(crate) fn block(&mut self, n: usize) {
        match self {
            Self::Burn(parts, x) => {
                if let Some(block) = parts.blocks.get(n) {
                    *x = block.forward(x.clone());
                }
            }
            Self::Cpu(parts, x) => {
                if let Some(block) = parts.blocks.get(n) {
                    block.forward(x);
                }
            }
            Self::Gpu(parts, arithmetic, x) => {
                if let Some(block) = parts.blocks.get(n) {
                    *x = block.forward(x, *arithmetic);
                }
            }
        }
    }

    /// Features of a level, and with `mix` the adapters' share in the tokens that go on.
    pub(crate) fn end_level(&mut self, level: usize, mix: bool) -> Level<'a> {
        let raw = |tokens: &Self| {
            let rows = tokens.rows();
            Level { features: [rows.clone(), rows], premix: None }
        };
        match self {
            Self::Burn(parts, x) => {
                let Some(([seg, det], [keep, from_seg, from_det])) = parts.adapters_at(level) else { return raw(self) };
                let hidden = [seg.hidden(x), det.hidden(x)];
                let premix = mix.then(|| {
                    let mixed = seg.mix(&hidden[0], x.clone(), [keep, from_seg]);
                    let mixed = det.mix(&hidden[1], mixed, [1.0, from_det]);
                    Self::Burn(parts, std::mem::replace(x, mixed))
                });
                Level { features: hidden.map(burn::feature), premix }
            }
            Self::Cpu(parts, x) => {
                let Some(([seg, det], [keep, from_seg, from_det])) = parts.adapters_at(level) else { return raw(self) };
                let hidden = [seg.hidden(x), det.hidden(x)];
                let premix = mix.then(|| {
                    let mixed = seg.mix(&hidden[0], x, [keep, from_seg]);
                    let mixed = det.mix(&hidden[1], &mixed, [1.0, from_det]);
                    Self::Cpu(parts, std::mem::replace(x, mixed))
                });
                let [seg_hidden, det_hidden] = hidden;
                Level { features: [seg.feature(seg_hidden), det.feature(det_hidden)], premix }
            }
            Self::Gpu(parts, arithmetic, x) => {
                let Some(([seg, det], [keep, from_seg, from_det])) = parts.adapters_at(level) else { return raw(self) };
                let hidden = [seg.hidden(x, *arithmetic), det.hidden(x, *arithmetic)];
                let premix = mix.then(|| {
                    let mixed = seg.mix(&hidden[0], x, [keep, from_seg], *arithmetic);
                    let mixed = det.mix(&hidden[1], &mixed, [1.0, from_det], *arithmetic);
                    Self::Gpu(parts, *arithmetic, std::mem::replace(x, mixed))
                });
                let [seg_hidden, det_hidden] = hidden;
                Level { features: [seg.feature(seg_hidden), det.feature(det_hidden)], premix }
            }
        }
    }

    /// The tokens' values `[tokens, width]`, on the processor.
    ///
    /// # Errors
    /// [`BundleError::SelfTest`] if another device has them.
    #[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
    pub(crate) fn values(self) -> Result<Vec<f32>, BundleError> {
        let values = match self {
            Self::Cpu(_, x) => Some(x),
            other => cpu::values(&other.rows()).map(|values| values.as_slice().to_vec()),
        };
        values.ok_or_else(|| BundleError::SelfTest("its tokens could not be read".to_owned()))
    }

    /// The tokens as rows `[tokens, width]`.
    pub(crate) fn rows(&self) -> Tensor<2> {
        match self {
            Self::Burn(_, x) => burn::feature(x.clone()),
            Self::Cpu(parts, x) => parts.embedding.rows(x.clone()),
            Self::Gpu(_, _, x) => gpu::rows_of(x.clone()),
        }
    }
}
