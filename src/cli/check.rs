//! `mvfa check`: what a data set or pictures are taken for, and what is odd about them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use super::numbers::at_least_one;
use super::paths::distinct;
use super::terminal::{say, say_json, tell};
use super::usage::BadUsage;
use super::{FAILURE, paths};
use crate::dataset::{Finding, Layout, Level, Part, counted};
use crate::eval::{Contents, Dataset, Subject, files_of};

const EXAMPLES: &str = "\
Examples:
  mvfa check data/Brain_AD
  mvfa check data/ --json
  mvfa check scan1.png scan2.tif normal/

A data set is a folder with test and valid (or train), each with classes like good and Ungood (normal,
ok; abnormal, anomaly, bad, defect…) in any letter case. Pictures lie in them or in img, or in a folder for
each person; masks in label, labels, mask, masks, ground_truth or anomaly_mask, with the picture's name,
perhaps followed by _mask, _gt, _seg or .bm. MVTec AD's folders are read too. Exit code 1: nothing can be
measured. --json prints one object for each data set, findings with a code and their files.";

/// Arguments of `mvfa check`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Data set, folder of data sets, or pictures and folders of pictures
    #[arg(value_name = "DATA_OR_FILES", required = true)]
    data: Vec<PathBuf>,
    /// Side in pixels of the model that masks are looked at for
    #[arg(long, value_name = "PX", default_value_t = 240, value_parser = at_least_one)]
    size: usize,
    /// One JSON object a line on standard output
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// A path that is not there, a folder that cannot be read.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut sets = Vec::new();
    let mut loose = Vec::new();
    for path in &args.data {
        if !path.exists() {
            return Err(BadUsage(format!("{} is not there; name a data set or pictures", path.display())).into());
        }
        let found = if path.is_dir() { sets_in(path)? } else { Vec::new() };
        if found.is_empty() {
            loose.push(path.clone());
        }
        sets.extend(found);
    }
    let mut errors = 0;
    for set in &sets {
        paths::tell_overlays(set.overlays());
        let subjects = set.subjects(None);
        errors += told(args, set.named(), Some(set.layout()), subjects)?;
    }
    if !loose.is_empty() {
        let (files, overlays) = pictures(&loose)?;
        paths::tell_overlays(overlays);
        let subject =
            |image: PathBuf| Subject { name: distinct(&image), image, mask: None, part: Part::Test, abnormal: None };
        let subjects: Vec<Subject> = files.into_iter().map(subject).collect();
        let name = if let [one] = loose.as_slice() { one.clone() } else { PathBuf::from("pictures") };
        errors += told(args, &name, None, subjects)?;
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILURE) })
}

/// The folder itself as a data set, or those in it.
fn sets_in(folder: &Path) -> Result<Vec<Dataset>> {
    if Dataset::is_at(folder) {
        return Ok(vec![Dataset::open(folder)?]);
    }
    let mut inside: Vec<PathBuf> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    inside.sort();
    inside.retain(|path| path.is_dir() && Dataset::is_at(path));
    Ok(inside.iter().map(|path| Dataset::open(path)).collect::<Result<_, _>>()?)
}

/// Files as they are, folders with what lies below them.
fn pictures(given: &[PathBuf]) -> Result<(Vec<PathBuf>, usize)> {
    let (mut files, mut passed) = (Vec::new(), 0);
    for path in given {
        if path.is_dir() {
            let (inside, overlays) = files_of(path)?;
            passed += overlays;
            files.extend(
                inside.iter().map(|file| path.join(file)).filter(|file| crate::disk::picture_file::is_picture(file)),
            );
        } else {
            files.push(path.clone());
        }
    }
    Ok((files, passed))
}

/// Reports one set or one list of pictures; how many errors it has.
fn told(args: &Args, name: &Path, layout: Option<&Layout>, subjects: Vec<Subject>) -> Result<usize> {
    let count = subjects.len();
    let contents = Contents::read(subjects, args.size);
    let mut findings: Vec<Finding> = layout.map(|layout| layout.findings.clone()).unwrap_or_default();
    findings.extend(contents.findings());
    if contents.unreadable() == count {
        let text = match count {
            0 => "there is no picture".to_owned(),
            _ => "no picture can be read".to_owned(),
        };
        findings.push(Finding::error("nothing-readable", text));
    }
    findings.sort_by_key(|finding| finding.level);
    let of = |level| findings.iter().filter(|finding| finding.level == level).count();
    if args.json {
        let mut line = json!({ "data": distinct(name), "contents": contents.json(), "findings": findings });
        if let (Some(layout), Value::Object(line)) = (layout, &mut line) {
            line.insert("layout".to_owned(), json!(layout.style));
            line.insert("parts".to_owned(), json!(layout.parts));
            line.insert("unknown_folders".to_owned(), json!(layout.unknown));
        }
        line["errors"] = json!(of(Level::Error));
        line["warnings"] = json!(of(Level::Warning));
        say_json(&line.to_string())?;
    } else {
        say(&format!("{}: {}", name.display(), counted(count, "picture")))?;
        let lines = layout.map(Layout::lines).unwrap_or_default();
        lines.iter().chain(&contents.lines()).try_for_each(|line| say(&format!("  {line}")))?;
        if findings.is_empty() {
            say("  nothing odd was found")?;
        }
    }
    for finding in &findings {
        tell(&sentence(finding));
    }
    Ok(of(Level::Error))
}

/// A finding as a line of standard error.
pub(super) fn sentence(finding: &Finding) -> String {
    match finding.level {
        Level::Error => format!("error: {}", finding.text),
        Level::Warning => format!("warning: {}", finding.text),
    }
}

/// Findings that are reported anyway, file by file, when the file's turn comes.
pub(super) fn is_told_later(finding: &Finding) -> bool {
    ["unreadable-picture", "unreadable-mask", "mask-size", "missing-mask"].contains(&finding.code)
}
