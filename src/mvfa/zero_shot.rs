//! Zero-shot scores: patches against words.
//!
//! Comes in: unit-length patch features and text features. Goes out: S0 (map) and c0 (image
//! score). Order matters: logits are upsampled, then the softmax is taken (spec §8.1, fact 5).

use burn::tensor::Tensor;

use crate::compute::logits;
use crate::mvfa::upsample::{Geometry, upsample};

/// CLIP's temperature; the released code fixes it instead of reading the checkpoint's (spec §5).
pub(crate) const LOGIT_SCALE: f64 = 100.0;

/// Unit patch rows `[patches, dim]` and text features `[dim, 2]` → logits `[patches, 2]`.
pub fn patch_logits(unit_patches: Tensor<2>, text: Tensor<2>) -> Tensor<2> {
    logits(unit_patches, text, LOGIT_SCALE)
}

/// S0: per level upsampled logits, softmax, abnormal channel; summed over levels.
///
/// `levels` holds per level the logits `[patches, 2]` row-major. Result `[side_px, side_px]` in
/// `0..=levels`.
pub fn zero_shot_map(levels: &[Vec<f32>], grid: usize, side_px: usize, geometry: Geometry) -> Vec<f32> {
    let mut sum = vec![0.0; side_px * side_px];
    for logits in levels {
        let channel = |c: usize| -> Vec<f32> { logits.iter().skip(c).step_by(2).copied().collect() };
        let normal = upsample(&channel(0), grid, side_px, geometry);
        let abnormal = upsample(&channel(1), grid, side_px, geometry);
        for ((s, n), a) in sum.iter_mut().zip(normal).zip(abnormal) {
            *s += abnormal_probability(n, a);
        }
    }
    sum
}

/// c0: per level the mean abnormal probability over the patches; summed over levels.
pub fn detection_score(levels: &[Vec<f32>]) -> f32 {
    levels
        .iter()
        .map(|logits| {
            let patches = (logits.len() / 2).max(1);
            let sum: f64 = logits.chunks_exact(2).map(|z| f64::from(abnormal_probability(z[0], z[1]))).sum();
            (sum / patches as f64) as f32
        })
        .sum()
}

/// Second entry of the softmax over two logits, without overflow.
pub(crate) fn abnormal_probability(normal: f32, abnormal: f32) -> f32 {
    1.0 / (1.0 + (normal - abnormal).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extreme_logits_stay_finite() {
        assert_eq!(abnormal_probability(1e4, -1e4), 0.0);
        assert_eq!(abnormal_probability(-1e4, 1e4), 1.0);
    }

    #[test]
    fn equal_logits_give_a_half_per_level() {
        let level = vec![3.0; 2 * 4];
        assert_eq!(detection_score(&[level.clone(), level.clone()]), 1.0);
        assert!(zero_shot_map(&[level.clone(), level], 2, 3, Geometry::Reference).iter().all(|v| *v == 1.0));
    }
}
