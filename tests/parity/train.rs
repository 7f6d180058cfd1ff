//! Losses, gradients and Adam's steps against the independent reference (reference/train).
//!
//! Limits are about ten times the agreement that the reference's README lists.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

use burn::tensor::Tensor;
use common::{Golden, assert_close, fixture, json, tiny_bundle};
use mvfa_web::bundle::manifest::{Group, ObjectKind};
use mvfa_web::bundle::store::BundleFolder;
use mvfa_web::compute::Weights;
use mvfa_web::eval::{Sample, read_mask};
use mvfa_web::image::{Limits, WindowChoice, decode, resize_bicubic, to_planes};
use mvfa_web::train::{Leaves, LevelLosses, Model, Parameters, Saved, Target};

const LOSS_LIMIT: f32 = 2e-5;
const STEP_LOSS_LIMIT: f32 = 4e-5;
const GRADIENT_LIMIT: f32 = 9e-5;
const ADAPTER_LIMIT: f32 = 5e-6;

/// Canonical name → the reference's.
fn reference_name(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    format!("{}_adapters.{}.{}.0.weight", parts[1], parts[2], parts[3])
}

/// The tiny model with the reference's adapters, and its text features.
struct Setting {
    model: Model,
    text: Tensor<2>,
    start: Vec<Saved>,
    golden: Golden,
}

impl Setting {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("tiny");
        let manifest = tiny_bundle("openclip_state_dict.pt", &out, |_| {});
        let bundle = BundleFolder::open(&out).unwrap();
        let bottleneck = manifest.adapters.as_ref().unwrap().bottleneck;
        let model = Model::open(&bundle, bottleneck).unwrap();
        let mut weights = Weights::load(&bundle, &[Group::Adapters, Group::Prompts], model.device()).unwrap();
        let start = model
            .adapter_tensors()
            .into_iter()
            .map(|(name, shape)| {
                let tensor = weights.take(&name, [shape[0], shape[1]]).unwrap();
                Saved { name, shape, values: tensor.into_data().try_to_vec().unwrap(), adam: None }
            })
            .collect();
        let text = weights.take("prompts.chest", [bottleneck, 2]).unwrap();
        assert_eq!(json("reference/train/golden.json")["text"], "Chest");
        Self { model, text, start, golden: Golden::open("reference/train/golden.safetensors") }
    }

    /// Losses on a tape, and the tape's leaves.
    fn losses(&self, parameters: &Parameters, which: &str, kind: ObjectKind) -> (LevelLosses, Leaves) {
        let side_px = self.model.manifest().preprocess.size_px;
        let abnormal = which == "abnormal";
        let image = fixture(&format!("reference/train/{which}.png"));
        let mask = abnormal.then(|| fixture("reference/train/abnormal_mask.png"));
        let sample = Sample { image, mask, abnormal, person: None };
        let bytes = std::fs::read(&sample.image).unwrap();
        let picture = decode(&bytes, &Limits::default()).unwrap().to_rgb8(WindowChoice::Auto);
        let planes = to_planes(&resize_bicubic(&picture, side_px));
        let mask = match &sample.mask {
            Some(path) => read_mask(path, &sample.image, None, side_px).unwrap(),
            None => vec![0; side_px * side_px],
        };
        let leaves = parameters.leaves();
        let tokens = self.model.early_tokens(&planes).unwrap();
        let features = self.model.features(&mut parameters.weights_of(&leaves), tokens).unwrap();
        let mask = (kind == ObjectKind::Segmentation).then(|| self.model.mask(&mask));
        (self.model.losses(&features, &self.text, &Target { mask, abnormal }), leaves)
    }
}

fn values(tensors: &[Tensor<1>]) -> Vec<f32> {
    tensors.iter().flat_map(|t| t.clone().into_data().try_to_vec::<f32>().unwrap()).collect()
}

fn numbers(value: &serde_json::Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

#[test]
fn losses_and_gradients_equal_the_reference() {
    let setting = Setting::open();
    let expected = json("reference/train/golden.json");
    let parameters = setting.model.parameters(setting.start.clone());
    for which in ["abnormal", "normal"] {
        let (losses, leaves) = setting.losses(&parameters, which, ObjectKind::Segmentation);
        let golden = &expected["losses"][which];
        assert_close(&format!("{which} focal"), &values(&losses.focal), &numbers(&golden["focal"]), LOSS_LIMIT);
        assert_close(&format!("{which} dice"), &values(&losses.dice), &numbers(&golden["dice"]), LOSS_LIMIT);
        assert_close(&format!("{which} bce"), &values(&losses.bce), &numbers(&golden["bce"]), LOSS_LIMIT);
        let total = losses.total().unwrap();
        let golden_total = golden["total"].as_f64().unwrap() as f32;
        assert_close(&format!("{which} total"), &values(std::slice::from_ref(&total)), &[golden_total], LOSS_LIMIT);

        let gradients = leaves.gradients(&mut total.backward());
        let mut worst = 0.0_f32;
        for (name, gradient) in parameters.names().zip(gradients) {
            let golden = setting.golden.values(&format!("{which}.grad.{}", reference_name(name)));
            match gradient {
                Some(gradient) => {
                    let found: Vec<f32> = gradient.into_data().try_to_vec().unwrap();
                    worst = worst.max(common::max_difference(&found, &golden));
                    assert!(golden.iter().any(|v| *v != 0.0), "{name} has a gradient where the reference has none");
                }
                None => assert!(golden.iter().all(|v| *v == 0.0), "{name} has no gradient"),
            }
        }
        println!("{which} gradients: max difference {worst:.2e} (limit {GRADIENT_LIMIT:.0e})");
        assert!(worst <= GRADIENT_LIMIT);
    }
}

/// Three steps of batch 1 in the order of the golden set.
fn three_steps(kind: ObjectKind, steps: &str, after: &str) {
    let setting = Setting::open();
    let expected = json("reference/train/golden.json");
    let mut parameters = setting.model.parameters(setting.start.clone());
    for step in expected[steps].as_array().unwrap() {
        let which = step["sample"].as_str().unwrap();
        let (losses, leaves) = setting.losses(&parameters, which, kind);
        let total = losses.total().unwrap();
        let golden = step["loss"].as_f64().unwrap() as f32;
        assert_close(&format!("{steps} {which}"), &values(std::slice::from_ref(&total)), &[golden], STEP_LOSS_LIMIT);
        let mut gradients = leaves.gradients(&mut total.backward());
        if kind == ObjectKind::Detection {
            parameters.names().zip(&mut gradients).filter(|(n, _)| n.contains(".seg.")).for_each(|(_, g)| *g = None);
        }
        parameters.step(gradients, 1e-3);
    }
    let mut worst = 0.0_f32;
    for tensor in parameters.save().unwrap() {
        let golden = setting.golden.values(&format!("{after}.{}", reference_name(&tensor.name)));
        worst = worst.max(common::max_difference(&tensor.values, &golden));
    }
    println!("{after}: max difference {worst:.2e} (limit {ADAPTER_LIMIT:.0e})");
    assert!(worst <= ADAPTER_LIMIT);
}

#[test]
fn adapters_after_three_steps_equal_the_reference() {
    three_steps(ObjectKind::Segmentation, "steps_all", "after3.all");
}

#[test]
fn adapters_after_three_detection_steps_equal_the_reference() {
    three_steps(ObjectKind::Detection, "steps_det_only", "after3.det_only");
}
