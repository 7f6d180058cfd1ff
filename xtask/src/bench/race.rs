//! One race: who takes part, how often, and what came out.
//!
//! The drivers in `bench/` read a race as JSON and give it back with times and differences filled in.

use serde::{Deserialize, Serialize};

use super::models::Models;
use super::options::Tier;

/// Pictures before the warm ones, so that compilers have done their work.
const WARM_UPS: usize = 2;
/// On the graphics tier the first picture has compiled everything; one more fills every cache.
const GPU_WARM_UPS: usize = 1;

/// Both programs, each with 32-bit floats and, on processors, 8-bit integers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Race {
    /// Name of the geometry.
    pub geometry: String,
    /// The same in words.
    pub title: String,
    /// Where; natively with the number of threads.
    pub tier: String,
    /// Threads of each program.
    pub threads: usize,
    /// Fresh starts.
    pub launches: usize,
    /// Warm pictures.
    pub runs: usize,
    /// Pictures before those.
    pub warm_ups: usize,
    /// Who takes part.
    pub contenders: Vec<Contender>,
}

/// A program.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Program {
    /// This one.
    Ours,
    /// onnxruntime or onnxruntime-web.
    Peer,
}

/// Element type of the weights.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weights {
    /// 32-bit floats, whatever they are stored in.
    F32,
    /// 8-bit integers; the peer's own quantisation.
    I8,
}

/// A program with one element type.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contender {
    /// Which program.
    pub program: Program,
    /// Which weights.
    pub weights: Weights,
    /// Our bundle: address of its manifest, natively its folder.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub model: String,
    /// The peer's graph: its address, natively its file.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub graph: String,
    /// What it says it runs on.
    #[serde(default)]
    pub device: String,
    /// Milliseconds until it was ready for a picture, download included; one a launch.
    #[serde(default)]
    pub open_ms: Vec<f64>,
    /// Milliseconds of the first picture; one a launch.
    #[serde(default)]
    pub first_ms: Vec<f64>,
    /// Milliseconds of the pictures after it.
    #[serde(default)]
    pub warm_ms: Vec<f64>,
    /// How far its outputs are from the peer's in 32-bit floats, level by level.
    #[serde(default)]
    pub apart: Vec<Apart>,
}

/// How far two levels are apart.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Apart {
    /// Largest difference by the largest value.
    pub largest: f64,
    /// Root mean square of the difference by that of the values.
    pub rms: f64,
}

impl Race {
    /// A race that has not been run.
    pub fn new(
        geometry: (&str, &str),
        models: &Models,
        tier: Tier,
        threads: usize,
        runs: usize,
        launches: usize,
    ) -> Self {
        let all = [(Weights::F32, &models.f32), (Weights::I8, &models.i8)];
        // The peer's 8-bit operations have no WebGPU form.
        let taking_part = if tier == Tier::Gpu { &all[..1] } else { &all[..] };
        let mut contenders = Vec::new();
        for (weights, model) in taking_part {
            let (bundle, graph) = match tier {
                Tier::Native => (model.bundle.display().to_string(), model.graph.display().to_string()),
                Tier::Cpu | Tier::Gpu => (model.manifest_url.clone(), model.graph_url.clone()),
            };
            for program in [Program::Ours, Program::Peer] {
                contenders.push(Contender {
                    program,
                    weights: *weights,
                    model: bundle.clone(),
                    graph: graph.clone(),
                    device: String::new(),
                    open_ms: Vec::new(),
                    first_ms: Vec::new(),
                    warm_ms: Vec::new(),
                    apart: Vec::new(),
                });
            }
        }
        let name = match (tier, threads) {
            (Tier::Native, 1) => "native, 1 thread".to_owned(),
            (Tier::Native, threads) => format!("native, {threads} threads"),
            (tier, _) => tier.name().to_owned(),
        };
        Self {
            geometry: geometry.0.to_owned(),
            title: geometry.1.to_owned(),
            tier: name,
            threads,
            launches,
            runs,
            warm_ups: if tier == Tier::Gpu { GPU_WARM_UPS } else { WARM_UPS },
            contenders,
        }
    }

    /// One contender.
    pub fn contender(&self, program: Program, weights: Weights) -> Option<&Contender> {
        self.contenders.iter().find(|c| c.program == program && c.weights == weights)
    }
}
