//! The frozen encoders: vision tower, text tower, tokenizer, prompts.

#[cfg(not(target_arch = "wasm32"))]
pub mod prompts;
#[cfg(not(target_arch = "wasm32"))]
pub mod text;
#[cfg(not(target_arch = "wasm32"))]
pub mod text_cleanup;
#[cfg(not(target_arch = "wasm32"))]
pub mod tokenizer;
pub mod vision;
