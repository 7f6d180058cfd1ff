//! What it costs to search many references, in the browser's processor tier, by the default model's rules and by the paper's.
//!
//! Comes in: counts. Goes out: rows for people and for JSON. Fails where a manifest cannot be read or written.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::table::Times;

/// References of one view each.
const COUNTS: [usize; 4] = [1, 4, 16, 64];
/// The default model by the paper's rules, below the benchmark's folder.
const PAPER: &str = "models/default/paper.json";
/// Rows a level of the smaller memory: those of four references.
const BANK_ROWS: usize = 1160;

/// One number of references.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemoryRow {
    /// `model` or `paper`.
    rules: String,
    references: usize,
    /// `None`: all.
    bank_rows: Option<usize>,
    /// Encoding the references, or making their memory smaller: once.
    prepare_ms: f64,
    /// The first scoring, with the comparison of references with each other.
    once_ms: f64,
    /// Encoding the picture.
    encode_ms: Vec<f64>,
    /// Scoring after that.
    score_ms: Vec<f64>,
}

/// What `bench/memory.js` is asked.
pub fn plan(runs: usize) -> Value {
    let manifests = json!({ "model": "/models/default/manifest.json", "paper": format!("/{PAPER}") });
    json!({ "manifests": manifests, "counts": COUNTS, "bankRows": BANK_ROWS, "runs": runs })
}

/// Puts the default model's manifest below `root` once more, without rules of its own.
///
/// # Errors
/// A file that cannot be read or written.
pub fn paper_rules(dist: &Path, root: &Path) -> Result<()> {
    let (from, to) = (dist.join("models/default/manifest.json"), root.join(PAPER));
    let text = fs::read(&from).with_context(|| format!("{} is not readable", from.display()))?;
    let mut manifest: Value = serde_json::from_slice(&text).context("the default manifest is no JSON")?;
    if let Some(fields) = manifest.as_object_mut() {
        fields.remove("scoring");
    }
    for object in manifest["objects"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        object.remove("bilateral");
    }
    to.parent().map_or(Ok(()), fs::create_dir_all).context("the folder of the manifest cannot be made")?;
    fs::write(&to, manifest.to_string()).with_context(|| format!("{} is not writable", to.display()))
}

/// The table, as people read it, and what a picture costs by both rules.
pub fn print(rows: &[MemoryRow]) {
    println!("\nmemory of the default model, cpu; times of a picture");
    println!("{:<8}{:<12}{:<10}{:>12}{:>12}  {:<28}score", "rules", "references", "rows", "prepare", "first", "encode");
    for row in rows {
        let kept = row.bank_rows.map_or_else(|| "all".to_owned(), |rows| rows.to_string());
        let text = |times: &[f64]| Times::of(times).map_or_else(String::new, |times| times.text());
        let (encode, score) = (text(&row.encode_ms), text(&row.score_ms));
        println!(
            "{:<8}{:<12}{kept:<10}{:>9.0} ms{:>9.0} ms  {encode:<28}{score}",
            row.rules, row.references, row.prepare_ms, row.once_ms
        );
    }
    let lowest = |row: &MemoryRow| -> f64 {
        let of = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
        of(&row.encode_ms) + of(&row.score_ms)
    };
    for count in COUNTS {
        let of = |rules: &str| {
            rows.iter().find(|row| row.rules == rules && row.references == count && row.bank_rows.is_none()).map(lowest)
        };
        if let (Some(model), Some(paper)) = (of("model"), of("paper")) {
            println!(
                "{count} references: encoding and scoring by the model's rules take {:.2} of the paper's",
                model / paper
            );
        }
    }
}
