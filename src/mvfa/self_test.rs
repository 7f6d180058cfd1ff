//! A fixed picture whose features every device must reproduce.
//!
//! On some devices a kernel that fails is skipped silently and its result is whatever the
//! memory held before; only a known answer reveals it.

use burn::tensor::Tensor;

use crate::bundle::manifest::SelfTest;
use crate::compute::{Reading, unit_rows};
use crate::image::Planes;
use crate::mvfa::features::Features;
use crate::mvfa::memory::nearest_distances;
use crate::mvfa::zero_shot::{LOGIT_SCALE, patch_logits};

/// Values compared per row.
const VALUES: usize = 16;

/// Allowed difference as a share of the largest value: far above rounding of 16-bit floats,
/// far below a wrong kernel.
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
const RELATIVE_TOLERANCE: f32 = 0.02;

/// Allowed difference of a cosine; sums of a thousand products differ by less than 1e-5.
const COSINE_TOLERANCE: f32 = 1e-3;

/// The test picture, `[3, side, side]` in 0..1: smooth ramps that wrap, no symmetry.
pub(crate) fn picture(side_px: usize) -> Planes {
    let mut values = Vec::with_capacity(3 * side_px * side_px);
    for channel in 0..3 {
        for y in 0..side_px {
            for x in 0..side_px {
                values.push(((7 * x + 13 * y + 29 * channel + x * y / 17) % 256) as f32 / 255.0);
            }
        }
    }
    Planes { side_px, values }
}

/// Asks for the compared values: of each level and bank the class row and a middle row.
pub(crate) fn request(features: &Features, reading: &mut Reading) {
    for level in features.segmentation.iter().chain(&features.detection) {
        let [tokens, dim] = level.dims();
        for row in [0, tokens / 2] {
            reading.push(level.clone().slice([row..row + 1, 0..dim.min(VALUES)]));
        }
    }
}

/// The manifest's entry for values that a trusted device gave.
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub(crate) fn record(values: Vec<f32>) -> SelfTest {
    let largest = values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    SelfTest { values, tolerance: largest * RELATIVE_TOLERANCE }
}

/// What is expected of the first `reached` of `levels` levels.
pub(crate) fn first_levels(expected: &SelfTest, reached: usize, levels: usize) -> SelfTest {
    let bank = (expected.values.len() / 2).max(1);
    let count = bank / levels.max(1) * reached;
    let values = expected.values.chunks(bank).flat_map(|bank| bank.iter().take(count).copied()).collect();
    SelfTest { values, tolerance: expected.tolerance }
}

/// Why the values are wrong, if they are.
pub(crate) fn mismatch(expected: &SelfTest, found: &[f32]) -> Option<String> {
    if expected.values.len() != found.len() {
        return Some(format!("{} values, expected {}", found.len(), expected.values.len()));
    }
    let worst = furthest(&expected.values, found);
    (worst > expected.tolerance).then(|| format!("off by {worst:.2e}, allowed {:.2e}", expected.tolerance))
}

fn furthest(expected: &[f32], found: &[f32]) -> f32 {
    // A comparison with NaN must fail the test, so NaN counts as infinitely far.
    let off = |(e, f): (&f32, &f32)| if f.is_finite() { (e - f).abs() } else { f32::INFINITY };
    expected.iter().zip(found).map(off).fold(0.0, f32::max)
}

/// Asks for what the scores make of features `[tokens, dim]`: the class row, a middle row, and how
/// far each patch is from the class row; with words `[dim, 2]` the words and the patches' logits.
/// The number of tensors asked for.
pub(crate) fn request_scores(
    rows: &Tensor<2>,
    words: Option<(&Tensor<2>, &Tensor<2>)>,
    reading: &mut Reading,
) -> usize {
    let [tokens, _] = rows.dims();
    let row = |rows: &Tensor<2>, n: usize| rows.clone().slice_dim(0, n..n + 1);
    let patches = |rows: &Tensor<2>| unit_rows(rows.clone().slice_dim(0, 1..tokens));
    reading.push(row(rows, 0));
    reading.push(row(rows, tokens / 2));
    reading.push(nearest_distances(patches(rows), unit_rows(row(rows, 0))));
    let Some((feature, words)) = words else { return 3 };
    reading.push(row(feature, tokens / 2));
    reading.push(words.clone());
    reading.push(patch_logits(patches(feature), words.clone()));
    6
}

/// Why what came of [`request_scores`] contradicts itself, if it does: the processor compares the
/// middle patch too.
pub(crate) fn scores_mismatch(found: &[Vec<f32>]) -> Option<String> {
    let [class, middle, distances, rest @ ..] = found else { return Some("no answer".to_owned()) };
    // The middle token is the middle patch and one.
    let at = distances.len().div_ceil(2).saturating_sub(1);
    let length = |row: &[f32]| row.iter().map(|v| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    let product: f32 = class.iter().zip(middle).map(|(a, b)| a * b).sum();
    let expected = vec![1.0 - product / length(class) / length(middle)];
    let distance = SelfTest { values: expected, tolerance: COSINE_TOLERANCE };
    let wrong = |what: &str, why: String| format!("{what} {why}");
    if let Some(why) = mismatch(&distance, distances.get(at..=at).unwrap_or_default()) {
        return Some(wrong("distances", why));
    }
    let [middle, words, logits] = rest else { return None };
    let logit = |word: usize| -> f32 {
        let words = words.iter().skip(word).step_by(2);
        LOGIT_SCALE as f32 * middle.iter().zip(words).map(|(a, b)| a * b).sum::<f32>() / length(middle)
    };
    let expected = SelfTest { values: vec![logit(0), logit(1)], tolerance: LOGIT_SCALE as f32 * COSINE_TOLERANCE };
    mismatch(&expected, logits.get(2 * at..2 * at + 2).unwrap_or_default()).map(|why| wrong("logits", why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_levels_of_both_banks() {
        let test = SelfTest { values: (0..8).map(|v| v as f32).collect(), tolerance: 0.5 };
        assert_eq!(first_levels(&test, 1, 2).values, [0.0, 1.0, 4.0, 5.0]);
        assert_eq!(first_levels(&test, 2, 2).values, test.values);
    }

    #[test]
    fn scores_that_do_not_follow_from_their_rows_are_noticed() {
        let (class, middle) = (vec![3.0, 0.0], vec![4.0, 3.0]);
        let words = vec![1.0, 0.0, 0.0, 1.0];
        // Four patches; the middle token is the third, so the middle patch is the second.
        let right = [class, middle.clone(), vec![9.0, 0.2, 9.0, 9.0], middle, words];
        let with = |logits: Vec<f32>| right.iter().cloned().chain([logits]).collect::<Vec<_>>();
        assert_eq!(scores_mismatch(&right[..3]), None);
        assert_eq!(scores_mismatch(&with(vec![0.0, 0.0, 80.0, 60.0, 0.0, 0.0, 0.0, 0.0])), None);
        assert!(scores_mismatch(&with(vec![0.0; 8])).is_some());
        let mut skipped = with(Vec::new());
        skipped[2] = vec![0.0; 4];
        assert!(scores_mismatch(&skipped).is_some());
        assert!(scores_mismatch(&[]).is_some());
    }

    #[test]
    fn wrong_missing_and_nan_values_are_noticed() {
        let test = record(vec![1.0, -2.0]);
        assert_eq!(mismatch(&test, &[1.01, -2.01]), None);
        assert!(mismatch(&test, &[1.0, 2.0]).is_some());
        assert!(mismatch(&test, &[1.0]).is_some());
        assert!(mismatch(&test, &[1.0, f32::NAN]).is_some());
    }
}
