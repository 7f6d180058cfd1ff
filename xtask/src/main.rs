//! The task runner: `cargo xtask serve | build | test | bench | size | install | default-model | measure-model`.
//!
//! Comes in: the command line. Goes out: a served, built, tested or measured site. Each command
//! installs what is missing, reports it first, and does nothing twice. Fails with one line of
//! what went wrong and what to do next.

#![forbid(unsafe_code)]

mod bench;
mod command;
mod default_model;
mod headers;
mod install;
mod join;
mod layout;
mod measure;
mod offline;
mod rooms;
mod server;
mod site;
mod size;
mod stamp;
mod steps;
mod test;
mod tools;
mod versions;
mod wasm;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::layout::Layout;
use crate::server::Server;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  serve [--port N] [--dev] [--no-build] [--test-site]
                      build the site and serve it on localhost (default port 8080, or the next free one)
  build [--dev]       build the site into dist/
  test [rust | browser [--dev] [NAME...]]
                      run every check, or one group; NAME picks files of tests/browser
  bench [--gpu] [--json] [--only vit-s,vit-b,vit-l] [--tier cpu,native,memory,gpu] [--runs N]
        [--launches N] [--dev]
                      time the encoder against onnxruntime-web in one browser page, and natively against onnxruntime
  install             install `mvfa` with cargo, and the default model where it looks for it
  default-model       train models/default anew (10 to 20 minutes)
  measure-model       the figures of models/default that its card states (about an hour)
  size                raw and compressed size of what a visitor downloads

  --dev               leave out what makes the WebAssembly file small and takes minutes
  --only, --tier      part of the benchmark; --gpu adds the WebGPU tier to the others, memory is what it costs to
                      search many references
  --runs, --launches  warm pictures, and fresh starts with a first picture (7 each; one launch on WebGPU)
  --json              nothing but one JSON object on standard output
  --no-build          serve dist/ as it stands
  --test-site         also build and serve the small model of the tests, as models/tiny/

environment: CARGO_TARGET_DIR (default: a folder of this checkout's own in the cache folder), XDG_CACHE_HOME, CHROMIUM (browser for tests),
MVFA_WASM_TOOLCHAIN=rustup|distribution (default: rustup, else distribution),
MVFA_SKIP_SLOW=1 (leave out the slowest browser test)";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<ExitCode> {
    let Some((command, rest)) = args.split_first() else {
        eprintln!("{USAGE}");
        return Ok(ExitCode::from(2));
    };
    if matches!(command.as_str(), "help" | "--help" | "-h") || rest.iter().any(|a| a == "--help" || a == "-h") {
        println!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    }
    let layout = Layout::find()?;
    // Not to standard output, which may be read by a program (bench --json).
    eprintln!("build folder: {}", layout.target.display());
    match command.as_str() {
        "serve" => serve(&layout, rest)?,
        "build" => {
            let dev = flags(rest, &["--dev"])?.contains(&"--dev");
            site::build(&layout, dev)?;
        }
        "test" => return test::run(&layout, rest),
        "bench" => {
            let options = bench::Options::parse(rest)?;
            if options.json { bench::run_for_json(&layout, rest)? } else { bench::run_all(&layout, &options)? }
        }
        "install" => {
            flags(rest, &[])?;
            install::run(&layout)?;
        }
        "default-model" => {
            flags(rest, &[])?;
            default_model::run_all(&layout)?;
        }
        "measure-model" => {
            flags(rest, &[])?;
            measure::run_all(&layout)?;
        }
        "size" => {
            flags(rest, &[])?;
            site::build(&layout, false)?;
            size::report(&layout)?;
        }
        other => {
            eprintln!("unknown command {other:?}\n\n{USAGE}");
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn serve(layout: &Layout, args: &[String]) -> Result<()> {
    let (port, rest) = take_port(args)?;
    let flags = flags(&rest, &["--dev", "--no-build", "--test-site"])?;
    if !flags.contains(&"--no-build") {
        site::build(layout, flags.contains(&"--dev"))?;
    }
    let mut roots = vec![layout.dist()];
    if flags.contains(&"--test-site") {
        site::build_test_models(layout)?;
        println!("models of the tests: MVFA_TEST_SITE={}", layout.test_site().display());
        roots.push(layout.test_site());
    }
    let server = Server::bind(port, &roots)?;
    println!("serving on http://{}/ (stop with Ctrl-C)", server.address());
    server.run()
}

/// Splits `--port N` off; without it any free port from the default upwards is good.
fn take_port(args: &[String]) -> Result<(server::Port, Vec<String>)> {
    let mut rest = args.to_vec();
    let Some(at) = rest.iter().position(|a| a == "--port") else {
        return Ok((server::Port::FromDefault, rest));
    };
    let value = rest.get(at + 1).context("--port needs a number, for example --port 8081")?;
    let port = value.parse().with_context(|| format!("--port needs a number from 0 to 65535, found {value:?}"))?;
    rest.drain(at..=at + 1);
    Ok((server::Port::Exactly(port), rest))
}

/// The given flags, all of them known.
fn flags<'a>(args: &'a [String], known: &[&str]) -> Result<Vec<&'a str>> {
    if let Some(unknown) = args.iter().find(|a| !known.contains(&a.as_str())) {
        bail!("unknown argument {unknown:?}; cargo xtask help lists what there is");
    }
    Ok(args.iter().map(String::as_str).collect())
}
