//! Paths of the project: the checkout, the cache folder, the build folder.
//!
//! Comes in: the environment. Goes out: a [`Layout`] of absolute paths. Fails when the checkout or
//! a home for the cache cannot be found.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::stamp::digest;

/// Absolute paths of one run.
pub struct Layout {
    /// The checkout.
    pub root: PathBuf,
    /// Tools that are downloaded once for all checkouts.
    pub cache: PathBuf,
    /// Cargo's build folder.
    pub target: PathBuf,
}

impl Layout {
    /// Reads the environment.
    pub fn find() -> Result<Self> {
        let here = env::current_dir().context("the current folder is not readable")?;
        // Cargo sets this at run time; a path fixed at build time would name another checkout
        // where several share one build folder.
        let start = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| here.clone(), PathBuf::from);
        let root = start
            .ancestors()
            .find(|folder| folder.join("xtask/Cargo.toml").is_file())
            .context("no checkout around the current folder; run this from inside the repository")?
            .to_path_buf();
        let cache = env::var_os("XDG_CACHE_HOME")
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
            .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
            .context("neither XDG_CACHE_HOME nor HOME is set; set one to a folder for downloaded tools")?
            .join("mvfa-web");
        let target = env::var_os("CARGO_TARGET_DIR")
            .filter(|v| !v.is_empty())
            .map_or_else(|| cache.join(own_folder(&root)), PathBuf::from);
        let target = if target.is_absolute() { target } else { here.join(target) };
        Ok(Self { root, cache, target })
    }

    /// The user's data folder, where an installed `mvfa` looks for its model.
    pub fn data() -> Result<PathBuf> {
        let base = env::var_os("XDG_DATA_HOME").filter(|v| !v.is_empty()).map(PathBuf::from);
        let base = base.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".local/share")));
        Ok(base.context("neither XDG_DATA_HOME nor HOME is set; set one to a folder for the model")?.join("mvfa"))
    }

    /// The finished site, ready for a static host.
    pub fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// wasm-bindgen's output beside the JavaScript that imports it.
    pub fn pkg_wasm(&self) -> PathBuf {
        self.root.join("pkg/wasm")
    }

    /// Models of the tests, served beside `dist/` while tests run.
    pub fn test_site(&self) -> PathBuf {
        self.target.join("xtask/test-site")
    }

    /// The browser tests.
    pub fn browser_tests(&self) -> PathBuf {
        self.root.join("tests/browser")
    }
}

/// A build folder for each checkout: in a shared one cargo silently takes the programs of another checkout for its own
/// if their files are newer.
fn own_folder(root: &Path) -> String {
    format!("target-{}", digest(root.as_os_str().as_encoded_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_checkout_has_its_own_build_folder() {
        let (one, other) = (own_folder(Path::new("/a/mvfa")), own_folder(Path::new("/b/mvfa")));
        assert_ne!(one, other);
        assert_eq!(one, own_folder(Path::new("/a/mvfa")));
        assert!(one.starts_with("target-") && one.len() == "target-".len() + 16, "{one}");
    }
}
