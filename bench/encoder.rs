//! The encoder of `mvfa predict` on request, for a driver that times it beside another program.
//!
//! Comes in: a bundle, a file of planes `[3, side, side]` in 0..1 as little-endian f32, and lines on standard
//! input: `run`, or `write FILE`. Goes out, a line each: the milliseconds of opening, then those of each run;
//! `write` puts the last raw block tokens, level after level, into a file. Fails on anything else.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;
use mvfa_web::bundle::manifest::Group;
use mvfa_web::bundle::store::BundleFolder;
use mvfa_web::compute::{Weights, open_cpu};
use mvfa_web::image::Planes;
use mvfa_web::mvfa::{Cancelled, Engine, Pacer, Progress};

#[derive(Parser)]
struct Args {
    /// Folder of the model
    #[arg(long)]
    bundle: PathBuf,
    /// The picture
    #[arg(long)]
    planes: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mut out = std::io::stdout().lock();
    let start = Instant::now();
    let engine = open(&args.bundle)?;
    answer(&mut out, start)?;
    let planes = planes(&args.planes, engine.manifest().preprocess.size_px)?;
    let mut levels = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let start = Instant::now();
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("run", _) => levels = pollster::block_on(engine.raw_tokens(&planes, &mut Straight))?,
            ("write", file) => {
                let bytes: Vec<u8> = levels.iter().flatten().flat_map(|v: &f32| v.to_le_bytes()).collect();
                std::fs::write(file, bytes).with_context(|| format!("{file} is not writable"))?;
            }
            _ => bail!("expected `run` or `write FILE`, found {line:?}"),
        }
        answer(&mut out, start)?;
    }
    Ok(())
}

fn answer(out: &mut impl Write, start: Instant) -> Result<()> {
    writeln!(out, "{}", start.elapsed().as_secs_f64() * 1e3)?;
    Ok(out.flush()?)
}

fn open(folder: &Path) -> Result<Engine> {
    let bundle = BundleFolder::open(folder)?;
    let open = open_cpu("asked for");
    let weights = Weights::load(&bundle, &[Group::Vision, Group::Adapters, Group::Prompts], &open.device)?;
    Ok(Engine::new(bundle.manifest().clone(), weights, open)?)
}

fn planes(file: &Path, side_px: usize) -> Result<Planes> {
    let bytes = std::fs::read(file).with_context(|| format!("{} is not readable", file.display()))?;
    let values: Vec<f32> = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let expected = 3 * side_px * side_px;
    if values.len() != expected {
        bail!("expected {expected} values of three planes, found {}", values.len());
    }
    Ok(Planes { values, side_px })
}

/// Lets every step pass.
struct Straight;

impl Pacer for Straight {
    async fn step(&mut self, _: Progress) -> Result<(), Cancelled> {
        Ok(())
    }

    fn now_ms(&self) -> f64 {
        0.0
    }
}
