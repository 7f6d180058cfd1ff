//! Small arithmetic on maps and patch values.

use crate::mvfa::upsample::{Geometry, upsample};
use crate::mvfa::zero_shot::abnormal_probability;

/// Upsampled levels, summed: `[side_px, side_px]`.
pub(crate) fn sum_up(levels: &[Vec<f32>], grid: usize, side_px: usize, geometry: Geometry) -> Vec<f32> {
    let mut sum = vec![0.0; side_px * side_px];
    for level in levels {
        for (s, v) in sum.iter_mut().zip(upsample(level, grid, side_px, geometry)) {
            *s += v;
        }
    }
    sum
}

/// Logits `[patches, 2]` → abnormal probability of each patch.
pub(crate) fn abnormal_patches(logits: &[f32]) -> Vec<f32> {
    logits.chunks_exact(2).map(|z| abnormal_probability(z[0], z[1])).collect()
}

/// Largest value.
pub(crate) fn maximum(map: &[f32]) -> f32 {
    map.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// Mean, summed in 64 bits.
pub(crate) fn mean(map: &[f32]) -> f32 {
    let sum: f64 = map.iter().map(|v| f64::from(*v)).sum();
    (sum / map.len().max(1) as f64) as f32
}
