//! `mvfa predict`: pictures and slices → scores, maps and overlays.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use anyhow::{Context, Result};
use clap::ValueEnum;
use mvfa_formats::write::npy;

use super::augment::AugmentName;
use super::inputs::{Input, Inputs, Loaded};
use super::medical_out::{Files, MedicalOut};
use super::method::MethodName;
use super::normal_pictures::{self, NormalPictures};
use super::numbers::at_least_one;
use super::outputs::Extras;
use super::picture_out::{self, Place};
use super::progress::TerminalPacer;
use super::report::{Report, SliceReport, Subject, WindowReport};
use super::scoring::{AxisName, BilateralName, ScoringName};
use super::slices::Slices;
use super::stems::unique_stems;
use super::terminal::{StdoutClosed, say, say_json, tell};
use super::usage::{BadUsage, chain};
use super::words::WordArgs;
use super::{FAILURE, interrupt, load, nearest, object_hint, outputs, overlay, paths, picture};
use crate::bundle::manifest::{Augment, Manifest};
use crate::clip::prompts::Prompts;
use crate::compute::{DeviceChoice, DeviceError};
use crate::disk::{RunWindow, write_whole};
use crate::eval::EvalError;
use crate::image::{Note, Rgb8, WindowChoice};
use crate::mvfa::{Analysis, Engine, EngineError, Matching, Mode, PixelBox, ReferenceId, Regions, Request, Warning};
use crate::render::hatch;

/// Exit code after Ctrl-C, as shells have it.
const INTERRUPTED: u8 = 130;

const EXAMPLES: &str = "\
Examples:
  mvfa predict --object brain scan.png
  mvfa predict --object brain --mode few --support normal/ --out results/ --npy scans/
  mvfa predict --bundle models/chest --object chest --json a.png b.png > scores.jsonl
  mvfa predict --object brain --abnormal-states lesions.txt --contrast anatomy.txt scan.png
  mvfa predict --object chest --leave-out 20,20,180,40 --leave-out 900,700,100,300 film.png

DICOM, NIfTI, NRRD and MetaImage:
  mvfa predict --object brain --slices all --map-out map.nii.gz scan.nii.gz
  mvfa predict --object liver --support normal-ct/ --support-slices 20-40 --slices 1,5,20-40 --seg-out seg.dcm study/
  mvfa predict --object brain --support normal.nii.gz --nearest 4 --slices all --map-out map.nii.gz scan.nii.gz

DICOM files that belong together become series, sorted by place. Taken are: the middle slice of a volume and of a series
in a folder, the first frame of a DICOM file with several, every file that is named; --slices takes others. Slices of one
series are seen through one window, the file's or the one that their grey values have together. Files about a whole
series are written at the end, also when Ctrl-C stops the run: with the slices that were finished then, and exit code
130. Nothing that names a patient is read: DICOM files that are written have empty names, numbers and dates, and keep
the unique identifiers of study and frames, without which no viewer shows them on their source. Names that are drawn
into pixels stay in overlays.

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
    /// Folder of the model, or its .zip [default: models/default here or beside the program]
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// What the pictures show; mvfa info lists the ids, and without it a medical file's header suggests one
    #[arg(long, value_name = "ID")]
    object: Option<String>,
    /// Compare with words, with normal pictures, or each picture with itself [default: few with --support, else zero if the model can]
    #[arg(long, value_enum)]
    mode: Option<ModeName>,
    /// What scores the pictures: the model, or one of the systems that stand around it
    #[arg(long, value_enum, default_value_t)]
    method: MethodName,
    /// Normal pictures to compare with, or folders of them; the next option or -- ends the list
    #[arg(long, value_name = "DIR_OR_FILES", num_args = 1..)]
    support: Vec<PathBuf>,
    /// Views of each normal picture: the method's eleven, or the picture alone [default: the model's]
    #[arg(long, value_enum)]
    augment: Option<AugmentName>,
    /// Most rows a level in the memory of all normal pictures together; those that lie furthest apart stay [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    bank_rows: Option<u32>,
    /// Compare each slice only with so many normal slices, those that lie nearest in their volumes: by millimetres where
    /// both lie in the same space, else by the way from the first slice to the last
    #[arg(long, value_name = "N", requires = "support", value_parser = at_least_one)]
    nearest: Option<usize>,
    /// Rules that maps and scores of the comparison with normal pictures follow
    #[arg(long, value_enum, default_value_t)]
    scoring: ScoringName,
    /// Compare left with right, too, at half weight: for heads and chests seen straight
    #[arg(long, value_enum, default_value_t)]
    bilateral: BilateralName,
    /// Where left and right are divided: look for it where heads lie off centre
    #[arg(long, value_enum, default_value_t)]
    axis: AxisName,
    /// How grey deeper than 8 bits is shown and analysed: auto, pil, CENTER,WIDTH or LOW..HIGH
    #[arg(long, default_value = "auto", value_parser = window, allow_hyphen_values = true)]
    window: WindowChoice,
    /// Region to leave out of scores and maps, in pixels of the picture: burnt-in text, rulers, what lies outside the
    /// field of view; may be given several times
    #[arg(long, value_name = "X,Y,WIDTH,HEIGHT", value_parser = region, allow_hyphen_values = true)]
    leave_out: Vec<PixelBox>,
    /// Frame of a DICOM file, or axial slice of a volume, from 1: the same as --slices with one number, for the normal
    /// pictures, too
    #[arg(long, visible_alias = "slice", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    frame: Option<u32>,
    /// Slices of a medical series, from 1: all, middle, or numbers and ranges like 1,5,20-40
    #[arg(long, value_name = "LIST", conflicts_with = "frame")]
    slices: Option<Slices>,
    /// The same for normal pictures [default: as for the pictures without --slices; all with --nearest]
    #[arg(long, value_name = "LIST", requires = "support", conflicts_with = "frame")]
    support_slices: Option<Slices>,
    /// Processor or graphics device
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
    /// Folder for the results: <name>.overlay.png
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Also write the maps as <name>.zero.npy, <name>.memory.npy and <name>.fused.npy, not scaled
    #[arg(long, requires = "out")]
    npy: bool,
    /// Also write the map in pixels of the picture as <name>.map.png, 16 bits of grey from its lowest to its highest value
    #[arg(long, requires = "out")]
    map_png: bool,
    /// Also write outlines and regions in pixels of the picture as <name>.contours.json, with areas and peaks
    #[arg(long, requires = "out")]
    contours: bool,
    #[command(flatten)]
    words: WordArgs,
    #[command(flatten)]
    files: Files,
    /// One JSON object a picture or slice on standard output
    #[arg(long)]
    json: bool,
    /// Pictures, medical files, or folders of them
    #[arg(value_name = "IMAGE")]
    images: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeName {
    /// Compare with words
    Zero,
    /// Compare with normal pictures
    Few,
    /// Compare left with right of each picture, for objects whose sides look alike
    #[value(name = "self")]
    Itself,
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
    let one = args.frame.map(|n| Slices::one(n as usize));
    let images = Inputs::find(images, args.slices.as_ref().or(one.as_ref()), "--slices")?;
    let object = object(args, &images, bundle.manifest())?;
    let request = Request {
        augment: args.augment.map(Augment::from),
        bank_rows: args.bank_rows.map(|rows| rows as usize),
        bilateral: args.bilateral.choice(),
        axis: args.axis.into(),
        matching: args.method.matching(),
        ..Request::new(&object, mode(args, &object, bundle.manifest())?)
    };
    let all = args.nearest.map(|_| Slices::All);
    let support_slices = args.support_slices.as_ref().or(one.as_ref()).or(all.as_ref());
    let mut support = Inputs::find(support, support_slices, "--support-slices")?;
    paths::tell_overlays(images.overlays + support.overlays);
    if images.all.is_empty() && images.failures.is_empty() {
        let found = if images.overlays > 0 { "are overlays that mvfa drew" } else { "holds none" };
        return Err(
            BadUsage(format!("there is no picture to analyse: what was named {found}; name the pictures")).into()
        );
    }
    if let Some(error) = support.failures.drain(..).next() {
        return Err(error.context("a normal picture cannot be used"));
    }
    let is_batch = args.method == MethodName::Batch;
    if is_batch && images.all.len() < 2 {
        let message = "--method batch needs two pictures at least, better ten or more: they judge each other";
        return Err(BadUsage(message.to_owned()).into());
    }
    if request.mode == Mode::Few && !is_batch && support.all.is_empty() {
        let message = "there is no normal picture: what --support names are overlays that mvfa drew; name pictures";
        return Err(BadUsage(message.to_owned()).into());
    }
    let stems = names(args, &images.all);
    if let Some(out) = &args.out {
        let extras = Extras { maps: args.npy, map_picture: args.map_png, contours: args.contours };
        let inputs = images.all.iter().chain(&support.all).map(|input| &input.path);
        outputs::check_results(out, &stems, extras, inputs)?;
        fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    }
    let mut series_out = MedicalOut::new(&args.files, &images)?;
    tell_series_notes(images.series().into_iter().chain(support.series()));
    for series in images.series() {
        if let Some(reason) = object_hint::mismatch(&series.series, &object) {
            tell(&format!("warning: {}: {reason}", series.name()));
        }
    }
    let choice = match args.device {
        DeviceName::Cpu => DeviceChoice::Cpu,
        DeviceName::Gpu => DeviceChoice::Gpu,
    };
    let mut engine = load::engine(&bundle, choice, args.method.of(args.scoring.of(bundle.manifest())))?;
    let with_words =
        request.mode == Mode::Zero || (request.mode == Mode::Few && engine.manifest().few_shot_has_words());
    let own_words = args.words.apply(&bundle, &mut engine, &request.object, with_words)?;
    if request.mode == Mode::Zero && !engine.has_zero_shot(&request.object) {
        let reason = engine.zero_shot_lack();
        return Err(EngineError::NoZeroShot { object: request.object, reason }.into());
    }
    refuse_unlike_sides(&request, engine.manifest())?;
    let of_normals = match request.mode {
        Mode::Few if is_batch => {
            let spreads: Vec<_> = images.all.iter().filter_map(Input::grey_spread).collect();
            RunWindow { is_of_slices: true, ..RunWindow::of_spreads(spreads, args.window) }
        }
        Mode::Few => RunWindow::of_spreads(support.all.iter().filter_map(Input::grey_spread), args.window),
        Mode::Zero | Mode::Itself => RunWindow::each(args.window),
    };
    let window = match of_normals.shared {
        Some(_) => of_normals,
        // Slices of one series are seen alike.
        None => RunWindow { is_of_slices: true, ..RunWindow::of_spreads(images.shared_spreads(), args.window) },
    };
    if window.shared.is_some() {
        tell(&format!("note: {window}"));
    }
    let mut normals = NormalPictures::default();
    let mut among: Vec<Option<Vec<ReferenceId>>> = vec![None; images.all.len()];
    if is_batch {
        among = others(&mut engine, &images.all, &window);
    } else if request.mode == Mode::Few {
        let mut ids = Vec::with_capacity(support.all.len());
        for input in &support.all {
            let opened = input.open(&window).context("a normal picture cannot be used")?;
            picture::tell_notes(&input.name(), &opened.notes);
            let id = engine.add_reference(&opened.picture);
            normals.add(id, input.distinct_name(), &opened.picture);
            ids.push((id, input));
        }
        normals.tell_twins(&engine);
        if let Some(count) = args.nearest {
            among = nearest::nearest(&images.all, &ids, count)?.into_iter().map(Some).collect();
        }
    }

    let mut all_well = images.failures.is_empty();
    for error in &images.failures {
        tell(&format!("mvfa: {}", chain(error)));
    }
    if series_out.is_some() {
        interrupt::ask_first();
    }
    let mut run = Run { args, engine, request, normals, window, series_out: series_out.take(), own_words };
    for (n, ((image, stem), among)) in images.all.iter().zip(&stems).zip(among).enumerate() {
        run.request.among = among;
        match run.one(image, stem, TerminalPacer::of(n, images.all.len())) {
            Ok(()) => {}
            Err(_) if interrupt::is_asked() => break,
            // The next picture would meet the same.
            Err(error) if error.chain().any(|cause| cause.is::<DeviceError>() || cause.is::<StdoutClosed>()) => {
                return Err(error);
            }
            Err(error) => {
                tell(&format!("mvfa: {}", chain(&error)));
                all_well = false;
            }
        }
        if interrupt::is_asked() {
            break;
        }
    }
    if let Some(series_out) = run.series_out {
        let manifest = run.engine.manifest();
        series_out.write(&format!("{} {}", manifest.name, manifest.revision), &run.window)?;
    }
    if interrupt::is_asked() {
        return Ok(ExitCode::from(INTERRUPTED));
    }
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::from(FAILURE) })
}

/// Tells what is to be known about series, the same of several once.
fn tell_series_notes(all: impl Iterator<Item = Rc<Loaded>>) {
    let mut told: Vec<(String, String, usize)> = Vec::new();
    for one in all {
        for note in &one.series.notes {
            match told.iter_mut().find(|(known, ..)| known == note) {
                Some((.., more)) => *more += 1,
                None => told.push((note.clone(), one.name(), 0)),
            }
        }
    }
    for (note, name, more) in told {
        let and_more = if more == 0 { String::new() } else { format!(" and {more} more") };
        tell(&format!("note: {name}{and_more}: {note}"));
    }
}

/// What the pictures show. Without `--object` the answer names what their files suggest.
fn object(args: &Args, images: &Inputs, manifest: &Manifest) -> Result<String> {
    if let Some(object) = &args.object {
        return Ok(object.clone());
    }
    let known: Vec<&str> = manifest.objects.iter().map(|object| object.id.as_str()).collect();
    let series = images.series();
    let suggested = series.first().map(|one| (one.name(), &one.series, object_hint::suggested(&one.series, manifest)));
    let hint = match suggested {
        Some((name, series, ids)) if !ids.is_empty() => {
            format!("{name} is {}: try --object {}; ", object_hint::shows(series), ids.join(" or --object "))
        }
        Some((name, series, _)) => {
            format!("{name} is {}, which suggests no object of this model; ", object_hint::shows(series))
        }
        None => String::new(),
    };
    Err(BadUsage(format!("--object is missing; {hint}this model has: {}", known.join(", "))).into())
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

/// Per picture the names of the others in the engine, for pictures that judge each other. One that cannot be read judges
/// none, and is reported in its turn.
fn others(engine: &mut Engine, images: &[Input], window: &RunWindow) -> Vec<Option<Vec<ReferenceId>>> {
    let add = |input: &Input| input.open(window).ok().map(|opened| engine.add_reference(&opened.picture));
    let ids: Vec<Option<ReferenceId>> = images.iter().map(add).collect();
    let without = |own: usize| ids.iter().enumerate().filter(|(n, _)| *n != own).filter_map(|(_, id)| *id).collect();
    (0..ids.len()).map(without).map(Some).collect()
}

/// Refuses to compare the sides of what has no like sides, before anything is analysed.
fn refuse_unlike_sides(request: &Request, manifest: &Manifest) -> Result<()> {
    let is_bilateral = request.bilateral.unwrap_or(manifest.object(&request.object)?.bilateral);
    if request.mode == Mode::Itself && request.matching == Matching::Nearest && !is_bilateral {
        return Err(EngineError::NotBilateral { object: request.object.clone() }.into());
    }
    Ok(())
}

/// What is compared with, and that there is something.
fn mode(args: &Args, object: &str, manifest: &Manifest) -> Result<Mode> {
    let has_words = manifest.object(object)?.text_features.is_some();
    args.method.check(args.mode.map(|mode| match mode {
        ModeName::Zero => Mode::Zero,
        ModeName::Few => Mode::Few,
        ModeName::Itself => Mode::Itself,
    }))?;
    if let Some(mode) = args.method.mode() {
        return match (args.method.has_normals(), args.support.is_empty()) {
            (true, true) => Err(BadUsage(format!(
                "--method {} needs normal pictures to compare with; add --support DIR_OR_FILES",
                args.method.name()
            ))
            .into()),
            (has_normals, no_support) => {
                if !has_normals && !no_support {
                    tell(&format!("note: --support is not used by --method {}", args.method.name()));
                }
                Ok(mode)
            }
        };
    }
    match (args.mode, args.support.is_empty()) {
        (Some(ModeName::Few), true) => {
            Err(BadUsage("--mode few needs normal pictures to compare with; add --support DIR_OR_FILES".to_owned())
                .into())
        }
        (None, true) if !has_words => Err(BadUsage(format!(
            "this model has no words for {object}; add normal pictures to compare with: --support DIR_OR_FILES"
        ))
        .into()),
        (Some(ModeName::Few), false) | (None, false) => Ok(Mode::Few),
        (Some(mode @ (ModeName::Zero | ModeName::Itself)), no_support) => {
            let mode = if matches!(mode, ModeName::Zero) { Mode::Zero } else { Mode::Itself };
            if !no_support {
                tell(&format!("note: --support is not used in {} mode", mode.name()));
            }
            Ok(mode)
        }
        (None, true) => Ok(Mode::Zero),
    }
}

/// Names of the output files; one that is not the picture's own is reported.
fn names(args: &Args, images: &[Input]) -> Vec<String> {
    let named: Vec<PathBuf> = images.iter().map(|image| image.stem_path.clone()).collect();
    let stems = unique_stems(&named);
    if args.out.is_some() {
        for (image, stem) in images.iter().zip(&stems) {
            if image.stem_path.file_stem().is_some_and(|own| own.to_string_lossy() != stem.as_str()) {
                let name = image.path.display();
                tell(&format!("note: the name of {name} is long or another picture's; its results are named {stem}"));
            }
        }
    }
    stems
}

/// A run after its normal pictures are read.
struct Run<'a> {
    args: &'a Args,
    engine: Engine,
    request: Request,
    normals: NormalPictures,
    window: RunWindow,
    series_out: Option<MedicalOut<'a>>,
    own_words: Option<Prompts>,
}

impl Run<'_> {
    /// One picture from file to report.
    fn one(&mut self, image: &Input, stem: &str, mut pacer: TerminalPacer) -> Result<()> {
        let Self { args, engine, request, window, .. } = self;
        let name = image.name();
        let mut opened = image.open(window)?;
        picture::tell_notes(&name, &opened.notes);
        if let Some(shown) = opened.shown {
            let note = Note::Window(shown);
            // A window that all share is told once, and one that was chosen is known; padding is news in either case.
            if shown.is_padded || window.choice == WindowChoice::Auto {
                picture::tell_notes(&name, &[note]);
            }
            opened.notes.push(note);
        }
        // Shares of the sides, so that references of another size are judged by the same rule.
        let regions = Regions::new(&args.leave_out, opened.picture.width_px, opened.picture.height_px);
        regions.and_then(|regions| engine.leave_out(&regions)).with_context(|| name.clone())?;
        let analysis = pollster::block_on(engine.analyse(&opened.picture, request, &mut pacer));
        pacer.clear();
        let analysis = analysis.with_context(|| name.clone())?;
        check_finite(&name, &analysis)?;
        let mut warnings = Warning::of_image(&opened.picture);
        warnings.extend(&analysis.warnings);
        for warning in &warnings {
            tell(&format!("warning: {name}: {warning}"));
        }
        // Once, before the first score that they explain.
        let scores = self.normals.take_scores(&analysis);
        if let Some(scores) = scores.as_deref().filter(|_| !args.json) {
            tell(&normal_pictures::line(scores));
        }
        let is_void = warnings.iter().any(Warning::voids);
        let slice = image.slice.as_ref().map(|slice| SliceReport::new(&slice.of.series, slice.frame));
        if let Some(out) = &args.out {
            hatch(&mut opened.picture, &args.leave_out);
            let drawn_from = if is_void { Some(f32::INFINITY) } else { analysis.normal_top };
            write_results(args.npy, out, stem, &opened.picture, &analysis, drawn_from)?;
            let info = image.slice.as_ref().and_then(|slice| slice.of.series.info(slice.frame));
            let place = Place {
                width_px: opened.picture.width_px,
                height_px: opened.picture.height_px,
                slice: slice.as_ref().map(|slice| slice.slice),
                spacing_mm: info.and_then(|info| info.geometry.spacing_mm),
            };
            if args.map_png {
                picture_out::write_map(out, stem, &place, &analysis)?;
            }
            if args.contours {
                let drawn = overlay::drawn_from(&analysis.overlay, drawn_from);
                let threshold = if is_void { drawn } else { args.files.threshold.unwrap_or(drawn) };
                picture_out::write_contours(out, stem, &place, &analysis, threshold)?;
            }
        }
        if let (Some(series_out), Some(slice)) = (&mut self.series_out, &image.slice) {
            series_out.add(slice.frame, &analysis, is_void);
        }
        let subject = Subject {
            image: &image.path,
            object: &request.object,
            mode: request.mode,
            method: args.method,
            device: engine.device().tier.name(),
            width_px: opened.picture.width_px,
            height_px: opened.picture.height_px,
            decode_ms: opened.decode_ms,
            notes: &opened.notes,
            left_out: &args.leave_out,
            window: opened.shown.map(|shown| WindowReport::new(&shown, window)),
            warnings: &warnings,
            normal_pictures: scores,
            slice,
            own_words: self.own_words.as_ref(),
        };
        let report = Report::new(&subject, &analysis);
        if args.json { say_json(&serde_json::to_string(&report)?) } else { say(&report.line()) }
    }
}

/// Values that are no numbers say nothing about a picture, and JSON has no word for them. Where regions are left out
/// there are none.
fn check_finite(name: &str, analysis: &Analysis) -> Result<()> {
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
        false => Err(EvalError::NotFinite { path: name.to_owned() }.into()),
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

fn write_map(path: &Path, map: &[f32], side: usize) -> Result<()> {
    Ok(write_whole(path, &npy(map, &[side, side])?)?)
}
