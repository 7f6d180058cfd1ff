//! Everything of a bundle that is written before it runs: tensors, text features, card.
//!
//! Comes in: [`ConvertOptions`]. Goes out: [`Written`], which becomes a bundle when it is finished. Fails with
//! [`BundleError`]; a bundle that was there before is still there then. Never holds more than one tensor and one shard
//! beside the text tower.

use crate::bundle::config::Activation;
use crate::bundle::error::BundleError;
use crate::bundle::import::{AdapterFile, open_checkpoint};
use crate::bundle::manifest::{Group, Manifest, SelfTest};
use crate::bundle::names::{NamedShape, adapter_tensors, prompt_tensor, text_tensors, vision_tensors};
use crate::bundle::objects::check_distinct;
use crate::bundle::position::resize_position_table;
use crate::bundle::store::BundleFolder;
use crate::bundle::writer::{BundleWriter, CARD, check_replaceable};
use crate::convert::card::card;
use crate::convert::options::{ConvertOptions, Progress, Teller, Told};
use crate::convert::plan::{check_inputs, plan};
use crate::convert::sentences::Sentences;

/// A bundle in the making, complete but for the self-test.
pub struct Written {
    writer: BundleWriter,
    manifest: Manifest,
}

impl Written {
    /// Its files so far; the manifest has neither self-test nor revision.
    pub fn folder(&self) -> BundleFolder {
        BundleFolder::with_manifest(self.writer.work_folder(), self.manifest.clone())
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// What the disk has wrong.
    pub fn finish(mut self, self_test: Option<SelfTest>) -> Result<Manifest, BundleError> {
        self.manifest.self_test = self_test;
        self.writer.finish(self.manifest)
    }
}

/// Writes the files. `teller` is told what of the checkpoint is taken and what is left out.
///
/// # Errors
/// What the checkpoint, the adapters, the options or the disk have wrong; see [`BundleError`].
pub fn write(
    options: &ConvertOptions,
    sentences: &mut Sentences,
    progress: &mut Progress<'_>,
    teller: &mut Teller<'_>,
) -> Result<Written, BundleError> {
    check_distinct(&options.objects)?;
    check_inputs(options)?;
    check_replaceable(&options.out)?;
    let mut checkpoint = open_checkpoint(&options.clip, options.heads, options.prefix.as_deref())?;
    let mut adapters = options.adapters.as_deref().map(AdapterFile::open).transpose()?;
    let mut manifest = plan(options, &checkpoint, adapters.as_ref())?;
    for what in checkpoint.taken().iter().chain(adapters.iter().flat_map(|a| a.notes())) {
        teller(Told::Taken(what));
    }
    teller(Told::Taken(&activation(options.activation, checkpoint.trained_with())));
    for what in checkpoint.left_out() {
        teller(Told::LeftOut(what));
    }
    let text = manifest.text.clone();
    let vision_list = vision_tensors(&manifest.vision);
    let adapter_list = manifest
        .adapters
        .as_ref()
        .map(|a| adapter_tensors(manifest.vision.levels.len(), manifest.vision.width, a.bottleneck))
        .unwrap_or_default();
    let text_list = text.as_ref().map(text_tensors).unwrap_or_default();
    let lists = [&vision_list, &adapter_list, &text_list];
    let total = lists.into_iter().flatten().map(f32_bytes).sum();
    let mut done = 0;
    let mut tell = |tensor: &NamedShape| {
        progress(done, total, &tensor.0);
        done += f32_bytes(tensor);
    };

    let mut writer = BundleWriter::create(&options.out, options.dtype)?;
    let native_grid = checkpoint.vision().native_grid;
    for tensor in &vision_list {
        tell(tensor);
        let (name, shape) = tensor;
        let (_, mut values) = checkpoint.read(name)?;
        if name == "vision.position_embedding" {
            let vision = &manifest.vision;
            values = resize_position_table(&values, native_grid, vision.grid(), vision.width)?;
        }
        writer.add(name, shape, &values, Group::Vision)?;
    }
    for tensor in &adapter_list {
        tell(tensor);
        if let Some(adapters) = &mut adapters {
            let (shape, values) = adapters.read(&tensor.0)?;
            writer.add(&tensor.0, &shape, &values, Group::Adapters)?;
        }
    }
    if let Some(text) = &text {
        for object in &mut manifest.objects {
            if let Some(values) = sentences.features(&mut checkpoint, text, object)? {
                let name = prompt_tensor(&object.id);
                writer.add(&name, &[text.embed, 2], &values, Group::Prompts)?;
                object.text_features = Some(name);
            }
        }
    }
    // Last: a page loads the text tower only when someone types a prompt of their own.
    for tensor in &text_list {
        tell(tensor);
        let (shape, values) = checkpoint.read(&tensor.0)?;
        writer.add(&tensor.0, &shape, &values, Group::Text)?;
    }
    progress(total, total, "");
    writer.add_text(CARD, &card(options, &checkpoint, &manifest))?;
    manifest.files = writer.flush()?.to_vec();
    Ok(Written { writer, manifest })
}

/// How the blocks will run, in words.
fn activation(chosen: Activation, trained_with: Option<Activation>) -> String {
    let name = |activation| match activation {
        Activation::Gelu => "exact GELU",
        Activation::QuickGelu => "x * sigmoid(1.702 x)",
    };
    let why = if chosen == Activation::Gelu { ", as MVFA runs every tower" } else { "" };
    match trained_with.filter(|trained| *trained != chosen) {
        Some(trained) => {
            format!("activation: {}{why}; by its config.json it was trained with {}", name(chosen), name(trained))
        }
        None => format!("activation: {}{why}", name(chosen)),
    }
}

fn f32_bytes(tensor: &NamedShape) -> u64 {
    4 * tensor.1.iter().product::<usize>() as u64
}
