//! Words of a person's own: the text tower line by line against the reference, and what they change in a map.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

use std::path::Path;

use common::{Golden, Straight, assert_close, fixture, open_engine, tiny_bundle};
use mvfa_web::bundle::manifest::Group;
use mvfa_web::bundle::store::BundleFolder;
use mvfa_web::clip::prompts::{Prompts, sentences_of};
use mvfa_web::clip::text::TextTower;
use mvfa_web::clip::tokenizer::Tokenizer;
use mvfa_web::clip::tower_files::TowerFiles;
use mvfa_web::clip::words::{WordTower, Words};
use mvfa_web::compute::{Weights, open_cpu};
use mvfa_web::image::Rgb8;
use mvfa_web::mvfa::{Analysis, Engine, Mode, PixelBox, Regions, Request};

/// As in the parity test of text features.
const TEXT: f32 = 1e-6;
const OBJECTS: [(&str, &str); 3] = [("brain", "Brain"), ("chest", "Chest"), ("his", "Histopathology")];
const GRID: usize = 5;
const DIM: usize = 24;

struct Model {
    _folder: tempfile::TempDir,
    bundle: BundleFolder,
    engine: Engine,
}

fn model() -> Model {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    tiny_bundle("openai_jit.pt", &out, |_| {});
    Model { bundle: BundleFolder::open(&out).unwrap(), engine: open_engine(&out), _folder: folder }
}

/// The steps that encoded the lists, and what they came to.
fn encode(bundle: &BundleFolder, tower: &mut WordTower, prompts: &Prompts) -> (usize, Words) {
    let mut files = TowerFiles::new(bundle.manifest(), |file| bundle.read_file(file));
    tower.begin(prompts).unwrap();
    let steps = tower.progress().1;
    while tower.step(&mut |names, weights| files.tensors(names, weights)).unwrap() {}
    (steps, tower.words(prompts).unwrap())
}

fn picture() -> Rgb8 {
    let image = image::open(fixture("reference/tiny/input_rgb.png")).unwrap().to_rgb8();
    Rgb8 { width_px: image.width() as usize, height_px: image.height() as usize, bytes: image.into_raw() }
}

fn zero(engine: &mut Engine, object: &str) -> Analysis {
    pollster::block_on(engine.analyse(&picture(), &Request::new(object, Mode::Zero), &mut Straight)).unwrap()
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn the_papers_lists_give_the_references_text_features() {
    let golden = Golden::open("reference/tiny/golden.safetensors");
    let Model { bundle, .. } = &model();
    let mut tower = WordTower::new(bundle.manifest()).unwrap();
    for (id, key) in OBJECTS {
        let prompts = Prompts::paper(&bundle.manifest().object(id).unwrap().prompt);
        assert!(tower.check(&prompts).unwrap().is_empty());
        let (steps, words) = encode(bundle, &mut tower, &prompts);
        assert!(steps > 12);
        assert_eq!(words.columns, 2);
        assert_close(&format!("text {id}"), &words.features, &golden.values(&format!("text.{key}")), TEXT);
    }
}

#[test]
fn only_new_lines_are_encoded() {
    let Model { bundle, .. } = &model();
    let mut tower = WordTower::new(bundle.manifest()).unwrap();
    let mut prompts = Prompts::paper("Brain");
    let (all, before) = encode(bundle, &mut tower, &prompts);
    prompts.abnormal.push("{} with bleeding".to_owned());
    let (one, after) = encode(bundle, &mut tower, &prompts);
    assert!(one * 5 < all, "{one} of {all} steps");
    assert_ne!(before.features, after.features);
    prompts.abnormal.pop();
    assert_eq!(encode(bundle, &mut tower, &prompts), (0, before.clone()), "nothing is new");
    let mut fresh = WordTower::new(bundle.manifest()).unwrap();
    prompts.abnormal.push("{} with bleeding".to_owned());
    assert_eq!(encode(bundle, &mut fresh, &prompts).1, after, "the same without what was remembered");
}

#[test]
fn a_line_is_the_mean_of_its_sentences_unit_embeddings() {
    let Model { bundle, .. } = &model();
    let mut tower = WordTower::new(bundle.manifest()).unwrap();
    let prompts = Prompts { contrast: lines(&["skull", "the {} stem"]), ..Prompts::paper("Brain") };
    let (_, words) = encode(bundle, &mut tower, &prompts);
    assert_eq!((words.columns, words.lines.len()), (4, 14));
    let device = open_cpu("test").device;
    let mut weights = Weights::load(bundle, &[Group::Text], &device).unwrap();
    let whole = TextTower::take(&mut weights, bundle.manifest().text.as_ref().unwrap(), &device).unwrap();
    let tokenizer = Tokenizer::new().unwrap();
    let ids: Vec<Vec<u32>> =
        sentences_of("the Brain stem").iter().map(|sentence| tokenizer.encode(sentence).unwrap()).collect();
    let embeddings: Vec<f32> = whole.forward(&ids).into_data().try_into_vec().unwrap();
    let mut mean = vec![0.0; DIM];
    for row in embeddings.chunks(DIM) {
        let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
        mean.iter_mut().zip(row).for_each(|(m, v)| *m += v / length / ids.len() as f32);
    }
    assert_close("line", &words.lines[13], &mean, TEXT);
    let length = mean.iter().map(|v| v * v).sum::<f32>().sqrt();
    let column: Vec<f32> = words.features.iter().skip(3).step_by(4).copied().collect();
    assert_close("column", &column, &mean.iter().map(|v| v / length).collect::<Vec<_>>(), TEXT);
}

#[test]
fn the_bundles_words_come_back_bit_by_bit_and_own_ones_without_contrast_are_scored_alike() {
    let Model { bundle, mut engine, _folder } = model();
    let paper = zero(&mut engine, "brain");
    // The same numbers as a person's own.
    let mut weights = Weights::load(&bundle, &[Group::Prompts], &open_cpu("test").device).unwrap();
    let own: Vec<f32> = weights.take::<2>("prompts.brain", [DIM, 2]).unwrap().into_data().try_into_vec().unwrap();
    engine.set_words("brain", Some((&own, 2))).unwrap();
    assert!(engine.has_own_words("brain") && !engine.has_own_words("chest"));
    let same = zero(&mut engine, "brain");
    assert_eq!((paper.score, &paper.zero, &paper.overlay), (same.score, &same.zero, &same.overlay));
    let turned: Vec<f32> = own.chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    engine.set_words("brain", Some((&turned, 2))).unwrap();
    assert_ne!(zero(&mut engine, "brain").zero, paper.zero);
    engine.set_words("brain", None).unwrap();
    let back = zero(&mut engine, "brain");
    assert_eq!((paper.score, paper.zero, paper.overlay), (back.score, back.zero, back.overlay));
}

#[test]
fn other_words_cost_the_comparison_alone() {
    struct Counting(usize);
    impl mvfa_web::mvfa::Pacer for Counting {
        async fn step(&mut self, progress: mvfa_web::mvfa::Progress) -> Result<(), mvfa_web::mvfa::Cancelled> {
            self.0 += usize::from(progress.stage == mvfa_web::mvfa::Stage::Encode);
            Ok(())
        }
        fn now_ms(&self) -> f64 {
            0.0
        }
    }
    let Model { mut engine, _folder, .. } = model();
    let request = Request::new("brain", Mode::Zero);
    let count = |engine: &mut Engine, picture: &Rgb8| {
        let mut pacer = Counting(0);
        pollster::block_on(engine.analyse(picture, &request, &mut pacer)).unwrap();
        pacer.0
    };
    let first = count(&mut engine, &picture());
    assert!(first > 0);
    engine.set_words("brain", Some((&[0.25; 2 * DIM], 2))).unwrap();
    assert_eq!(count(&mut engine, &picture()), 0);
    let mut other = picture();
    other.bytes[0] ^= 255;
    assert_eq!(count(&mut engine, &other), first, "another picture");
    assert_eq!(count(&mut engine, &picture()), first, "only the last one is kept");
}

#[test]
fn contrast_lines_take_off_what_a_naive_computation_takes_off() {
    let Model { bundle, mut engine, _folder } = model();
    let mut tower = WordTower::new(bundle.manifest()).unwrap();
    for contrast in [lines(&["skull"]), lines(&["skull", "{} stem", "air"])] {
        let prompts = Prompts { contrast, ..Prompts::paper("Brain") };
        let (_, words) = encode(&bundle, &mut tower, &prompts);
        engine.set_words("brain", None).unwrap();
        let without = zero(&mut engine, "brain");
        engine.set_words("brain", Some((&words.features, words.columns))).unwrap();
        let with = zero(&mut engine, "brain");
        // Patch by patch, from cosines that the table's way gives: each column is a line of length 1.
        let columns: Vec<Vec<f32>> = (0..words.columns)
            .map(|c| words.features.iter().skip(c).step_by(words.columns).copied().collect())
            .collect();
        let mut expected = [0.0_f64; GRID * GRID];
        let mut levels = [0.0_f64; GRID * GRID];
        for (patch, expected) in expected.iter_mut().enumerate() {
            let cosines = per_level(&mut engine, &columns, patch);
            for (level, cosine) in cosines.iter().enumerate() {
                let z: Vec<f64> = cosine.iter().map(|c| 100.0 * c).collect();
                let most = z[2..].iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let abnormal = z[1] - (most - z[0]).max(0.0);
                let probability = 1.0 / (1.0 + (z[0] - abnormal).exp());
                let found = f64::from(with.levels[level][patch]);
                assert!((found - probability).abs() < 1e-4, "level {level} patch {patch}: {found} for {probability}");
                *expected += probability;
                levels[patch] += f64::from(without.levels[level][patch]) - found;
            }
        }
        assert!(levels.iter().all(|less| *less > -1e-6), "nothing gets more abnormal");
        assert!(levels.iter().any(|less| *less > 1e-3), "something gets less abnormal");
        let mean = expected.iter().sum::<f64>() / expected.len() as f64;
        // The image score is of the other bank: it only has to move the same way.
        assert!(with.score <= without.score && mean > 0.0);
    }
}

/// Cosines `[levels][columns]` of one patch, from one level at a time being all there is.
fn per_level(engine: &mut Engine, columns: &[Vec<f32>], patch: usize) -> Vec<Vec<f64>> {
    let features = pollster::block_on(engine.encode(
        &mvfa_web::image::to_planes(&mvfa_web::image::resize_bicubic(&picture(), 70)),
        Mode::Zero,
        mvfa_web::mvfa::Stage::Encode,
        (0, 0),
        &mut Straight,
    ))
    .unwrap();
    let row = |level: &burn::tensor::Tensor<2>| -> Vec<f32> {
        level.clone().slice([patch + 1..patch + 2, 0..DIM]).into_data().try_into_vec().unwrap()
    };
    let cosine = |row: &[f32], column: &[f32]| {
        let dot: f64 = row.iter().zip(column).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        dot / row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt()
    };
    let levels = features.segmentation.iter().map(row);
    levels.map(|row| columns.iter().map(|column| cosine(&row, column)).collect()).collect()
}

#[test]
fn the_table_is_the_mean_cosine_inside_and_outside() {
    let Model { bundle, mut engine, _folder } = model();
    let mut tower = WordTower::new(bundle.manifest()).unwrap();
    let (_, words) = encode(&bundle, &mut tower, &Prompts::paper("Brain"));
    let chosen: Vec<bool> = (0..GRID * GRID).map(|patch| patch % 7 == 3).collect();
    let found = pollster::block_on(engine.similarities(&picture(), "brain", &words.lines, &chosen, &mut Straight));
    let found = found.unwrap();
    assert_eq!(found.len(), 12);
    let mut sums = vec![[0.0_f64; 2]; 12];
    for (patch, is_inside) in chosen.iter().enumerate() {
        let cosines = per_level(&mut engine, &words.lines, patch);
        for (line, sum) in sums.iter_mut().enumerate() {
            sum[usize::from(!is_inside)] += cosines.iter().map(|level| level[line]).sum::<f64>() / cosines.len() as f64;
        }
    }
    let inside = chosen.iter().filter(|chosen| **chosen).count();
    for (similarity, sum) in found.iter().zip(sums) {
        assert!((f64::from(similarity.inside) - sum[0] / inside as f64).abs() < 1e-5);
        assert!((f64::from(similarity.outside) - sum[1] / (GRID * GRID - inside) as f64).abs() < 1e-5);
    }
    for chosen in [vec![false; GRID * GRID], vec![true; 3]] {
        assert!(
            pollster::block_on(engine.similarities(&picture(), "brain", &words.lines, &chosen, &mut Straight)).is_err()
        );
    }
}

#[test]
fn regions_left_out_stay_left_out_with_own_words() {
    let Model { bundle, mut engine, _folder } = model();
    let mut tower = WordTower::new(bundle.manifest()).unwrap();
    let prompts = Prompts { contrast: lines(&["skull"]), ..Prompts::paper("Brain") };
    let (_, words) = encode(&bundle, &mut tower, &prompts);
    engine.set_words("brain", Some((&words.features, words.columns))).unwrap();
    let size = picture();
    let region = PixelBox { x: 0, y: 0, width: 20, height: 20 };
    engine.leave_out(&Regions::new(&[region], size.width_px, size.height_px).unwrap()).unwrap();
    let found = zero(&mut engine, "brain");
    assert!(found.levels[0][0].is_nan() && found.levels[0].iter().any(|value| value.is_finite()));
}

#[test]
fn words_of_another_model_and_unknown_objects_are_refused() {
    let Model { mut engine, _folder, .. } = model();
    for (values, columns) in [(vec![0.1; 2 * DIM - 2], 2), (vec![0.1; DIM], 1), (vec![f32::NAN; 2 * DIM], 2)] {
        assert!(engine.set_words("brain", Some((&values, columns))).is_err());
    }
    assert!(engine.set_words("nothing", None).is_err());
}

#[test]
fn a_model_without_a_tower_says_what_it_lacks() {
    let Model { bundle, .. } = &model();
    let mut manifest = bundle.manifest().clone();
    manifest.text = None;
    let error = WordTower::new(&manifest).err().unwrap().to_string();
    assert!(error.contains("no text part") && error.contains("normal images"), "{error}");
    let missing = |file: &mvfa_web::bundle::manifest::FileEntry| {
        std::fs::read(Path::new("/nowhere").join(&file.path))
            .map_err(|_| mvfa_web::bundle::error::BundleError::MissingFile { path: file.path.clone() })
    };
    let mut files = TowerFiles::new(bundle.manifest(), missing);
    let mut tower = WordTower::new(bundle.manifest()).unwrap();
    tower.begin(&Prompts::paper("Brain")).unwrap();
    assert!(tower.step(&mut |names, weights| files.tensors(names, weights)).is_err());
}
