//! What it costs to search many references, in the browser's processor tier.
//!
//! Comes in: counts. Goes out: rows for people and for JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::table::Times;

/// References of one view each.
const COUNTS: [usize; 4] = [1, 4, 16, 64];
/// Rows a level of the smaller memory: those of four references.
const BANK_ROWS: usize = 1160;

/// One number of references.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemoryRow {
    references: usize,
    /// `None`: all.
    bank_rows: Option<usize>,
    /// Encoding the references, or making their memory smaller: once.
    prepare_ms: f64,
    /// The first scoring, with the comparison of references with each other.
    once_ms: f64,
    /// Scoring after that.
    score_ms: Vec<f64>,
}

/// What `bench/memory.js` is asked.
pub fn plan(runs: usize) -> Value {
    json!({ "counts": COUNTS, "bankRows": BANK_ROWS, "runs": runs })
}

/// The table, as people read it.
pub fn print(rows: &[MemoryRow]) {
    println!("\nmemory of the default model, cpu; times of a picture's score");
    println!("{:<12}{:<10}{:>12}{:>12}  score", "references", "rows", "prepare", "first");
    for row in rows {
        let rows = row.bank_rows.map_or_else(|| "all".to_owned(), |rows| rows.to_string());
        let score = Times::of(&row.score_ms).map_or_else(String::new, |times| times.text());
        println!("{:<12}{rows:<10}{:>9.0} ms{:>9.0} ms  {score}", row.references, row.prepare_ms, row.once_ms);
    }
}
