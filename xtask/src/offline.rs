//! The site's service worker, `sw.js`: what the page needs to open without a connection.
//!
//! Comes in: `web/sw.js` and the finished files of the site. Goes out: the same text behind one line with the SHA-256
//! of each file and the site's headers, so that any change of the site is a new version of the worker. Fails with the
//! file that cannot be read.
//!
//! `site.json` and the sample pictures have no hash: a person changes them without a build, and the worker asks the host
//! for them first. Modules that are joined into other scripts are no part of the copy.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::headers::policy_for_documents;
use crate::site::Site;

/// The worker's text in the checkout, which the site has only as `sw.js`.
pub const SOURCE: &str = "web/sw.js";

/// Endings of files that are not part of the copy: weights, which the page keeps by itself, and types and programs,
/// which no browser reads.
const NOT_KEPT: &[&str] = &[".safetensors", ".d.ts", ".py"];

/// Beginnings of files that a person may change without a build. The worker looks up which of them the page uses.
const NOT_HASHED: &[&str] = &["site.json", "web/samples/"];

/// The site's description for the worker.
#[derive(Serialize)]
struct Description {
    files: BTreeMap<String, String>,
    headers: BTreeMap<&'static str, String>,
}

/// The text of `sw.js` for a site.
pub fn service_worker(site: &Site<'_>) -> Result<String> {
    let mut hashes = BTreeMap::new();
    for file in site.files {
        let path = file.to_string_lossy().replace('\\', "/");
        if NOT_KEPT.iter().any(|ending| path.ends_with(ending))
            || NOT_HASHED.iter().any(|beginning| path.starts_with(beginning))
            || site.is_source(file)
        {
            continue;
        }
        hashes.insert(path, hex(&Sha256::digest(site.read(file)?)));
    }
    let headers = BTreeMap::from([
        ("Content-Security-Policy", policy_for_documents()?),
        ("X-Content-Type-Options", "nosniff".to_owned()),
        ("Referrer-Policy", "no-referrer".to_owned()),
    ]);
    let description = serde_json::to_string(&Description { files: hashes, headers })
        .context("the list of files cannot be written")?;
    let source = String::from_utf8(site.read(Path::new(SOURCE))?).context("web/sw.js is not UTF-8")?;
    Ok(format!("self.SITE = {description};\n{source}"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::join::Joined;

    fn service_worker(root: &Path, files: &BTreeSet<PathBuf>, joined: &Joined) -> Result<String> {
        super::service_worker(&Site { root, files, joined })
    }

    #[test]
    fn of_joined_scripts_the_modules_are_left_out() {
        let root = tempfile::tempdir().unwrap();
        let names = ["web/app.js", "web/ui/a.js", "pkg/wasm/code.wasm", "web/style.css"];
        for name in names.iter().chain(&[SOURCE]) {
            fs::create_dir_all(root.path().join(name).parent().unwrap()).unwrap();
            fs::write(root.path().join(name), "abc").unwrap();
        }
        let files = names.iter().map(PathBuf::from).collect();
        let plain = service_worker(root.path(), &files, &Joined::new()).unwrap();
        assert!(names.iter().all(|name| plain.contains(name)), "{plain}");
        let joined = Joined::from([(PathBuf::from("web/app.js"), b"all".to_vec())]);
        let text = service_worker(root.path(), &files, &joined).unwrap();
        assert!(!text.contains("web/ui/a.js") && text.contains("pkg/wasm/code.wasm"), "{text}");
        assert!(text.contains(&hex(&Sha256::digest(b"all"))), "{text}");
    }

    #[test]
    fn what_changes_without_a_build_has_no_hash() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("web/samples/case")).unwrap();
        fs::write(root.path().join(SOURCE), "worker").unwrap();
        let names = ["index.html", "site.json", "web/samples/case/picture.png", "serve.py"];
        for name in names {
            fs::write(root.path().join(name), "abc").unwrap();
        }
        let text = service_worker(root.path(), &names.iter().map(PathBuf::from).collect(), &Joined::new()).unwrap();
        assert!(text.contains("index.html"), "{text}");
        assert!(names[1..].iter().all(|name| !text.contains(name)), "{text}");
    }

    #[test]
    fn every_change_of_a_file_is_a_new_version_and_weights_are_left_out() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("web")).unwrap();
        fs::write(root.path().join(SOURCE), "worker").unwrap();
        fs::write(root.path().join("index.html"), "abc").unwrap();
        fs::write(root.path().join("a.safetensors"), "weights").unwrap();
        let files = BTreeSet::from([PathBuf::from("index.html"), PathBuf::from("a.safetensors")]);
        let first = service_worker(root.path(), &files, &Joined::new()).unwrap();
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(first.contains(&format!("\"index.html\":\"{sha256}\"")), "{first}");
        assert!(first.ends_with("\nworker") && !first.contains("safetensors"), "{first}");
        assert!(!first.contains("frame-ancestors"), "who may embed the page is the host's to say");
        fs::write(root.path().join("index.html"), "abd").unwrap();
        assert_ne!(service_worker(root.path(), &files, &Joined::new()).unwrap(), first);
    }
}
