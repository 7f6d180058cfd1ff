//! The headers that go with every file of the site.
//!
//! Their source is `Trunk.toml`, which users of Trunk need anyway; the server of this program
//! and the site's `_headers` file take them from there. Fails if that file cannot be understood.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

const TRUNK: &str = include_str!("../../Trunk.toml");

#[derive(Deserialize)]
struct Trunk {
    serve: Serve,
}

#[derive(Deserialize)]
struct Serve {
    headers: BTreeMap<String, String>,
}

/// Names and values.
pub fn security_headers() -> Result<BTreeMap<String, String>> {
    let trunk: Trunk = toml::from_str(TRUNK).context("Trunk.toml has no [serve.headers]")?;
    Ok(trunk.serve.headers)
}

/// The content security policy as a document can carry it, in a `<meta>` element or from the service worker: without
/// what only a host can decide or only a header can say.
pub fn policy_for_documents() -> Result<String> {
    let headers = security_headers()?;
    let policy = headers.get("Content-Security-Policy").context("Trunk.toml has no Content-Security-Policy")?;
    let parts: Vec<&str> = policy.split("; ").filter(|part| !part.starts_with("frame-ancestors")).collect();
    Ok(parts.join("; "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pages_carry_the_policy_of_the_header() {
        let meta =
            format!(r#"<meta http-equiv="Content-Security-Policy" content="{}">"#, policy_for_documents().unwrap());
        for page in [include_str!("../../index.html"), include_str!("../../pkg/example.html")] {
            assert!(page.contains(&meta), "expected {meta}");
        }
        let snippets = include_str!("../../docs/hosting.md");
        for (name, value) in security_headers().unwrap() {
            assert_eq!(snippets.matches(&format!("{name} \"{value}\"")).count(), 2, "nginx and Apache: {name} {value}");
        }
    }

    #[test]
    fn the_policy_allows_this_origin_and_nothing_else() {
        let headers = security_headers().unwrap();
        assert_eq!(headers["X-Content-Type-Options"], "nosniff");
        assert!(headers["Permissions-Policy"].contains("camera=()"));
        let policy = &headers["Content-Security-Policy"];
        assert!(policy.starts_with("default-src 'none'; "));
        let sources = policy.split(';').flat_map(|part| part.split_whitespace().skip(1));
        for source in sources {
            let known = ["'none'", "'self'", "'wasm-unsafe-eval'", "blob:", "data:"];
            assert!(known.contains(&source), "{source}");
        }
    }
}
