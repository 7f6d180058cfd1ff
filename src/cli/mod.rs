//! The command line `mvfa`: the only code that knows a terminal.
//!
//! Comes in: arguments. Goes out: reports on standard output, messages on standard error, files
//! where `--out` says, and the exit code: 0 success, 1 failure, 2 bad usage. A closed standard
//! output is no failure.

mod augment;
mod check;
mod convert;
mod default_bundle;
mod eval;
mod eval_report;
mod eval_set;
mod eval_table;
mod info;
mod inputs;
mod interrupt;
mod load;
mod medical;
mod medical_out;
mod method;
mod nearest;
mod normal_pictures;
mod npy;
mod numbers;
mod object_hint;
mod outputs;
mod overlay;
mod paths;
mod phantom;
mod picture;
mod picture_out;
mod predict;
mod progress;
mod report;
mod scoring;
mod slices;
mod stems;
mod terminal;
mod train;
mod usage;
mod words;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::terminal::StdoutClosed;

/// Exit code for work that was understood and did not succeed.
const FAILURE: u8 = 1;

/// Exit code for arguments that cannot be right.
const BAD_USAGE: u8 = 2;

const EXAMPLES: &str = "\
Examples:
  mvfa info
  mvfa predict --object brain --support normal/ --out results/ scan.png
  mvfa convert --clip ViT-L-14-336px.pt --adapters Brain.pth --out models/brain

Research and teaching only. Not a medical device.";

/// Medical anomaly detection with adapted vision transformers (MVFA).
#[derive(Debug, Parser)]
#[command(name = "mvfa", version, about, after_help = EXAMPLES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a model bundle from published checkpoints
    Convert(convert::Args),
    /// Score pictures and write their anomaly maps
    Predict(predict::Args),
    /// Look at a data set or at pictures: layout, masks, equal pictures
    Check(check::Args),
    /// Measure a model on a labelled data set
    Eval(eval::Args),
    /// Train adapters on your own pictures
    Train(train::Args),
    /// Draw synthetic pictures with lesions and masks, for tests and teaching
    Phantom(phantom::Args),
    /// Say what a model bundle is and can do
    Info(info::Args),
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => {
            // Help and version arrive here too. With a closed pipe nobody can be informed.
            let _ = answer.print();
            return if answer.use_stderr() { ExitCode::from(BAD_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    interrupt::watch();
    let done = match cli.command {
        Command::Convert(args) => convert::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Phantom(args) => phantom::run(&args),
        Command::Info(args) => info::run(&args),
    };
    match done {
        Ok(code) => code,
        Err(error)
            if error.chain().any(|c| c.downcast_ref::<StdoutClosed>().is_some_and(StdoutClosed::is_broken_pipe)) =>
        {
            ExitCode::SUCCESS
        }
        Err(error) => {
            terminal::tell(&format!("mvfa: {}", usage::chain(&error)));
            ExitCode::from(if usage::is_bad_usage(&error) { BAD_USAGE } else { FAILURE })
        }
    }
}
