//! Opening a bundle and building the engine from it.

use std::path::Path;

use anyhow::{Context, Result};

use super::default_bundle::default_bundle;
use super::progress;
use crate::bundle::manifest::{Group, Manifest};
use crate::bundle::store::BundleFolder;
use crate::compute::{DeviceChoice, Weights, device};
use crate::mvfa::Engine;

/// What an analysis needs; the text tower is only for new prompts.
const GROUPS: [Group; 3] = [Group::Vision, Group::Adapters, Group::Prompts];

/// The bundle in `folder`, or the default one. Only its manifest is read.
///
/// # Errors
/// No bundle there, or a manifest that is not valid.
pub(super) fn bundle(folder: Option<&Path>) -> Result<BundleFolder> {
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => default_bundle()?,
    };
    BundleFolder::open(&folder).with_context(|| format!("cannot open the model in {}", folder.display()))
}

/// The engine with all weights on the wanted device, used as `manifest` says, which must pass the bundle's self-test first. On the
/// processor that goes as far as the first level: it shows whether manifest and weights belong together.
///
/// # Errors
/// The device cannot be had or computes wrongly, or a file of the bundle is missing or damaged.
pub(super) fn engine(bundle: &BundleFolder, choice: DeviceChoice, manifest: Manifest) -> Result<Engine> {
    let open = pollster::block_on(device::open(choice))?;
    let waiting = progress::waiting("loading the model");
    let weights = Weights::load(bundle, &GROUPS, &open.device)?;
    let mut engine = Engine::new(manifest, weights, open)?;
    waiting.finish_and_clear();
    let mut pacer = progress::TerminalPacer::new();
    let passed = pollster::block_on(engine.self_test(&mut pacer));
    pacer.clear();
    passed?;
    Ok(engine)
}
