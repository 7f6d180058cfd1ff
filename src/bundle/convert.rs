//! From published files to a bundle.
//!
//! Comes in: a CLIP or DINOv2 checkpoint, perhaps MVFA adapters, and choices. Goes out: a bundle
//! folder and its manifest. Fails with [`BundleError`]; a bundle that was there before is still
//! there then. Never holds more than one tensor and one shard.

use std::path::PathBuf;

use crate::bundle::config::{Activation, Family, GRID_LIMIT, IMAGE_PX_LIMIT, TextConfig};
use crate::bundle::error::BundleError;
use crate::bundle::import::{AdapterFile, Checkpoint, VisionGeometry, open_checkpoint};
use crate::bundle::manifest::{
    AdapterConfig, Augment, Dtype, FORMAT, Group, Manifest, MemoryFeatures, ObjectSpec, PreprocessConfig, RESAMPLE,
    SelfTest, released_mix,
};
use crate::bundle::names::{NamedShape, adapter_tensors, prompt_tensor, text_tensors, vision_tensors};
use crate::bundle::objects::{check_distinct, default_objects};
use crate::bundle::position::resize_position_table;
use crate::bundle::store::BundleFolder;
use crate::bundle::writer::{BundleWriter, check_replaceable};

/// MVFA's picture side (spec §1).
pub const DEFAULT_SIZE_PX: usize = 240;
/// File name of the model card.
pub const CARD: &str = "MODEL_CARD.md";
/// Mean and deviation of ImageNet's channels, which DINOv2 was trained with. MVFA gives CLIP
/// pixels in 0..1 as they are (spec §0, fact 1).
const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];
const INTENDED_USE: &str = "Research and teaching. Not a medical device; not for diagnosis.";
const UNKNOWN_LICENCE: &str = "not stated in the checkpoint; see where it was published";

/// What to convert, and how.
#[derive(Clone, Debug)]
pub struct ConvertOptions {
    /// The CLIP or DINOv2 checkpoint.
    pub clip: PathBuf,
    /// MVFA's adapters; without, raw block tokens are the features.
    pub adapters: Option<PathBuf>,
    /// Folder to write.
    pub out: PathBuf,
    /// Side of the input picture, in pixels.
    pub size_px: usize,
    /// 1-based blocks after which features are taken; quarters of the depth if not given.
    pub levels: Option<Vec<usize>>,
    /// Attention heads, where width / 64 is wrong.
    pub heads: Option<usize>,
    /// Element type of the matrices.
    pub dtype: Dtype,
    /// What the model can be asked about.
    pub objects: Vec<ObjectSpec>,
    /// Activation of the blocks in both towers.
    pub activation: Activation,
    /// Views of a reference that the memory bank holds unless the user says otherwise.
    pub augment: Augment,
    /// Name shown to people; made from the geometry if not given.
    pub name: Option<String>,
    /// Licence of the weights.
    pub licence: Option<String>,
}

impl ConvertOptions {
    /// The method's defaults: 240 px, the six objects, erf GELU, f16.
    pub fn new(clip: PathBuf, out: PathBuf) -> Self {
        Self {
            clip,
            adapters: None,
            out,
            size_px: DEFAULT_SIZE_PX,
            levels: None,
            heads: None,
            dtype: Dtype::F16,
            objects: default_objects(),
            activation: Activation::default(),
            augment: Augment::default(),
            name: None,
            licence: None,
        }
    }
}

/// Gives an object's text features, row-major `[embed, 2]` with columns (normal, abnormal), from
/// the checkpoint's text tower; `None` where it cannot.
pub type TextFeatures<'a> =
    dyn FnMut(&mut Checkpoint, &TextConfig, &ObjectSpec) -> Result<Option<Vec<f32>>, BundleError> + 'a;

/// Computes the self-test from the files written so far. The manifest it sees is complete but for
/// the self-test and the revision.
pub type MakeSelfTest<'a> = dyn FnMut(&BundleFolder) -> Result<Option<SelfTest>, BundleError> + 'a;

/// Told before each tensor: bytes (as f32) done and in all, and its canonical name.
pub type Progress<'a> = dyn FnMut(u64, u64, &str) + 'a;

/// Told once for each part of the checkpoint that is left out: what, and why.
pub type LeftOut<'a> = dyn FnMut(&str) + 'a;

/// What needs the towers to run, which is not this module's business.
pub struct Hooks<'a> {
    /// Text features per object; asked only where the checkpoint has a text tower.
    pub text_features: &'a mut TextFeatures<'a>,
    /// The self-test.
    pub self_test: &'a mut MakeSelfTest<'a>,
    /// Progress.
    pub progress: &'a mut Progress<'a>,
}

/// Converts a checkpoint into a bundle.
///
/// # Errors
/// What the checkpoint, the adapters, the options or the disk have wrong; see [`BundleError`].
pub fn convert(options: &ConvertOptions, hooks: &mut Hooks<'_>) -> Result<Manifest, BundleError> {
    convert_telling(options, hooks, &mut |_| {})
}

/// The same; `left_out` is told what of the checkpoint is left out.
///
/// # Errors
/// As [`convert`].
pub fn convert_telling(
    options: &ConvertOptions,
    hooks: &mut Hooks<'_>,
    left_out: &mut LeftOut<'_>,
) -> Result<Manifest, BundleError> {
    check_distinct(&options.objects)?;
    check_inputs(options)?;
    check_replaceable(&options.out)?;
    let mut checkpoint = open_checkpoint(&options.clip, options.heads)?;
    let mut adapters = options.adapters.as_deref().map(AdapterFile::open).transpose()?;
    let mut manifest = plan(options, &checkpoint, adapters.as_ref())?;
    if let Some(what) = checkpoint.left_out() {
        left_out(what);
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
        (hooks.progress)(done, total, &tensor.0);
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
            if let Some(values) = (hooks.text_features)(&mut checkpoint, text, object)? {
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
    (hooks.progress)(total, total, "");
    writer.add_text(CARD, &card(options, &checkpoint, &manifest))?;
    manifest.files = writer.flush()?.to_vec();
    let written = BundleFolder::with_manifest(writer.work_folder(), manifest.clone());
    manifest.self_test = (hooks.self_test)(&written)?;
    writer.finish(manifest)
}

/// A bundle that is replaced must not hold what the new one is made from.
fn check_inputs(options: &ConvertOptions) -> Result<(), BundleError> {
    let Ok(out) = options.out.canonicalize() else { return Ok(()) };
    for input in options.adapters.iter().chain([&options.clip]) {
        if input.canonicalize().is_ok_and(|path| path.starts_with(&out)) {
            return Err(BundleError::Options(format!(
                "{} lies in {}, which would be replaced; choose another --out folder",
                input.display(),
                options.out.display()
            )));
        }
    }
    Ok(())
}

/// The manifest without files, after everything that can be checked before a tensor is read.
fn plan(
    options: &ConvertOptions,
    checkpoint: &Checkpoint,
    adapters: Option<&AdapterFile>,
) -> Result<Manifest, BundleError> {
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
        if adapters.width() != vision.width {
            return Err(BundleError::AdapterWidth { expected: vision.width, found: adapters.width() });
        }
        if adapters.levels() != levels.len() {
            return Err(BundleError::AdapterLevels { expected: levels.len(), found: adapters.levels() });
        }
        let embed = text.as_ref().map_or(adapters.bottleneck(), |t| t.embed);
        if adapters.bottleneck() != embed {
            return Err(BundleError::AdapterBottleneck { expected: embed, found: adapters.bottleneck() });
        }
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
        adapters: adapters.map(|a| AdapterConfig { bottleneck: a.bottleneck(), mix: released_mix() }),
        preprocess: PreprocessConfig { size_px: options.size_px, resample: RESAMPLE.to_owned(), mean, std },
        augment: options.augment,
        memory: MemoryFeatures::default(),
        zero_shot_note: None,
        objects: options.objects.clone(),
        self_test: None,
        files: Vec::new(),
    })
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

fn card(options: &ConvertOptions, checkpoint: &Checkpoint, manifest: &Manifest) -> String {
    let file = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let adapters = match &options.adapters {
        Some(path) => format!("MVFA adapters from `{}`", file(path)),
        None => "none; the tower's own tokens are the features".to_owned(),
    };
    let text = if manifest.text.is_some() { "included" } else { "none; no zero-shot analysis" };
    format!(
        "# {}\n\n\
         | | |\n|---|---|\n\
         | Weights | `{}` ({}) |\n\
         | Adapters | {adapters} |\n\
         | Text tower | {text} |\n\
         | Features after blocks | {:?} |\n\
         | Input | {} px square |\n\
         | Licence of the weights | {} |\n\
         | Intended use | {} |\n",
        manifest.name,
        file(&options.clip),
        checkpoint.title(),
        manifest.vision.levels,
        manifest.preprocess.size_px,
        manifest.licence,
        manifest.intended_use,
    )
}

fn f32_bytes(tensor: &NamedShape) -> u64 {
    4 * tensor.1.iter().product::<usize>() as u64
}
