//! What several test programs share: goldens, tiny bundles, a pacer that only lets work run.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use mvfa_web::bundle::manifest::{Dtype, Group, Manifest};
use mvfa_web::bundle::store::BundleFolder;
use mvfa_web::compute::{Kernels, Weights, open_cpu};
use mvfa_web::convert::ConvertOptions;
use mvfa_web::mvfa::{Cancelled, Engine, Pacer, Progress};

pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

/// Reads every f32 tensor of a safetensors file by name.
pub struct Golden(Vec<u8>);

impl Golden {
    pub fn open(path: &str) -> Self {
        Self(std::fs::read(fixture(path)).unwrap_or_else(|e| panic!("{path}: {e}")))
    }

    pub fn get(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let file = safetensors::SafeTensors::deserialize(&self.0).unwrap();
        let view = file.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        let values = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        (view.shape().to_vec(), values)
    }

    pub fn values(&self, name: &str) -> Vec<f32> {
        self.get(name).1
    }
}

pub fn json(path: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(fixture(path)).unwrap()).unwrap()
}

/// Largest absolute difference; NaN anywhere counts as infinite, another length fails.
pub fn max_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len(), "lengths differ");
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, |m, d| if d.is_nan() { f32::INFINITY } else { m.max(d) })
}

/// The same in 64 bits.
pub fn furthest(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "lengths differ");
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, |m, d| if d.is_nan() { f64::INFINITY } else { m.max(d) })
}

/// Fails with the figures when two sets of values are further apart than `limit`.
#[track_caller]
pub fn assert_close(what: &str, found: &[f32], expected: &[f32], limit: f32) {
    let difference = max_difference(found, expected);
    println!("{what}: max difference {difference:.2e} (limit {limit:.0e})");
    assert!(difference <= limit, "{what}: max difference {difference:e}, limit {limit:e}");
}

/// Converts the tiny checkpoint of the given layout with the adapters, as a user would.
pub fn tiny_bundle(layout: &str, out: &Path, change: impl FnOnce(&mut ConvertOptions)) -> Manifest {
    let mut options = ConvertOptions::new(fixture(&format!("reference/tiny/{layout}")), out.to_owned());
    options.adapters = Some(fixture("reference/tiny/adapters.pth"));
    options.size_px = 70;
    options.levels = Some(vec![1, 2, 3, 4]);
    options.heads = Some(2);
    options.dtype = Dtype::F32;
    change(&mut options);
    mvfa_web::convert::convert(&options, &mut |_, _, _| {}, &mut |_| {}).unwrap_or_else(|e| panic!("{layout}: {e}"))
}

pub fn open_engine(folder: &Path) -> Engine {
    open_engine_with(folder, open_cpu("test").kernels())
}

pub fn open_engine_with(folder: &Path, blocks: Kernels) -> Engine {
    let bundle = BundleFolder::open(folder).unwrap();
    let open = open_cpu("test");
    let weights = Weights::load(&bundle, &[Group::Vision, Group::Adapters, Group::Prompts], &open.device).unwrap();
    Engine::with_kernels(bundle.manifest().clone(), weights, open, blocks).unwrap()
}

/// Used as another manifest says.
pub fn open_engine_as(folder: &Path, change: impl FnOnce(Manifest) -> Manifest) -> Engine {
    let bundle = BundleFolder::open(folder).unwrap();
    let open = open_cpu("test");
    let weights = Weights::load(&bundle, &[Group::Vision, Group::Adapters, Group::Prompts], &open.device).unwrap();
    Engine::new(change(bundle.manifest().clone()), weights, open).unwrap()
}

/// Lets every step pass.
pub struct Straight;

impl Pacer for Straight {
    async fn step(&mut self, _: Progress) -> Result<(), Cancelled> {
        Ok(())
    }

    fn now_ms(&self) -> f64 {
        0.0
    }
}
