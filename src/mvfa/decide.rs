//! How the parts of an image become its score, for each kind of object; what the memory's part is stands in
//! `image_score.rs`.
//!
//! Comes in: the parts of one image that its mode has, and the ranges that bring them to one scale. Goes out: the image
//! score, and the score on the scale of the ranges. Plain arithmetic, cannot fail. Source: spec §8; zero-shot is always
//! the mean over patches (spec §0, fact 8).

use crate::bundle::manifest::{Calibration, ObjectKind};
use crate::mvfa::features::Bank;
use crate::mvfa::fusion::min_max;

/// The scores of one image that its mode gives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ImageParts {
    /// c0.
    pub(crate) zero: Option<f32>,
    /// What [`ImageScore`](crate::mvfa::ImageScore) makes of Sm.
    pub(crate) memory: Option<f32>,
}

/// The bank that few-shot scores come from.
pub(crate) fn score_bank(kind: ObjectKind) -> Bank {
    match kind {
        ObjectKind::Segmentation => Bank::Segmentation,
        ObjectKind::Detection => Bank::Detection,
    }
}

impl ImageParts {
    /// The image score. `fused_maximum` gives the largest value of the fused map; it is called only if it counts.
    pub(crate) fn score(self, kind: ObjectKind, ranges: &Calibration, fused_maximum: impl FnOnce() -> f32) -> f32 {
        match (self.zero, self.memory, kind) {
            (Some(_), Some(_), ObjectKind::Segmentation) => fused_maximum(),
            (Some(zero), Some(memory), ObjectKind::Detection) => {
                0.5 * min_max(zero, ranges.zero_score) + 0.5 * min_max(memory, ranges.memory_score)
            }
            (Some(score), None, _) | (None, Some(score), _) => score,
            (None, None, _) => 0.0,
        }
    }

    /// The image score `score` on the scale of the ranges, `None` without parts: 0 at their lower and 1 at their upper
    /// end. It is not clamped, so images beyond the range keep their order.
    pub(crate) fn scaled(self, kind: ObjectKind, ranges: &Calibration, score: f32) -> Option<f32> {
        match (self.zero, self.memory, kind) {
            // Its parts were scaled before they were joined.
            (Some(_), Some(_), _) => Some(score),
            (Some(zero), None, _) => Some(min_max(zero, ranges.zero_score)),
            (None, Some(memory), ObjectKind::Segmentation) => Some(min_max(memory, ranges.memory_map)),
            (None, Some(memory), ObjectKind::Detection) => Some(min_max(memory, ranges.memory_score)),
            (None, None, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::manifest::Range;

    const RANGES: Calibration = Calibration {
        zero_map: Range { lo: 0.0, hi: 4.0 },
        memory_map: Range { lo: 0.0, hi: 2.0 },
        zero_score: Range { lo: 1.0, hi: 3.0 },
        memory_score: Range { lo: 0.0, hi: 10.0 },
    };

    #[test]
    fn each_kind_has_its_rule() {
        let both = ImageParts { zero: Some(2.0), memory: Some(5.0) };
        assert_eq!(both.score(ObjectKind::Segmentation, &RANGES, || 0.7), 0.7);
        assert_eq!(both.score(ObjectKind::Detection, &RANGES, || unreachable!("no map counts")), 0.5);
    }

    #[test]
    fn one_part_is_its_own_score_and_is_scaled_by_its_own_range() {
        let zero = ImageParts { zero: Some(2.0), memory: None };
        let memory = ImageParts { zero: None, memory: Some(1.0) };
        for kind in [ObjectKind::Segmentation, ObjectKind::Detection] {
            assert_eq!(zero.score(kind, &RANGES, || 9.0), 2.0);
            assert_eq!(zero.scaled(kind, &RANGES, 2.0), Some(0.5));
            assert_eq!(memory.score(kind, &RANGES, || 9.0), 1.0);
        }
        assert_eq!(memory.scaled(ObjectKind::Segmentation, &RANGES, 1.0), Some(0.5));
        assert_eq!(memory.scaled(ObjectKind::Detection, &RANGES, 1.0), Some(0.1));
        assert_eq!(ImageParts::default().scaled(ObjectKind::Detection, &RANGES, 0.0), None);
    }
}
