//! The frozen encoders: vision tower, text tower, tokenizer, prompts.

#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub mod prompt_check;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub mod prompts;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub mod sentences;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub mod text;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub mod text_cleanup;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub mod tokenizer;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub mod tower_files;
pub mod vision;
#[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
pub mod words;
