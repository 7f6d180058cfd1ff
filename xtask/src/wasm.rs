//! The engine and the formats as WebAssembly modules with their JavaScript glue, and the kernels.
//!
//! Comes in: the crates. Goes out: `pkg/wasm/` as wasm-bindgen's `web` target writes it, optimised
//! for size and stripped unless `dev`. Fails with the program that failed, or with the two
//! wasm-bindgen versions if they differ.
//!
//! Order matters: wasm-bindgen reads the `target_features` section that the compiler wrote, so
//! everything that strips comes after it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::command::{program, run};
use crate::layout::Layout;
use crate::stamp::{Stamp, digest, digest_file};
use crate::tools::{self, WasmToolchain};
use crate::versions;

/// A module with glue.
pub struct Module {
    /// Name of the finished module and its glue.
    name: &'static str,
    /// Name of the library, as cargo writes it.
    library: &'static str,
    /// Arguments of cargo that choose it.
    pub package: &'static [&'static str],
    /// What it is called in tables.
    pub title: &'static str,
    /// Where its size is on record.
    pub record: &'static str,
    /// It is for what a person makes, and has a limit of its own.
    pub is_lab: bool,
}

impl Module {
    /// The finished module.
    pub fn file(&self, layout: &Layout) -> PathBuf {
        layout.pkg_wasm().join(format!("{}_bg.wasm", self.name))
    }
}

/// The modules that a visitor downloads before "ready", beside the kernels. The last is compiled when it is first needed. Two
/// come from one library with different features, so each is taken from the build folder before the next is built.
pub const MODULES: [Module; 3] = [
    Module {
        name: "mvfa_web",
        library: "mvfa_web",
        package: &["--package", "mvfa-web"],
        title: "engine",
        record: "docs/wasm-size.json",
        is_lab: false,
    },
    Module {
        name: "mvfa_formats",
        library: "mvfa_formats",
        package: &["--package", "mvfa-formats", "--features", "web"],
        title: "formats",
        record: "docs/wasm-size-formats.json",
        is_lab: false,
    },
    Module {
        name: "mvfa_lab",
        library: "mvfa_web",
        package: &["--package", "mvfa-web", "--features", "lab"],
        title: "lab",
        record: "docs/wasm-size-lab.json",
        is_lab: true,
    },
];
/// The profile of native builds for tests (Cargo.toml says what it leaves out).
pub const CHECKS: &str = "checks";
/// Name of the module that works in the engine's memory.
const KERNELS: &str = "mvfa_kernels";

/// Features the compiler may use (Rust's defaults for this target, and SIMD); every browser with
/// WebAssembly SIMD has them all.
const FEATURES: &[&str] = &[
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Builds `pkg/wasm/`. A `dev` build leaves out link-time optimisation and `wasm-opt`, which take minutes.
pub fn build(layout: &Layout, dev: bool) -> Result<()> {
    check_bindgen_version(&layout.root.join("Cargo.lock"))?;
    let toolchain = WasmToolchain::ensure(layout)?;
    for module in &MODULES {
        build_module(layout, &toolchain, module, dev)?;
    }
    build_kernels(layout, &toolchain)
}

fn build_module(layout: &Layout, toolchain: &WasmToolchain, module: &Module, dev: bool) -> Result<()> {
    let mut cargo = cargo(layout);
    let profile = if dev { "wasm-dev" } else { "wasm" };
    // Of this kind alone: cargo silently omits link-time optimisation if a library is
    // to be an rlib as well.
    cargo.args(["rustc", "--lib", "--crate-type", "cdylib"]).args(module.package);
    cargo.args(["--profile", profile, "--target", "wasm32-unknown-unknown"]);
    toolchain.apply(&mut cargo);
    run(&mut cargo)?;

    let input = layout.target.join(format!("wasm32-unknown-unknown/{profile}/{}.wasm", module.library));
    // With this file's own text, so that a change of options builds anew.
    let how = digest(include_bytes!("wasm.rs"));
    let made_from = format!("{} {how} wasm-bindgen {}", digest_file(&input)?, versions::WASM_BINDGEN);
    let folder = layout.pkg_wasm();
    let record = folder.join(format!(".{}.stamp", module.name));
    let optimised = Stamp::new(&record, format!("{made_from} wasm-opt {}", versions::BINARYEN));
    let plain = Stamp::new(&record, made_from);
    let done = if dev { &plain } else { &optimised };
    if !done.is_fresh() {
        if !plain.is_fresh() {
            bind(&input, &folder, module)?;
            plain.write()?;
        }
        if !dev {
            optimise(layout, module)?;
            optimised.write()?;
        }
    }
    Ok(())
}

/// The arithmetic of the CPU tier once more, with fused multiply-add, as a module that works in the
/// memory of the first.
fn build_kernels(layout: &Layout, toolchain: &WasmToolchain) -> Result<()> {
    let mut cargo = cargo(layout);
    cargo.args(["rustc", "--package", "mvfa-kernels", "--lib", "--crate-type", "cdylib", "--features", "module"]);
    cargo.args(["--profile", "wasm", "--target", "wasm32-unknown-unknown"]);
    toolchain.apply(&mut cargo);
    cargo.args(["--", "-Ctarget-feature=+relaxed-simd"]);
    for option in ["--import-memory", "--export=__stack_pointer", "--strip-all"] {
        cargo.arg(format!("-Clink-arg={option}"));
    }
    run(&mut cargo)?;
    let made = layout.target.join(format!("wasm32-unknown-unknown/wasm/{KERNELS}.wasm"));
    let module = fs::read(&made).with_context(|| format!("{} is not readable", made.display()))?;
    check_kernels(&module)?;
    let target = layout.pkg_wasm().join(format!("{KERNELS}.wasm"));
    fs::write(&target, module).with_context(|| format!("{} is not writable", target.display()))
}

/// A module that shares another's memory must bring no data of its own: it would be written over the other's.
fn check_kernels(module: &[u8]) -> Result<()> {
    const DATA: u8 = 11;
    if section_ids(module).context("the module of the kernels is no WebAssembly")?.contains(&DATA) {
        bail!("the module of the kernels has a data section; keep constants and panics out of kernels/src/raw");
    }
    Ok(())
}

/// The ids of a module's sections, in order.
fn section_ids(module: &[u8]) -> Option<Vec<u8>> {
    let mut rest = module.strip_prefix(b"\0asm\x01\0\0\0")?;
    let mut ids = Vec::new();
    while let Some((id, after)) = rest.split_first() {
        ids.push(*id);
        // The length as LEB128.
        let digits = after.iter().take(5).position(|byte| byte & 0x80 == 0)? + 1;
        let length =
            after[..digits].iter().enumerate().fold(0u64, |sum, (i, byte)| sum | u64::from(byte & 0x7f) << (7 * i));
        rest = after.get(digits + usize::try_from(length).ok()?..)?;
    }
    Some(ids)
}

/// Cargo in the checkout, writing to the build folder.
pub fn cargo(layout: &Layout) -> std::process::Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = program(cargo, &layout.root);
    command.env("CARGO_TARGET_DIR", &layout.target);
    command
}

fn bind(input: &Path, folder: &Path, module: &Module) -> Result<()> {
    println!("wasm-bindgen {} -> {}: {}", versions::WASM_BINDGEN, folder.display(), module.title);
    Bindgen::new()
        .input_path(input)
        .web(true)?
        .out_name(module.name)
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        // The glue finds the module beside itself, as the command's does; the library's default differs.
        .omit_default_module_path(false)
        .generate(folder)
        .context("wasm-bindgen could not read the module")
}

fn optimise(layout: &Layout, module: &Module) -> Result<()> {
    let tool = tools::wasm_opt(layout)?;
    let file = module.file(layout);
    let smaller = file.with_extension("opt");
    println!("wasm-opt {}: this takes some minutes, once for each change", versions::BINARYEN);
    let mut command = program("node", &layout.root);
    command.arg(tool).args(["-Oz", "--strip-debug", "--strip-producers", "--strip-target-features"]).args(FEATURES);
    run(command.arg(&file).arg("-o").arg(&smaller))?;
    fs::rename(&smaller, &file).with_context(|| format!("{} is not writable", file.display()))
}

/// The glue and the module must come from the same wasm-bindgen.
fn check_bindgen_version(lock: &Path) -> Result<()> {
    let text = fs::read_to_string(lock).with_context(|| format!("{} is not readable", lock.display()))?;
    for package in ["wasm-bindgen", "wasm-bindgen-cli-support"] {
        let found = locked_version(&text, package);
        if found != Some(versions::WASM_BINDGEN) {
            bail!(
                "Cargo.lock has {package} {}, xtask expects {}; set wasm-bindgen-cli-support in xtask/Cargo.toml and \
                 WASM_BINDGEN in xtask/src/versions.rs to the version of wasm-bindgen",
                found.unwrap_or("missing"),
                versions::WASM_BINDGEN
            );
        }
    }
    Ok(())
}

/// The version of a package in a lock file.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    lines.find(|line| *line == name)?;
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_with_data_are_refused() {
        let header = b"\0asm\x01\0\0\0".as_slice();
        let code = [10, 0x82, 0, 1, 2];
        assert_eq!(section_ids(&[header, &code].concat()), Some(vec![10]));
        assert!(check_kernels(&[header, &code].concat()).is_ok());
        assert!(check_kernels(&[header, &code, &[11, 1, 0]].concat()).is_err());
        assert!(check_kernels(&[header, &[10, 9, 1]].concat()).is_err());
        assert!(check_kernels(b"text").is_err());
    }

    #[test]
    fn reads_a_version_from_a_lock_file() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"9.9.9\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.1\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.1"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }
}
