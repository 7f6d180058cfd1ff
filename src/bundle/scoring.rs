//! How a memory of raw tokens is scored, as it stands in a bundle's manifest.
//!
//! Comes in: the section `scoring` of a manifest. Goes out: plain values that the method computes by. A manifest without
//! the section has the rules of the paper ([`Scoring::default`]). Fails in `Scoring::validate`, with the field, what was
//! expected and what was found.

use serde::{Deserialize, Serialize};

use crate::bundle::config::VisionConfig;
use crate::bundle::manifest::{Manifest, ObjectKind};
use crate::mvfa::ImageScore;

/// Widest smoothing: a map that is smoothed further shows no place.
const SMOOTHING_LIMIT_PX: f32 = 64.0;

/// Rules of the memory: what it holds, and how map and score are made of its distances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scoring {
    /// Blocks whose tokens are compared, out of `vision.levels`; `None` takes all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub levels: Option<Vec<usize>>,
    /// Where patches lie on the map.
    pub patches: PatchPlaces,
    /// Sigma of the Gaussian that the map is smoothed by, in pixels of the model's input; 0 leaves it as it is.
    pub smoothing_px: f32,
    /// What the image score is.
    pub image_score: ImageScores,
    /// Whether class tokens are remembered beside the patches.
    pub class_rows: bool,
}

/// Where patches lie on the map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchPlaces {
    /// The outer patches at the outer pixels, as the released code has it.
    #[default]
    AlignCorners,
    /// Each patch at its true centre.
    PatchCentres,
}

/// The rule of each kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageScores {
    /// Of objects with masks.
    pub segmentation: ImageScore,
    /// Of objects with image labels only.
    pub detection: ImageScore,
}

impl Default for Scoring {
    fn default() -> Self {
        Self {
            levels: None,
            patches: PatchPlaces::default(),
            smoothing_px: 0.0,
            image_score: ImageScores::default(),
            class_rows: true,
        }
    }
}

impl Default for ImageScores {
    fn default() -> Self {
        Self { segmentation: ImageScore::Max, detection: ImageScore::Mean }
    }
}

impl ImageScores {
    /// The rule of a kind of object.
    pub(crate) fn of(self, kind: ObjectKind) -> ImageScore {
        match kind {
            ObjectKind::Segmentation => self.segmentation,
            ObjectKind::Detection => self.detection,
        }
    }
}

impl Scoring {
    /// Places of the memory's levels among those of the tower, rising.
    pub(crate) fn places(&self, vision: &VisionConfig) -> Vec<usize> {
        let is_taken = |block: &usize| self.levels.as_ref().is_none_or(|levels| levels.contains(block));
        (0..vision.levels.len()).filter(|n| vision.levels.get(*n).is_some_and(is_taken)).collect()
    }

    /// Checks that the rules fit a tower and its memory.
    ///
    /// # Errors
    /// A sentence that names the field and what it would have to be.
    pub(super) fn validate(&self, manifest: &Manifest) -> Result<(), String> {
        let vision = &manifest.vision;
        if let Some(levels) = &self.levels
            && (levels.is_empty()
                || !levels.is_sorted_by(|a, b| a < b)
                || levels.iter().any(|level| !vision.levels.contains(level)))
        {
            return Err(format!(
                "scoring.levels must be rising and out of vision.levels {:?}, found {levels:?}",
                vision.levels
            ));
        }
        if !(0.0..=SMOOTHING_LIMIT_PX).contains(&self.smoothing_px) {
            let found = self.smoothing_px;
            return Err(format!("scoring.smoothing_px must lie in 0..={SMOOTHING_LIMIT_PX}, found {found}"));
        }
        // Words have maps of their own levels, at the places that the released code gives them.
        if manifest.few_shot_has_words() || !manifest.memory_is_raw() {
            return Err(
                "scoring is for a memory of raw tokens that no words are joined to: expected memory \"raw\", or neither adapters nor text features; take the section scoring out to score by the paper's rules"
                    .to_owned(),
            );
        }
        Ok(())
    }
}
