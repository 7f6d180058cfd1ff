//! The models that are raced: ours as bundles, the peer's as ONNX graphs, from the same weights.
//!
//! Comes in: a geometry. Goes out: [`Model`], files below the build folder, made anew when what they are made from
//! changes. Fails with the error of `mvfa convert` or the Python scripts.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::command::{program, run};
use crate::layout::Layout;
use crate::stamp::{Stamp, digest_file};

/// A tower to race.
#[derive(Debug)]
pub struct Geometry {
    /// Name on the command line.
    pub name: &'static str,
    /// Name in the table.
    pub title: &'static str,
    /// Levels as `mvfa convert` takes them; `None` for the model that comes with the project.
    formula_levels: Option<&'static str>,
}

/// What can be raced. Formula weights stand in where none come with the project: what they are makes no difference to
/// the time. Four of 24 blocks keep a ViT-L in minutes on a software adapter; the others are the same work again.
pub const GEOMETRIES: [Geometry; 3] = [
    Geometry { name: "vit-s", title: "ViT-S/14, 290 tokens, 11 blocks (default model)", formula_levels: None },
    Geometry {
        name: "vit-b",
        title: "ViT-B/16, 226 tokens, 12 blocks (formula weights)",
        formula_levels: Some("3,6,9,12"),
    },
    Geometry {
        name: "vit-l",
        title: "ViT-L/14, 290 tokens, 4 of 24 blocks (formula weights)",
        formula_levels: Some("2,4"),
    },
];

/// Levels of the default model, for its copy in 8-bit integers.
const DEFAULT_LEVELS: &str = "3,6,9,11";

impl Geometry {
    /// The geometry of that name.
    pub fn named(name: &str) -> Result<&'static Self> {
        let known = || GEOMETRIES.map(|g| g.name).join(", ");
        GEOMETRIES.iter().find(|g| g.name == name).with_context(|| format!("--only takes {}, found {name:?}", known()))
    }
}

/// One element type of a tower: the bundle's folder, its address on the benchmark's site, and the peer's graph.
pub struct Model {
    pub bundle: PathBuf,
    pub manifest_url: String,
    pub graph: PathBuf,
    pub graph_url: String,
}

/// A tower in 32-bit floats and in 8-bit integers.
pub struct Models {
    pub f32: Model,
    pub i8: Model,
}

/// Makes what is missing below `site`, which is served beside the site itself.
pub fn make(layout: &Layout, python: &Path, site: &Path, geometry: &Geometry) -> Result<Models> {
    let name = geometry.name;
    let model = |bundle: PathBuf, folder: &str, graph: String| Model {
        bundle,
        manifest_url: format!("/models/{folder}/manifest.json"),
        graph: site.join("bench").join(&graph),
        graph_url: format!("/bench/{graph}"),
    };
    let made = |weights: &str| format!("{name}-{weights}");
    let (own, folder) = match geometry.formula_levels {
        None => (layout.root.join("models/default"), "default".to_owned()),
        Some(_) => (site.join("models").join(made("f32")), made("f32")),
    };
    let models = Models {
        f32: model(own, &folder, format!("{name}.onnx")),
        i8: model(site.join("models").join(made("i8")), &made("i8"), format!("{name}.int8.onnx")),
    };

    let mvfa = layout.target.join("release/mvfa");
    let scripts = ["bench/make_checkpoint.py", "bench/export_onnx.py"].map(|script| layout.root.join(script));
    let mut key = digest_file(&mvfa)?;
    for file in scripts.iter().chain([&layout.root.join("models/default/manifest.json")]) {
        key.push_str(&digest_file(file)?);
    }
    let stamp = Stamp::new(site.join(format!("{name}.stamp")), key);
    if stamp.is_fresh() {
        return Ok(models);
    }
    fs::create_dir_all(site.join("models")).with_context(|| format!("{} cannot be made", site.display()))?;
    let checkpoint = site.join("checkpoint.safetensors");
    let mut make = program(python, &layout.root);
    make.arg(&scripts[0]);
    match geometry.formula_levels {
        None => make.arg("--bundle").arg(&models.f32.bundle),
        Some(_) => make.args(["--geometry", name]),
    };
    run(make.arg(&checkpoint))?;
    let convert = |out: &Path, dtype: &str| {
        let mut convert = program(&mvfa, &layout.root);
        convert.args(["convert", "--dtype", dtype, "--levels", geometry.formula_levels.unwrap_or(DEFAULT_LEVELS)]);
        convert.args(["--objects", "brain", "--augment", "none", "--clip"]).arg(&checkpoint).arg("--out").arg(out);
        run(&mut convert)
    };
    if geometry.formula_levels.is_some() {
        convert(&models.f32.bundle, "f32")?;
    }
    convert(&models.i8.bundle, "i8")?;
    fs::remove_file(&checkpoint).with_context(|| format!("{} cannot be removed", checkpoint.display()))?;
    let mut export = program(python, &layout.root);
    run(export.arg(&scripts[1]).arg(&models.f32.bundle).args([&models.f32.graph, &models.i8.graph]))?;
    stamp.write()?;
    Ok(models)
}
