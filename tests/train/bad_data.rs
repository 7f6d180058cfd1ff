//! Pictures and masks that cannot be used: named once, left out, or the end of the run with `--strict`.

use std::fs;
use std::path::Path;

use crate::tools::{Place, done, mvfa, refused, stderr, text};

/// All of valid are shots: four normal and four abnormal pictures with eleven views each.
const RUN: [&str; 6] = ["--shots", "4", "--epochs", "1", "--select", "last"];
const ALL_VIEWS: u64 = 88;

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Trains with one shot that cannot be used, and checks that it is told, left out and on record.
fn left_out(place: &Place, picture: &Path, said_of_it: &str, used: &str) {
    let output = done(&mut place.train("out", &RUN));
    let said = stderr(&output);
    let lines: Vec<&str> = said.lines().filter(|l| l.starts_with("left out: ") && l.contains(name(picture))).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(lines[0].contains(said_of_it), "{said}");
    let record = place.record("out");
    assert_eq!(record["pictures"], ALL_VIEWS - 11);
    assert_eq!(record["data"][0]["used"], used);
    let files = record["data"][0]["files"].as_array().unwrap();
    assert!(files.len() == 7 && files.iter().all(|f| f != name(picture)), "{files:?}");
    let left = record["left_out"].as_array().unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0]["picture"], name(picture));
    assert!(!left[0]["reason"].as_str().unwrap().is_empty());
    assert!(fs::read_to_string(place.path("out").join("MODEL_CARD.md")).unwrap().contains("Left out"));

    let stopped = refused(&mut place.train("strict", &[RUN.as_slice(), &["--strict"]].concat()));
    assert!(stopped.contains(name(picture)), "{stopped}");
    assert!(!place.path("strict").exists());
}

const ABNORMAL_MISSING: &str = "4 normal and 3 abnormal pictures of the valid folder";

#[test]
fn a_picture_that_cannot_be_read() {
    let place = Place::new();
    let picture = &place.files("valid/good/img")[1];
    fs::write(picture, b"no picture").unwrap();
    left_out(&place, picture, "", "3 normal and 4 abnormal pictures of the valid folder");
}

#[test]
fn a_picture_that_is_cut_off() {
    let place = Place::new();
    let picture = &place.files("valid/Ungood/img")[2];
    let bytes = fs::read(picture).unwrap();
    fs::write(picture, &bytes[..bytes.len() / 2]).unwrap();
    left_out(&place, picture, "", ABNORMAL_MISSING);
}

#[test]
fn a_mask_that_is_missing() {
    let place = Place::new();
    fs::remove_file(&place.files("valid/Ungood/anomaly_mask")[1]).unwrap();
    left_out(&place, &place.files("valid/Ungood/img")[1], "has no mask", ABNORMAL_MISSING);
}

#[test]
fn a_mask_of_another_size() {
    let place = Place::new();
    let mask = &place.files("valid/Ungood/anomaly_mask")[1];
    image::GrayImage::from_pixel(64, 70, image::Luma([255])).save(mask).unwrap();
    left_out(&place, &place.files("valid/Ungood/img")[1], "64 x 70 pixels, its picture has 70 x 70", ABNORMAL_MISSING);
}

#[test]
fn sets_with_a_missing_mask_train_zero_shot_too() {
    let place = Place::new();
    for part in ["valid", "test"] {
        fs::remove_file(&place.files(&format!("{part}/Ungood/anomaly_mask"))[0]).unwrap();
    }
    let zero = |out: &str| {
        let mut command = mvfa(&["train", "zero", "--object", "none", "--epochs", "1"]);
        command.args(["--bundle", text(&place.bundle), "--data", text(&place.data), "--out", text(&place.path(out))]);
        command
    };
    let said = stderr(&done(&mut zero("out")));
    assert_eq!(said.lines().filter(|line| line.contains("has no mask")).count(), 2, "{said}");
    assert_eq!(place.record("out")["pictures"], 7);
    assert!(refused(zero("strict").arg("--strict")).contains("has no mask"));
}

#[test]
fn nothing_to_train_on() {
    let place = Place::new();
    let said = refused(&mut place.train("out", &["--shots", "40"]));
    assert!(said.contains("40 shots") && said.contains("found 4"), "{said}");
    for picture in place.files("valid/good/img").iter().chain(&place.files("valid/Ungood/img")) {
        fs::write(picture, b"no picture").unwrap();
    }
    let said = refused(&mut place.train("out", &RUN));
    assert!(said.contains("none of the pictures"), "{said}");
    fs::remove_dir_all(place.data.join("Brain_AD/valid/good")).unwrap();
    fs::remove_dir_all(place.data.join("Brain_AD/valid/Ungood")).unwrap();
    let said = refused(&mut place.train("out", &RUN));
    assert!(said.contains("no picture in") && said.contains("valid"), "{said}");
    fs::create_dir_all(place.path("empty")).unwrap();
    let mut empty = mvfa(&["train", "zero", "--object", "none", "--data", text(&place.path("empty"))]);
    let said = refused(empty.args(["--bundle", text(&place.bundle), "--out", text(&place.path("out"))]));
    assert!(said.contains("no data set in"), "{said}");
}

#[test]
fn normal_pictures_alone_are_enough_for_synthetic_anomalies() {
    let place = Place::new();
    fs::remove_dir_all(place.data.join("Brain_AD/valid/Ungood")).unwrap();
    let said = refused(&mut place.train("out", &["--epochs", "1"]));
    assert!(said.contains("--normal-only"), "{said}");
    let output = done(&mut place.train("out", &["--epochs", "1", "--normal-only", "--shots", "2"]));
    // Without a lesion there is nothing to choose by, and nobody is told otherwise.
    assert!(stderr(&output).contains("chosen by nothing"), "{}", stderr(&output));
    let record = place.record("out");
    let used = "2 normal pictures of the valid folder, and 22 more with synthetic anomalies";
    assert_eq!(record["data"][0]["used"], used);
    let chosen = record["selected_on"].as_str().unwrap();
    assert!(chosen.contains("nothing") && chosen.contains("2 normal and 0 abnormal"), "{chosen}");
    assert!(record["best"]["validation"].is_null());
    let card = fs::read_to_string(place.path("out").join("MODEL_CARD.md")).unwrap();
    assert!(card.contains("chosen by nothing") && !card.contains("AUROC"), "{card}");
}
