//! `mvfa convert`: published checkpoints → a bundle, with text features and self-test values; or a bundle → one with other
//! adapters.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use super::augment::AugmentName;
use super::progress;
use super::terminal::tell;
use super::usage::BadUsage;
use crate::bundle::config::Activation;
use crate::bundle::manifest::{Dtype, ObjectSpec};
use crate::bundle::objects::{default_objects, known_object, parse_object};
use crate::convert::{ChangeOptions, ConvertOptions, DEFAULT_SIZE_PX, Told, change, convert};

const EXAMPLES: &str = "\
Examples:
  mvfa convert --clip ViT-L-14-336px.pt --adapters Brain.pth --out models/brain --objects brain
  mvfa convert --clip clip.safetensors --adapters knee.pth --out models/knee --object \"knee=knee MRI:segmentation\"
  mvfa convert --bundle models/brain --adapters Liver.pth --out models/liver --objects liver
  mvfa convert --bundle models/brain --no-adapters --out models/plain

Checkpoints: OpenAI CLIP .pt, open_clip state dicts, Hugging Face CLIP or DINOv2 safetensors (DINOv2 with registers, too),
in one file, or in several with the index beside them: give the index, or the folder. Where training left several towers
in one file, the teacher or the mean of the weights (EMA) is taken before the student; all are named, --prefix chooses.
LoRA updates must be merged first (merge_and_unload() in Python). Nothing in a checkpoint is executed.
Adapters: MVFA .pth. Without adapters there is no zero-shot mode. With --bundle the adapters of a bundle are changed: its
towers are copied as they are.";

/// Arguments of `mvfa convert`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// CLIP or DINOv2 checkpoint: a file, the index of several, or the folder that holds them
    #[arg(long, value_name = "FILE", required_unless_present = "bundle")]
    clip: Option<PathBuf>,
    /// Instead of a checkpoint: a bundle whose towers get other adapters, or none
    #[arg(long, value_name = "DIR", conflicts_with_all = ["clip", "size", "levels", "heads", "prefix", "dtype", "licence", "augment", "quick_gelu"])]
    bundle: Option<PathBuf>,
    /// MVFA adapters trained on this checkpoint
    #[arg(long, value_name = "FILE")]
    adapters: Option<PathBuf>,
    /// Leave the bundle's adapters out
    #[arg(long, requires = "bundle", conflicts_with = "adapters")]
    no_adapters: bool,
    /// Folder to write; a bundle that is there is replaced when the new one is complete
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Side of the square input, in pixels; at most 128 patches and 4096 pixels
    #[arg(long, value_name = "PX", default_value_t = DEFAULT_SIZE_PX)]
    size: usize,
    /// Blocks after which features are taken, for example 6,12,18,24 [default: quarters of the depth]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',')]
    levels: Option<Vec<usize>>,
    /// Attention heads of the vision tower [default: width / 64]
    #[arg(long, value_name = "N")]
    heads: Option<usize>,
    /// Which tower of the checkpoint, where it has several: what stands before its tensors' names
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    /// Element type of the matrices
    #[arg(long, value_enum, default_value_t = Elements::F16)]
    dtype: Elements,
    /// Objects of MVFA: brain, liver, resc, oct17, chest, his [default: all six, or those of the bundle, if no --object is given]
    #[arg(long, value_name = "ID,ID,...", value_delimiter = ',', value_parser = known)]
    objects: Vec<ObjectSpec>,
    /// An object of your own; KIND is segmentation or detection; may be repeated
    #[arg(long, value_name = "ID=PROMPT WORD:KIND", value_parser = own)]
    object: Vec<ObjectSpec>,
    /// Name shown to people [default: made from the geometry]
    #[arg(long)]
    name: Option<String>,
    /// Licence of the weights, as their publisher states it
    #[arg(long)]
    licence: Option<String>,
    /// Views of each normal picture that predict takes by default: the method's eleven, or the picture alone
    #[arg(long, value_enum, default_value_t = AugmentName::Mvfa)]
    augment: AugmentName,
    /// Use x * sigmoid(1.702 x), which CLIP was trained with, instead of the exact GELU that MVFA runs
    #[arg(long)]
    quick_gelu: bool,
}

/// Element types by their names on the command line.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Elements {
    /// 32-bit floats
    F32,
    /// 16-bit floats
    F16,
    /// 8-bit integers with a scale per row
    I8,
}

fn known(id: &str) -> Result<ObjectSpec, String> {
    known_object(id.trim()).map_err(|e| e.to_string())
}

fn own(text: &str) -> Result<ObjectSpec, String> {
    parse_object(text).map_err(|e| e.to_string())
}

/// Runs the command.
///
/// # Errors
/// What the checkpoint, the adapters, the options or the disk have wrong.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let bar = progress::bar(0);
    let mut tell_progress = |done_bytes: u64, total_bytes: u64, _: &str| {
        bar.set_message("converting (MB)");
        bar.set_length(total_bytes / 1_000_000);
        bar.set_position(done_bytes / 1_000_000);
    };
    let made = match (&args.bundle, &args.clip) {
        (Some(bundle), _) => {
            if args.adapters.is_none() && !args.no_adapters {
                let reason = "--bundle needs what is to change; add --adapters FILE or --no-adapters";
                return Err(BadUsage(reason.to_owned()).into());
            }
            change(&change_options(args, bundle), &mut tell_progress)
        }
        (None, clip) => {
            let clip = clip.clone().unwrap_or_default();
            convert(&options(args, clip), &mut tell_progress, &mut |told| {
                bar.suspend(|| match told {
                    Told::Taken(what) => tell(what),
                    Told::LeftOut(what) => tell(&format!("note: left out: {what}")),
                });
            })
        }
    };
    bar.finish_and_clear();
    let manifest = made?;
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    tell(&format!(
        "wrote {} to {}: {} files, {:.1} MB",
        manifest.name,
        args.out.display(),
        manifest.files.len(),
        bytes as f64 / 1e6
    ));
    Ok(ExitCode::SUCCESS)
}

fn objects(args: &Args) -> Vec<ObjectSpec> {
    args.objects.iter().chain(&args.object).cloned().collect()
}

fn change_options(args: &Args, bundle: &Path) -> ChangeOptions {
    ChangeOptions {
        bundle: bundle.to_owned(),
        adapters: args.adapters.clone(),
        out: args.out.clone(),
        objects: objects(args),
        name: args.name.clone(),
    }
}

fn options(args: &Args, clip: PathBuf) -> ConvertOptions {
    let mut objects = objects(args);
    if objects.is_empty() {
        objects = default_objects();
    }
    ConvertOptions {
        adapters: args.adapters.clone(),
        size_px: args.size,
        levels: args.levels.clone(),
        prefix: args.prefix.clone(),
        heads: args.heads,
        dtype: match args.dtype {
            Elements::F32 => Dtype::F32,
            Elements::F16 => Dtype::F16,
            Elements::I8 => Dtype::I8,
        },
        objects,
        activation: if args.quick_gelu { Activation::QuickGelu } else { Activation::Gelu },
        augment: args.augment.into(),
        name: args.name.clone(),
        licence: args.licence.clone(),
        ..ConvertOptions::new(clip, args.out.clone())
    }
}
