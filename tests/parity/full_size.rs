//! A full-size ViT-L/14-336 with adapters at 240 px, against the independent reference.
//!
//! The weights are formulas, so nothing is downloaded. Limits are ten times the agreement between
//! the reference and the published code for this model (README of the reference); where it names
//! none, those of the hidden features. The map spans only 2.52 to 2.65: compare it tightly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code)]
mod formula;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Tensor;
use common::{Golden, Straight, assert_close, fixture, furthest, json, open_engine_with};
use mvfa_web::bundle::manifest::{Dtype, Group};
use mvfa_web::bundle::objects::known_object;
use mvfa_web::bundle::store::BundleFolder;
use mvfa_web::compute::{Kernels, OpenDevice, Tier, Weights, open_cpu, open_gpu};
use mvfa_web::convert::ConvertOptions;
use mvfa_web::image::{Limits, Rgb8, WindowChoice, decode, resize_bicubic, to_planes};
use mvfa_web::mvfa::{AdaptedEncoder, Analysis, Engine, Mode, Request};

const POSITION: f32 = 2e-6;
const LN_PRE: f32 = 3e-5;
const TOKENS: f32 = 6e-5;
const HIDDEN: f32 = 6e-5;
const MEAN_AND_STD: f32 = 3e-7;
const TEXT: f32 = 1e-6;
const S0: f32 = 3e-5;
const C0: f32 = 1e-5;

const SIZE_PX: usize = 240;
const WIDTH: usize = formula::VIT_L14_336.width;
const EMBED: usize = formula::VIT_L14_336.embed;
const TOKEN_COUNT: usize = 17 * 17 + 1;

fn picture() -> Rgb8 {
    let bytes = fs::read(fixture("reference/vitl14/input.png")).unwrap();
    decode(&bytes, &Limits::default()).unwrap().to_rgb8(WindowChoice::Pil)
}

/// The checkpoint of formula weights.
fn checkpoint(folder: &Path, seed: u64) {
    let shapes = [
        ("clip", formula::clip_shapes(&formula::VIT_L14_336)),
        ("adapters", formula::adapter_shapes(&formula::VIT_L14_336)),
    ];
    for (name, shapes) in shapes {
        formula::write_safetensors(&folder.join(format!("{name}.safetensors")), &shapes, seed).unwrap();
    }
}

/// The checkpoint through the real converter.
fn convert(folder: &Path, name: &str, dtype: Dtype) -> PathBuf {
    let mut options = ConvertOptions::new(folder.join("clip.safetensors"), folder.join(name));
    options.adapters = Some(folder.join("adapters.safetensors"));
    options.size_px = SIZE_PX;
    options.dtype = dtype;
    options.objects = vec![known_object("brain").unwrap()];
    mvfa_web::convert::convert(&options, &mut |_, _, _| {}, &mut |_| {}).unwrap();
    options.out
}

/// The processor, or with `MVFA_DEVICE=gpu` the graphics device in 32-bit floats, by the same limits.
fn device() -> OpenDevice {
    if std::env::var_os("MVFA_DEVICE").is_some_and(|name| name == "gpu") {
        let open = pollster::block_on(open_gpu()).unwrap();
        OpenDevice { tier: Tier::Gpu32, ..open }
    } else {
        open_cpu("test")
    }
}

fn analyse(engine: &mut Engine) -> Analysis {
    let request = Request::new("brain", Mode::Zero);
    pollster::block_on(engine.analyse(&picture(), &request, &mut Straight)).unwrap()
}

/// The chosen rows of `[tokens, width]`.
fn pick(values: &[f32], width: usize, rows: &[usize]) -> Vec<f32> {
    rows.iter().flat_map(|row| &values[row * width..(row + 1) * width]).copied().collect()
}

/// Mean and population deviation.
fn mean_and_std(values: &[f32]) -> [f64; 2] {
    let count = values.len() as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
    let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / count;
    [mean, variance.sqrt()]
}

fn flat<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

/// Most memory this process has held so far, as Linux tells it.
fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim().to_owned()
}

#[test]
#[ignore = "writes 3.5 GB and holds 2.6 GB in memory; docs/verification.md has the command"]
fn vit_l14_follows_the_reference() {
    let golden = Golden::open("reference/vitl14/golden.safetensors");
    let facts = json("reference/vitl14/golden.json");
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let rows: Vec<usize> = serde_json::from_value(facts["rows"].clone()).unwrap();
    let rows_of = |values: &[f32], width| {
        assert_eq!(values.len(), TOKEN_COUNT * width, "tokens");
        pick(values, width, &rows)
    };

    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    checkpoint(folder.path(), facts["seed"].as_u64().unwrap());
    let bundle = convert(folder.path(), "bundle", Dtype::F32);
    println!("checkpoint, conversion and text: {:.0} s, peak {}", started.elapsed().as_secs_f32(), peak_memory());

    let opened = BundleFolder::open(&bundle).unwrap();
    let vision = &opened.manifest().vision;
    assert_eq!((vision.heads, vision.levels.as_slice(), vision.grid()), (16, [6, 12, 18, 24].as_slice(), 17));
    let open = device();
    let device = open.device.clone();
    {
        let mut weights = Weights::load(&opened, &[Group::Vision, Group::Adapters, Group::Prompts], &device).unwrap();
        let text = flat(weights.take::<2>("prompts.brain", [EMBED, 2]).unwrap());
        assert_close("text features", &text, &golden.values("text"), TEXT);
        let encoder = AdaptedEncoder::take(&mut weights, opened.manifest(), open.kernels(), None).unwrap();
        let planes = to_planes(&resize_bicubic(&picture(), SIZE_PX));
        let started = Instant::now();
        let mut run = encoder.start(planes.values).with_last_mix();
        let ln_pre = rows_of(&flat(run.tokens()), WIDTH);
        assert_close("ln_pre", &ln_pre, &golden.values("ln_pre.rows"), LN_PRE);
        while run.step() {
            let Some(premix) = run.premix() else { continue };
            let block = run.done();
            for (name, tokens) in [("premix.rows", premix), ("rows", run.tokens())] {
                let name = format!("block{block}.{name}");
                assert_close(&name, &rows_of(&flat(tokens), WIDTH), &golden.values(&name), TOKENS);
            }
        }
        let features = run.finish();
        println!("encode: {:.1} s", started.elapsed().as_secs_f32());
        for (bank, levels) in [("seg", features.segmentation), ("det", features.detection)] {
            for (l, level) in levels.into_iter().enumerate() {
                let level = flat(level);
                let name = format!("{bank}{}.rows", l + 1);
                assert_close(&name, &rows_of(&level, EMBED), &golden.values(&name), HIDDEN);
                let expected = &facts[bank][l];
                // In 64 bits: neighbours of 1.5 in 32 bits are 1.2e-7 apart.
                let expected = [number(&expected["mean"]), number(&expected["std"])];
                let difference = furthest(&mean_and_std(&level), &expected);
                assert_close(&format!("{bank}{} mean and std", l + 1), &[difference as f32], &[0.0], MEAN_AND_STD);
            }
        }
        let mut weights = Weights::load(&opened, &[Group::Vision], &open_cpu("test").device).unwrap();
        let position = flat(weights.take::<2>("vision.position_embedding", [TOKEN_COUNT, WIDTH]).unwrap());
        let expected = golden.values("resized_position_embedding.rows");
        assert_close("position embedding", &rows_of(&position, WIDTH), &expected, POSITION);
    }

    let weights = Weights::load(&opened, &[Group::Vision, Group::Adapters, Group::Prompts], &device).unwrap();
    let mut engine = Engine::new(opened.manifest().clone(), weights, open).unwrap();
    let started = Instant::now();
    let analysis = analyse(&mut engine);
    println!("analysis: {:.1} s, peak {}", started.elapsed().as_secs_f32(), peak_memory());
    assert_close("S0", analysis.zero.as_ref().unwrap(), &golden.values("S0"), S0);
    assert_close("c0", &[analysis.score], &[number(&facts["c0"]) as f32], C0);
}

/// For `tests/browser/full-size.test.mjs`: the model in 32- and in 16-bit floats and in bytes, and beside each the map that
/// this program makes with it; bytes are multiplied as a browser multiplies them. The checkpoint stays there: the browser
/// converts it, too.
#[test]
#[ignore = "writes 4.9 GB into the folder that MVFA_FULL_SIZE names, for the browser test of the same name"]
fn bundles_for_the_browser() {
    let folder = PathBuf::from(std::env::var_os("MVFA_FULL_SIZE").expect("MVFA_FULL_SIZE names a folder"));
    fs::create_dir_all(&folder).unwrap();
    let facts = json("reference/vitl14/golden.json");
    checkpoint(&folder, facts["seed"].as_u64().unwrap());
    let kinds = [
        ("f32", Dtype::F32, Kernels::Plain),
        ("f16", Dtype::F16, Kernels::Plain),
        ("i8", Dtype::I8, Kernels::PackedBytes),
    ];
    for (name, dtype, blocks) in kinds {
        let bundle = convert(&folder, name, dtype);
        let map = analyse(&mut open_engine_with(&bundle, blocks)).zero.unwrap();
        fs::write(bundle.join("map.f32"), map.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
    }
}
