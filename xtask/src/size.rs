//! What a visitor downloads before the first picture: raw and as a host compresses it.
//!
//! Comes in: the finished site and the sizes on record, `docs/wasm-size.json`. Goes out: a table.
//! Fails if the WebAssembly file has grown by more than [`GROWTH_PERCENT`] over the record: make
//! it smaller, or change the record and say why in the commit.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::layout::Layout;

/// Quality and window of brotli at its best, as static hosts use for files that never change.
const BROTLI_QUALITY: u32 = 11;
const BROTLI_WINDOW_LOG2: u32 = 24;

/// What a compiler update or a small feature may add without being asked about.
const GROWTH_PERCENT: usize = 2;

/// The sizes on record.
#[derive(Deserialize)]
struct Recorded {
    raw_bytes: usize,
    brotli_bytes: usize,
}

/// Prints the sizes of the WebAssembly file and of the default model.
pub fn report(layout: &Layout) -> Result<()> {
    let file = layout.wasm_file();
    let content = fs::read(&file).with_context(|| format!("{} is missing; run `cargo xtask build`", file.display()))?;
    let mut packed = Vec::new();
    {
        let mut writer = brotli::CompressorWriter::new(&mut packed, 1 << 16, BROTLI_QUALITY, BROTLI_WINDOW_LOG2);
        writer.write_all(&content).context("brotli could not compress the file")?;
    }
    let record = layout.root.join("docs/wasm-size.json");
    let text = fs::read(&record).with_context(|| format!("{} is not readable", record.display()))?;
    let recorded: Recorded = serde_json::from_slice(&text).context("docs/wasm-size.json is not what it should be")?;
    println!("wasm   {:>11} bytes raw, {} bytes brotli", content.len(), packed.len());
    println!("model  {:>11} bytes", folder_bytes(&layout.dist().join("models/default"))?);
    check(&content, &packed, &recorded)?;
    println!("site   {:>11} bytes in all", folder_bytes(&layout.dist())?);
    Ok(())
}

fn check(raw: &[u8], brotli: &[u8], recorded: &Recorded) -> Result<()> {
    for (what, found, on_record) in
        [("raw", raw.len(), recorded.raw_bytes), ("brotli", brotli.len(), recorded.brotli_bytes)]
    {
        if found * 100 > on_record * (100 + GROWTH_PERCENT) {
            bail!(
                "the WebAssembly file has {found} bytes ({what}), more than {GROWTH_PERCENT} % over the {on_record} of \
                 docs/wasm-size.json; make it smaller, or change the record and say why in the commit"
            );
        }
    }
    Ok(())
}

fn folder_bytes(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("{} is not readable", folder.display()))? {
        let entry = entry?;
        let kind = entry.metadata()?;
        sum += if kind.is_dir() { folder_bytes(&entry.path())? } else { kind.len() };
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_beyond_the_record_fails_in_either_measure() {
        let recorded = Recorded { raw_bytes: 1000, brotli_bytes: 100 };
        assert!(check(&[0; 1020], &[0; 102], &recorded).is_ok());
        assert!(check(&[0; 1021], &[0; 100], &recorded).is_err());
        assert!(check(&[0; 1000], &[0; 103], &recorded).is_err());
    }
}
