//! Which room of `src/` may name what.
//!
//! Comes in: the checkout. Goes out: nothing if the method names no tier and the files name no tensors. Fails with
//! each file and the word that must not be in it. Comments and texts in quotation marks may name anything.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Rooms, and words that stand in none of their files: only `compute` knows how it is made fast.
const RULES: [(&[&str], &[&str]); 2] =
    [(&["clip", "mvfa", "train", "eval"], &["gpu", "cpu", "Tier", "CubeTensor"]), (&["bundle"], &["burn"])];

/// Checks every file.
pub fn check(root: &Path) -> Result<()> {
    let mut found = Vec::new();
    for (rooms, words) in RULES {
        for file in
            rooms.iter().map(|room| rust_files(&root.join("src").join(room))).collect::<Result<Vec<_>>>()?.concat()
        {
            let text = fs::read_to_string(&file).with_context(|| format!("{} is not readable", file.display()))?;
            let named =
                words.iter().filter(|word| names(&text, word)).map(|word| format!("{}: {word}", file.display()));
            found.extend(named);
        }
    }
    if found.is_empty() { Ok(()) } else { bail!("these belong into src/compute: {}", found.join(", ")) }
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{} is not readable", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

/// Whether code, without comments and texts, has the word. Texts over several lines count as code.
fn names(text: &str, word: &str) -> bool {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default().split('"').step_by(2));
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.flatten().any(|code| code.split(|c| !is_part(c)).any(|found| found == word))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn comments_texts_and_longer_words_do_not_count() {
        assert!(names("use crate::gpu::Queue;", "gpu") && names("let x = 1; gpu();", "gpu"));
        assert!(!names("// gpu\nlet open = open_gpu(\"gpu\"); // the gpu", "gpu"));
    }

    #[test]
    fn every_room_keeps_to_its_words() {
        check(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()).unwrap();
    }
}
