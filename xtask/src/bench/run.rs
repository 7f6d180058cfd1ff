//! The whole benchmark, from what must be installed to the table.
//!
//! Comes in: [`Options`]. Goes out: a table, and `benchmark.json` in the build folder. Fails if the programs do
//! not compute the same, or where npm or PyPI is out of reach.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use super::memory::{self, MemoryRow};
use super::models::{self, Models};
use super::options::{Options, Tier};
use super::race::{Contender, Race};
use super::{peers, table};
use crate::command::{program, run};
use crate::layout::Layout;
use crate::server::{Port, Server};
use crate::{site, tools, versions, wasm};

/// Sets everything up, races, and prints.
pub fn run_all(layout: &Layout, options: &Options) -> Result<()> {
    let in_browser = options.memory || options.tiers.iter().any(|tier| *tier != Tier::Native);
    if in_browser {
        site::build(layout, options.dev)?;
    }
    run(wasm::cargo(layout).args(["build", "--release", "--bin", "mvfa", "--example", "encoder"]))?;
    let python = peers::python(layout)?;
    let root = layout.target.join("xtask/bench-site");
    fs::create_dir_all(root.join("bench")).with_context(|| format!("{} cannot be made", root.display()))?;
    let mut in_browsers = Vec::new();
    let mut natively = Vec::new();
    let geometries = options.geometries.iter().filter(|_| !options.tiers.is_empty());
    for geometry in geometries {
        let made: Models = models::make(layout, &python, &root, geometry)?;
        for tier in &options.tiers {
            let race = |threads| {
                let name = (geometry.name, geometry.title);
                Race::new(name, &made, *tier, threads, options.runs, options.launches_on(*tier))
            };
            match tier {
                Tier::Cpu | Tier::Gpu => in_browsers.push(race(1)),
                Tier::Native => {
                    natively.push(race(1));
                    natively.extend(Some(cores()).filter(|cores| *cores > 1).map(race));
                }
            }
        }
    }
    let mut browser = String::new();
    let mut races = Vec::new();
    let mut memory = Vec::new();
    if in_browser {
        let plan = json!({ "races": in_browsers, "memory": options.memory.then(|| memory::plan(options.runs)) });
        let answer = race_in_browser(layout, &root, &plan)?;
        browser = answer.browser;
        races.extend(answer.races);
        memory = answer.memory;
    }
    for race in natively {
        races.push(race_natively(layout, &python, &root, race)?);
    }

    table::print(&races);
    if !memory.is_empty() {
        memory::print(&memory);
    }
    let machine = json!({ "processor": processor(), "cores": cores(), "browser": browser });
    let peer = json!({ "onnxruntime-web": versions::ONNXRUNTIME_WEB, "python": versions::ONNX_PACKAGES });
    let rows: Vec<table::Row> = races.iter().flat_map(table::rows).collect();
    let report = json!({ "machine": machine, "peer": peer, "rows": rows, "memory": memory, "races": races });
    let file = result_file(layout);
    fs::write(&file, format!("{report:#}\n")).with_context(|| format!("{} is not writable", file.display()))?;
    println!("\nwritten: {}", file.display());
    let complaints: Vec<String> = races.iter().flat_map(table::complaints).collect();
    if !complaints.is_empty() {
        bail!("the programs do not compute the same, so their times cannot be compared: {}", complaints.join("; "));
    }
    Ok(())
}

/// The same, with nothing but the figures on standard output: all else, of other programs too, goes to standard
/// error.
pub fn run_for_json(layout: &Layout, args: &[String]) -> Result<()> {
    let myself = std::env::current_exe().context("this program's own path is not known")?;
    let mut command = Command::new(myself);
    command.arg("bench").args(args.iter().filter(|arg| *arg != "--json")).stdout(Stdio::from(std::io::stderr()));
    let status = command.status().context("this program could not start itself")?;
    if !status.success() {
        bail!("the benchmark ended with {status}");
    }
    let file = result_file(layout);
    let text = fs::read_to_string(&file).with_context(|| format!("{} is not readable", file.display()))?;
    print!("{text}");
    Ok(())
}

fn result_file(layout: &Layout) -> PathBuf {
    layout.target.join("xtask/benchmark.json")
}

/// What `bench/run.mjs` answers.
#[derive(Deserialize)]
struct BrowserAnswer {
    browser: String,
    races: Vec<Race>,
    memory: Vec<MemoryRow>,
}

fn race_in_browser(layout: &Layout, root: &Path, plan: &Value) -> Result<BrowserAnswer> {
    tools::browser_packages(layout)?;
    let chromium = tools::chromium(layout)?;
    let folder = root.join("bench");
    copy_files(&peers::onnxruntime_web(layout)?, &folder.join("ort"))?;
    for name in ["index.html", "page.js", "peer.js", "memory.js"] {
        let from = layout.root.join("bench").join(name);
        fs::copy(&from, folder.join(name)).with_context(|| format!("{} cannot be copied", from.display()))?;
    }
    memory::paper_rules(&layout.dist(), root)?;
    let (asked, result) = (root.join("plan.json"), root.join("result.json"));
    fs::write(&asked, plan.to_string()).with_context(|| format!("{} is not writable", asked.display()))?;

    let server = Server::bind(Port::Exactly(0), &[layout.dist(), root.to_path_buf()])?;
    let address = server.address();
    let _running = server.run_in_background();
    let mut node = program("node", &layout.root);
    node.arg("bench/run.mjs").env("CHROMIUM", &chromium).env("MVFA_URL", format!("http://{address}/"));
    run(node.env("BENCH_PLAN", &asked).env("BENCH_RESULT", &result))?;
    let text = fs::read(&result).with_context(|| format!("{} is not readable", result.display()))?;
    serde_json::from_slice(&text).context("bench/run.mjs answered something else than races")
}

fn race_natively(layout: &Layout, python: &Path, root: &Path, mut race: Race) -> Result<Race> {
    let encoder = layout.target.join("release/examples/encoder");
    let planes = root.join("planes.f32");
    let plan = json!({ "encoder": encoder, "planes": planes, "race": race });
    println!("{}, {}", race.geometry, race.tier);
    let mut command = program(python, &layout.root);
    let mut child = command
        .arg("bench/native.py")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("Python could not be started")?;
    // Dropped at once: the script reads to the end.
    child.stdin.take().context("the script has no input")?.write_all(plan.to_string().as_bytes())?;
    let output = child.wait_with_output().context("bench/native.py gave no answer")?;
    if !output.status.success() {
        bail!("bench/native.py ended with {}", output.status);
    }
    let contenders: Vec<Contender> =
        serde_json::from_slice(&output.stdout).context("bench/native.py answered something else than contenders")?;
    race.contenders = contenders;
    Ok(race)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What Linux calls the processor.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("model name"));
    line.map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':'])).to_owned()
}

/// Copies the files of one folder, without folders below it.
fn copy_files(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("{} cannot be made", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("{} is not readable", from.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
