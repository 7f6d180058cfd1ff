//! External programs: found if present, installed if not.
//!
//! Comes in: the machine. Goes out: paths that work. Each installation is announced before it
//! starts. Fails with what is out of reach and what a person can do instead.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{capture, find, program, run};
use crate::layout::Layout;
use crate::stamp::{Stamp, digest_file};
use crate::versions;

/// What compiles for `wasm32-unknown-unknown`.
pub enum WasmToolchain {
    /// The rustup toolchain with the target installed: plain cargo.
    Rustup,
    /// The distribution's compiler and library sources: cargo builds the standard library too.
    Distribution {
        /// The distribution's compiler.
        rustc: PathBuf,
        /// `rust-lld` of the default toolchain, or `wasm-ld`.
        linker: PathBuf,
    },
}

impl WasmToolchain {
    /// Finds or installs one. `MVFA_WASM_TOOLCHAIN` decides if it is set.
    pub fn ensure(layout: &Layout) -> Result<Self> {
        match std::env::var("MVFA_WASM_TOOLCHAIN").as_deref() {
            Ok("rustup") => rustup_target(layout).map(|()| Self::Rustup),
            Ok("distribution") => distribution(layout),
            Ok(other) => bail!("MVFA_WASM_TOOLCHAIN must be rustup or distribution, found {other:?}"),
            Err(_) => match rustup_target(layout) {
                Ok(()) => Ok(Self::Rustup),
                Err(error) => {
                    println!("{error:#}; trying the distribution's Rust instead");
                    distribution(layout).context(
                        "no Rust for WebAssembly: run `rustup target add wasm32-unknown-unknown` where \
                         static.rust-lang.org can be reached, or install rustc-web and rust-web-src",
                    )
                }
            },
        }
    }

    /// Makes a cargo command use this toolchain. Call it after the subcommand.
    pub fn apply(&self, cargo: &mut Command) {
        if let Self::Distribution { rustc, linker } = self {
            cargo
                .args(["-Z", "build-std=std,panic_abort"])
                .env("RUSTC_BOOTSTRAP", "1")
                .env("RUSTC", rustc)
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                // Cargo put the rustup toolchain's libraries here; the other compiler has its own.
                .env_remove("LD_LIBRARY_PATH");
        }
    }
}

fn rustup_target(layout: &Layout) -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let Some(installed) = capture(program("rustup", &layout.root).args(["target", "list", "--installed"])) else {
        bail!("rustup is not available");
    };
    if installed.lines().any(|line| line == TARGET) {
        return Ok(());
    }
    println!("installing: Rust target {TARGET} (rustup)");
    run(program("rustup", &layout.root).args(["target", "add", TARGET]))
}

fn distribution(layout: &Layout) -> Result<WasmToolchain> {
    let rustc = PathBuf::from("/usr/bin/rustc");
    let sources = Path::new("/usr/lib/rustlib/src/rust/library/std");
    let new_enough = || rustc_version(&rustc, layout).is_some_and(|version| version >= versions::RUST);
    if !new_enough() || !sources.exists() {
        apt_install(versions::DISTRIBUTION_RUST, layout)?;
    }
    if !new_enough() || !sources.exists() {
        let (major, minor) = versions::RUST;
        bail!("the distribution's Rust is older than {major}.{minor} or came without its sources");
    }
    Ok(WasmToolchain::Distribution { rustc, linker: wasm_linker(layout)? })
}

/// (major, minor) from `rustc 1.96.0 (...)`.
fn rustc_version(rustc: &Path, layout: &Layout) -> Option<(u32, u32)> {
    let text = capture(program(rustc, &layout.root).arg("--version"))?;
    let mut numbers = text.split_whitespace().nth(1)?.split('.').map(|part| part.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// The rustup toolchain ships a linker for WebAssembly; else LLVM's, which is a separate package.
fn wasm_linker(layout: &Layout) -> Result<PathBuf> {
    if let Some(sysroot) = capture(program("rustc", &layout.root).args(["--print", "sysroot"])) {
        let libraries = Path::new(&sysroot).join("lib/rustlib");
        let found = fs::read_dir(libraries)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path().join("bin/rust-lld"))
            .find(|file| file.is_file());
        if let Some(linker) = found {
            return Ok(linker);
        }
    }
    if let Some(linker) = find("wasm-ld") {
        return Ok(linker);
    }
    apt_install(&["lld"], layout)?;
    find("wasm-ld").context("the package lld brought no wasm-ld; install a linker for WebAssembly and put it on PATH")
}

/// Installs distribution packages, with a fresh package list only if the first try fails.
fn apt_install(packages: &[&str], layout: &Layout) -> Result<()> {
    if find("apt-get").is_none() {
        bail!("{} is missing and there is no apt-get here; install it by hand", packages.join(" "));
    }
    let root = capture(program("id", &layout.root).arg("-u")).is_some_and(|id| id == "0");
    let apt = |words: &[&str]| {
        let mut command = if root {
            program("env", &layout.root)
        } else {
            let mut sudo = program("sudo", &layout.root);
            sudo.arg("env");
            sudo
        };
        command.arg("DEBIAN_FRONTEND=noninteractive").arg("apt-get").args(words);
        command
    };
    println!("installing: {} (apt-get{})", packages.join(" "), if root { "" } else { ", as root through sudo" });
    let install: Vec<&str> =
        ["install", "-y", "--no-install-recommends"].into_iter().chain(packages.iter().copied()).collect();
    if run(&mut apt(&install)).is_ok() {
        return Ok(());
    }
    run(&mut apt(&["update"]))?;
    run(&mut apt(&install)).with_context(|| format!("install {} by hand and try again", packages.join(" ")))
}

/// Node.js with npm.
pub fn node(layout: &Layout) -> Result<()> {
    let version = || {
        let text = capture(program("node", &layout.root).arg("--version"))?;
        text.trim_start_matches('v').split('.').next()?.parse::<u32>().ok()
    };
    if version().is_none() || find("npm").is_none() {
        apt_install(&["nodejs", "npm"], layout)?;
    }
    match version() {
        Some(found) if found >= versions::NODE => Ok(()),
        Some(found) => bail!("Node.js {} or newer is needed, found {found}; update it and try again", versions::NODE),
        None => bail!("Node.js is not on PATH; install version {} or newer and try again", versions::NODE),
    }
}

/// `wasm-opt` of the pinned binaryen, in the cache folder.
pub fn wasm_opt(layout: &Layout) -> Result<PathBuf> {
    from_npm(layout, "binaryen", versions::BINARYEN, "wasm-opt")
}

/// The pinned `esbuild`, in the cache folder.
pub fn esbuild(layout: &Layout) -> Result<PathBuf> {
    from_npm(layout, "esbuild", versions::ESBUILD, "esbuild")
}

/// A program of an npm package, in the cache folder.
fn from_npm(layout: &Layout, name: &str, version: &str, tool: &str) -> Result<PathBuf> {
    node(layout)?;
    let folder = layout.cache.join(format!("tools/{name}-{version}"));
    let tool = folder.join(format!("node_modules/{name}/bin/{tool}"));
    let stamp = Stamp::new(folder.join("installed"), version);
    if stamp.is_fresh() && tool.is_file() {
        return Ok(tool);
    }
    println!("installing: {name} {version} (npm, into {})", folder.display());
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let package = format!("{name}@{version}");
    run(program("npm", &folder).args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix", ".", &package]))
        .with_context(|| format!("{name} is out of reach; `cargo xtask serve --dev` works without it"))?;
    stamp.write()?;
    Ok(tool)
}

/// The packages of the browser tests, exactly as their lock file says.
pub fn browser_packages(layout: &Layout) -> Result<()> {
    node(layout)?;
    let folder = layout.browser_tests();
    let stamp = Stamp::new(folder.join("node_modules/.installed"), digest_file(&folder.join("package-lock.json"))?);
    if stamp.is_fresh() {
        return Ok(());
    }
    println!("installing: packages of tests/browser (npm ci)");
    run(program("npm", &folder).args(["ci", "--no-audit", "--no-fund"]))
        .context("the npm registry is out of reach; try again where it can be reached")?;
    stamp.write()
}

/// A Chromium for tests: `CHROMIUM`, else what is on `PATH`, else the distribution's.
pub fn chromium(layout: &Layout) -> Result<PathBuf> {
    if let Some(file) = std::env::var_os("CHROMIUM").filter(|v| !v.is_empty()).map(PathBuf::from) {
        if file.is_file() {
            return Ok(file);
        }
        bail!("CHROMIUM names {}, which is not a file; correct it or unset it", file.display());
    }
    let search = || ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find);
    if let Some(file) = search() {
        return Ok(file);
    }
    apt_install(&["chromium"], layout)?;
    search().context("no Chromium found; install one and set CHROMIUM to its path")
}

/// Firefox: `FIREFOX`, else what is on `PATH`, else the distribution's.
pub fn firefox(layout: &Layout) -> Result<PathBuf> {
    let search = || {
        let chosen = std::env::var_os("FIREFOX").filter(|v| !v.is_empty()).map(PathBuf::from);
        chosen.filter(|file| file.is_file()).or_else(|| ["firefox-esr", "firefox"].into_iter().find_map(find))
    };
    if let Some(file) = search() {
        return Ok(file);
    }
    apt_install(&["firefox-esr"], layout)?;
    search().context("no Firefox found; install one and set FIREFOX to its path")
}

/// The small browser that comes with WebKit for GTK, and a virtual screen for it.
pub fn webkit(layout: &Layout) -> Result<PathBuf> {
    let search = || {
        let libraries = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let found = libraries.map(|entry| entry.path().join("webkit2gtk-4.1/MiniBrowser")).find(|file| file.is_file());
        found.filter(|_| find("xvfb-run").is_some())
    };
    if let Some(file) = search() {
        return Ok(file);
    }
    apt_install(&["webkit2gtk-driver", "xvfb", "xauth"], layout)?;
    search().context("webkit2gtk-driver brought no MiniBrowser")
}

/// What reads medical exports back in tests: `dciodvfy` and dcmtk from the distribution, and a Python with pydicom and
/// nibabel, whose path is the answer.
pub fn medical_oracles(layout: &Layout) -> Result<PathBuf> {
    for (tool, package) in [("dciodvfy", "dicom3tools"), ("dcmdump", "dcmtk")] {
        if find(tool).is_none() {
            apt_install(&[package], layout)?;
        }
        find(tool).with_context(|| format!("the package {package} brought no {tool}"))?;
    }
    let packages = versions::MEDICAL_PACKAGES;
    let venv = layout.cache.join("tools/medical-python");
    let python = venv.join("bin/python");
    let stamp = Stamp::new(venv.join("installed"), packages.join(" "));
    if !stamp.is_fresh() || !python.is_file() {
        println!("installing: {} (pip, into {})", packages.join(" "), venv.display());
        run(program("python3", &layout.root).args(["-m", "venv"]).arg(&venv))
            .context("the tests of medical exports need Python 3 with its venv module (Debian: python3-venv)")?;
        run(program(&python, &layout.root).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
        stamp.write()?;
    }
    Ok(python)
}
