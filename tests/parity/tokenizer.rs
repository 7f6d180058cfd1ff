//! The tokenizer against the ids that the reference's tokenizer gives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mvfa_web::clip::tokenizer::{CONTEXT, Tokenizer, TokenizerError};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    text: String,
    ids: Vec<u32>,
    too_long: bool,
    ids77: Option<Vec<u32>>,
}

fn entries(json: &str) -> Vec<Entry> {
    serde_json::from_str::<Golden>(json).unwrap().entries
}

/// Compares every string and lists all that differ.
fn compare(entries: &[Entry]) {
    let tokenizer = Tokenizer::new().unwrap();
    let mut wrong = Vec::new();
    for entry in entries {
        let expected = if entry.too_long {
            Err(TokenizerError::TooLong { tokens: entry.ids.len(), limit: CONTEXT })
        } else {
            Ok(entry.ids.clone())
        };
        let cut = entry.ids77.as_ref().unwrap_or(&entry.ids);
        if tokenizer.encode(&entry.text) != expected
            || tokenizer.encode_truncated(&entry.text) != *cut
            || tokenizer.encode_unlimited(&entry.text) != entry.ids
        {
            wrong.push(format!("{:?}", entry.text));
        }
    }
    assert!(wrong.is_empty(), "{} of {} strings differ:\n{}", wrong.len(), entries.len(), wrong.join("\n"));
}

#[test]
fn all_golden_strings_agree() {
    let golden = entries(include_str!("../fixtures/reference/tokenizer/golden.json"));
    assert_eq!(golden.len(), 200);
    assert!(golden.iter().any(|entry| entry.too_long));
    compare(&golden);
}

#[test]
fn odd_strings_agree() {
    let odd = entries(include_str!("../fixtures/reference/tokenizer/odd.json"));
    assert!(odd.len() > 300);
    compare(&odd);
}
