//! `predict` on the tiny model; that the numbers are right is the parity tests' part.

use std::path::Path;

use serde_json::Value;

use crate::tools::{bundle, mvfa, read_npy, text, tiny};

const KEYS: [&str; 15] = [
    "image",
    "object",
    "mode",
    "score",
    "score_calibrated",
    "score_zero",
    "score_memory",
    "width",
    "height",
    "map_min",
    "map_max",
    "device",
    "notes",
    "warnings",
    "ms",
];

fn predict(more: &[&str]) -> crate::tools::Answer {
    let bundle = bundle();
    mvfa(["predict", "--bundle", &bundle].iter().chain(more))
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[track_caller]
fn sorted<const N: usize>(mut names: [&str; N]) -> Vec<&str> {
    names.sort_unstable();
    names.to_vec()
}

fn close(a: f32, b: &Value) -> bool {
    (f64::from(a) - b.as_f64().unwrap()).abs() < 1e-6
}

#[test]
fn zero_shot_gives_one_object_a_picture() {
    let (one, two) = (tiny("input_rgb.png"), tiny("input_grey.png"));
    let answer = predict(&["--object", "brain", "--json", &one, &two]).expect(0);
    let lines = answer.json_lines();
    assert_eq!(lines.len(), 2);
    for (line, image) in lines.iter().zip([&one, &two]) {
        assert_eq!(keys(line), sorted(KEYS));
        assert_eq!(keys(&line["ms"]), sorted(["decode", "preprocess", "encode", "score", "total"]));
        assert_eq!(line["image"], image.as_str());
        assert_eq!((&line["mode"], &line["device"]), (&"zero".into(), &"cpu".into()));
        assert!(line["score"].is_number() && line["score_memory"].is_null());
        assert_eq!(line["score"], line["score_zero"]);
        assert!(line["map_min"].as_f64().unwrap() < line["map_max"].as_f64().unwrap());
        assert!(line["width"].as_u64().unwrap() > 0 && line["height"].as_u64().unwrap() > 0);
        assert!(line["score_calibrated"].is_null(), "this model has no constants");
        assert_eq!(line["notes"], serde_json::json!([]));
    }
    assert_eq!(answer.stderr, "", "no bar where nobody sees it");
}

#[test]
fn what_is_to_be_known_about_a_picture_is_told_beside_its_score() {
    let pages = corpus("thumbnail_and_mask_first.tif");
    let answer = predict(&["--object", "brain", "--json", &pages]).expect(0);
    let line = answer.json_lines().remove(0);
    assert_eq!(line["notes"], serde_json::json!(["page 1 of 2 is analysed"]));
    assert_eq!((&line["width"], &line["height"]), (&19.into(), &13.into()), "not the thumbnail");
    let told: Vec<&str> = answer.stderr.lines().filter(|line| line.starts_with("note: ")).collect();
    assert_eq!(told, [format!("note: {pages}: page 1 of 2 is analysed")]);

    let (image, hidden) = (tiny("input_rgb.png"), corpus("hidden_colours.png"));
    let answer = predict(&["--object", "brain", "--mode", "few", "--support", &hidden, "--", &image]).expect(0);
    assert!(
        answer.stderr.contains("hidden_colours.png: transparent parts are analysed as stored"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_cut_file_does_not_end_the_run() {
    let (good, cut) = (tiny("input_rgb.png"), corpus("jpeg_inside_cut.tif"));
    let answer = predict(&["--object", "brain", "--json", &good, &cut, &good]).expect(1);
    assert_eq!(answer.json_lines().len(), 2, "the others go on");
    assert!(answer.stderr.contains("jpeg_inside_cut.tif: the TIFF file is cut off"), "{}", answer.stderr);
}

fn corpus(name: &str) -> String {
    format!("{}/tests/corpus/files/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn few_shot_writes_all_maps_and_the_overlay() {
    let folder = tempfile::tempdir().unwrap();
    let out = text(&folder.path().join("results/deep"));
    let (image, a, b) = (tiny("input_rgb.png"), tiny("support_0.png"), tiny("support_1.png"));
    let arguments = ["--object", "brain", "--mode", "few", "--augment", "none", "--out", &out, "--npy", "--json"];
    let answer = predict(&[&arguments[..], &["--support", &a, &b, "--", &image]].concat()).expect(0);
    let report = answer.json_lines().remove(0);
    assert_eq!(report["mode"], "few");
    for which in ["zero", "memory", "fused"] {
        let (header, values) = read_npy(&Path::new(&out).join(format!("input_rgb.{which}.npy")));
        assert!(header.contains("'<f4'") && header.contains("(70, 70)"), "{header}");
        assert_eq!(values.len(), 70 * 70);
        assert!(values.iter().all(|v| v.is_finite()), "{which}");
        if which == "fused" {
            assert!(close(values.iter().copied().fold(f32::INFINITY, f32::min), &report["map_min"]));
            assert!(close(values.iter().copied().fold(f32::NEG_INFINITY, f32::max), &report["map_max"]));
        }
    }
    let png = std::fs::read(Path::new(&out).join("input_rgb.overlay.png")).unwrap();
    let size = |at: usize| u64::from(u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]]));
    assert_eq!((Some(size(16)), Some(size(20))), (report["width"].as_u64(), report["height"].as_u64()));
}

#[test]
fn support_alone_means_few_and_may_be_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["support_0.png", "support_1.png"] {
        std::fs::copy(tiny(name), folder.path().join(name)).unwrap();
    }
    let support = text(folder.path());
    let image = tiny("input_grey16.png");
    let arguments = ["--object", "chest", "--support", &support, "--augment", "none", "--window", "pil", "--json"];
    let answer = predict(&[&arguments[..], &[&image]].concat()).expect(0);
    assert_eq!(answer.json_lines()[0]["mode"], "few");
}

#[test]
fn a_picture_right_after_the_support_folder_is_analysed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(tiny("support_0.png"), folder.path().join("a.png")).unwrap();
    let (support, image) = (text(folder.path()), tiny("input_rgb.png"));
    let answer = predict(&["--object", "brain", "--json", "--support", &support, &image]).expect(0);
    assert_eq!(answer.json_lines()[0]["image"], image);
    // With files there is no telling which is which.
    let answer = predict(&["--object", "brain", "--json", "--support", &tiny("support_0.png"), &image]).expect(2);
    assert!(answer.stderr.contains("--"), "{}", answer.stderr);
}

#[test]
fn a_smaller_memory_gives_another_score() {
    let (a, b, image) = (tiny("support_0.png"), tiny("support_1.png"), tiny("input_rgb.png"));
    let score = |rows: &[&str]| {
        let arguments =
            [&["--object", "brain", "--augment", "none", "--json"], rows, &["--support", &a, &b, "--", &image]];
        predict(&arguments.concat()).expect(0).json_lines()[0]["score_memory"].as_f64().unwrap()
    };
    let all = score(&[]);
    assert_eq!(score(&["--bank-rows", "1000"]), all);
    assert_ne!(score(&["--bank-rows", "8"]), all);
    predict(&["--object", "brain", "--bank-rows", "0", &image]).expect(2);
}

#[test]
fn zero_shot_has_no_memory_map() {
    let folder = tempfile::tempdir().unwrap();
    let out = text(folder.path());
    predict(&["--object", "brain", "--out", &out, "--npy", &tiny("input_rgb.png")]).expect(0);
    assert!(folder.path().join("input_rgb.zero.npy").is_file());
    assert!(!folder.path().join("input_rgb.memory.npy").exists());
    assert!(!folder.path().join("input_rgb.fused.npy").exists());
}

#[test]
fn a_bad_picture_is_named_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let broken = text(&folder.path().join("broken.png"));
    let good = std::fs::read(tiny("input_rgb.png")).unwrap();
    std::fs::write(&broken, &good[..good.len() / 2]).unwrap();
    let (first, last) = (tiny("input_rgb.png"), tiny("input_grey.png"));
    let answer = predict(&["--object", "brain", "--json", &first, &broken, "not-there.png", &last]).expect(1);
    let images: Vec<Value> = answer.json_lines().iter().map(|line| line["image"].clone()).collect();
    assert_eq!(images, [Value::from(first), Value::from(last)]);
    let complaints: Vec<&str> = answer.stderr.lines().collect();
    assert_eq!(complaints.len(), 2, "{}", answer.stderr);
    assert!(complaints[0].contains("broken.png") && complaints[1].contains("not-there.png"), "{}", answer.stderr);
}

#[test]
fn a_bad_normal_picture_stops_the_run() {
    let image = tiny("input_rgb.png");
    let answer = predict(&["--object", "brain", "--support", "not-there.png", "--", &image]).expect(1);
    assert!(answer.stderr.contains("not-there.png"), "{}", answer.stderr);
    assert_eq!(answer.stdout, "");
}

#[test]
fn pictures_of_one_name_do_not_overwrite_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut images = Vec::new();
    for (patient, source) in [("p1", "input_rgb.png"), ("p2", "input_grey.png")] {
        let place = folder.path().join(patient);
        std::fs::create_dir(&place).unwrap();
        std::fs::copy(tiny(source), place.join("slice.png")).unwrap();
        images.push(text(&place.join("slice.png")));
    }
    let out = folder.path().join("out");
    let answer = predict(&["--object", "brain", "--npy", "--out", &text(&out), &images[0], &images[1]]).expect(0);
    let first = read_npy(&out.join("slice.zero.npy")).1;
    let second = read_npy(&out.join("slice-2.zero.npy")).1;
    assert_ne!(first, second);
    assert!(out.join("slice-2.overlay.png").is_file());
    assert!(answer.stderr.contains("slice-2"), "{}", answer.stderr);
    assert_eq!(answer.stdout.lines().count(), 2);
}
