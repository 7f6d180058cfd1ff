//! Pictures and normal pictures that make a score worthless or doubtful are named: on standard error, in the JSON, in the
//! line for people; and nothing is drawn where nothing is above the normal pictures.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::tools::{Answer, bundle, mvfa, text, tiny};

/// Pictures of this side, unless another is meant.
const SIDE_PX: usize = 96;
/// No score on the normal pictures' scale is larger, whatever they are; it was 707 554.
const LARGEST_CALIBRATED: f64 = 401.0;

struct Pictures(TempDir);

impl Pictures {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A grey picture of its own values.
    fn grey(&self, name: &str, width: usize, height: usize, value: impl Fn(usize, usize) -> u8) -> String {
        let path = self.path(name);
        let bytes: Vec<u8> = (0..width * height).map(|i| value(i % width, i / width)).collect();
        let mut encoder = png::Encoder::new(File::create(&path).unwrap(), width as u32, height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(&bytes).unwrap();
        text(&path)
    }

    /// A file of the tiny model under another name.
    fn copy(&self, of: &str, name: &str) -> String {
        std::fs::copy(tiny(of), self.path(name)).unwrap();
        text(&self.path(name))
    }
}

fn predict(more: &[&str]) -> Answer {
    let bundle = bundle();
    mvfa(["predict", "--bundle", &bundle, "--object", "brain"].iter().chain(more))
}

fn few(support: &[&str], images: &[&str]) -> Answer {
    predict(&[&["--augment", "none", "--json", "--support"], support, &["--"], images].concat()).expect(0)
}

fn codes(line: &Value) -> Vec<&str> {
    line["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap()).collect()
}

#[track_caller]
fn assert_told_once(stderr: &str, words: &str) {
    assert_eq!(stderr.matches(words).count(), 1, "{words:?} in\n{stderr}");
}

#[test]
fn a_copy_of_a_normal_picture_counts_once() {
    let pictures = Pictures::new();
    let (a, image) = (tiny("support_0.png"), tiny("input_rgb.png"));
    let copy = pictures.copy("support_0.png", "copy.png");
    let alone = few(&[&a], &[&image]).json_lines().remove(0);
    let answer = few(&[&a, &copy, &copy], &[&image]);
    let twice = answer.json_lines().remove(0);
    assert_eq!((&twice["score"], &twice["score_memory"]), (&alone["score"], &alone["score_memory"]));
    assert!(twice["score_calibrated"].is_null(), "one picture has no range");
    assert_eq!(answer.stderr.matches("copy.png is the same picture as").count(), 2, "{}", answer.stderr);
    assert_eq!(answer.stderr.matches("pixel for pixel; it counts once").count(), 2, "{}", answer.stderr);
    // With another normal picture the copy adds nothing.
    let b = tiny("support_1.png");
    let (two, three) = (few(&[&a, &b], &[&image]).json_lines(), few(&[&a, &copy, &b], &[&image]).json_lines());
    for field in ["score", "score_calibrated", "score_memory", "map_max", "normal_pictures"] {
        assert_eq!(two[0][field], three[0][field], "{field}");
    }
}

#[test]
fn normal_pictures_that_are_almost_the_same_blow_no_score_up() {
    let pictures = Pictures::new();
    let wave = |x: usize, y: usize| (120.0 + 60.0 * (x as f64 * 0.2).sin() + 40.0 * (y as f64 * 0.13).cos()) as u8;
    let a = pictures.grey("a.png", SIDE_PX, SIDE_PX, wave);
    let b = pictures.grey("b.png", SIDE_PX, SIDE_PX, |x, y| wave(x, y) + 9 * u8::from((x, y) == (50, 50)));
    for object in ["brain", "chest"] {
        let bundle = bundle();
        let fixed = ["predict", "--bundle", &bundle, "--object", object, "--augment", "none", "--json", "--support"];
        let answer = mvfa(fixed.iter().chain(&[&a, &b, "--", &tiny("input_rgb.png")])).expect(0);
        let line = answer.json_lines().remove(0);
        let calibrated = line["score_calibrated"].as_f64().unwrap();
        assert!(calibrated.abs() < LARGEST_CALIBRATED, "{object}: {calibrated}");
        assert_eq!(line["normal_pictures"].as_array().unwrap().len(), 2, "one pixel makes another picture");
    }
}

#[test]
fn a_picture_that_is_one_of_its_normal_pictures_is_named() {
    let pictures = Pictures::new();
    let (a, b, other) = (tiny("support_0.png"), tiny("support_1.png"), tiny("input_rgb.png"));
    let copy = pictures.copy("support_1.png", "test.png");
    let answer = few(&[&a, &b], &[&copy, &other]);
    let lines = answer.json_lines();
    assert_eq!(codes(&lines[0]), ["same"]);
    assert!(!codes(&lines[1]).contains(&"same"));
    assert_eq!(lines[0]["warnings"][0]["voids"], true);
    assert_told_once(&answer.stderr, "test.png: This image is one of your normal images");
}

#[test]
fn normal_pictures_own_scores_are_told_once_highest_first() {
    let (a, b) = (tiny("support_0.png"), tiny("support_1.png"));
    let (one, two) = (tiny("input_rgb.png"), tiny("input_grey.png"));
    let lines = few(&[&a, &b], &[&one, &two]).json_lines();
    let normals = lines[0]["normal_pictures"].as_array().unwrap();
    let score = |n: usize| normals[n]["score"].as_f64().unwrap();
    assert!(normals.len() == 2 && score(0) >= score(1));
    assert!(lines[1].get("normal_pictures").is_none(), "told once");
    let mut names: Vec<&str> = normals.iter().map(|normal| normal["image"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, [&a, &b]);
    // For people, on standard error.
    let answer = predict(&["--augment", "none", "--support", &a, &b, "--", &one, &two]).expect(0);
    assert_told_once(&answer.stderr, "note: normal pictures, each against the others: ");
    // One picture has no other.
    assert!(few(&[&a], &[&one]).json_lines()[0].get("normal_pictures").is_none());
}

#[test]
fn pictures_without_content_and_of_extreme_shapes_are_named_and_get_no_colours() {
    let pictures = Pictures::new();
    let out = pictures.path("out");
    let images = [
        pictures.grey("black.png", SIDE_PX, SIDE_PX, |_, _| 0),
        pictures.grey("grey.png", SIDE_PX, SIDE_PX, |_, _| 130),
        pictures.grey("one.png", 1, 1, |_, _| 77),
        pictures.grey("dead_pixel.png", SIDE_PX, SIDE_PX, |x, y| if (x, y) == (3, 3) { 255 } else { 0 }),
        pictures.grey("line.png", 1, 20_000, |_, y| (y % 253) as u8),
        tiny("input_rgb.png"),
    ];
    let expected: [&[&str]; 6] = [&["blank"], &["blank"], &["blank", "tiny"], &["blank"], &["tiny", "shape"], &[]];
    let names: Vec<&str> = images.iter().map(String::as_str).collect();
    for mode in [&["--mode", "zero"][..], &["--support", &tiny("support_0.png"), &tiny("support_1.png")]] {
        let options =
            [&["--augment", "none", "--json", "--out", out.to_str().unwrap()], mode, &["--"], &names].concat();
        let answer = predict(&options).expect(0);
        for ((line, expected), image) in answer.json_lines().iter().zip(expected).zip(&images) {
            let found: Vec<&str> = codes(line).into_iter().filter(|code| *code != "unlike").collect();
            assert_eq!(found, expected, "{image}");
        }
        assert_told_once(&answer.stderr, "black.png: This image is a single grey value; the score means nothing.");
        for name in ["black", "grey", "dead_pixel"] {
            let [drawn, picture] =
                [out.join(format!("{name}.overlay.png")), pictures.path(&format!("{name}.png"))].map(|p| pixels(&p));
            assert_eq!(drawn, picture, "{name}: no colours");
        }
    }
    let answer = predict(&["--mode", "zero", &images[0]]).expect(0);
    assert!(answer.stdout.contains("[blank image]"), "beside the score: {}", answer.stdout);
}

#[test]
fn normal_pictures_without_content_are_named() {
    let pictures = Pictures::new();
    let black = pictures.grey("black.png", SIDE_PX, SIDE_PX, |_, _| 0);
    let answer = few(&[&black, &tiny("support_0.png")], &[&tiny("input_rgb.png")]);
    assert_told_once(&answer.stderr, "black.png: blank image");
}

/// The pixels of a PNG as the program sees them.
fn pixels(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    let picture = mvfa_web::image::decode(&bytes, &mvfa_web::image::Limits::default()).unwrap();
    picture.to_rgb8(mvfa_web::image::WindowChoice::Auto).bytes
}
