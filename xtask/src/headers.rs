//! The headers that go with every file of the site.
//!
//! They stand in `Trunk.toml`, which people who use Trunk need anyway; the server of this program
//! and the site's `_headers` file take them from there. Fails where that file cannot be understood.

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_policy_allows_this_origin_and_nothing_else() {
        let headers = security_headers().unwrap();
        assert_eq!(headers["X-Content-Type-Options"], "nosniff");
        let policy = &headers["Content-Security-Policy"];
        assert!(policy.starts_with("default-src 'none'; "));
        let sources = policy.split(';').flat_map(|part| part.split_whitespace().skip(1));
        for source in sources {
            let known = ["'none'", "'self'", "'wasm-unsafe-eval'", "blob:", "data:"];
            assert!(known.contains(&source), "{source}");
        }
    }
}
