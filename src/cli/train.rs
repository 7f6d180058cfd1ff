//! `mvfa train few|zero`: data sets → a bundle with adapters.

use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::{Subcommand, ValueEnum};
use indicatif::ProgressBar;
use serde_json::json;

use super::check::{is_told_later, sentence};
use super::numbers::{at_least_one, rate};
use super::terminal::{plain, say, say_json, tell as tell_line};
use super::{load, paths, progress};
use crate::dataset::{Finding, Level, Part};
use crate::eval::{Contents, Dataset, Subject};
use crate::train::{
    EpochRecord, FewOptions, Normals, Outcome, Pace, Plan, RunOptions, Selection, StepReport, Watch, ZeroOptions,
    find_datasets, plan_few, plan_zero, run as run_plan,
};

const EXAMPLES: &str = "\
Examples:
  mvfa train few --bundle models/clip --data data/Brain_AD --object brain --shots 4 --out models/brain
  mvfa train few --data scans/ --object brain --normal-only --shots 8 --out models/scans
  mvfa train zero --bundle models/clip --data data/ --object liver --out models/zero-liver

A data set is a folder with valid and test, each with good and Ungood; mvfa check tells what else is
understood. A run that was cut off goes on
where it was saved when the same command is given again.";

/// Most pictures of each class and data set to choose the best epoch by, where they are kept aside.
const VALID_LIMIT: usize = 50;

/// At most one line a second without a terminal, so that a log stays readable.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// Arguments of `mvfa train`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    protocol: Protocol,
}

#[derive(Debug, Subcommand)]
enum Protocol {
    /// On some normal and abnormal pictures of one data set
    Few(Few),
    /// On several data sets, one object left out
    Zero(Zero),
}

#[derive(Debug, clap::Args)]
struct Common {
    /// Folder of the model whose tower is used, or its .zip [default: models/default here or beside the program]
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// Folder of the new model: a new one, or a model that is replaced when the run is done. What a run
    /// needs to go on is kept in DIR.training until then
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Name of the new model
    #[arg(long)]
    name: Option<String>,
    /// Train a new small text tower along, even where the model has words
    #[arg(long)]
    new_words: bool,
    /// A sentence to show wherever the new model compares with words, such as a warning
    #[arg(long, value_name = "TEXT")]
    zero_note: Option<String>,
    /// Times that every picture is seen
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = at_least_one)]
    epochs: usize,
    /// Learning rate [default: 0.001 for few, 0.0001 for zero]
    #[arg(long, value_name = "X", value_parser = rate, allow_negative_numbers = true)]
    lr: Option<f64>,
    /// Pictures a step
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    batch: usize,
    /// Seed of every random choice
    #[arg(long, value_name = "N", default_value_t = 111)]
    seed: u64,
    /// Pictures that choose the best epoch: valid (kept aside, real lesions where there are any), test (the
    /// whole test set after each epoch, as the released code; no test any more), last (none)
    #[arg(long, value_enum, default_value_t = SelectName::Valid)]
    select: SelectName,
    /// Epochs between two such choices [default: a tenth of all for valid, 1 for test]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    select_every: Option<usize>,
    /// Most pictures of each class, and for zero of each data set, to choose by [default: 50 for valid, all
    /// for test]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    select_limit: Option<usize>,
    /// Seconds between two saves within an epoch; the end of each epoch is saved in any case
    #[arg(long, value_name = "S", default_value_t = 60, hide = true)]
    save_every: u64,
    /// Stop at the first picture that cannot be read
    #[arg(long)]
    strict: bool,
    /// One JSON object a line on standard output: steps, epochs, the result
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Few {
    #[command(flatten)]
    common: Common,
    /// Data set, or a folder with a data set of the object in it
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// What the pictures show; mvfa info lists the ids
    #[arg(long, value_name = "ID")]
    object: String,
    /// Normal pictures, and as many abnormal ones
    #[arg(long, value_name = "K", default_value_t = 4, value_parser = at_least_one)]
    shots: usize,
    /// Train with synthetic anomalies in the normal pictures; no abnormal picture is needed. Where valid
    /// has abnormal ones all the same, the best epoch is chosen by them; --select last looks at none
    #[arg(long)]
    normal_only: bool,
}

#[derive(Debug, clap::Args)]
struct Zero {
    #[command(flatten)]
    common: Common,
    /// Folder with data sets named <Name>_AD; may be repeated
    #[arg(long, value_name = "DIR", required = true)]
    data: Vec<PathBuf>,
    /// The object whose data set is left out, or none
    #[arg(long, value_name = "ID")]
    object: String,
    /// Normal pictures that get synthetic anomalies, files or a folder; may be repeated
    #[arg(long, value_name = "ID=PATH", value_parser = normals)]
    normals: Vec<(String, PathBuf)>,
    /// Synthetic anomalies in each of them
    #[arg(long, value_name = "N", default_value_t = 4)]
    synthetic: usize,
    /// Most pictures of each class and data set to train on
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true, value_parser = at_least_one)]
    limit: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SelectName {
    /// Pictures kept aside
    Valid,
    /// The test set
    Test,
    /// The last epoch
    Last,
}

fn normals(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((object, path)) if !object.is_empty() && !path.is_empty() => Ok((object.to_owned(), path.into())),
        _ => Err("write ID=PATH, for example brain=normal/".to_owned()),
    }
}

/// Runs the command.
///
/// # Errors
/// What the model, the data, the settings or the disk have wrong.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let common = match &args.protocol {
        Protocol::Few(few) => &few.common,
        Protocol::Zero(zero) => &zero.common,
    };
    let bundle = load::bundle(common.bundle.as_deref())?;
    let (selection, limit, every) = match common.select {
        SelectName::Valid => (Selection::Valid, Some(VALID_LIMIT), common.epochs.div_ceil(10)),
        SelectName::Test => (Selection::Test, None, 1),
        SelectName::Last => (Selection::Last, None, common.epochs),
    };
    let validation_limit = common.select_limit.or(limit);
    let mut warnings = Vec::new();
    let (plan, default_rate) = match &args.protocol {
        Protocol::Few(few) => {
            let object = bundle.manifest().object(&few.object)?;
            let options = FewOptions {
                shots: few.shots,
                normal_only: few.normal_only,
                selection,
                validation_limit,
                seed: common.seed,
            };
            let dataset = super::eval_set::dataset(&few.data, &few.object)?;
            paths::tell_overlays(dataset.overlays());
            let plan = plan_few(&dataset, object, &options)?;
            warnings.extend(dataset.layout().findings.clone());
            (plan, 1e-3)
        }
        Protocol::Zero(zero) => {
            let target = (zero.object != "none").then(|| zero.object.clone());
            if let Some(target) = &target {
                bundle.manifest().object(target)?;
            }
            let (normals, mut overlays) = by_object(&zero.normals)?;
            let sets = zero.data.iter().map(|root| find_datasets(root)).collect::<Result<Vec<_>, _>>()?;
            // A folder that is no data set is reported where it is used.
            let is_used = |id: &String| target.as_ref() != Some(id) || selection == Selection::Test;
            for set in
                sets.concat().iter().filter(|(id, _)| is_used(id)).filter_map(|(_, folder)| Dataset::open(folder).ok())
            {
                warnings.extend(set.layout().findings.iter().map(|finding| finding.of_set(set.named())));
                overlays += set.overlays();
            }
            paths::tell_overlays(overlays);
            let options = ZeroOptions {
                target,
                normals,
                synthetic_each: zero.synthetic,
                limit: zero.limit,
                selection,
                validation_limit,
                seed: common.seed,
            };
            (plan_zero(bundle.manifest(), &zero.data, &options)?, 1e-4)
        }
    };
    let options = RunOptions {
        out: common.out.clone(),
        pace: Pace {
            seed: common.seed,
            epochs: common.epochs,
            batch: common.batch,
            learning_rate: common.lr.unwrap_or(default_rate),
            validate_every: common.select_every.unwrap_or(every),
            save_every: Duration::from_secs(common.save_every),
        },
        strict: common.strict,
        name: common.name.clone(),
        new_words: common.new_words,
        zero_shot_note: common.zero_note.clone(),
    };
    warnings.retain(|finding| finding.level == Level::Warning);
    warnings.extend(contents(&plan, bundle.manifest().preprocess.size_px));
    warnings.iter().filter(|warning| !is_told_later(warning)).for_each(|warning| tell_line(&sentence(warning)));
    let mut watch = Terminal::new(common.json);
    let outcome = run_plan(&bundle, &plan, &options, &mut watch);
    watch.bar.finish_and_clear();
    tell(common, &outcome?, &warnings)?;
    Ok(ExitCode::SUCCESS)
}

/// Pictures of one object together, so that each can lend material to the others; and how many overlays
/// were passed over.
fn by_object(given: &[(String, PathBuf)]) -> Result<(Vec<Normals>, usize)> {
    let mut all: Vec<Normals> = Vec::new();
    let mut passed = 0;
    for (object, path) in given {
        let paths::Expanded { files, overlays, .. } = paths::expand(std::slice::from_ref(path))?;
        passed += overlays;
        match all.iter_mut().find(|n| n.object == *object) {
            Some(normals) => normals.files.extend(files),
            None => all.push(Normals { object: object.clone(), files }),
        }
    }
    Ok((all, passed))
}

/// What is odd about the pictures that are trained on or chosen by.
fn contents(plan: &Plan, side_px: usize) -> Vec<Finding> {
    let mut subjects: Vec<Subject> = Vec::new();
    let mut seen = HashSet::new();
    for (sources, part) in [(&plan.train, Part::Train), (&plan.validation, Part::Valid)] {
        for sample in sources.iter().map(|source| &source.sample).filter(|sample| seen.insert(sample.image.clone())) {
            subjects.push(Subject {
                name: paths::distinct(&sample.image),
                image: sample.image.clone(),
                mask: sample.mask.clone(),
                part,
                abnormal: Some(sample.abnormal),
            });
        }
    }
    Contents::read(subjects, side_px).findings()
}

fn tell(common: &Common, outcome: &Outcome, warnings: &[Finding]) -> Result<()> {
    let best = outcome.progress.best.as_ref();
    if common.json {
        return say_json(
            &json!({
                "bundle": paths::distinct(&common.out), "name": outcome.manifest.name, "revision": outcome.manifest.revision,
                "best_epoch": best.map(|b| b.epoch), "validation": best.and_then(|b| b.validation),
                "seconds": outcome.progress.seconds, "warnings": warnings,
            })
            .to_string(),
        );
    }
    let epoch = best.map_or(0, |b| b.epoch);
    say(&format!("wrote {} to {}; the best epoch is {epoch}", outcome.manifest.name, common.out.display()))
        .context("the model is written")
}

/// Shows a run on a terminal, or tells it in lines.
struct Terminal {
    bar: ProgressBar,
    json: bool,
    last_line: Option<Instant>,
}

impl Terminal {
    fn new(json: bool) -> Self {
        Self { bar: progress::bar(0), json, last_line: None }
    }

    fn show(&self, message: String, done: usize, total: usize) {
        self.bar.set_message(message);
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
    }

    /// Whether a line is due where nobody sees the bar.
    fn is_line_due(&mut self) -> bool {
        let due = self.last_line.is_none_or(|last| last.elapsed() >= LINE_EVERY);
        if due {
            self.last_line = Some(Instant::now());
        }
        due
    }

    fn line(&self, value: &serde_json::Value) {
        if self.json {
            // A closed pipe is no reason to lose a training run.
            let _ = say_json(&value.to_string());
        }
    }
}

impl Watch for Terminal {
    fn preparing(&mut self, done: usize, total: usize) {
        self.show("reading pictures".to_owned(), done, total);
    }

    fn step(&mut self, report: &StepReport) {
        let losses = report.losses;
        let left = indicatif::HumanDuration(Duration::from_secs_f64(report.eta_s.max(0.0)));
        self.show(
            format!("epoch {}, loss {:.3}, {left:#} left", report.epoch, losses.total),
            report.step,
            report.steps,
        );
        if self.is_line_due() {
            self.line(&json!({
                "step": report.step, "steps": report.steps, "epoch": report.epoch, "loss": losses.total,
                "focal": losses.focal, "dice": losses.dice, "bce": losses.bce, "eta_s": report.eta_s,
            }));
        }
    }

    fn validating(&mut self, done: usize, total: usize) {
        self.show("choosing the best epoch".to_owned(), done, total);
    }

    fn epoch(&mut self, record: &EpochRecord) {
        self.line(&json!({ "epoch": record.epoch, "losses": record.losses, "validation": record.validation }));
        if !self.json {
            let of = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.4}"));
            let scores = record.validation.map_or_else(String::new, |v| {
                format!(", AUROC of pixels {}, of pictures {}", of(v.pixel_auroc), of(v.image_auroc))
            });
            let text = format!("epoch {}: loss {:.4}{scores}", record.epoch, record.losses.total);
            self.note(&text);
        }
    }

    fn note(&mut self, text: &str) {
        if std::io::stderr().is_terminal() {
            self.bar.println(plain(text));
        } else {
            tell_line(text);
        }
    }
}
