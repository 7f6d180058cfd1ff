//! What every adapted model must beat: raw block tokens of normal pictures, no training.
//!
//! Comes in: normal pictures, then pictures to score. Goes out: a map of cosine distances to the
//! nearest remembered token, summed over levels, and as image score the mean of the highest hundredth
//! of patches. Fails as the engine does. After AnomalyDINO and April-GAN's memory branch.

use burn::tensor::Tensor;

use crate::bundle::manifest::Group;
use crate::bundle::store::BundleFolder;
use crate::device::open_cpu;
use crate::eval::bank::compress;
use crate::eval::run::EvalError;
use crate::image::{Planes, Rgb8, resize_bicubic, to_planes};
use crate::mvfa::{Engine, EngineError, Features, Geometry, Mode, Pacer, Stage, nearest_distances, sum_up, unit_rows};

/// Share of the patches that make the image score.
const TOP_SHARE: f64 = 0.01;

/// A tower without adapters, and what it remembers.
pub(crate) struct RawMemory {
    engine: Engine,
    /// Per level unit rows `[rows, width]`.
    bank: Vec<Tensor<2>>,
}

impl RawMemory {
    /// Remembers normal pictures, at most `bank_rows` rows a level.
    pub(crate) fn new(
        bundle: &BundleFolder,
        references: &[Rgb8],
        bank_rows: Option<usize>,
        seed: u64,
        pacer: &mut impl Pacer,
    ) -> Result<Self, EvalError> {
        let open = open_cpu("baseline");
        let mut manifest = bundle.manifest().clone();
        manifest.adapters = None;
        manifest.self_test = None;
        manifest.objects.iter_mut().for_each(|o| o.text_features = None);
        let weights = bundle.load(&[Group::Vision], &open.device)?;
        let mut this = Self { engine: Engine::new(manifest, weights, open)?, bank: Vec::new() };
        let mut rows: Vec<Vec<Tensor<2>>> = Vec::new();
        for picture in references {
            let levels = this.patches(picture, Stage::References, pacer)?;
            rows.resize_with(levels.len(), Vec::new);
            rows.iter_mut().zip(levels).for_each(|(all, level)| all.push(level));
        }
        this.bank = rows
            .into_iter()
            .map(|level| {
                let all = Tensor::cat(level, 0);
                bank_rows.map_or(all.clone(), |rows| compress(all, rows, seed))
            })
            .collect();
        Ok(this)
    }

    /// Map `[side, side]` and image score of one picture.
    pub(crate) fn score(&self, picture: &Rgb8, pacer: &mut impl Pacer) -> Result<(Vec<f32>, f32), EvalError> {
        let manifest = self.engine.manifest();
        let (grid, side_px) = (manifest.vision.grid(), manifest.preprocess.size_px);
        let mut levels = Vec::new();
        for (patches, bank) in self.patches(picture, Stage::Encode, pacer)?.into_iter().zip(&self.bank) {
            let distances = nearest_distances(patches, bank.clone());
            levels.push(distances.try_into_vec_as::<f32>().map_err(|e| EvalError::Device(e.to_string()))?);
        }
        let mut sums = vec![0.0_f32; grid * grid];
        levels.iter().for_each(|level| sums.iter_mut().zip(level).for_each(|(s, d)| *s += d));
        sums.sort_unstable_by(|a, b| b.total_cmp(a));
        let top = ((sums.len() as f64 * TOP_SHARE).ceil() as usize).max(1);
        let score = sums.iter().take(top).sum::<f32>() / top as f32;
        Ok((sum_up(&levels, grid, side_px, Geometry::Reference), score))
    }

    /// Per level unit patch rows.
    fn patches(&self, picture: &Rgb8, stage: Stage, pacer: &mut impl Pacer) -> Result<Vec<Tensor<2>>, EvalError> {
        let planes: Planes = to_planes(&resize_bicubic(picture, self.engine.manifest().preprocess.size_px));
        let features: Features = pollster::block_on(self.engine.encode(&planes, Mode::Few, stage, (0, 1), pacer))
            .map_err(EngineError::from)?;
        Ok(features.segmentation.into_iter().map(|l| unit_rows(l.clone().slice_dim(0, 1..l.dims()[0]))).collect())
    }
}

/// Grey value as the map, `[side, side]` in 0..1, and its mean.
pub(crate) fn raw_intensity(picture: &Rgb8, side_px: usize) -> (Vec<f32>, f32) {
    let planes = to_planes(&resize_bicubic(picture, side_px));
    let area = side_px * side_px;
    let channel = |c: usize, i: usize| planes.values.get(c * area + i).copied().unwrap_or(0.0);
    let map: Vec<f32> = (0..area).map(|i| (channel(0, i) + channel(1, i) + channel(2, i)) / 3.0).collect();
    let mean = map.iter().sum::<f32>() / area.max(1) as f32;
    (map, mean)
}
