//! A fixed picture whose features every device must reproduce.
//!
//! On some devices a kernel that fails is skipped without a word and its result is whatever the
//! memory held before; a known answer is the only way to notice.

use crate::bundle::manifest::SelfTest;
use crate::image::Planes;
use crate::mvfa::features::Features;
use crate::mvfa::reading::Reading;

/// Values compared per row.
const VALUES: usize = 16;

/// Allowed difference as a share of the largest value: far above rounding of 16-bit floats,
/// far below a wrong kernel.
const RELATIVE_TOLERANCE: f32 = 0.02;

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
pub(crate) fn request(features: &Features, reading: &mut Reading) -> usize {
    let mut parts = 0;
    for level in features.segmentation.iter().chain(&features.detection) {
        let [tokens, dim] = level.dims();
        for row in [0, tokens / 2] {
            reading.push(level.clone().slice([row..row + 1, 0..dim.min(VALUES)]));
            parts += 1;
        }
    }
    parts
}

/// The manifest's entry for values that a trusted device gave.
pub(crate) fn record(values: Vec<f32>) -> SelfTest {
    let largest = values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    SelfTest { values, tolerance: largest * RELATIVE_TOLERANCE }
}

/// Why the values are wrong, if they are.
pub(crate) fn mismatch(expected: &SelfTest, found: &[f32]) -> Option<String> {
    if expected.values.len() != found.len() {
        return Some(format!("{} values, expected {}", found.len(), expected.values.len()));
    }
    let worst = expected
        .values
        .iter()
        .zip(found)
        // A comparison with NaN must fail the test, so NaN counts as infinitely far.
        .map(|(e, f)| if f.is_finite() { (e - f).abs() } else { f32::INFINITY })
        .fold(0.0_f32, f32::max);
    (worst > expected.tolerance).then(|| format!("off by {worst:.2e}, allowed {:.2e}", expected.tolerance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_missing_and_nan_values_are_noticed() {
        let test = record(vec![1.0, -2.0]);
        assert_eq!(mismatch(&test, &[1.01, -2.01]), None);
        assert!(mismatch(&test, &[1.0, 2.0]).is_some());
        assert!(mismatch(&test, &[1.0]).is_some());
        assert!(mismatch(&test, &[1.0, f32::NAN]).is_some());
    }
}
