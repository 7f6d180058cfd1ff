//! Every version that is pinned outside `Cargo.lock` and `tests/browser/package-lock.json`.

/// `binaryen` from npm, for `wasm-opt`.
pub const BINARYEN: &str = "132.0.0";

/// `esbuild` from npm, which joins the page's scripts. The browser tests try the package with the same one.
pub const ESBUILD: &str = "0.28.2";

/// The benchmark's peer, from npm.
pub const ONNXRUNTIME_WEB: &str = "1.30.0";

/// The native peer, and what builds its graphs.
pub const ONNX_PACKAGES: &[&str] = &["onnx==1.23.2", "onnxruntime==1.32.0", "safetensors==0.8.0", "numpy==2.4.6"];

/// Must equal the version of `wasm-bindgen-cli-support` in `xtask/Cargo.toml`; checked against
/// `Cargo.lock` before use.
pub const WASM_BINDGEN: &str = "0.2.130";

/// Oldest Rust that builds this workspace (`rust-version` in `Cargo.toml`), as (major, minor).
pub const RUST: (u32, u32) = (1, 95);

/// Oldest Node.js that runs `wasm-opt` and the browser tests (major version).
pub const NODE: u32 = 20;

/// Distribution packages with a Rust that can build for the web when rustup cannot.
pub const DISTRIBUTION_RUST: &[&str] = &["rustc-web", "rust-web-src"];

/// What the tests of medical exports are read back with, from PyPI.
pub const MEDICAL_PACKAGES: &[&str] = &["pydicom==3.0.2", "nibabel==5.4.2", "numpy==2.4.6"];
