//! What a visitor downloads before the first picture: raw and as a host compresses it.
//!
//! Comes in: the finished site and the sizes on record, `docs/wasm-size.json` of the engine and `docs/wasm-size-formats.json`
//! of the formats, `docs/wasm-size-lab.json` of the lab. Goes out: a table. Fails if a WebAssembly file has grown by more than [`GROWTH_PERCENT`] over its record
//! (make it smaller, or change the record and say why in the commit), or if engine and formats together have more than
//! [`MAX_BROTLI_BYTES`], or the lab more than [`MAX_LAB_BROTLI_BYTES`].

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::layout::Layout;
use crate::wasm::MODULES;

/// Quality and window of brotli at its best, as static hosts use for files that never change.
const BROTLI_QUALITY: u32 = 11;
const BROTLI_WINDOW_LOG2: u32 = 24;

/// What a compiler update or a small feature may add without being asked about.
const GROWTH_PERCENT: usize = 2;

/// Most that the modules for looking at pictures may have together, compressed.
const MAX_BROTLI_BYTES: usize = 2_000_000;
/// Most that the lab may have, compressed.
const MAX_LAB_BROTLI_BYTES: usize = 2_500_000;

/// The sizes on record.
#[derive(Deserialize)]
struct Recorded {
    raw_bytes: usize,
    brotli_bytes: usize,
}

/// Prints the sizes of the WebAssembly files and of the default model.
pub fn report(layout: &Layout) -> Result<()> {
    let (mut all, mut lab) = (0, 0);
    let mut outcome = Ok(());
    for module in &MODULES {
        let file = module.file(layout);
        let content =
            fs::read(&file).with_context(|| format!("{} is missing; run `cargo xtask build`", file.display()))?;
        let mut packed = Vec::new();
        {
            let mut writer = brotli::CompressorWriter::new(&mut packed, 1 << 16, BROTLI_QUALITY, BROTLI_WINDOW_LOG2);
            writer.write_all(&content).context("brotli could not compress the file")?;
        }
        let record = module.record;
        let text = fs::read(layout.root.join(record)).with_context(|| format!("{record} is not readable"))?;
        let recorded: Recorded =
            serde_json::from_slice(&text).with_context(|| format!("{record} is not what it should be"))?;
        println!("{:<8} {:>11} bytes raw, {} bytes brotli", module.title, content.len(), packed.len());
        *(if module.is_lab { &mut lab } else { &mut all }) += packed.len();
        // The sizes of all are shown before one fails.
        outcome = outcome.and(check(&content, &packed, &recorded, record));
    }
    println!("modules  {all:>11} bytes brotli in all, without the lab");
    println!("model    {:>11} bytes", folder_bytes(&layout.dist().join("models/default"))?);
    println!("site     {:>11} bytes in all", folder_bytes(&layout.dist())?);
    outcome?;
    if all > MAX_BROTLI_BYTES {
        bail!(
            "the WebAssembly files have {all} bytes (brotli), at most {MAX_BROTLI_BYTES} are allowed; make them smaller"
        );
    }
    if lab > MAX_LAB_BROTLI_BYTES {
        bail!(
            "the lab's WebAssembly file has {lab} bytes (brotli), at most {MAX_LAB_BROTLI_BYTES} are allowed; make it smaller"
        );
    }
    Ok(())
}

fn check(raw: &[u8], brotli: &[u8], recorded: &Recorded, record: &str) -> Result<()> {
    for (what, found, on_record) in
        [("raw", raw.len(), recorded.raw_bytes), ("brotli", brotli.len(), recorded.brotli_bytes)]
    {
        if found * 100 > on_record * (100 + GROWTH_PERCENT) {
            bail!(
                "the WebAssembly file has {found} bytes ({what}), more than {GROWTH_PERCENT} % over the {on_record} of \
                 {record}; make it smaller, or change the record and say why in the commit"
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
        assert!(check(&[0; 1020], &[0; 102], &recorded, "record").is_ok());
        assert!(check(&[0; 1021], &[0; 100], &recorded, "record").is_err());
        assert!(check(&[0; 1000], &[0; 103], &recorded, "record").is_err());
    }
}
