//! Small arithmetic on maps and patch values.

use crate::mvfa::map_rule::MapRule;
use crate::mvfa::zero_shot::abnormal_probability;

/// Levels as maps, summed: `[side_px, side_px]`.
pub(crate) fn sum_up(levels: &[Vec<f32>], grid: usize, side_px: usize, rule: MapRule) -> Vec<f32> {
    let mut sum = vec![0.0; side_px * side_px];
    for level in levels {
        for (s, v) in sum.iter_mut().zip(rule.spread(level, grid, side_px)) {
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
