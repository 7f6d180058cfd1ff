//! Everything that must hold before a change goes in, in one command.
//!
//! Comes in: nothing, or the group `rust` or `browser` with parts of test file names. Goes out: a
//! line for each step and a count; the exit code is 1 if a step failed.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::command::{program, run as run_program};
use crate::layout::Layout;
use crate::server::{Port, Server};
use crate::steps::Steps;
use crate::tools::WasmToolchain;
use crate::{rooms, site, size, tools, wasm};

/// Runs the chosen groups.
pub fn run(layout: &Layout, args: &[String]) -> Result<ExitCode> {
    let (rust, browser, dev, names) = match args.split_first() {
        None => (true, true, false, args),
        Some((group, [])) if group == "rust" => (true, false, false, &args[1..]),
        Some((group, [flag, names @ ..])) if group == "browser" && flag == "--dev" => (false, true, true, names),
        Some((group, names)) if group == "browser" => (false, true, false, names),
        Some(_) => bail!("expected `test`, `test rust` or `test browser [--dev] [NAME...]`, found {args:?}"),
    };
    let mut steps = Steps::default();
    if rust {
        rust_steps(layout, &mut steps);
    }
    if browser {
        browser_steps(layout, dev, names, &mut steps)?;
    }
    println!("\n{}", steps.summary());
    Ok(if steps.all_passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Native steps share a profile, so that dependencies are compiled once.
fn rust_steps(layout: &Layout, steps: &mut Steps) {
    let cargo = |words: &[&str]| {
        let mut command = wasm::cargo(layout);
        command.args(words);
        command
    };
    steps.run("rooms", || rooms::check(&layout.root));
    steps.run("rustfmt", || run_program(&mut cargo(&["fmt", "--all", "--check"])));
    steps.run("clippy", || {
        run_program(&mut cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--profile",
            wasm::CHECKS,
            "--",
            "-D",
            "warnings",
        ]))
    });
    steps.run("rustdoc", || {
        run_program(
            cargo(&["doc", "--workspace", "--no-deps", "--profile", wasm::CHECKS]).env("RUSTDOCFLAGS", "-D warnings"),
        )
    });
    // Its tests fail without these, and say so.
    let mut python = None;
    steps.run("set-up of what reads medical exports back", || {
        python = Some(tools::medical_oracles(layout)?);
        Ok(())
    });
    let test = |words: &[&str]| {
        let mut command = cargo(words);
        command.envs(python.iter().map(|python| ("MVFA_MEDICAL_PYTHON", python)));
        command
    };
    // One package at a time: together cargo would build the dependencies with the features of both, a second
    // time beside those of the program itself.
    steps.run("cargo test", || {
        run_program(&mut test(&["test", "--package", "mvfa-web", "--profile", wasm::CHECKS, "--no-fail-fast"]))
    });
    steps.run("cargo test of the formats", || {
        run_program(&mut test(&["test", "--package", "mvfa-formats", "--profile", wasm::CHECKS]))
    });
    steps.run("cargo test of the kernels", || {
        run_program(&mut cargo(&["test", "--package", "mvfa-kernels", "--profile", wasm::CHECKS]))
    });
    steps.run("cargo test of the task runner", || {
        run_program(&mut cargo(&["test", "--package", "xtask", "--profile", "xtask"]))
    });
    match WasmToolchain::ensure(layout) {
        Ok(WasmToolchain::Rustup) => {
            for module in &wasm::MODULES {
                let words = ["clippy", "--lib", "--profile", "wasm", "--target", "wasm32-unknown-unknown"];
                let words = [&words, module.package, &["--", "-D", "warnings"]].concat();
                steps.run(&format!("clippy for wasm: {}", module.title), || run_program(&mut cargo(&words)));
            }
        }
        Ok(WasmToolchain::Distribution { .. }) => {
            steps.leave_out("clippy for wasm", "it needs the rustup target; the distribution's Rust has no clippy");
        }
        Err(error) => {
            steps.run("clippy for wasm", || Err(error));
        }
    }
}

fn browser_steps(layout: &Layout, dev: bool, names: &[String], steps: &mut Steps) -> Result<()> {
    let mut ready = steps.run("site", || site::build(layout, dev));
    if ready && !dev && names.is_empty() {
        steps.run("size", || size::report(layout));
    }
    ready &= steps.run("test models", || site::build_test_models(layout));
    let mut browser = PathBuf::new();
    ready &= steps.run("browser set-up", || {
        tools::browser_packages(layout)?;
        browser = tools::chromium(layout)?;
        Ok(())
    });
    // After "site", whose generated glue the package's worker imports.
    if ready {
        steps.run("types of web/ and pkg/", || {
            let compiler = layout.browser_tests().join("node_modules/typescript/bin/tsc");
            run_program(program("node", &layout.root).arg(compiler).args(["--project", "jsconfig.json"]))
        });
    }
    let files = test_files(layout, names)?;
    if !ready {
        for name in &files {
            steps.leave_out(name, "an earlier step it needs failed");
        }
        return Ok(());
    }

    // Distributions without these packages test in Chromium alone; the test file says what it had to leave out.
    let mut engines = Vec::new();
    if files.iter().any(|name| name == "engines.test.mjs") {
        for (variable, found) in [("MVFA_FIREFOX", tools::firefox(layout)), ("MVFA_WEBKIT", tools::webkit(layout))] {
            match found {
                Ok(program) => engines.push((variable, program)),
                Err(error) => println!("{variable}: {error:#}"),
            }
        }
    }

    // What the page saves is read back by other programs.
    if files.iter().any(|name| name == "series.test.mjs") {
        engines.push(("MVFA_MEDICAL_PYTHON", tools::medical_oracles(layout)?));
    }

    let server = Server::bind(Port::Exactly(0), &[layout.dist(), layout.test_site()])?;
    let address = server.address();
    let _running = server.run_in_background();
    for name in &files {
        steps.run(name, || {
            let mut node = program("node", &layout.browser_tests());
            node.args(["--test", name]);
            node.envs(engines.iter().map(|(variable, program)| (variable, program)));
            node.env("CHROMIUM", &browser).env("MVFA_URL", format!("http://{address}/"));
            run_program(node.env("MVFA_TEST_SITE", layout.test_site()))
        });
    }
    Ok(())
}

/// `*.test.mjs` in order; with names, those that contain one of them.
fn test_files(layout: &Layout, names: &[String]) -> Result<Vec<String>> {
    let folder = layout.browser_tests();
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("{} is not readable", folder.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".test.mjs") && (names.is_empty() || names.iter().any(|part| name.contains(part.as_str()))) {
            files.push(name);
        }
    }
    files.sort();
    if files.is_empty() {
        bail!("no file of tests/browser is named like {names:?}; leave the names out to run all");
    }
    Ok(files)
}
