//! Training as a person does it: resuming, refusing, recording, learning.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod bad_data;
mod changed;
mod folders;
mod learning;
mod plan;
mod pth;
mod record;
mod resume;
mod tools;
mod validation;
