//! The built program as a person or a script calls it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod convert;
mod ct;
mod data_sets;
mod default_bundle;
mod discs;
mod eval;
mod eval_figures;
mod exports;
mod interrupted;
mod medical;
mod memory;
mod methods;
mod models;
mod names;
mod outputs;
mod phantom;
mod predict;
mod refused;
mod regions;
mod scoring;
mod tools;
mod usage;
mod warnings;
mod windows;
mod words;
