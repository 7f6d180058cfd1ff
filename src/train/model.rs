//! The model while it is trained: a frozen tower and adapters that change.
//!
//! Comes in: a bundle, tokens before the first adapter, what the picture should show. Goes out:
//! losses on the tape, or features to score. Fails with [`TrainError`] if the bundle has not
//! what training needs.

use burn::tensor::{Device, Tensor, TensorData};

use crate::bundle::manifest::{AdapterConfig, Group, Manifest, released_mix};
use crate::bundle::names::adapter_tensors;
use crate::bundle::store::BundleFolder;
use crate::compute::Kernels;
use crate::compute::Weights;
use crate::compute::open_cpu;
use crate::image::Planes;
use crate::mvfa::{AdaptedEncoder, Features, normalised};
use crate::train::error::TrainError;
use crate::train::losses::{LevelLosses, Target, Upsampler, losses};
use crate::train::parameters::{Parameters, Saved};
use crate::train::random::{Purpose, stream, uniform};

/// A frozen tower, and the geometry of the adapters that are trained on it.
pub struct Model {
    manifest: Manifest,
    adapters: AdapterConfig,
    encoder: AdaptedEncoder,
    upsampler: Upsampler,
    device: Device,
}

impl Model {
    /// Loads the tower of a bundle. `bottleneck` is the width of the hidden features.
    ///
    /// # Errors
    /// [`TrainError::Model`].
    pub fn open(bundle: &BundleFolder, bottleneck: usize) -> Result<Self, TrainError> {
        let device = open_cpu("training").device;
        let mut manifest = bundle.manifest().clone();
        let mix = manifest.adapters.as_ref().map_or_else(released_mix, |a| a.mix);
        let adapters = AdapterConfig { bottleneck, mix };
        manifest.adapters = None;
        let mut weights = Weights::load(bundle, &[Group::Vision], &device)?;
        let encoder = AdaptedEncoder::take(&mut weights, &manifest, Kernels::Plain, None)?;
        let upsampler = Upsampler::new(manifest.vision.grid(), manifest.preprocess.size_px, &device);
        Ok(Self { manifest, adapters, encoder, upsampler, device })
    }

    /// The bundle's manifest, without adapters.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Geometry of the adapters.
    pub fn adapters(&self) -> &AdapterConfig {
        &self.adapters
    }

    /// Where tensors live.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Names and shapes of the adapters.
    pub fn adapter_tensors(&self) -> Vec<(String, Vec<usize>)> {
        let vision = &self.manifest.vision;
        adapter_tensors(vision.levels.len(), vision.width, self.adapters.bottleneck)
    }

    /// Random adapters as torch draws a linear layer: uniform within ±1/√fan-in (spec §3).
    pub fn initial_adapters(&self, seed: u64) -> Vec<Saved> {
        let draw = |(n, (name, shape)): (usize, (String, Vec<usize>))| {
            let fan_in = shape.last().copied().unwrap_or(1).max(1) as f32;
            let mut rng = stream(seed, Purpose::Init, n as u64);
            let values = uniform(&mut rng, shape.iter().product(), fan_in.powf(-0.5));
            Saved { name, shape, values, adam: None }
        };
        self.adapter_tensors().into_iter().enumerate().map(draw).collect()
    }

    /// Numbers of one picture's tokens.
    pub fn token_len(&self) -> usize {
        self.manifest.vision.rows() * self.manifest.vision.width
    }

    /// Tokens before the first adapter, row-major.
    ///
    /// # Errors
    /// [`TrainError::Device`] when the device does not hand them back.
    pub fn early_tokens(&self, planes: &Planes) -> Result<Vec<f32>, TrainError> {
        read(self.encoder.early_tokens(normalised(planes, &self.manifest.preprocess)))
    }

    /// Features of the adapted tower from tokens of [`Model::early_tokens`]. The adapters are taken
    /// out of `weights`; with leaves of a tape there, the features are on the tape.
    ///
    /// # Errors
    /// [`TrainError::Model`] if an adapter is missing.
    pub fn features(&self, weights: &mut Weights, tokens: Vec<f32>) -> Result<Features, TrainError> {
        let encoder = self.encoder.with_adapters(weights, &self.adapters)?;
        let mut run = encoder.resume(tokens);
        while run.step() {}
        Ok(run.finish())
    }

    /// Losses of one picture.
    pub fn losses(&self, features: &Features, text: &Tensor<2>, target: &Target) -> LevelLosses {
        losses(features, text, target, &self.upsampler)
    }

    /// A mask of 0 and 1 on the device, `[side, side]`.
    pub fn mask(&self, mask: &[u8]) -> Tensor<2> {
        let side = self.manifest.preprocess.size_px;
        let values: Vec<f32> = mask.iter().map(|m| f32::from(*m)).collect();
        Tensor::from_data(TensorData::new(values, [side, side]), &self.device)
    }

    /// Trained tensors with these starting values.
    pub fn parameters(&self, saved: Vec<Saved>) -> Parameters {
        let mut parameters = Parameters::new(&self.device);
        saved.into_iter().for_each(|tensor| parameters.add(tensor));
        parameters
    }
}

/// Values of a tensor, row-major.
///
/// # Errors
/// [`TrainError::Device`] with the device's words.
pub(crate) fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TrainError> {
    tensor.try_into_vec_as().map_err(|e| TrainError::Device(e.to_string()))
}
