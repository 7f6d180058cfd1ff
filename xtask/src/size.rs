//! What a visitor downloads before the first picture: raw and as a host compresses it.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::layout::Layout;

/// Quality and window of brotli at its best, as static hosts use for files that never change.
const BROTLI_QUALITY: u32 = 11;
const BROTLI_WINDOW_LOG2: u32 = 24;

/// Prints the sizes of the WebAssembly file and of the default model.
pub fn report(layout: &Layout) -> Result<()> {
    let file = layout.wasm_file();
    let content = fs::read(&file).with_context(|| format!("{} is missing; run `cargo xtask build`", file.display()))?;
    let mut packed = Vec::new();
    {
        let mut writer = brotli::CompressorWriter::new(&mut packed, 1 << 16, BROTLI_QUALITY, BROTLI_WINDOW_LOG2);
        writer.write_all(&content).context("brotli could not compress the file")?;
    }
    println!("wasm   {:>11} bytes raw, {} bytes brotli", content.len(), packed.len());
    println!("model  {:>11} bytes", folder_bytes(&layout.dist().join("models/default"))?);
    println!("site   {:>11} bytes in all", folder_bytes(&layout.dist())?);
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
