//! The scores that choose an epoch are those that `mvfa eval` measures on the same pictures.

use std::path::{Path, PathBuf};

use image::{ImageBuffer, Luma};
use serde_json::Value;

use crate::tools::{Place, done, json_lines, mvfa, phantoms, stderr, text};

/// A tiny model and phantoms of every object, four of each class in valid and test.
fn place() -> (Place, PathBuf) {
    let place = Place::new();
    let data = place.path("all");
    let counts = ["--object", "all", "--normal", "8", "--abnormal", "8", "--valid-share", "0.5", "--size", "70"];
    phantoms(&data, &counts);
    (place, data)
}

#[track_caller]
fn assert_equals_eval(place: &Place, data: &Path, object: &str, mode: &[&str]) {
    let mut eval = mvfa(&["eval", "--json", "--object", object, "--bundle", text(&place.path("out"))]);
    let figures = json_lines(&done(eval.args(["--data", text(data)]).args(mode))).pop().unwrap();
    let chosen = &place.record("out")["best"]["validation"];
    println!("{object} {chosen}");
    for figure in ["pixel_auroc", "image_auroc"] {
        let (here, there) = (&chosen[figure], &figures[figure]);
        match (here.as_f64(), there.as_f64()) {
            (Some(here), Some(there)) => assert!((here - there).abs() < 1e-5, "{object} {figure}: {here}, {there}"),
            // Pixels choose nothing where the object is only to be detected.
            (here, _) => assert!(here.is_none() && figure == "pixel_auroc" && object == "chest", "{chosen}"),
        }
    }
}

#[test]
fn zero_shot() {
    let (place, data) = place();
    let mut train = mvfa(&["train", "zero", "--object", "brain", "--epochs", "1", "--select", "test", "--limit", "1"]);
    train.args(["--bundle", text(&place.bundle), "--data", text(&data), "--out", text(&place.path("out"))]);
    done(&mut train);
    assert_equals_eval(&place, &data, "brain", &["--mode", "zero"]);
}

/// Trains on two shots of each class and compares with an evaluation beside the same normal pictures; what training says.
#[track_caller]
fn few_shot_equals_eval(place: &Place, data: &Path, object: &str, folder: &str) -> String {
    let mut train = mvfa(&["train", "few", "--object", object, "--epochs", "1", "--select", "test", "--shots", "2"]);
    train.args(["--bundle", text(&place.bundle), "--data", text(data), "--out", text(&place.path("out"))]);
    let said = stderr(&done(&mut train));
    let record = place.record("out");
    let files = record["data"][0]["files"].as_array().unwrap().iter().filter_map(Value::as_str);
    let normal = files.filter(|file| file.contains("_normal_"));
    let support: Vec<String> =
        normal.map(|file| text(&data.join(folder).join("valid/good/img").join(file)).to_owned()).collect();
    assert_eq!(support.len(), 2);
    let mut mode = vec!["--mode", "few", "--augment", "mvfa", "--support"];
    mode.extend(support.iter().map(String::as_str));
    assert_equals_eval(place, data, object, &mode);
    said
}

#[test]
fn few_shot_by_maps_and_by_scores() {
    let (place, data) = place();
    for (object, folder) in [("brain", "Brain_AD"), ("chest", "Chest_AD")] {
        let said = few_shot_equals_eval(&place, &data, object, folder);
        assert!(!said.contains("window"), "{said}");
    }
}

/// Pictures of 16 bits, each of another brightness, are trained on through the window that an evaluation takes.
#[test]
fn few_shot_on_deep_pictures() {
    let place = Place::new();
    let parts = ["valid/good/img", "valid/Ungood/img", "test/good/img", "test/Ungood/img"];
    for (n, file) in parts.iter().flat_map(|part| place.files(part)).enumerate() {
        let picture = image::open(&file).unwrap().to_luma8();
        let deep = |x, y| Luma([u16::from(picture.get_pixel(x, y).0[0]) * (60 + 12 * n as u16)]);
        ImageBuffer::from_fn(picture.width(), picture.height(), deep).save(&file).unwrap();
    }
    let said = few_shot_equals_eval(&place, &place.data, "brain", "Brain_AD");
    assert_eq!(said.matches("for all pictures, taken from the normal pictures").count(), 1, "{said}");
}
