//! `mvfa info`: what a model bundle is and can do, by its manifest only; or what series a medical file holds.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use super::paths::{self, distinct};
use super::terminal::{say, say_json, tell};
use super::usage::{BadUsage, chain};
use super::{FAILURE, load, medical};
use crate::bundle::manifest::{Manifest, ObjectKind};
use crate::bundle::scoring::{ImageScores, PatchPlaces};

const EXAMPLES: &str = "\
Examples:
  mvfa info
  mvfa info --bundle models/brain --json
  mvfa info scan.dcm
  mvfa info study/";

/// Arguments of `mvfa info`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Folder of the model, or its .zip [default: models/default here or beside the program]
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// One JSON object on standard output, or one a series
    #[arg(long)]
    json: bool,
    /// DICOM, NIfTI, NRRD or MetaImage files, or folders of them and all folders inside, instead of a model: what series they
    /// hold
    #[arg(value_name = "FILE", conflicts_with = "bundle")]
    files: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// No bundle there, or a manifest that is not valid; a file that cannot be opened.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    if !args.files.is_empty() {
        return series(args);
    }
    let bundle = load::bundle(args.bundle.as_deref())?;
    if args.json {
        let mut description = describe(bundle.manifest());
        description["bundle"] = json!(distinct(bundle.folder()));
        say_json(&description.to_string())?;
    } else {
        prose(bundle.manifest()).iter().try_for_each(|line| say(line))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What series the files hold. One that cannot be opened is reported and the others go on.
fn series(args: &Args) -> Result<ExitCode> {
    let (mut files, mut in_folders, mut failures) = (Vec::new(), HashSet::new(), Vec::new());
    for path in &args.files {
        if path.is_dir() {
            match paths::medical_in(path) {
                Ok(mut inside) => {
                    in_folders.extend(inside.iter().cloned());
                    files.append(&mut inside);
                }
                Err(error) => failures.push(error),
            }
        } else {
            files.push(path.clone());
        }
    }
    let mut found = medical::series(&files, |file| in_folders.contains(file));
    failures.append(&mut found.failures);
    if found.series.is_empty() && !found.without_picture.is_empty() {
        let what = medical::without_picture(&found.without_picture);
        failures
            .push(BadUsage(format!("there is no series: found are {what}; name the folder with the pictures")).into());
    } else if !found.without_picture.is_empty() {
        tell(&medical::passed_over(found.without_picture.len()));
    }
    for (series, files) in found.series {
        if args.json {
            say_json(&medical::describe(&series, &files).to_string())?;
            continue;
        }
        match medical::prose(&series) {
            Ok(lines) => lines.iter().try_for_each(|line| say(line))?,
            Err(error) => {
                let name = files.first().map_or_else(String::new, |path| path.display().to_string());
                failures.push(error.context(name));
            }
        }
    }
    if let ([_], 1) = (failures.as_slice(), args.files.len())
        && let Some(only) = failures.pop()
    {
        return Err(only);
    }
    failures.iter().for_each(|error| tell(&format!("mvfa: {}", chain(error))));
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILURE) })
}

fn weight_bytes(manifest: &Manifest) -> u64 {
    manifest.files.iter().map(|file| file.bytes).sum()
}

fn kind_name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Segmentation => "segmentation",
        ObjectKind::Detection => "detection",
    }
}

fn describe(manifest: &Manifest) -> Value {
    let objects: Vec<Value> = manifest
        .objects
        .iter()
        .map(|object| {
            json!({
                "id": object.id,
                "name": object.name,
                "prompt": object.prompt,
                "kind": kind_name(object.kind),
                "bilateral": object.bilateral,
                "zero_shot": object.text_features.is_some(),
                "calibrated": object.calibration.is_some(),
            })
        })
        .collect();
    json!({
        "format": manifest.format,
        "name": manifest.name,
        "revision": manifest.revision,
        "licence": manifest.licence,
        "card": manifest.card,
        "intended_use": manifest.intended_use,
        "vision": manifest.vision,
        "text": manifest.text,
        "adapters": manifest.adapters,
        "preprocess": manifest.preprocess,
        "augment": manifest.augment,
        "memory": manifest.memory,
        "scoring": manifest.scoring.clone().unwrap_or_default(),
        "zero_shot_note": manifest.zero_shot_note,
        "objects": objects,
        "self_test": manifest.self_test.is_some(),
        "files": manifest.files.len(),
        "weight_bytes": weight_bytes(manifest),
    })
}

/// The rules of the memory in words.
fn scoring(manifest: &Manifest) -> String {
    let Some(scoring) = &manifest.scoring else { return "the paper's rules".to_owned() };
    let blocks: Vec<String> =
        scoring.levels.as_ref().unwrap_or(&manifest.vision.levels).iter().map(ToString::to_string).collect();
    let places = match scoring.patches {
        PatchPlaces::AlignCorners => "outer patches on the outer pixels",
        PatchPlaces::PatchCentres => "patches at their centres",
    };
    let ImageScores { segmentation, detection } = scoring.image_score;
    format!(
        "memory of blocks {}{}, {places}, smoothed by {} px, image score {segmentation} (segmentation) or {detection} (detection)",
        blocks.join(", "),
        if scoring.class_rows { " with class tokens" } else { "" },
        scoring.smoothing_px
    )
}

fn prose(manifest: &Manifest) -> Vec<String> {
    let vision = &manifest.vision;
    let levels: Vec<String> = vision.levels.iter().map(ToString::to_string).collect();
    let adapters = match &manifest.adapters {
        Some(adapters) => format!("two banks, {} hidden features", adapters.bottleneck),
        None => "none; the tower's own tokens are compared".to_owned(),
    };
    let mut lines = vec![
        format!("{} (revision {})", manifest.name, manifest.revision),
        format!("  licence       {}", manifest.licence),
        format!("  intended use  {}", manifest.intended_use),
        format!("  input         {0} x {0} pixels, patches of {1}", manifest.preprocess.size_px, vision.patch_px),
        format!(
            "  tower         width {}, {} heads, features after blocks {}",
            vision.width,
            vision.heads,
            levels.join(", ")
        ),
        format!("  adapters      {adapters}"),
        format!("  scoring       {}", scoring(manifest)),
        format!("  text tower    {}", if manifest.text.is_some() { "included" } else { "none" }),
        format!("  weights       {:.1} MB in {} files", weight_bytes(manifest) as f64 / 1e6, manifest.files.len()),
        "  objects".to_owned(),
    ];
    for object in &manifest.objects {
        let words = if object.text_features.is_some() { "zero and few" } else { "few only" };
        let sides = if object.bilateral { ", left with right" } else { "" };
        lines.push(format!("    {:12} {} ({}, {words}{sides})", object.id, object.name, kind_name(object.kind)));
    }
    if let Some(note) = &manifest.zero_shot_note {
        lines.push(format!("  words         {note}"));
    }
    lines
}
