//! Bringing the zero-shot and the memory part to one scale.
//!
//! The released code takes the minimum and maximum over a whole test set (spec §8.3); a single
//! picture has none, so constants stand in: the manifest's if it has them, otherwise ranges
//! taken from the references themselves, each scored against the others (spec §8.4).

use crate::bundle::manifest::{Calibration, Range};

/// Share of the lowest and highest normal pixels that do not count as the normal range.
const LOW_QUANTILE: f64 = 0.01;
const HIGH_QUANTILE: f64 = 0.999;

/// Largest memory distance per level that is assumed if nothing is known: one reference, no
/// constants. Only then does it weigh in, and the calibrated score is left out.
const ASSUMED_DISTANCE: f32 = 0.5;

/// Least width of a range, in distance per level. References that differ from each other by less are as good as one
/// picture; a range of rounding errors would blow every score up (a copy of a reference gave 707 554). Real sets lie far
/// above: see [`default_calibration`].
const LEAST_WIDTH: f32 = 0.005;

/// `(value - lo) / (hi - lo)`, not clamped.
pub fn min_max(value: f32, range: Range) -> f32 {
    (value - range.lo) / (range.hi - range.lo).max(f32::EPSILON)
}

/// Mean of both parts on their common scale, pixel by pixel or for a single score.
pub(crate) fn fuse(zero: &[f32], memory: &[f32], zero_range: Range, memory_range: Range) -> Vec<f32> {
    zero.iter().zip(memory).map(|(z, m)| 0.5 * min_max(*z, zero_range) + 0.5 * min_max(*m, memory_range)).collect()
}

/// Ranges from the references' own maps and scores, each made without the reference itself.
///
/// `levels` of the words and of the memory. With fewer than two references nothing can be left out, and assumed ranges
/// are used.
pub fn default_calibration(levels: [usize; 2], left_out_maps: &[Vec<f32>], left_out_scores: &[f32]) -> Calibration {
    let [of_words, levels] = levels.map(|levels| levels as f32);
    // A sum of probabilities, one a level.
    let probability = Range { lo: 0.0, hi: of_words };
    let assumed = Range { lo: 0.0, hi: ASSUMED_DISTANCE * levels };
    let mut pixels: Vec<f32> = left_out_maps.iter().flatten().copied().collect();
    pixels.sort_unstable_by(f32::total_cmp);
    let memory_map = match (quantile(&pixels, LOW_QUANTILE), quantile(&pixels, HIGH_QUANTILE)) {
        (Some(lo), Some(hi)) if hi >= lo => wide_enough(lo, hi, levels),
        _ => assumed,
    };
    let lo = left_out_scores.iter().copied().fold(f32::INFINITY, f32::min);
    let hi = left_out_scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let memory_score = if hi >= lo { wide_enough(lo, hi, levels) } else { assumed };
    Calibration { zero_map: probability, memory_map, zero_score: probability, memory_score }
}

/// The range from `lo` to `hi`, or to the least width.
fn wide_enough(lo: f32, hi: f32, levels: f32) -> Range {
    Range { lo, hi: hi.max(lo + LEAST_WIDTH * levels) }
}

/// Linear-interpolated quantile of sorted values.
fn quantile(sorted: &[f32], q: f64) -> Option<f32> {
    let last = sorted.len().checked_sub(1)?;
    let position = q * last as f64;
    let (low, high) = (position.floor() as usize, position.ceil() as usize);
    let fraction = (position - low as f64) as f32;
    Some(sorted[low] * (1.0 - fraction) + sorted[high] * fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_weigh_the_same() {
        let range = |lo, hi| Range { lo, hi };
        assert_eq!(fuse(&[2.0], &[0.3], range(0.0, 4.0), range(0.1, 0.3)), vec![0.75]);
    }

    #[test]
    fn one_reference_gives_assumed_ranges() {
        let c = default_calibration([4; 2], &[], &[]);
        assert_eq!((c.memory_map.lo, c.memory_map.hi), (0.0, 2.0));
    }

    #[test]
    fn references_that_are_alike_blow_no_score_up() {
        let c = default_calibration([4; 2], &[vec![1e-6, 2e-6], vec![0.0, 1e-6]], &[2e-6, 1e-6]);
        for range in [c.memory_map, c.memory_score] {
            // The largest distance there is, 2 a level, and one that a lesion has.
            assert!(min_max(8.0, range) <= 401.0 && min_max(1.3, range) < 70.0, "{range:?}");
        }
        // All the same: not assumed, they were compared.
        assert_eq!(default_calibration([4; 2], &[vec![0.5; 9]], &[0.5, 0.5]).memory_score.lo, 0.5);
    }

    #[test]
    fn ranges_follow_the_references() {
        let map: Vec<f32> = (0..=1000).map(|i| i as f32).collect();
        let c = default_calibration([4; 2], &[map], &[3.0, 5.0]);
        assert_eq!((c.memory_map.lo, c.memory_map.hi), (10.0, 999.0));
        assert_eq!((c.memory_score.lo, c.memory_score.hi), (3.0, 5.0));
    }
}
