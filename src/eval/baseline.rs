//! The baseline of every adapted model: raw block tokens of normal pictures, no training.
//!
//! Comes in: normal pictures, as they are or in views, then pictures to score. Goes out: a map of
//! cosine distances to the nearest remembered patch, summed over levels, and as image score the mean
//! of the highest hundredth of patches. Fails as the engine does. After AnomalyDINO and April-GAN's
//! memory branch.

use burn::tensor::{Tensor, TensorData};

use crate::bundle::manifest::Augment;
use crate::compute::unit_rows;
use crate::eval::error::EvalError;
use crate::image::{Planes, Rgb8, augment_mvfa, resize_bicubic, to_planes};
use crate::mvfa::{Engine, EngineError, MapRule, Pacer, Stage, compress, maximum, nearest_distances, sum_up};

/// Share of the patches that make the image score.
const TOP_SHARE: f64 = 0.01;

/// What the tower without adapters remembers: per level unit rows `[rows, width]`.
pub(crate) struct RawMemory(Vec<Tensor<2>>);

impl RawMemory {
    /// Remembers normal pictures, at most `bank_rows` rows a level of all together.
    pub(crate) fn new(
        engine: &Engine,
        references: &[Rgb8],
        augment: Augment,
        bank_rows: Option<usize>,
        pacer: &mut impl Pacer,
    ) -> Result<Self, EvalError> {
        let keep = bank_rows.map(|rows| rows / references.len().max(1));
        let mut rows: Vec<Vec<Tensor<2>>> = Vec::new();
        for picture in references {
            let planes = planes(engine, picture);
            let views = match augment {
                Augment::Mvfa => augment_mvfa(&planes),
                Augment::None => vec![planes],
            };
            let mut own: Vec<Vec<Tensor<2>>> = Vec::new();
            for view in &views {
                let levels = patches(engine, view, Stage::References, pacer)?;
                own.resize_with(levels.len(), Vec::new);
                own.iter_mut().zip(levels).for_each(|(all, level)| all.push(level));
            }
            rows.resize_with(own.len(), Vec::new);
            for (all, views) in rows.iter_mut().zip(own) {
                let level = Tensor::cat(views, 0);
                all.push(match keep {
                    Some(keep) => smaller(level, keep)?,
                    None => level,
                });
            }
        }
        Ok(Self(rows.into_iter().map(|level| Tensor::cat(level, 0)).collect()))
    }

    /// Map `[side, side]` and image score of one picture.
    pub(crate) fn score(
        &self,
        engine: &Engine,
        picture: &Rgb8,
        pacer: &mut impl Pacer,
    ) -> Result<(Vec<f32>, f32), EvalError> {
        let manifest = engine.manifest();
        let (grid, side_px) = (manifest.vision.grid(), manifest.preprocess.size_px);
        let mut levels = Vec::new();
        for (patches, bank) in patches(engine, &planes(engine, picture), Stage::Encode, pacer)?.into_iter().zip(&self.0)
        {
            let distances = nearest_distances(patches, bank.clone());
            levels.push(distances.try_into_vec_as::<f32>().map_err(|e| EvalError::Device(e.to_string()))?);
        }
        let mut sums = vec![0.0_f32; grid * grid];
        levels.iter().for_each(|level| sums.iter_mut().zip(level).for_each(|(s, d)| *s += d));
        Ok((sum_up(&levels, grid, side_px, MapRule::PAPER), top_mean(sums)))
    }
}

/// At most `keep` rows that stand for `[rows, width]`.
fn smaller(level: Tensor<2>, keep: usize) -> Result<Tensor<2>, EvalError> {
    let ([_, width], device) = (level.dims(), level.device());
    let values = level.try_into_vec_as::<f32>().map_err(|e| EvalError::Device(e.to_string()))?;
    let rows = compress(&values, width, keep);
    let count = rows.len() / width.max(1);
    Ok(Tensor::from_data(TensorData::new(rows, [count, width]), &device))
}

/// Mean of the highest hundredth, rounded up.
fn top_mean(mut values: Vec<f32>) -> f32 {
    values.sort_unstable_by(|a, b| b.total_cmp(a));
    let top = ((values.len() as f64 * TOP_SHARE).ceil() as usize).max(1);
    values.iter().take(top).sum::<f32>() / top as f32
}

fn planes(engine: &Engine, picture: &Rgb8) -> Planes {
    to_planes(&resize_bicubic(picture, engine.manifest().preprocess.size_px))
}

/// Per level unit patch rows.
fn patches(
    engine: &Engine,
    planes: &Planes,
    stage: Stage,
    pacer: &mut impl Pacer,
) -> Result<Vec<Tensor<2>>, EvalError> {
    let features = pollster::block_on(engine.encode_raw(planes, stage, (0, 1), pacer)).map_err(EngineError::from)?;
    Ok(features.segmentation.into_iter().map(|l| unit_rows(l.clone().slice_dim(0, 1..l.dims()[0]))).collect())
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

/// The mean of normal pictures, pixel by pixel: what is not alike everywhere is not told from what is unusual. In whole numbers, so
/// that pictures with the same largest difference tie.
pub(crate) struct MeanReference {
    sums: Vec<i64>,
    count: i64,
}

/// A grey value is the mean of three bytes: so many steps from black to white.
const GREY_STEPS: f32 = 3.0 * 255.0;

fn steps(grey: f32) -> i64 {
    (grey * GREY_STEPS).round() as i64
}

impl MeanReference {
    /// The mean of some grey values; `None` without pictures.
    pub(crate) fn of(references: &[Rgb8], side_px: usize) -> Option<Self> {
        let mut sums = vec![0; side_px * side_px];
        for picture in references {
            sums.iter_mut().zip(raw_intensity(picture, side_px).0).for_each(|(sum, grey)| *sum += steps(grey));
        }
        (!references.is_empty()).then_some(Self { sums, count: references.len() as i64 })
    }

    /// Absolute difference of a grey map to it, and its maximum.
    pub(crate) fn score(&self, grey_map: &[f32]) -> (Vec<f32>, f32) {
        let white = GREY_STEPS * self.count as f32;
        let difference = |(sum, grey): (&i64, &f32)| (steps(*grey) * self.count - sum).abs() as f32 / white;
        let map: Vec<f32> = self.sums.iter().zip(grey_map).map(difference).collect();
        let highest = maximum(&map);
        (map, highest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_hundredth_is_at_least_one() {
        assert_eq!(top_mean(vec![1.0, 5.0, 2.0]), 5.0);
        assert_eq!(top_mean((0..289).map(|n| n as f32).collect()), 287.0);
        assert_eq!(top_mean(Vec::new()), 0.0);
    }

    #[test]
    fn the_difference_is_to_the_mean_of_the_references() {
        let grey = |levels: [u8; 4]| Rgb8 {
            width_px: 2,
            height_px: 2,
            bytes: levels.into_iter().flat_map(|v| [v; 3]).collect(),
        };
        let mean = MeanReference::of(&[grey([0, 0, 51, 255]), grey([102, 0, 51, 255])], 2).unwrap();
        let (map, score) = mean.score(&[0.0, 0.5, 0.2, 0.9]);
        // Grey values are thirds of bytes.
        assert!(map.iter().zip([0.2, 0.5, 0.0, 0.1]).all(|(a, b)| (a - b).abs() < 1e-3), "{map:?}");
        assert_eq!(score, map[1]);
        assert!(MeanReference::of(&[], 2).is_none());
    }

    #[test]
    fn raw_intensity_is_the_grey_value() {
        let picture = Rgb8 { width_px: 2, height_px: 2, bytes: [[0; 3], [255; 3], [51; 3], [102; 3]].concat() };
        let (map, mean) = raw_intensity(&picture, 2);
        let expected = [0.0, 1.0, 0.2, 0.4];
        assert!(map.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{map:?}");
        assert!((mean - 0.4).abs() < 1e-6);
    }
}
