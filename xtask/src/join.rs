//! The page's scripts, each with the modules it is made of in one file: a browser asks for a few files instead of a hundred.
//!
//! Comes in: `web/` and `pkg/`. Goes out: the text of each of [`SCRIPTS`], in the place of the file of the same name. Nothing
//! is renamed or made shorter, so that the files stay readable. Fails where esbuild does, which names the import.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::program;
use crate::layout::Layout;
use crate::tools;

/// What a browser starts with. The workers are part of the package too, which has their modules beside them.
const SCRIPTS: [&str; 5] =
    ["web/app.js", "web/early.js", "pkg/worker.js", "pkg/formats-worker.js", "pkg/lab-worker.js"];

/// A module of its own, which runs before the page's other scripts.
const EARLY: &str = "early.js";

/// A worker's script is also started from memory (`holdWorker`), where it has no address of its own.
const WORKER: &str = "worker.js";
const ADDRESS: &str = "globalThis.scriptUrl";

/// The scripts by the place they are served from.
pub type Joined = BTreeMap<PathBuf, Vec<u8>>;

/// Joins all.
pub fn join(layout: &Layout) -> Result<Joined> {
    let esbuild = tools::esbuild(layout)?;
    SCRIPTS.into_iter().map(|script| Ok((PathBuf::from(script), one(&esbuild, layout, script)?))).collect()
}

fn one(esbuild: &Path, layout: &Layout, script: &str) -> Result<Vec<u8>> {
    let mut command = program(esbuild, &layout.root);
    command.args([script, "--bundle", "--format=esm", "--charset=utf8", "--log-level=warning"]);
    if script.ends_with(WORKER) {
        command.arg(format!("--banner:js={ADDRESS} ??= import.meta.url;"));
        command.arg(format!("--define:import.meta.url={ADDRESS}"));
    }
    if !script.ends_with(EARLY) {
        command.arg(format!("--external:*/{EARLY}"));
    }
    let made = command.output().with_context(|| format!("{} could not be started", esbuild.display()))?;
    if !made.status.success() {
        bail!("{script} could not be joined: {}", String::from_utf8_lossy(&made.stderr));
    }
    let text = String::from_utf8(made.stdout).with_context(|| format!("{script} is not UTF-8"))?;
    // Modules in folders below name it from there.
    Ok(text.replace(&format!("\"../{EARLY}\""), &format!("\"./{EARLY}\"")).into_bytes())
}
