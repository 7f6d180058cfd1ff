//! `mvfa phantom`: synthetic pictures with lesions and exact masks.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::progress;
use super::terminal::{say, say_json};
use super::usage::BadUsage;
use crate::phantom::{Object, PhantomError, Plan, write};

const EXAMPLES: &str = "\
Examples:
  mvfa phantom --object brain --out phantoms
  mvfa phantom --object all --normal 60 --abnormal 60 --seed 2 --out phantoms

Pictures are synthetic: no patient is behind them, and a result on them says nothing about medical worth.
Folders are named as MVFA's data sets; every file name begins with synthetic_.";

/// Arguments of `mvfa phantom`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// brain, liver, resc, oct17, chest, his, or all
    #[arg(long, value_name = "ID")]
    object: String,
    /// Folder to write; must be new or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Normal pictures of each object
    #[arg(long, value_name = "N", default_value_t = 20)]
    normal: usize,
    /// Abnormal pictures of each object
    #[arg(long, value_name = "N", default_value_t = 20)]
    abnormal: usize,
    /// Share of both that goes into valid; the others go into test
    #[arg(long, value_name = "X", default_value_t = 0.3)]
    valid_share: f64,
    /// Side of the pictures, in pixels
    #[arg(long, value_name = "PX", default_value_t = 256)]
    size: usize,
    /// Seed; the same one draws the same pictures
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// One JSON object an object on standard output
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// A folder that is not empty, numbers that cannot be, a full disk.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let objects = match args.object.as_str() {
        "all" => Object::ALL.to_vec(),
        id => vec![id.parse::<Object>().map_err(|e| BadUsage(e.to_string()))?],
    };
    let total = (objects.len() * (args.normal + args.abnormal)) as u64;
    let plan = Plan {
        objects,
        normal: args.normal,
        abnormal: args.abnormal,
        valid_share: args.valid_share,
        size_px: args.size,
        seed: args.seed,
    };
    let bar = progress::bar(total);
    bar.set_message("drawing");
    let written = write(&plan, &args.out, &mut |done| bar.set_position(done as u64));
    bar.finish_and_clear();
    let written = written.map_err(|error| match error {
        PhantomError::Plan(what) => BadUsage(what).into(),
        other => anyhow::Error::from(other),
    })?;
    for set in written {
        if args.json {
            say_json(&json!(set).to_string())?;
        } else {
            let (normal, abnormal) = (set.valid_normal + set.test_normal, set.valid_abnormal + set.test_abnormal);
            say(&format!("{}: {normal} normal and {abnormal} abnormal synthetic pictures", set.folder))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
