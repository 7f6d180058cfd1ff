//! `mvfa predict`: pictures → scores, maps and overlays.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::ValueEnum;

use super::augment::AugmentName;
use super::normal_pictures::{self, NormalPictures};
use super::progress::TerminalPacer;
use super::report::{Report, Subject, WindowReport};
use super::stems::unique_stems;
use super::terminal::{StdoutClosed, say, say_json, tell};
use super::usage::{BadUsage, chain};
use super::{FAILURE, load, npy, outputs, overlay, paths, picture};
use crate::bundle::manifest::{Augment, Manifest};
use crate::compute::{DeviceChoice, DeviceError};
use crate::disk::{RunWindow, WholeFile};
use crate::eval::EvalError;
use crate::image::{Note, Rgb8, WindowChoice};
use crate::mvfa::{Analysis, Engine, EngineError, Mode, PixelBox, Regions, Request, Warning};
use crate::render::hatch;

const EXAMPLES: &str = "\
Examples:
  mvfa predict --object brain scan.png
  mvfa predict --object brain --mode few --support normal/ --out results/ --npy scans/
  mvfa predict --bundle models/chest --object chest --json a.png b.png > scores.jsonl
  mvfa predict --object chest --leave-out 20,20,180,40 --leave-out 900,700,100,300 film.png

A folder stands for the pictures in it, sorted by name; overlays that mvfa drew are passed over. A picture
that cannot be read is reported and the others go on; the exit code is then 1. Only results of earlier runs
are replaced, never a picture or another file.

Warnings say where a score means little: a picture without content, one of the normal pictures, one unlike all of them.
They are told once on standard error and stand in the JSON. A normal picture given twice counts once. With two or more,
each has a score of its own against the others; they are told before the first score, highest first (in the first JSON
object: normal_pictures), so that one that does not belong there is seen. Nothing is drawn below the highest of them.

Grey deeper than 8 bits is analysed through one window for all pictures, taken from the normal pictures; without
them each picture has its own. Padding (a far outlying value that fills more than a hundredth of a picture) is left
out of it. The window is told, and --window chooses another. What --leave-out names is left out of scores and maps
of the pictures and of the scale, with every patch of the model that it touches; the normal pictures stay whole.";

/// Arguments of `mvfa predict`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Folder of the model [default: models/default here or beside the program]
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// What the pictures show; mvfa info lists the ids
    #[arg(long, value_name = "ID")]
    object: String,
    /// Compare with words, or with normal pictures [default: few with --support, else zero if the model can]
    #[arg(long, value_enum)]
    mode: Option<ModeName>,
    /// Normal pictures to compare with, or folders of them; the next option or -- ends the list
    #[arg(long, value_name = "DIR_OR_FILES", num_args = 1..)]
    support: Vec<PathBuf>,
    /// Views of each normal picture: the method's eleven, or the picture alone [default: the model's]
    #[arg(long, value_enum)]
    augment: Option<AugmentName>,
    /// Most rows a level in the memory of all normal pictures together; those that lie furthest apart stay [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    bank_rows: Option<u32>,
    /// How grey deeper than 8 bits is shown and analysed: auto, pil or CENTER,WIDTH
    #[arg(long, default_value = "auto", value_parser = window, allow_hyphen_values = true)]
    window: WindowChoice,
    /// Region to leave out of scores and maps, in pixels of the picture: burnt-in text, rulers, what lies outside the
    /// field of view; may be given several times
    #[arg(long, value_name = "X,Y,WIDTH,HEIGHT", value_parser = region, allow_hyphen_values = true)]
    leave_out: Vec<PixelBox>,
    /// Frame of a DICOM file, or axial slice of a volume, from 1 [default: the first frame, the middle slice]
    #[arg(long, visible_alias = "slice", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    frame: Option<u32>,
    /// Processor or graphics device
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
    /// Folder for the results: <name>.overlay.png
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Also write the maps as <name>.zero.npy, <name>.memory.npy and <name>.fused.npy, not scaled
    #[arg(long, requires = "out")]
    npy: bool,
    /// One JSON object a picture on standard output
    #[arg(long)]
    json: bool,
    /// Pictures, or folders of them; DICOM, NIfTI, NRRD and MetaImage files by name
    #[arg(value_name = "IMAGE")]
    images: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeName {
    /// Compare with words
    Zero,
    /// Compare with normal pictures
    Few,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DeviceName {
    /// The processor
    Cpu,
    /// WebGPU
    Gpu,
}

fn window(text: &str) -> Result<WindowChoice, String> {
    text.parse::<WindowChoice>().map_err(|e| e.to_string())
}

fn region(text: &str) -> Result<PixelBox, String> {
    text.parse::<PixelBox>().map_err(|e| e.to_string())
}

/// Runs the command. Pictures that fail are told one by one.
///
/// # Errors
/// What keeps every picture from being analysed: arguments, model, device, normal pictures, the
/// folder for the results.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let (support, images) = split(&args.support, &args.images)?;
    let bundle = load::bundle(args.bundle.as_deref())?;
    let request = Request {
        object: args.object.clone(),
        mode: mode(args, bundle.manifest())?,
        augment: args.augment.map(Augment::from),
        bank_rows: args.bank_rows.map(|rows| rows as usize),
    };
    let images = paths::expand(images)?;
    let support = paths::expand(support)?;
    paths::tell_overlays(images.overlays + support.overlays);
    let (images, support) = (images.files, support.files);
    if images.is_empty() {
        let message = "there is no picture to analyse: what was named are overlays that mvfa drew; name the pictures";
        return Err(BadUsage(message.to_owned()).into());
    }
    if request.mode == Mode::Few && support.is_empty() {
        let message = "there is no normal picture: what --support names are overlays that mvfa drew; name pictures";
        return Err(BadUsage(message.to_owned()).into());
    }
    let stems = names(args, &images);
    if let Some(out) = &args.out {
        outputs::check_results(out, &stems, args.npy, images.iter().chain(&support))?;
        fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    }
    let choice = match args.device {
        DeviceName::Cpu => DeviceChoice::Cpu,
        DeviceName::Gpu => DeviceChoice::Gpu,
    };
    let mut engine = load::engine(&bundle, choice)?;
    if request.mode == Mode::Zero && !engine.has_zero_shot(&request.object) {
        let reason = engine.zero_shot_lack();
        return Err(EngineError::NoZeroShot { object: request.object, reason }.into());
    }
    let window = match request.mode {
        Mode::Few => RunWindow::of(support.iter().map(PathBuf::as_path), args.window),
        Mode::Zero => RunWindow::each(args.window),
    };
    if window.shared.is_some() {
        tell(&format!("note: {window}"));
    }
    let mut normals = NormalPictures::default();
    if request.mode == Mode::Few {
        for path in &support {
            let opened = picture::open(path, frame(args), &window).context("a normal picture cannot be used")?;
            picture::tell_notes(path, &opened.notes);
            normals.add(engine.add_reference(&opened.picture), path, &opened.picture);
        }
        normals.tell_twins(&engine);
    }

    let mut all_well = true;
    for (image, stem) in images.iter().zip(&stems) {
        match one(args, &mut engine, &request, &mut normals, &window, image, stem) {
            Ok(()) => {}
            // The next picture would meet the same.
            Err(error) if error.chain().any(|cause| cause.is::<DeviceError>() || cause.is::<StdoutClosed>()) => {
                return Err(error);
            }
            Err(error) => {
                tell(&format!("mvfa: {}", chain(&error)));
                all_well = false;
            }
        }
    }
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::from(FAILURE) })
}

/// Normal pictures and pictures to analyse. `--support` takes every path up to the next option, so in
/// `--support normal/ scan.png` it has the picture too; a folder there counts as all that was meant.
fn split<'a>(support: &'a [PathBuf], images: &'a [PathBuf]) -> Result<(&'a [PathBuf], &'a [PathBuf])> {
    match (support, images) {
        (_, [_, ..]) => Ok((support, images)),
        ([folder, _, ..], []) if folder.is_dir() => Ok(support.split_at(1)),
        ([_, ..], []) => {
            let next = "put -- between the normal pictures and the pictures to analyse";
            Err(BadUsage(format!("there is no picture to analyse: --support took every path; {next}")).into())
        }
        ([], []) => Err(BadUsage("there is no picture to analyse; name one, or a folder of them".to_owned()).into()),
    }
}

/// What is compared with, and that there is something.
fn mode(args: &Args, manifest: &Manifest) -> Result<Mode> {
    let has_words = manifest.object(&args.object)?.text_features.is_some();
    match (args.mode, args.support.is_empty()) {
        (Some(ModeName::Few), true) => {
            Err(BadUsage("--mode few needs normal pictures to compare with; add --support DIR_OR_FILES".to_owned())
                .into())
        }
        (None, true) if !has_words => Err(BadUsage(format!(
            "this model has no words for {}; add normal pictures to compare with: --support DIR_OR_FILES",
            args.object
        ))
        .into()),
        (Some(ModeName::Few), false) | (None, false) => Ok(Mode::Few),
        (Some(ModeName::Zero), no_support) => {
            if !no_support {
                tell("note: --support is not used in zero mode");
            }
            Ok(Mode::Zero)
        }
        (None, true) => Ok(Mode::Zero),
    }
}

/// Names of the output files; one that is not the picture's own is reported.
fn names(args: &Args, images: &[PathBuf]) -> Vec<String> {
    let stems = unique_stems(images);
    if args.out.is_some() {
        for (image, stem) in images.iter().zip(&stems) {
            if image.file_stem().is_some_and(|own| own.to_string_lossy() != stem.as_str()) {
                let name = image.display();
                tell(&format!("note: the name of {name} is long or another picture's; its results are named {stem}"));
            }
        }
    }
    stems
}

/// The frame asked for, from 1.
fn frame(args: &Args) -> Option<usize> {
    args.frame.map(|n| n as usize)
}

/// One picture from file to report.
fn one(
    args: &Args,
    engine: &mut Engine,
    request: &Request,
    normals: &mut NormalPictures,
    window: &RunWindow,
    image: &Path,
    stem: &str,
) -> Result<()> {
    let mut opened = picture::open(image, frame(args), window)?;
    picture::tell_notes(image, &opened.notes);
    if let Some(shown) = opened.shown {
        let note = Note::Window(shown);
        // A window that all share is told once, and one that was chosen is known; padding is news in either case.
        if shown.is_padded || window.choice == WindowChoice::Auto {
            picture::tell_notes(image, &[note]);
        }
        opened.notes.push(note);
    }
    // Shares of the sides, so that references of another size are judged by the same rule.
    let regions = Regions::new(&args.leave_out, opened.picture.width_px, opened.picture.height_px);
    regions.and_then(|regions| engine.leave_out(&regions)).with_context(|| image.display().to_string())?;
    let mut pacer = TerminalPacer::new();
    let analysis = pollster::block_on(engine.analyse(&opened.picture, request, &mut pacer));
    pacer.clear();
    let analysis = analysis.with_context(|| image.display().to_string())?;
    check_finite(image, &analysis)?;
    let mut warnings = Warning::of_image(&opened.picture);
    warnings.extend(&analysis.warnings);
    for warning in &warnings {
        tell(&format!("warning: {}: {warning}", image.display()));
    }
    // Once, before the first score that they explain.
    let scores = normals.take_scores(&analysis);
    if let Some(scores) = scores.as_deref().filter(|_| !args.json) {
        tell(&normal_pictures::line(scores));
    }
    if let Some(out) = &args.out {
        hatch(&mut opened.picture, &args.leave_out);
        let voids = warnings.iter().any(Warning::voids);
        let drawn_from = if voids { Some(f32::INFINITY) } else { analysis.normal_top };
        write_results(args.npy, out, stem, &opened.picture, &analysis, drawn_from)?;
    }
    let subject = Subject {
        image,
        object: &request.object,
        mode: request.mode,
        device: engine.device().tier.name(),
        width_px: opened.picture.width_px,
        height_px: opened.picture.height_px,
        decode_ms: opened.decode_ms,
        notes: &opened.notes,
        left_out: &args.leave_out,
        window: opened.shown.map(|shown| WindowReport::new(&shown, window)),
        warnings: &warnings,
        normal_pictures: scores,
    };
    let report = Report::new(&subject, &analysis);
    if args.json { say_json(&serde_json::to_string(&report)?) } else { say(&report.line()) }
}

/// Values that are no numbers say nothing about a picture, and JSON has no word for them. Where regions are left out
/// there are none.
fn check_finite(image: &Path, analysis: &Analysis) -> Result<()> {
    let is_left_out = |pixel: usize| analysis.left_out.as_ref().is_some_and(|mask| mask.get(pixel) == Some(&true));
    let counted = |map: &Vec<f32>| -> Vec<f32> {
        map.iter().enumerate().filter(|(pixel, _)| !is_left_out(*pixel)).map(|(_, value)| *value).collect()
    };
    let maps = [&analysis.zero, &analysis.memory, &analysis.fused].into_iter().flatten().map(counted);
    let maps = maps.chain([analysis.overlay.clone()]);
    let scores = [Some(analysis.score), analysis.score_calibrated, analysis.score_zero, analysis.score_memory];
    let mut values = maps.flatten().chain(scores.into_iter().flatten());
    match values.all(f32::is_finite) {
        true => Ok(()),
        false => Err(EvalError::NotFinite { path: image.display().to_string() }.into()),
    }
}

fn write_results(
    with_maps: bool,
    out: &Path,
    stem: &str,
    picture: &Rgb8,
    analysis: &Analysis,
    drawn_from: Option<f32>,
) -> Result<()> {
    let side = analysis.side_px;
    overlay::write_png(&outputs::overlay_path(out, stem), picture, &analysis.overlay, side, drawn_from)?;
    let maps = outputs::MAPS.into_iter().zip([&analysis.zero, &analysis.memory, &analysis.fused]);
    for (which, map) in maps.filter(|_| with_maps) {
        if let Some(map) = map {
            let path = outputs::map_path(out, stem, which);
            write_map(&path, map, side).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}

fn write_map(path: &Path, map: &[f32], side: usize) -> std::io::Result<()> {
    let mut file = WholeFile::create(path)?;
    npy::write_npy(&mut file, map, side, side)?;
    file.finish()
}
