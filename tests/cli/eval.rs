//! `eval`: figures against another computation of the same numbers, reports, bad data.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::tools::{bundle, mvfa, read_npy, text};

const KEYS: [&str; 7] = ["image_auroc", "pixel_auroc", "pixel_ap", "pro", "f1_max", "n_normal", "n_abnormal"];

/// A small set of brain phantoms at the tiny model's size.
fn phantoms(folder: &Path) -> PathBuf {
    let out = folder.join("data");
    let counts = ["--normal", "6", "--abnormal", "6", "--valid-share", "0.5", "--size", "70"];
    mvfa(["phantom", "--object", "brain", "--out", &text(&out)].iter().chain(&counts)).expect(0);
    out
}

fn eval(data: &Path, more: &[&str]) -> crate::tools::Answer {
    let (bundle, data) = (bundle(), text(data));
    mvfa(["eval", "--bundle", &bundle, "--data", &data, "--object", "brain", "--json"].iter().chain(more))
}

/// Area under the ROC curve by counting pairs.
fn pairs(scores: &[f32], labels: &[bool]) -> f64 {
    let of = |class: bool| scores.iter().zip(labels).filter(move |(_, l)| **l == class).map(|(s, _)| *s);
    let (mut wins, mut all) = (0.0, 0.0);
    for abnormal in of(true) {
        for normal in of(false) {
            all += 1.0;
            wins += if abnormal > normal {
                1.0
            } else if abnormal == normal {
                0.5
            } else {
                0.0
            };
        }
    }
    wins / all
}

#[test]
fn figures_are_those_of_the_maps_that_predict_writes() {
    let folder = tempfile::tempdir().unwrap();
    let data = phantoms(folder.path());
    let lines = eval(&data, &["--mode", "zero"]).expect(0).json_lines();
    let (last, images) = lines.split_last().unwrap();
    assert_eq!(images.len(), 6);
    assert!(KEYS.iter().all(|key| last.get(key).is_some()), "{last}");
    assert_eq!((&last["n_normal"], &last["n_abnormal"]), (&3.into(), &3.into()));

    let out = folder.path().join("maps");
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for line in images {
        let picture = data.join("Brain_AD").join(line["image"].as_str().unwrap());
        let (bundle, out_text, picture_text) = (bundle(), text(&out), text(&picture));
        let predict = ["predict", "--bundle", &bundle, "--object", "brain", "--mode", "zero", "--npy", "--out"];
        mvfa(predict.iter().chain(&[out_text.as_str(), picture_text.as_str()])).expect(0);
        let stem = picture.file_stem().unwrap().to_str().unwrap();
        let map = read_npy(&out.join(format!("{stem}.zero.npy"))).1;
        let mask = picture.parent().unwrap().parent().unwrap().join("anomaly_mask").join(picture.file_name().unwrap());
        let mask = if line["abnormal"] == true {
            image::open(mask).unwrap().to_luma8().into_raw()
        } else {
            vec![0; map.len()]
        };
        assert_eq!(map.len(), mask.len());
        values.extend(map);
        labels.extend(mask.iter().map(|m| *m > 127));
    }
    let expected = pairs(&values, &labels);
    let found = last["pixel_auroc"].as_f64().unwrap();
    assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
}

#[test]
fn few_shot_comes_with_its_baselines_and_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let data = phantoms(folder.path());
    let report = folder.path().join("report.html");
    let more = ["--mode", "few", "--shots", "2", "--augment", "none", "--report", &text(&report)];
    let lines = eval(&data, &more).expect(0).json_lines();
    let last = lines.last().unwrap();
    for figures in [last, &last["baselines"]["memory_raw"], &last["baselines"]["raw_intensity"]] {
        let value = figures["pixel_auroc"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&value), "{figures}");
    }
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    assert!(number(&last["intervals"]["image_auroc"]["lo"]) <= number(&last["image_auroc"]));
    let html = fs::read_to_string(report).unwrap();
    assert!(html.contains("Not a medical device") && html.matches("<figure>").count() == 6);
    // The model, raw tokens and grey values, each with a curve from corner to corner.
    let curves: Vec<&str> = html.split("<polyline points=\"").skip(1).filter_map(|p| p.split('"').next()).collect();
    assert_eq!(curves.len(), 3, "{curves:?}");
    for curve in &curves {
        assert!(curve.starts_with("40.0,230.0 ") && curve.ends_with("260.0,10.0 "), "{curve}");
    }
    assert!(curves[0] != curves[2], "two methods cannot rank these pictures alike");
    for forbidden in ["<script", "http:", "https:", "@import"] {
        assert!(!html.contains(forbidden), "{forbidden} in the report");
    }
    let raw = eval(&data, &["--method", "memory-raw", "--shots", "2"]).expect(0).json_lines();
    assert_eq!(raw.last().unwrap()["pixel_auroc"], last["baselines"]["memory_raw"]["pixel_auroc"]);
}

#[test]
fn without_masks_figures_of_pixels_are_null_and_with_one_class_nothing_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let data = phantoms(folder.path());
    fs::remove_dir_all(data.join("Brain_AD/test/Ungood/anomaly_mask")).unwrap();
    let last = |lines: Vec<Value>| lines.last().unwrap().clone();
    let one = last(eval(&data, &["--mode", "zero"]).expect(0).json_lines());
    assert!(one["pixel_auroc"].is_null() && one["pro"].is_null() && one["image_auroc"].is_number(), "{one}");
    assert!(one["warnings"][0]["code"] == "no-masks", "{one}");
    fs::remove_dir_all(data.join("Brain_AD/test/Ungood")).unwrap();
    let answer = eval(&data, &["--mode", "zero"]).expect(1);
    assert!(answer.stdout.is_empty() && answer.stderr.contains("normal pictures only"), "{}", answer.stderr);
}

#[test]
fn bad_data_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = phantoms(folder.path());
    let good = data.join("Brain_AD/test/good/img");
    let masks = data.join("Brain_AD/test/Ungood/anomaly_mask");
    let first = |folder: &Path| fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).min().unwrap();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();

    assert!(eval(&data, &["--mode", "few", "--shots", "99"]).expect(2).stderr.contains("found 3"));
    let broken = first(&good);
    fs::write(&broken, "no picture").unwrap();
    let answer = eval(&data, &["--mode", "zero"]).expect(1);
    assert!(answer.stderr.contains(&name(&broken)), "{}", answer.stderr);
    assert_eq!(answer.json_lines().last().unwrap()["n_normal"], 2);
    let answer = eval(&data, &["--mode", "zero", "--strict"]).expect(1);
    assert!(answer.stderr.contains(&name(&broken)) && answer.stdout.is_empty());
    fs::remove_file(&broken).unwrap();

    let mask = first(&masks);
    image::GrayImage::from_pixel(9, 9, image::Luma([255])).save(&mask).unwrap();
    assert!(eval(&data, &["--mode", "zero"]).expect(1).stderr.contains("its picture has 70 x 70"));
    fs::remove_file(&mask).unwrap();
    let answer = eval(&data, &["--mode", "zero"]).expect(1);
    assert!(answer.stderr.contains("has no mask"), "{}", answer.stderr);
    assert_eq!(answer.json_lines().last().unwrap()["n_abnormal"], 2, "the others are measured");

    let empty = folder.path().join("empty");
    fs::create_dir_all(empty.join("test/good")).unwrap();
    assert!(eval(&empty, &["--mode", "zero"]).expect(1).stderr.contains("no picture"));
}
