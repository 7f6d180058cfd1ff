//! The default bundle on real slices, against an independent baseline.
//!
//! For every fold of `tests/fixtures/bmad/split.json` the memory bank holds the references as they
//! are (no augmentation), and pixel AUROC is taken over all test slices. The expected figures were
//! made by a program that shares no code with this one (README of the fixtures).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::Tensor;
use common::{Straight, fixture, furthest, json, open_engine};
use mvfa_web::bundle::manifest::{Dtype, Group};
use mvfa_web::bundle::quantize::{encode, stored_dtype};
use mvfa_web::bundle::store::BundleFolder;
use mvfa_web::bundle::{ScaledRows, TensorPart, Values};
use mvfa_web::compute::{Kernels, Weights, open_cpu};
use mvfa_web::eval::{Dataset, EvalError, EvalOptions, ImageResult, Method, Sample, Scores, Split, Watch, evaluate};
use mvfa_web::image::{Limits, Rgb8, WindowChoice, decode, resize_bicubic, to_planes};
use mvfa_web::mvfa::{Engine, Geometry, Matching, MemoryRows, MirrorAxis, Mode, Stage, nearest_distances, upsample};
use mvfa_web::phantom::{Object, Plan, write};

const SIDE_PX: usize = 240;
const GRID: usize = 17;
/// What the issue of matching an independent program allows.
const LIMIT: f64 = 0.01;
/// What faster arithmetic may cost.
const BYTES_LIMIT: f64 = 0.005;

/// Fold → expected pixel AUROC. Same-volume folds are leaky: reported, held to the same limit.
const EXPECTED: [(&str, f64); 8] = [
    ("Brain_cross_brain1_to_brain2", 0.718),
    ("Brain_cross_brain2_to_brain1", 0.967),
    ("Brain_same_brain1", 0.987),
    ("Brain_same_brain2", 0.744),
    ("Lung_cross_lung1_to_lung2", 0.854),
    ("Lung_cross_lung2_to_lung1", 0.979),
    ("Lung_same_lung1", 0.994),
    ("Lung_same_lung2", 0.958),
];

fn read(path: &Path) -> Rgb8 {
    decode(&std::fs::read(path).unwrap(), &Limits::default()).unwrap().to_rgb8(WindowChoice::Auto)
}

/// Mask at 240 px, nearest neighbour, as the released code reads it.
fn mask(path: &Path) -> Vec<bool> {
    let picture = read(path);
    let source = |i: usize, n: usize| ((i as f64 + 0.5) * n as f64 / SIDE_PX as f64) as usize;
    (0..SIDE_PX * SIDE_PX)
        .map(|i| {
            let (x, y) = (source(i % SIDE_PX, picture.width_px), source(i / SIDE_PX, picture.height_px));
            picture.bytes[3 * (y * picture.width_px + x)] >= 128
        })
        .collect()
}

/// Area under the ROC curve by ranks, ties counted half.
fn auroc(mut scored: Vec<(f32, bool)>) -> f64 {
    scored.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let positives = scored.iter().filter(|s| s.1).count() as f64;
    let negatives = scored.len() as f64 - positives;
    assert!(scored.iter().all(|s| s.0.is_finite()), "a score is no number");
    let (mut rank_sum, mut i) = (0.0, 0);
    while i < scored.len() {
        let end = scored[i..].iter().take_while(|s| s.0 == scored[i].0).count() + i;
        let rank = (i + 1 + end) as f64 / 2.0;
        rank_sum += rank * scored[i..end].iter().filter(|s| s.1).count() as f64;
        i = end;
    }
    (rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives)
}

#[test]
fn auroc_counts_ties_half() {
    assert_eq!(auroc(vec![(1.0, false), (1.0, true), (0.0, false), (2.0, true)]), 0.875);
}

/// Pixel AUROC and image AUROC (maximum of the map) of each fold of an organ, or of all.
fn folds(engine: &Engine, organ: &str) -> Vec<[f64; 2]> {
    let split = json("bmad/split.json");
    let mut files: HashMap<&str, (MemoryRows, Vec<bool>, bool)> = HashMap::new();
    for file in split["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        if !path.starts_with(organ) {
            continue;
        }
        let planes = to_planes(&resize_bicubic(&read(&fixture(&format!("bmad/{path}"))), SIDE_PX));
        let features = pollster::block_on(engine.encode_raw(&planes, Stage::Encode, (0, 1), &mut Straight)).unwrap();
        let mask = match file["mask"].as_str() {
            Some(name) => mask(&fixture(&format!("bmad/{name}"))),
            None => vec![false; SIDE_PX * SIDE_PX],
        };
        files.insert(path, (MemoryRows::new(&[features], true), mask, file["label"] == "Ungood"));
    }
    let bank = mvfa_web::mvfa::Bank::Segmentation;
    let fold = |fold: &str| {
        let list = |key: &str| -> Vec<&str> {
            split["folds"][fold][key].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect()
        };
        let references: Vec<&MemoryRows> = list("reference").iter().map(|p| &files[p].0).collect();
        let memory: Vec<Tensor<2>> =
            (0..4).map(|l| Tensor::cat(references.iter().map(|r| r.levels(bank)[l].clone()).collect(), 0)).collect();
        let (mut pixels, mut images) = (Vec::new(), Vec::new());
        for path in list("test") {
            let (rows, mask, abnormal) = &files[path];
            let mut map = vec![0.0_f32; SIDE_PX * SIDE_PX];
            for (patches, level) in rows.original_patches(bank).into_iter().zip(&memory) {
                let distances: Vec<f32> = nearest_distances(patches, level.clone()).into_data().try_into_vec().unwrap();
                let up = upsample(&distances, GRID, SIDE_PX, Geometry::Reference);
                map.iter_mut().zip(up).for_each(|(m, u)| *m += u);
            }
            images.push((map.iter().copied().fold(f32::MIN, f32::max), *abnormal));
            pixels.extend(map.into_iter().zip(mask.iter().copied()));
        }
        [auroc(pixels), auroc(images)]
    };
    names(organ).map(fold).collect()
}

fn names(organ: &str) -> impl Iterator<Item = &'static str> {
    EXPECTED.iter().map(|(name, _)| *name).filter(move |name| name.starts_with(organ))
}

fn default_bundle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default")
}

#[test]
fn pixel_auroc_lies_within_a_hundredth_of_the_independent_baseline() {
    let found = folds(&open_engine(&default_bundle()), "");
    let (mut pixels, mut published) = (Vec::new(), Vec::new());
    println!("fold, pixel AUROC, expected, image AUROC (maximum of the map)");
    for ((fold, expected), [pixel, image]) in EXPECTED.iter().zip(found) {
        println!("{fold}, {pixel:.4}, {expected:.3}, {image:.3}");
        pixels.push(pixel);
        published.push(*expected);
    }
    let worst = furthest(&pixels, &published);
    assert!(worst <= LIMIT, "furthest fold is off by {worst:.4}, limit {LIMIT}");
}

/// Rows of a tensor as `mvfa convert --dtype i8` would store them.
fn as_bytes(part: TensorPart, group: Group) -> TensorPart {
    let TensorPart { name, shape, rows, values } = part;
    if stored_dtype(&name, &shape, group, Dtype::I8) != Dtype::I8 {
        return TensorPart { name, shape, rows, values };
    }
    let encoded = encode(&name, &values.into_f32(), shape[1..].iter().product(), 0, Dtype::I8).unwrap();
    let scales = encoded.scales.unwrap().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let integers = encoded.bytes.into_iter().map(|b| b as i8).collect();
    TensorPart { name, shape, rows, values: Values::I8(ScaledRows { integers, scales }) }
}

/// The default bundle as `mvfa convert --dtype i8` would store it.
fn engine_of_bytes(kind: Kernels) -> Engine {
    let bundle = BundleFolder::open(&default_bundle()).unwrap();
    let open = open_cpu("test");
    let mut weights = Weights::on(&open.device);
    for group in [Group::Vision, Group::Adapters, Group::Prompts] {
        bundle.visit(&[group], |part| weights.insert(as_bytes(part, group))).unwrap();
    }
    Engine::with_kernels(bundle.manifest().clone(), weights, open, kind).unwrap()
}

/// A browser's processor tier multiplies bytes, here by plain code that gives the same whole numbers.
fn bytes_change_little(organ: &str) {
    let expected = folds(&open_engine(&default_bundle()), organ);
    let found = folds(&engine_of_bytes(Kernels::PackedBytes), organ);
    let mut worst: f64 = 0.0;
    println!("fold, pixel AUROC, with bytes, image AUROC, with bytes");
    for (name, (expected, found)) in names(organ).zip(expected.into_iter().zip(found)) {
        println!("{name}, {:.4}, {:.4}, {:.4}, {:.4}", expected[0], found[0], expected[1], found[1]);
        worst = worst.max(furthest(&expected[..1], &found[..1]));
    }
    assert!(worst <= BYTES_LIMIT, "furthest fold is off by {worst:.4}, limit {BYTES_LIMIT}");
}

#[test]
fn weights_and_tokens_as_bytes_change_auroc_by_less_than_half_a_point() {
    bytes_change_little("Brain");
}

#[test]
#[ignore = "the same for the lung takes minutes"]
fn weights_and_tokens_as_bytes_change_auroc_by_less_than_half_a_point_on_the_lung() {
    bytes_change_little("Lung");
}

/// One set of `cargo xtask measure-model`.
struct Set {
    title: String,
    object: String,
    samples: Vec<Sample>,
    references: Vec<PathBuf>,
}

/// All slices of a real volume, by the folds whose references come from another one.
fn real_sets() -> Vec<Set> {
    let split = json("bmad/split.json");
    let path = |value: &serde_json::Value| fixture(&format!("bmad/{}", value.as_str().unwrap()));
    let sample = |name: &serde_json::Value| {
        let file = split["files"].as_array().unwrap().iter().find(|f| f["path"] == *name).unwrap();
        let mask = file["mask"].is_string().then(|| path(&file["mask"]));
        Sample { image: path(name), mask, abnormal: file["label"] == "Ungood", person: None }
    };
    names("")
        .filter(|fold| fold.contains("_cross_"))
        .map(|fold| Set {
            title: fold.to_owned(),
            object: fold.split('_').next().unwrap().to_lowercase(),
            samples: split["folds"][fold]["test"].as_array().unwrap().iter().map(sample).collect(),
            references: split["folds"][fold]["reference"].as_array().unwrap().iter().map(path).collect(),
        })
        .collect()
}

/// Phantoms of another seed than those trained on, sixteen of each class an object and four references.
fn phantom_sets(folder: &Path) -> Vec<Set> {
    let (objects, valid_share) = (Object::ALL.to_vec(), 0.2);
    let plan = Plan { objects, normal: 20, abnormal: 20, valid_share, size_px: 256, seed: 2 };
    let written = write(&plan, folder, &mut |_| {}).unwrap();
    let set = |w: mvfa_web::phantom::Written| {
        let data = Dataset::open(&folder.join(w.folder)).unwrap();
        let valid = data.split(Split::Valid).unwrap();
        Set {
            title: format!("{}, phantoms", w.object),
            object: w.object.to_owned(),
            samples: data.split(Split::Test).unwrap(),
            references: valid.into_iter().filter(|s| !s.abnormal).map(|s| s.image).collect(),
        }
    };
    written.into_iter().map(set).collect()
}

/// Looks on and says nothing.
struct Silent;

impl Watch for Silent {
    fn scored(&mut self, _: usize, _: usize) {}

    fn image(&mut self, _: &ImageResult, _: &Rgb8, _: &[f32]) -> Result<(), EvalError> {
        Ok(())
    }

    fn left_out(&mut self, error: &EvalError) {
        panic!("{error}");
    }
}

/// Few-shot by raw tokens, which are this model's memory: `Method::Mvfa` would encode each picture for both.
fn measure(engine: &mut Engine, set: &Set, mode: Mode) -> Scores {
    let (method, references) = match mode {
        Mode::Zero | Mode::Itself => (Method::Mvfa, Vec::new()),
        Mode::Few => (Method::MemoryRaw, set.references.clone()),
    };
    let options = EvalOptions {
        object: set.object.clone(),
        mode,
        method,
        matching: Matching::Nearest,
        nearest: None,
        references,
        augment: None,
        bank_rows: None,
        bilateral: None,
        axis: MirrorAxis::Middle,
        seed: 111,
        strict: true,
    };
    evaluate(engine, &set.samples, &options, &mut Straight, &mut Silent).unwrap().model
}

/// With words on all sets of the model card, with references on those that `bytes_change_little` lacks. Only pixels are held
/// to the limit: of whole pictures there are so few that one changed pair moves their AUROC by up to two points.
#[test]
#[ignore = "takes twenty minutes"]
fn weights_and_tokens_as_bytes_change_auroc_by_less_than_half_a_point_on_the_sets_of_the_model_card() {
    let folder = tempfile::tempdir().unwrap();
    let (real, phantoms) = (real_sets(), phantom_sets(folder.path()));
    let (mut plain, mut bytes) = (open_engine(&default_bundle()), engine_of_bytes(Kernels::PackedBytes));
    let mut worst: f64 = 0.0;
    println!("mode, set, pixel AUROC, with bytes, image AUROC, with bytes");
    let zero = real.iter().chain(&phantoms).map(|set| (Mode::Zero, set));
    for (mode, set) in zero.chain(phantoms.iter().map(|set| (Mode::Few, set))) {
        let [expected, found] = [&mut plain, &mut bytes].map(|engine| measure(engine, set, mode));
        let [pixels, images] =
            [[&expected, &found].map(|s| s.pixel_auroc.unwrap()), [&expected, &found].map(|s| s.image_auroc.unwrap())];
        println!("{mode:?}, {}, {:.4}, {:.4}, {:.4}, {:.4}", set.title, pixels[0], pixels[1], images[0], images[1]);
        worst = worst.max(furthest(&pixels[..1], &pixels[1..2]));
    }
    assert!(worst <= BYTES_LIMIT, "furthest set is off by {worst:.4}, limit {BYTES_LIMIT}");
}
