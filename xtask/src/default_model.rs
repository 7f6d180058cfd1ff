//! Rebuilding the model that comes with the project, from its own tower and what the project holds.
//!
//! Comes in: `models/default`, the real slices of `tests/fixtures/bmad`. Goes out: the same bundle
//! with adapters and a small text tower trained on phantoms and on normal slices with synthetic
//! anomalies; model card and notice stay as they are. The same command gives the same files on the
//! same machine. Fails with the program's error; `models/default` is touched last.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::command::{program, run};
use crate::layout::Layout;
use crate::wasm;

/// Phantoms a class and object. `mvfa phantom` puts 70 % of them into test, which is trained on, and the
/// others into valid; of those ten a class and object choose the epoch.
const PHANTOMS: &str = "60";
const PHANTOM_SEED: &str = "1";
/// Real normal slices that are trained on: one volume of each organ, so that the other is a test.
const NORMALS: [(&str, &str, &str); 2] = [("brain", "Brain_AD", "brain2_"), ("lung", "Lung_AD", "lung1_")];
/// Files of the finished bundle that the project does not keep.
const NOT_KEPT: [&str; 2] = ["adapters.pth", "MODEL_CARD.md"];
/// Shown wherever the model compares with words; the model card has the figures behind it.
const NOTE: &str = "Words were learned from synthetic pictures. On real images the score is not better than chance; \
                    compare with normal images where you can (see the model card).";

/// Trains and replaces `models/default`.
pub fn run_all(layout: &Layout) -> Result<()> {
    run(wasm::cargo(layout).args(["build", "--release", "--bin", "mvfa"]))?;
    let mvfa = || program(layout.target.join("release/mvfa"), &layout.root);
    let work = layout.target.join("xtask/default-model");
    let (phantoms, made) = (work.join("phantoms"), work.join("default"));
    // Drawn anew each time: what is there may be half a set or that of another version. The same seed gives
    // the same bytes, so an interrupted training still resumes.
    if phantoms.exists() {
        fs::remove_dir_all(&phantoms).with_context(|| format!("{} cannot be removed", phantoms.display()))?;
    }
    let mut make = mvfa();
    make.args(["phantom", "--object", "all", "--normal", PHANTOMS, "--abnormal", PHANTOMS, "--seed", PHANTOM_SEED]);
    run(make.arg("--out").arg(&phantoms))?;
    let models = layout.root.join("models/default");
    let mut train = mvfa();
    train.args(["train", "zero", "--object", "none", "--new-words", "--epochs", "2", "--lr", "0.0005"]);
    train.args(["--select-limit", "10", "--select-every", "1", "--name", "DINOv2-S/14", "--zero-note", NOTE]);
    train.arg("--bundle").arg(&models).arg("--data").arg(&phantoms);
    for (object, set, volume) in NORMALS {
        for file in normal_slices(&layout.root.join("tests/fixtures/bmad").join(set), volume)? {
            train.arg("--normals").arg(format!("{object}={file}"));
        }
    }
    run(train.arg("--out").arg(&made))?;
    replace(&made, &models)
}

/// Normal slices of one volume, sorted.
fn normal_slices(set: &Path, volume: &str) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for split in ["valid", "test"] {
        let folder = set.join(split).join("good/img");
        for entry in fs::read_dir(&folder).with_context(|| format!("{} is not readable", folder.display()))? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(volume)) {
                files.push(path.display().to_string());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Puts the new files in, and takes shards out that the new manifest does not have.
fn replace(made: &Path, models: &Path) -> Result<()> {
    let cannot = |path: &Path| format!("{} cannot be replaced", path.display());
    for entry in fs::read_dir(models).with_context(|| cannot(models))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "safetensors") {
            fs::remove_file(&path).with_context(|| cannot(&path))?;
        }
    }
    for entry in fs::read_dir(made).with_context(|| cannot(made))? {
        let path = entry?.path();
        let Some(name) = path.file_name().filter(|name| !NOT_KEPT.iter().any(|kept| *name == *kept)) else { continue };
        fs::copy(&path, models.join(name)).with_context(|| cannot(&path))?;
    }
    println!("models/default is new; measure it with mvfa eval and bring its model card up to date");
    Ok(())
}
