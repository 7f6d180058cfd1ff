//! The encoder against another program, in one browser and one page.
//!
//! Comes in: the default model. Goes out: a table, and `benchmark.json` in the build folder: times of
//! this program's tower and of onnxruntime-web on the same weights and picture, in alternation. Fails
//! where the two do not compute the same, or where npm or PyPI is out of reach.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::command::{program, run};
use crate::layout::Layout;
use crate::server::{Port, Server};
use crate::stamp::{Stamp, digest_file};
use crate::{site, tools, versions};

/// Sets up both programs and runs them on `tiers` (names with commas between).
pub fn run_all(layout: &Layout, tiers: &str) -> Result<()> {
    site::build(layout, false)?;
    tools::browser_packages(layout)?;
    let browser = tools::chromium(layout)?;
    let peer = peer_package(layout)?;
    let root = layout.target.join("xtask/bench-site");
    let folder = root.join("bench");
    copy_folder(&peer.join("node_modules/onnxruntime-web/dist"), &folder.join("ort"))?;
    for name in ["index.html", "page.js"] {
        let from = layout.root.join("bench").join(name);
        fs::copy(&from, folder.join(name)).with_context(|| format!("{} cannot be copied", from.display()))?;
    }
    export(layout, &folder.join("tower.onnx"))?;

    let server = Server::bind(Port::Exactly(0), &[layout.dist(), root])?;
    let address = server.address();
    let _running = server.run_in_background();
    let mut node = program("node", &layout.root);
    node.arg("bench/run.mjs").env("CHROMIUM", &browser).env("MVFA_URL", format!("http://{address}/"));
    node.env("BENCH_TIERS", tiers).env("BENCH_JSON", layout.target.join("xtask/benchmark.json"));
    run(&mut node)
}

/// onnxruntime-web, in the cache folder.
fn peer_package(layout: &Layout) -> Result<PathBuf> {
    tools::node(layout)?;
    let version = versions::ONNXRUNTIME_WEB;
    let folder = layout.cache.join(format!("tools/onnxruntime-web-{version}"));
    let stamp = Stamp::new(folder.join("installed"), version);
    if !stamp.is_fresh() {
        println!("installing: onnxruntime-web {version} (npm, into {})", folder.display());
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let package = format!("onnxruntime-web@{version}");
        run(program("npm", &folder).args([
            "install",
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--prefix",
            ".",
            &package,
        ]))?;
        stamp.write()?;
    }
    Ok(folder)
}

/// The default model's tower as an ONNX graph, made anew when the model or the script changes.
fn export(layout: &Layout, target: &Path) -> Result<()> {
    let script = layout.root.join("bench/export_onnx.py");
    let model = layout.root.join("models/default");
    let made_from = format!("{} {}", digest_file(&script)?, digest_file(&model.join("manifest.json"))?);
    let stamp = Stamp::new(target.with_extension("stamp"), made_from);
    if stamp.is_fresh() && target.is_file() {
        return Ok(());
    }
    let venv = layout.cache.join("tools/onnx-python");
    let python = venv.join("bin/python");
    let installed = Stamp::new(venv.join("installed"), versions::ONNX_PACKAGES.join(" "));
    if !installed.is_fresh() {
        println!("installing: {} (pip, into {})", versions::ONNX_PACKAGES.join(" "), venv.display());
        run(program("python3", &layout.root).args(["-m", "venv"]).arg(&venv))
            .context("the benchmark needs Python 3 with its venv module")?;
        run(program(&python, &layout.root).args(["-m", "pip", "install", "--quiet"]).args(versions::ONNX_PACKAGES))?;
        installed.write()?;
    }
    run(program(&python, &layout.root).arg(&script).arg(&model).arg(target))?;
    stamp.write()
}

/// Copies the files of one folder, without folders below it.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("{} cannot be made", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("{} is not readable", from.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
