//! Regions left out of scores and maps.

use std::path::Path;

use crate::tools::{Answer, bundle, mvfa, read_npy, text, tiny};

fn slice(name: &str) -> String {
    text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bmad/Brain_AD").join(name))
}

/// A normal slice, and the same with writing burnt in at its left upper corner.
fn with_writing(folder: &Path) -> [String; 2] {
    let plain = slice("test/good/img/brain1_005.png");
    let mut picture = image::open(&plain).unwrap().to_rgb8();
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        // Letters of 6 x 9 pixels, as far as a box of 60 x 14 at (12, 10) reaches.
        let is_ink = (12..72).contains(&x) && (10..24).contains(&y) && (x / 3 + y / 5) % 3 == 0;
        if is_ink {
            *pixel = image::Rgb([255, 255, 255]);
        }
    }
    let written = folder.join("written.png");
    picture.save(&written).unwrap();
    [plain, text(&written)]
}

fn predict(more: &[&str]) -> Answer {
    let bundle = bundle();
    mvfa([&["predict", "--bundle", &bundle, "--object", "brain"], more].concat())
}

#[test]
fn writing_that_is_left_out_no_longer_makes_the_score() {
    let folder = tempfile::tempdir().unwrap();
    let [plain, written] = with_writing(folder.path());
    let bundle = text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default"));
    let normals = ["001", "004", "007", "022"].map(|n| slice(&format!("valid/good/img/brain1_{n}.png")));
    let scores = |more: &[&str]| -> Vec<f64> {
        let fixed = ["predict", "--bundle", &bundle, "--object", "brain", "--json", "--support"];
        let normals: Vec<&str> = normals.iter().map(String::as_str).collect();
        let answer = mvfa([&fixed[..], &normals, more, &["--", &plain, &written]].concat()).expect(0);
        answer.json_lines().iter().map(|line| line["score"].as_f64().unwrap()).collect()
    };
    let all = scores(&[]);
    let kept = scores(&["--leave-out", "12,10,60,14"]);
    println!("whole: {all:.3?}, without the box: {kept:.3?}");
    let raised = all[1] - all[0];
    assert!(raised > 0.1, "writing raises the score: {all:?}");
    assert!((kept[1] - kept[0]).abs() < 0.25 * raised, "without it the score is the plain slice's: {kept:?} {all:?}");
    assert!((kept[0] - all[0]).abs() < 0.25 * raised, "a mean of the highest of fewer places: {kept:?} {all:?}");
}

/// The page's test holds the page to the same numbers.
#[test]
fn the_score_with_a_box_is_the_one_the_page_shows() {
    let [image, a, b] = ["input_rgb.png", "support_0.png", "support_1.png"].map(tiny);
    for (more, expected) in [(&[][..], 0.329_744_58), (&["--leave-out", "0,0,40,30"], 0.613_151_4)] {
        let fixed = ["--augment", "none", "--json", "--support", &a, &b];
        let answer = predict(&[&fixed[..], more, &["--", &image]].concat()).expect(0);
        let score = answer.json_lines()[0]["score"].as_f64().unwrap();
        assert!((score - expected).abs() < 1e-5, "{more:?}: {score}");
    }
}

#[test]
fn what_is_left_out_is_stated_and_has_no_value_in_the_maps() {
    let folder = tempfile::tempdir().unwrap();
    let out = text(folder.path());
    let (image, a, b) = (tiny("input_rgb.png"), tiny("support_0.png"), tiny("support_1.png"));
    let fixed = ["--augment", "none", "--json", "--npy", "--out", &out, "--support", &a, &b];
    let answer =
        predict(&[&fixed[..], &["--leave-out", "0,0,20,20", "--leave-out", "40,30,5,5", "--", &image]].concat());
    let report = answer.expect(0).json_lines().remove(0);
    assert_eq!(
        report["left_out"],
        serde_json::json!([{"x": 0, "y": 0, "width": 20, "height": 20}, {"x": 40, "y": 30, "width": 5, "height": 5}])
    );
    for which in ["zero", "memory", "fused"] {
        let values = read_npy(&folder.path().join(format!("input_rgb.{which}.npy"))).1;
        assert!(values[0].is_nan(), "{which}: inside a box");
        let share = values.iter().filter(|value| value.is_nan()).count() as f64 / values.len() as f64;
        assert!((0.05..0.6).contains(&share), "{which}: {share}");
        let highest = values.iter().copied().filter(|value| !value.is_nan()).fold(f32::NEG_INFINITY, f32::max);
        if which == "fused" {
            assert!((f64::from(highest) - report["score"].as_f64().unwrap()).abs() < 1e-6);
        }
    }
    let plain = predict(&["--support", &a, &b, "--leave-out", "0,0,9,9", "--", &image]).expect(0);
    assert!(plain.stdout.contains("one region left out"), "{}", plain.stdout);
}

#[test]
fn boxes_that_fit_no_picture_are_named() {
    let image = tiny("input_rgb.png");
    let answer = predict(&["--leave-out", "0,0,9999,5", &image]).expect(1);
    assert!(answer.stderr.contains("0,0,9999,5") && answer.stderr.contains("outside the picture"), "{}", answer.stderr);
    for text in ["1,2,3", "1,2,0,4", "-1,0,5,5", "a"] {
        let answer = predict(&["--leave-out", text, &image]).expect(2);
        assert!(answer.stderr.contains("X,Y,WIDTH,HEIGHT"), "{}", answer.stderr);
    }
    let (width, height) = image::image_dimensions(&image).unwrap();
    let answer = predict(&["--leave-out", &format!("0,0,{width},{height}"), &image]).expect(1);
    assert!(answer.stderr.contains("make them smaller"), "{}", answer.stderr);
}
