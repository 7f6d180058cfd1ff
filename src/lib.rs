//! Medical anomaly detection by adapting a frozen vision transformer (MVFA, CVPR 2024).
//!
//! ```text
//! file bytes ─▶ image ─▶ clip (frozen encoder + mvfa adapters) ─▶ mvfa scores ─▶ render
//!                         ▲ weights: bundle        (how it is made fast: compute)
//! ```
//!
//! The way is one-directional: a stage knows the types of the stage before it and nothing of the
//! one after. The core knows no browser, no files and no command line; those live in `web` (only
//! on WebAssembly) and `cli` (only elsewhere).

// The browser's second module leaves out what only the engine's calls.
#![cfg_attr(all(target_arch = "wasm32", feature = "lab"), allow(dead_code, unused_imports))]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod bundle;
pub mod clip;
pub mod compute;
pub mod dataset;
pub mod image;
pub mod mvfa;
pub mod render;

#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub mod convert;
#[cfg(not(target_arch = "wasm32"))]
pub mod disk;
#[cfg(not(target_arch = "wasm32"))]
pub mod eval;
#[cfg(not(target_arch = "wasm32"))]
pub mod phantom;
#[cfg(not(target_arch = "wasm32"))]
pub mod train;
#[cfg(target_arch = "wasm32")]
pub mod web;
