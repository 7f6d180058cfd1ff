//! `mvfa eval`: a labelled data set → figures, and a report.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::augment::AugmentName;
use super::check::{is_told_later, sentence};
use super::eval_report::{Thumbnails, report};
use super::eval_set::{Checked, checked, dataset, name, nearest, without_references};
use super::eval_table::{baseline_lines, baselines, figures, heads, prose, summary};
use super::method::MethodName;
use super::numbers::at_least_one;
use super::scoring::{AxisName, BilateralName, ScoringName};
use super::terminal::{say, say_json, tell};
use super::usage::{BadUsage, chain};
use super::{FAILURE, load, outputs, paths, progress};
use crate::bundle::manifest::{Augment, Manifest, ObjectSpec};
use crate::compute::DeviceChoice;
use crate::dataset::Finding;
use crate::disk::write_whole;
use crate::eval::{
    Dataset, DatasetError, EvalError, EvalOptions, Evaluation, Heading, ImageResult, Method, Sample, Split, Trained,
    Watch, evaluate,
};
use crate::image::Rgb8;
use crate::mvfa::{Cancelled, EngineError, Mode, Pacer, Progress};
use crate::train::{Purpose, order};

/// References that are drawn unless others are asked for.
const SHOTS: usize = 4;

const EXAMPLES: &str = "\
Examples:
  mvfa eval --data data/Brain_AD --object brain --mode few --shots 4
  mvfa eval --bundle models/brain --data data/ --object brain --mode zero --report brain.html
  mvfa eval --data data/Brain_AD --object brain --method memory-raw --shots 16 --json
  mvfa eval --data data/Brain_AD --object brain --method all
  mvfa eval --data volumes/ --object brain --nearest 4

A data set is a folder with valid and test, each with good and Ungood; mvfa check tells what else is
understood. What is odd about it is told once, and in the report. The last line of --json has image_auroc,
image_ap, pixel_auroc, pixel_ap, pro, f1_max (of pictures), n_normal, n_abnormal and warnings; a figure is null where
there are no masks or only one class. If nothing can be measured the exit code is 1. Baselines are measured on the same pictures; with --mode zero
only they use the references. References are never measured, nor are pictures equal to one. Memory does not grow with the
set, except with --method batch, which holds all pictures; temporary files do, up to 48 bytes a pixel of the maps (TMPDIR names their folder).";

/// Arguments of `mvfa eval`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Folder of the model, or its .zip [default: models/default here or beside the program]
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// Data set, or a folder with a data set of the object in it
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// What the pictures show; mvfa info lists the ids
    #[arg(long, value_name = "ID")]
    object: String,
    /// Compare with words, with normal pictures, or each picture with itself [default: few]
    #[arg(long, value_enum)]
    mode: Option<ModeName>,
    /// What scores: the model, one of the systems that stand around it, or all of them in one table
    #[arg(long, value_enum, default_value_t)]
    method: SystemName,
    /// Normal references, drawn from the valid folder [default: 4; all with --nearest]
    #[arg(long, value_name = "K")]
    shots: Option<usize>,
    /// References to take instead, or folders of them
    #[arg(long, value_name = "DIR_OR_FILES", num_args = 1..)]
    support: Vec<PathBuf>,
    /// Views of each reference [default: the model's; none for raw tokens]
    #[arg(long, value_enum)]
    augment: Option<AugmentName>,
    /// Most rows a level in the memory of all references together; those that lie furthest apart stay
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    bank_rows: Option<usize>,
    /// Compare each slice of a volume only with so many normal slices, those that lie nearest in their volumes
    #[arg(long, value_name = "N", value_parser = at_least_one, conflicts_with = "support")]
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
    /// Part of the data set to measure on
    #[arg(long, value_enum, default_value_t = SplitName::Test)]
    split: SplitName,
    /// Most pictures of each class
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    limit: Option<usize>,
    /// Seed of every random choice
    #[arg(long, value_name = "N", default_value_t = 111)]
    seed: u64,
    /// Stop at the first picture that cannot be read, and where one class is missing
    #[arg(long)]
    strict: bool,
    /// Write a report with curves and pictures to this HTML file; only an earlier report is replaced
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// One JSON object a line on standard output: each picture, then the figures
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeName {
    /// Compare with words
    Zero,
    /// Compare with normal pictures
    Few,
    /// Compare left with right of each picture
    #[value(name = "self")]
    Itself,
}

/// The methods of [`MethodName`], a baseline that stands alone, and all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum SystemName {
    /// The model as it is, in the mode that --mode names
    #[default]
    Mvfa,
    /// Nearest patch of the references, raw tokens, nothing trained (after PatchCore and AnomalyDINO)
    Memory,
    /// Each picture by itself: what most of it looks like, and its other side for heads and chests (after INP-Former)
    #[value(name = "self")]
    Itself,
    /// The pictures judge each other (after MuSc): no references; time grows with the square of their number
    Batch,
    /// As memory, but a patch is compared with its own kind of tissue only (after UniVAD)
    Components,
    /// Raw tokens of all levels by the paper's rules: the baseline of every table
    MemoryRaw,
    /// One table of all of them
    All,
}

/// What is measured: a row of the table.
#[derive(Clone, Copy, Debug)]
struct System {
    name: &'static str,
    method: MethodName,
    is_raw_baseline: bool,
    mode: Mode,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SplitName {
    /// What models are measured on
    Test,
    /// What shots are drawn from
    Valid,
}

/// Runs the command.
///
/// # Errors
/// What the model or the data have wrong; with `--strict` the first picture that cannot be read.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let start = Instant::now();
    args.report.as_deref().map_or(Ok(()), outputs::check_report)?;
    let bundle = load::bundle(args.bundle.as_deref())?;
    let object = bundle.manifest().object(&args.object)?.clone();
    let systems = systems(args, bundle.manifest(), &object)?;
    let dataset = dataset(&args.data, &args.object)?;
    let split = match args.split {
        SplitName::Test => Split::Test,
        SplitName::Valid => Split::Valid,
    };
    let samples = if args.strict { dataset.split(split)? } else { dataset.split_unchecked(split)? };
    let paths::Expanded { files: references, overlays, .. } = references(args, &dataset, &systems)?;
    paths::tell_overlays(overlays + dataset.overlays());
    let samples = limited(without_references(samples, &references), args);
    let trained = Trained::of_bundle(bundle.folder());
    let side_px = bundle.manifest().preprocess.size_px;
    let Checked { samples, warnings } = checked(&dataset, split, samples, &references, &trained, side_px)?;
    if let Err(error) = dataset.check_classes(&samples) {
        // Without normal pictures their pixels can still be told apart.
        if args.strict || !samples.iter().any(|sample| sample.mask.is_some()) {
            return Err(error.into());
        }
    }
    warnings.iter().filter(|warning| !is_told_later(warning)).for_each(|warning| tell(&sentence(warning)));
    let nearest = args.nearest.map(|count| nearest(count, &dataset, &samples, &references)).transpose()?;
    let measure = |system: &System, watch: &mut Terminal| -> Result<Evaluation> {
        let manifest = system.method.of(args.scoring.of(bundle.manifest()));
        let mut engine = load::engine(&bundle, DeviceChoice::Cpu, manifest)?;
        let options = EvalOptions {
            object: args.object.clone(),
            mode: system.mode,
            method: if system.is_raw_baseline { Method::MemoryRaw } else { Method::Mvfa },
            matching: system.method.matching(),
            nearest: nearest.clone(),
            references: references.clone(),
            augment: args.augment.map(Augment::from),
            bank_rows: args.bank_rows,
            bilateral: args.bilateral.choice(),
            axis: args.axis.into(),
            seed: args.seed,
            strict: args.strict,
        };
        let done = evaluate(&mut engine, &samples, &options, &mut Quiet(start), watch);
        watch.bar.finish_and_clear();
        Ok(done?)
    };
    let [system] = systems.as_slice() else {
        return all(args, &systems, measure, &warnings, start);
    };
    let mut watch = Terminal::new(args.report.is_some())?;
    let evaluation = measure(system, &mut watch)?;
    if evaluation.model.image_auroc.is_none() && evaluation.model.pixel_auroc.is_none() {
        bail!(
            "nothing can be measured in {}: it takes normal and abnormal pictures, or masks that are not empty (mvfa check shows what is there)",
            dataset.named().display()
        );
    }
    let windows = evaluation.windows.to_string();
    if !windows.is_empty() {
        tell(&format!("note: {windows}"));
    }

    let names: Vec<String> = evaluation.images.iter().map(|i| name(&samples, i, dataset.root())).collect();
    let mut summary = summary(&evaluation, references.len(), start.elapsed().as_secs_f64());
    summary["warnings"] = json!(warnings);
    if args.json {
        for (image, name) in evaluation.images.iter().zip(&names) {
            let mut line = serde_json::to_value(image)?;
            line["image"] = json!(name);
            say_json(&line.to_string())?;
        }
        say_json(&summary.to_string())?;
    } else {
        prose(&evaluation).iter().try_for_each(|line| say(line))?;
    }
    if let (Some(path), Some(thumbnails)) = (&args.report, watch.thumbnails) {
        let manifest = bundle.manifest();
        let heading = Heading {
            model: format!("{} (revision {})", manifest.name, manifest.revision),
            object: object.name,
            setting: [setting(system, references.len(), dataset.named()), after_sentence(&windows)].concat(),
            warnings: warnings.into_iter().map(|warning| warning.text).collect(),
        };
        let text = report(&heading, &evaluation, &names, thumbnails)?;
        write_whole(path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
        tell(&format!("wrote {}", path.display()));
    }
    Ok(if evaluation.left_out == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILURE) })
}

/// What is to be measured.
///
/// # Errors
/// A mode that does not go with the method, or that the model cannot have for this object.
fn systems(args: &Args, manifest: &Manifest, object: &ObjectSpec) -> Result<Vec<System>> {
    let asked = args.mode.map(|mode| match mode {
        ModeName::Zero => Mode::Zero,
        ModeName::Few => Mode::Few,
        ModeName::Itself => Mode::Itself,
    });
    let of = |method: MethodName| System {
        name: method.name(),
        method,
        is_raw_baseline: false,
        mode: method.mode().or(asked).unwrap_or(Mode::Few),
    };
    let system = match args.method {
        SystemName::All if asked.is_some() || args.report.is_some() => {
            let message =
                "--method all has the modes of its methods and writes one table; leave out --mode and --report";
            return Err(BadUsage(message.to_owned()).into());
        }
        SystemName::All => {
            let words = object.text_features.is_some().then(|| System { mode: Mode::Zero, ..of(MethodName::Mvfa) });
            let words = words.map(|system| System { name: "mvfa, words", ..system });
            // A model whose memory is raw is one with the method of that name.
            let adapted = (!manifest.memory_is_raw()).then(|| of(MethodName::Mvfa));
            let others = [MethodName::Memory, MethodName::Components, MethodName::Batch, MethodName::Itself].map(of);
            return Ok(words.into_iter().chain(adapted).chain(others).collect());
        }
        SystemName::MemoryRaw => match asked {
            Some(Mode::Zero | Mode::Itself) => {
                let message = "raw tokens are compared with normal pictures; use --mode few";
                return Err(BadUsage(message.to_owned()).into());
            }
            _ => System { name: "memory-raw", is_raw_baseline: true, ..of(MethodName::Mvfa) },
        },
        SystemName::Mvfa => of(MethodName::Mvfa),
        SystemName::Memory => of(MethodName::Memory),
        SystemName::Itself => of(MethodName::Itself),
        SystemName::Batch => of(MethodName::Batch),
        SystemName::Components => of(MethodName::Components),
    };
    system.method.check(asked)?;
    match system.mode {
        Mode::Zero if object.text_features.is_none() => {
            Err(BadUsage(format!("this model has no words for {}; use --mode few", args.object)).into())
        }
        Mode::Itself if system.method == MethodName::Mvfa && !args.bilateral.choice().unwrap_or(object.bilateral) => {
            Err(EngineError::NotBilateral { object: object.id.clone() }.into())
        }
        _ => Ok(vec![system]),
    }
}

/// All systems on the same pictures, one table.
fn all(
    args: &Args,
    systems: &[System],
    measure: impl Fn(&System, &mut Terminal) -> Result<Evaluation>,
    warnings: &[Finding],
    start: Instant,
) -> Result<ExitCode> {
    let mut rows: Vec<(&'static str, Evaluation)> = Vec::new();
    for system in systems {
        let mut watch = Terminal::new(false)?;
        watch.bar.set_prefix(system.name);
        rows.push((system.name, measure(system, &mut watch)?));
    }
    let Some((_, first)) = rows.first() else { return Ok(ExitCode::from(FAILURE)) };
    if args.json {
        let methods: serde_json::Map<String, Value> =
            rows.iter().map(|(name, one)| ((*name).to_owned(), json!(one.model))).collect();
        say_json(
            &json!({
                "methods": methods,
                "baselines": baselines(first),
                "n_normal": first.images.iter().filter(|image| !image.abnormal).count(),
                "n_abnormal": first.images.iter().filter(|image| image.abnormal).count(),
                "seconds": start.elapsed().as_secs_f64(),
                "warnings": warnings,
            })
            .to_string(),
        )?;
    } else {
        let mut lines = vec![heads()];
        lines.extend(rows.iter().flat_map(|(name, one)| figures(name, &one.model)));
        lines.extend(baseline_lines(first));
        lines.iter().try_for_each(|line| say(line))?;
    }
    let is_whole = rows.iter().all(|(_, one)| one.left_out == 0);
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(FAILURE) })
}

/// At most `--limit` samples of each class, drawn by seed, in the order of the set.
fn limited(samples: Vec<Sample>, args: &Args) -> Vec<Sample> {
    let Some(limit) = args.limit else { return samples };
    let mut kept = Vec::new();
    for abnormal in [false, true] {
        let class: Vec<&Sample> = samples.iter().filter(|s| s.abnormal == abnormal).collect();
        let mut numbers = order(args.seed, Purpose::Validation, u64::from(abnormal), class.len());
        numbers.truncate(limit);
        numbers.sort_unstable();
        kept.extend(numbers.into_iter().filter_map(|n| class.get(n).map(|s| (*s).clone())));
    }
    kept
}

/// Normal references: those named, else drawn from the valid folder. Words and a picture's other side need none; the
/// baseline beside them does, and has as many as there are.
fn references(args: &Args, dataset: &Dataset, systems: &[System]) -> Result<paths::Expanded> {
    if !args.support.is_empty() {
        let expanded = paths::expand(&args.support)?;
        if expanded.files.is_empty() {
            let message = "there is no reference: what --support names are overlays that mvfa drew; name pictures";
            return Err(BadUsage(message.to_owned()).into());
        }
        return Ok(expanded);
    }
    let needs_some = |one: &System| one.mode == Mode::Few && one.method != MethodName::Batch;
    let need_none = !systems.iter().any(needs_some);
    let pool = match dataset.split(Split::Valid) {
        Ok(pool) => pool.into_iter().filter(|s| !s.abnormal).map(|s| s.image).collect(),
        Err(DatasetError::Layout { .. } | DatasetError::Empty { .. }) if need_none => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let shots = args.shots.unwrap_or(if args.nearest.is_some() { pool.len() } else { SHOTS });
    if !need_none && (pool.len() < shots || shots == 0) {
        return Err(BadUsage(format!(
            "{} references need as many normal pictures in the valid folder, found {}; pass other --shots, or --support",
            shots.max(1),
            pool.len()
        ))
        .into());
    }
    let mut drawn = order(args.seed, Purpose::Shots, 0, pool.len());
    drawn.truncate(shots);
    let files = drawn.into_iter().filter_map(|n| pool.get(n).cloned()).collect();
    Ok(paths::Expanded { files, ..paths::Expanded::default() })
}

/// A clause as a sentence after another one; nothing of an empty one.
fn after_sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    letters.next().map_or_else(String::new, |first| format!(" {}{}.", first.to_uppercase(), letters.as_str()))
}

fn setting(system: &System, references: usize, root: &Path) -> String {
    let folder = root.file_name().unwrap_or_default().to_string_lossy();
    match (system.name, system.mode) {
        ("memory-raw", _) => format!("{folder}, raw tokens compared with {references} normal pictures."),
        ("mvfa", Mode::Few) => format!("{folder}, compared with {references} normal pictures (few-shot)."),
        ("mvfa", Mode::Zero) => format!("{folder}, compared with words (zero-shot)."),
        ("mvfa", Mode::Itself) => format!("{folder}, left compared with right of each picture."),
        ("self", _) => format!("{folder}, each picture by itself."),
        ("batch", _) => format!("{folder}, the pictures judge each other."),
        (name, _) => format!("{folder}, method {name}, with {references} normal pictures."),
    }
}

/// Shows how far it is.
struct Terminal {
    bar: ProgressBar,
    thumbnails: Option<Thumbnails>,
}

impl Terminal {
    fn new(with_pictures: bool) -> Result<Self> {
        let thumbnails = with_pictures.then(Thumbnails::new).transpose()?;
        Ok(Self { bar: progress::bar(0), thumbnails })
    }
}

impl Watch for Terminal {
    fn scored(&mut self, done: usize, total: usize) {
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
        let left = indicatif::HumanDuration(self.bar.eta());
        self.bar.set_message(format!("scoring, {left:#} left"));
    }

    fn image(&mut self, _result: &ImageResult, picture: &Rgb8, map: &[f32]) -> Result<(), EvalError> {
        match &mut self.thumbnails {
            Some(thumbnails) => thumbnails.push(picture, map).map_err(|e| EvalError::Disk(std::io::Error::other(e))),
            None => Ok(()),
        }
    }

    fn left_out(&mut self, error: &EvalError) {
        let line = chain(&anyhow::Error::msg(error.to_string()));
        self.bar.suspend(|| tell(&format!("mvfa: left out: {line}")));
    }
}

/// Lets the engine work; progress is reported per picture.
struct Quiet(Instant);

impl Pacer for Quiet {
    async fn step(&mut self, _: Progress) -> Result<(), Cancelled> {
        Ok(())
    }

    fn now_ms(&self) -> f64 {
        self.0.elapsed().as_secs_f64() * 1000.0
    }
}
