//! What a bundle will be, before a tensor is read.
//!
//! Comes in: options, and the geometry of the checkpoint and of the adapters. Goes out: the manifest without files. Fails
//! with [`BundleError`] where they contradict each other.

#[cfg(not(target_arch = "wasm32"))]
use std::path::{Path, PathBuf};

use crate::bundle::config::{Family, GRID_LIMIT, IMAGE_PX_LIMIT, TextConfig, VisionConfig};
use crate::bundle::error::BundleError;
use crate::bundle::import::{AdapterFile, VisionGeometry};
use crate::bundle::manifest::{
    AdapterConfig, FORMAT, Manifest, MemoryFeatures, PreprocessConfig, RESAMPLE, released_mix,
};
use crate::bundle::writer::CARD;
use crate::convert::options::ConvertOptions;
use crate::convert::sources::Sources;

/// Mean and deviation of ImageNet's channels, which DINOv2 was trained with. MVFA gives CLIP
/// pixels in 0..1 as they are (spec §0, fact 1).
const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];
const INTENDED_USE: &str = "Research and teaching. Not a medical device; not for diagnosis.";
const UNKNOWN_LICENCE: &str = "not stated in the checkpoint; see where it was published";

/// A bundle that is replaced must not hold what the new one is made from.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn check_apart<'a>(out: &Path, inputs: impl Iterator<Item = &'a PathBuf>) -> Result<(), BundleError> {
    let Ok(there) = out.canonicalize() else { return Ok(()) };
    for input in inputs {
        if input.canonicalize().is_ok_and(|path| path.starts_with(&there)) {
            return Err(BundleError::Options(format!(
                "{} lies in {}, which would be replaced; choose another --out folder",
                input.display(),
                out.display()
            )));
        }
    }
    Ok(())
}

/// The manifest without files, after everything that can be checked before a tensor is read.
///
/// # Errors
/// [`BundleError`] where options, checkpoint and adapters contradict each other.
pub fn plan(options: &ConvertOptions, sources: &Sources) -> Result<Manifest, BundleError> {
    let Sources { checkpoint, adapters } = sources;
    let tower = checkpoint.vision();
    let levels = options.levels.clone().unwrap_or_else(|| tower.default_levels());
    if levels.iter().any(|level| *level == 0 || *level > tower.layers) {
        return Err(BundleError::Options(format!(
            "the levels {levels:?} must lie in 1..={}, the blocks of this checkpoint; pass other --levels",
            tower.layers
        )));
    }
    let (size_px, patch_px) = (options.size_px, tower.patch_px);
    if size_px > IMAGE_PX_LIMIT || size_px / patch_px.max(1) > GRID_LIMIT {
        let most = IMAGE_PX_LIMIT.min(GRID_LIMIT * patch_px);
        return Err(BundleError::Options(format!(
            "a picture side of {size_px} pixels is too large for patches of {patch_px}; pass a --size of at most {most}"
        )));
    }
    let vision = tower.config(options.size_px, &levels, options.activation);
    vision.validate().map_err(BundleError::Options)?;
    let text = checkpoint.text().map(|t| TextConfig { activation: options.activation, ..t.clone() });
    if let Some(adapters) = adapters {
        check_adapters(adapters, &vision, text.as_ref())?;
    }
    let (mean, std) = match tower.family {
        Family::Clip => ([0.0; 3], [1.0; 3]),
        Family::Dinov2 => (IMAGENET_MEAN, IMAGENET_STD),
    };
    Ok(Manifest {
        format: FORMAT,
        name: options.name.clone().unwrap_or_else(|| tower_name(tower, options.size_px)),
        revision: String::new(),
        licence: options.licence.clone().unwrap_or_else(|| UNKNOWN_LICENCE.to_owned()),
        card: CARD.to_owned(),
        intended_use: INTENDED_USE.to_owned(),
        vision,
        text,
        text_words: None,
        adapters: adapters.as_ref().map(|a| AdapterConfig { bottleneck: a.bottleneck(), mix: released_mix() }),
        preprocess: PreprocessConfig { size_px: options.size_px, resample: RESAMPLE.to_owned(), mean, std },
        augment: options.augment,
        memory: MemoryFeatures::default(),
        scoring: None,
        zero_shot_note: None,
        objects: options.objects.clone(),
        self_test: None,
        files: Vec::new(),
    })
}

/// Whether adapters belong to towers.
///
/// # Errors
/// [`BundleError::AdapterWidth`], [`BundleError::AdapterLevels`], [`BundleError::AdapterBottleneck`].
pub(super) fn check_adapters(
    adapters: &AdapterFile,
    vision: &VisionConfig,
    text: Option<&TextConfig>,
) -> Result<(), BundleError> {
    if adapters.width() != vision.width {
        return Err(BundleError::AdapterWidth { expected: vision.width, found: adapters.width() });
    }
    if adapters.levels() != vision.levels.len() {
        return Err(BundleError::AdapterLevels { expected: vision.levels.len(), found: adapters.levels() });
    }
    match text {
        Some(text) if adapters.bottleneck() != text.embed => {
            Err(BundleError::AdapterBottleneck { expected: text.embed, found: adapters.bottleneck() })
        }
        _ => Ok(()),
    }
}

/// For example `CLIP ViT-L/14, 240 px`.
fn tower_name(tower: &VisionGeometry, size_px: usize) -> String {
    let family = match tower.family {
        Family::Clip => "CLIP",
        Family::Dinov2 => "DINOv2",
    };
    let size = match tower.width {
        384 => "S".to_owned(),
        768 => "B".to_owned(),
        1024 => "L".to_owned(),
        1280 => "H".to_owned(),
        width => width.to_string(),
    };
    format!("{family} ViT-{size}/{}, {size_px} px", tower.patch_px)
}
