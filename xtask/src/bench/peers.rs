//! The other programs, from npm and PyPI, in the cache folder.
//!
//! Each installation is announced. Fails if a registry is out of reach.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::command::{program, run};
use crate::layout::Layout;
use crate::stamp::Stamp;
use crate::{tools, versions};

/// The folder with the files of onnxruntime-web.
pub fn onnxruntime_web(layout: &Layout) -> Result<PathBuf> {
    tools::node(layout)?;
    let version = versions::ONNXRUNTIME_WEB;
    let folder = layout.cache.join(format!("tools/onnxruntime-web-{version}"));
    let stamp = Stamp::new(folder.join("installed"), version);
    if !stamp.is_fresh() {
        println!("installing: onnxruntime-web {version} (npm, into {})", folder.display());
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let package = format!("onnxruntime-web@{version}");
        let words = ["install", "--no-audit", "--no-fund", "--no-save", "--prefix", ".", &package];
        run(program("npm", &folder).args(words))?;
        stamp.write()?;
    }
    Ok(folder.join("node_modules/onnxruntime-web/dist"))
}

/// A Python with onnxruntime, and with what makes checkpoints and graphs.
pub fn python(layout: &Layout) -> Result<PathBuf> {
    let packages = versions::ONNX_PACKAGES;
    let venv = layout.cache.join("tools/onnx-python");
    let python = venv.join("bin/python");
    let stamp = Stamp::new(venv.join("installed"), packages.join(" "));
    if !stamp.is_fresh() {
        println!("installing: {} (pip, into {})", packages.join(" "), venv.display());
        run(program("python3", &layout.root).args(["-m", "venv"]).arg(&venv))
            .context("the benchmark needs Python 3 with its venv module")?;
        run(program(&python, &layout.root).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
        stamp.write()?;
    }
    Ok(python)
}
