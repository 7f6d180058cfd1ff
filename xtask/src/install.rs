//! `mvfa` on the user's machine: the program where cargo puts programs, and the default model where it looks for it.
//!
//! Comes in: the checkout. Goes out: `mvfa` in cargo's bin folder, `models/default` in the user's data folder. Fails
//! with cargo's error, or with the file that cannot be written.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::command::run as run_program;
use crate::layout::Layout;
use crate::wasm;

/// Installs both.
pub fn run(layout: &Layout) -> Result<()> {
    run_program(wasm::cargo(layout).args(["install", "--locked", "--bin", "mvfa", "--path"]).arg(&layout.root))?;
    let target = Layout::data()?.join("models/default");
    copy_model(&layout.root.join("models/default"), &target)?;
    println!("installed: mvfa, and its model in {}", target.display());
    Ok(())
}

/// Copies the files of a bundle, the manifest last: without it the folder is no model yet.
fn copy_model(source: &Path, target: &Path) -> Result<()> {
    fs::create_dir_all(target).with_context(|| format!("{} cannot be made", target.display()))?;
    let mut files = Vec::new();
    for entry in fs::read_dir(source).with_context(|| format!("{} is not readable", source.display()))? {
        files.push(entry?.path());
    }
    files.sort_by_key(|file| (file.file_name().is_some_and(|name| name == "manifest.json"), file.clone()));
    for file in files {
        let Some(name) = file.file_name() else { continue };
        fs::copy(&file, target.join(name))
            .with_context(|| format!("{} is not writable", target.join(name).display()))?;
    }
    Ok(())
}
