//! The finished site: what a static host serves, in one folder.
//!
//! Comes in: `index.html`, `site.json`, `web/`, `pkg/`, `models/default/`. Goes out: the same below `dist/`,
//! with the page's scripts joined, the service worker `sw.js` and a `_headers` file for hosts that read one. Fails with the
//! file that is missing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{program, run};
use crate::headers::security_headers;
use crate::join::{Joined, join};
use crate::layout::Layout;
use crate::{offline, wasm};

/// What belongs to the site: single files, and folders with everything below. Missing entries are
/// errors, except those of [`OPTIONAL`].
const PARTS: &[&str] = &[
    "index.html",
    "site.json",
    "serve.py",
    "web",
    "pkg/index.js",
    "pkg/index.d.ts",
    "pkg/worker.js",
    "pkg/opener.js",
    "pkg/formats-worker.js",
    "pkg/lab.js",
    "pkg/lab-worker.js",
    "pkg/own.js",
    "pkg/bundle.js",
    "pkg/zip.js",
    "pkg/files.js",
    "pkg/storage.js",
    "pkg/pool.js",
    "pkg/lanes.js",
    "pkg/errors.js",
    "pkg/window.js",
    "pkg/words.js",
    "pkg/helpers.js",
    "pkg/views.js",
    "pkg/life.js",
    "pkg/requests.js",
    "pkg/start.js",
    "pkg/package.json",
    "pkg/README.md",
    "pkg/example.html",
    "pkg/example.js",
    "pkg/wasm",
    "models/default",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "NOTICE",
];
const OPTIONAL: &[&str] = &["pkg/example.html", "pkg/example.js"];

/// What the package takes along.
const LICENCES: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT", "NOTICE"];

/// Names of the checkpoint of the tests, in the order they are tried.
const TINY_CHECKPOINTS: &[&str] = &["openai_jit.pt", "openclip_state_dict.pt", "huggingface.safetensors"];

/// The models of the tests by the side of their input and their element type: the one of the golden values (26
/// tokens), the same in less memory, and one with as many tokens as a CLIP at its native 336 px (577).
const TINY_MODELS: &[(&str, &str, &str)] =
    &[("tiny", "70", "f32"), ("tiny-f16", "70", "f16"), ("tiny-i8", "70", "i8"), ("tiny-336", "336", "f32")];

/// What a site is made of.
pub struct Site<'a> {
    /// The checkout.
    pub root: &'a Path,
    /// The site's files, relative to it.
    pub files: &'a BTreeSet<PathBuf>,
    /// Those that are not copied as they are; empty in a `dev` build.
    pub joined: &'a Joined,
}

impl Site<'_> {
    /// A file as it is served.
    pub fn read(&self, file: &Path) -> Result<Vec<u8>> {
        match self.joined.get(file) {
            Some(content) => Ok(content.clone()),
            None => fs::read(self.root.join(file)).with_context(|| format!("{} is not readable", file.display())),
        }
    }

    /// Whether a script is there only to be read: the page has it in a joined one.
    pub fn is_source(&self, file: &Path) -> bool {
        let is_script = file.extension().is_some_and(|ending| ending == "js");
        is_script && !self.joined.is_empty() && !self.joined.contains_key(file)
    }
}

/// Builds everything into `dist/`, and into Trunk's staging folder where Trunk called.
pub fn build(layout: &Layout, dev: bool) -> Result<()> {
    wasm::build(layout, dev)?;
    copy_licences(&layout.root)?;
    let files = collect(&layout.root)?;
    let joined = if dev { Joined::new() } else { join(layout)? };
    let site = Site { root: &layout.root, files: &files, joined: &joined };
    mirror(&site, &layout.dist())?;
    println!("site: {} files in {}", files.len(), layout.dist().display());
    if let Some(staging) = std::env::var_os("TRUNK_STAGING_DIR") {
        mirror(&site, Path::new(&staging))?;
    }
    Ok(())
}

/// What the tests open beside the site: the small models, made by the real `mvfa convert`, one a row of
/// [`TINY_MODELS`], and a phantom, drawn by the real `mvfa phantom`.
pub fn build_test_models(layout: &Layout) -> Result<()> {
    let fixtures = layout.root.join("tests/fixtures/reference/tiny");
    let Some(checkpoint) = TINY_CHECKPOINTS.iter().map(|name| fixtures.join(name)).find(|file| file.is_file()) else {
        bail!("{} holds none of {TINY_CHECKPOINTS:?}; restore the fixtures with git", fixtures.display());
    };
    run(wasm::cargo(layout).args(["build", "--profile", wasm::CHECKS, "--bin", "mvfa"]))?;
    let models = layout.test_site().join("models");
    if models.exists() {
        fs::remove_dir_all(&models).with_context(|| format!("{} cannot be replaced", models.display()))?;
    }
    fs::create_dir_all(&models).with_context(|| format!("{} cannot be made", models.display()))?;
    for (name, side, dtype) in TINY_MODELS {
        let mut convert = program(layout.target.join(wasm::CHECKS).join("mvfa"), &layout.root);
        convert.arg("convert").arg("--clip").arg(&checkpoint).arg("--adapters").arg(fixtures.join("adapters.pth"));
        convert.arg("--out").arg(models.join(name)).args(["--size", side]);
        run(convert.args(["--levels", "1,2,3,4", "--heads", "2", "--dtype", dtype]))?;
    }
    let phantoms = layout.test_site().join("phantoms");
    if phantoms.exists() {
        fs::remove_dir_all(&phantoms).with_context(|| format!("{} cannot be replaced", phantoms.display()))?;
    }
    let mut draw = program(layout.target.join(wasm::CHECKS).join("mvfa"), &layout.root);
    draw.args(["phantom", "--object", "brain", "--normal", "1", "--abnormal", "0", "--valid-share", "0"]);
    run(draw.args(["--size", "128", "--out"]).arg(&phantoms))
}

/// Licences that the package takes along; npm packs nothing from outside its folder.
fn copy_licences(root: &Path) -> Result<()> {
    for name in LICENCES {
        let content = fs::read(root.join(name)).with_context(|| format!("{name} is missing; restore it with git"))?;
        write_if_changed(&root.join("pkg").join(name), &content)?;
    }
    Ok(())
}

/// The site's files relative to the checkout, sorted, without hidden ones and the source of the service worker.
fn collect(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    for part in PARTS {
        let path = root.join(part);
        if path.is_dir() {
            walk(&path, root, &mut files)?;
        } else if path.is_file() {
            files.insert(PathBuf::from(part));
        } else if !OPTIONAL.contains(part) {
            bail!("{part} is missing; restore it with git");
        }
    }
    files.remove(Path::new(offline::SOURCE));
    Ok(files)
}

/// All files below a folder, relative to `base`, without hidden ones.
fn walk(folder: &Path, base: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{} is not readable", folder.display()))? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        if path.is_dir() {
            walk(&path, base, files)?;
        } else if let Ok(relative) = path.strip_prefix(base) {
            files.insert(relative.to_path_buf());
        }
    }
    Ok(())
}

/// Makes `folder` hold exactly these files, `sw.js` and `_headers`. Equal files are left alone, so that
/// their times keep meaning something.
fn mirror(site: &Site<'_>, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let mut present = BTreeSet::new();
    walk(folder, folder, &mut present)?;
    for stale in present.iter().filter(|file| !site.files.contains(*file)) {
        fs::remove_file(folder.join(stale)).with_context(|| format!("{} cannot be removed", stale.display()))?;
    }
    for file in site.files {
        write_if_changed(&folder.join(file), &site.read(file)?)?;
    }
    // Last, so that a host that is filled in this order never names files it does not have yet.
    write_if_changed(&folder.join("sw.js"), offline::service_worker(site)?.as_bytes())?;
    write_if_changed(&folder.join("_headers"), headers_file()?.as_bytes())
}

fn write_if_changed(file: &Path, content: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).with_context(|| format!("{} cannot be made", parent.display()))?;
    }
    fs::write(file, content).with_context(|| format!("{} is not writable", file.display()))
}

/// The headers in the form several static hosts read.
fn headers_file() -> Result<String> {
    let lines: String = security_headers()?.into_iter().map(|(name, value)| format!("  {name}: {value}\n")).collect();
    Ok(format!("/*\n{lines}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn mirror_copies_replaces_and_removes() {
        let source = tempfile::tempdir().unwrap();
        let target = tempfile::tempdir().unwrap();
        fs::create_dir_all(source.path().join("web/ui")).unwrap();
        fs::write(source.path().join("web/ui/a.js"), "new").unwrap();
        fs::write(source.path().join("web/sw.js"), "worker").unwrap();
        fs::create_dir_all(target.path().join("web/ui")).unwrap();
        fs::write(target.path().join("web/ui/a.js"), "old").unwrap();
        fs::write(target.path().join("web/gone.js"), "old").unwrap();

        let files = BTreeSet::from([PathBuf::from("web/ui/a.js")]);
        let joined = Joined::from([(PathBuf::from("web/ui/a.js"), b"joined".to_vec())]);
        let mut site = Site { root: source.path(), files: &files, joined: &joined };
        mirror(&site, target.path()).unwrap();
        assert_eq!(fs::read_to_string(target.path().join("web/ui/a.js")).unwrap(), "joined");
        site.joined = const { &Joined::new() };
        mirror(&site, target.path()).unwrap();

        assert_eq!(fs::read_to_string(target.path().join("web/ui/a.js")).unwrap(), "new");
        assert!(!target.path().join("web/gone.js").exists());
        assert!(fs::read_to_string(target.path().join("sw.js")).unwrap().ends_with("worker"));
        assert!(fs::read_to_string(target.path().join("_headers")).unwrap().contains("default-src 'none'"));
    }

    #[test]
    fn collect_names_what_is_missing_and_leaves_hidden_files_out() {
        let root = tempfile::tempdir().unwrap();
        for part in PARTS {
            let path = root.path().join(part);
            if path.extension().is_some() {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            } else {
                fs::create_dir_all(&path).unwrap();
                fs::write(path.join("file.txt"), "").unwrap();
                fs::write(path.join(".stamp"), "").unwrap();
            }
        }
        let files = collect(root.path()).unwrap();
        assert!(files.contains(Path::new("pkg/wasm/file.txt")));
        assert!(!files.contains(Path::new("pkg/wasm/.stamp")));

        fs::remove_file(root.path().join("index.html")).unwrap();
        assert!(collect(root.path()).unwrap_err().to_string().contains("index.html"));
    }
}
