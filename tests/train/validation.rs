//! The scores that choose an epoch are those that `mvfa eval` measures on the same pictures.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::tools::{Place, done, json_lines, mvfa, phantoms, text};

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

#[test]
fn few_shot_by_maps_and_by_scores() {
    let (place, data) = place();
    for (object, folder) in [("brain", "Brain_AD"), ("chest", "Chest_AD")] {
        let mut train =
            mvfa(&["train", "few", "--object", object, "--epochs", "1", "--select", "test", "--shots", "2"]);
        train.args(["--bundle", text(&place.bundle), "--data", text(&data), "--out", text(&place.path("out"))]);
        done(&mut train);
        let record = place.record("out");
        let files = record["data"][0]["files"].as_array().unwrap().iter().filter_map(Value::as_str);
        let normal = files.filter(|file| file.contains("_normal_"));
        let support: Vec<String> =
            normal.map(|file| text(&data.join(folder).join("valid/good/img").join(file)).to_owned()).collect();
        assert_eq!(support.len(), 2);
        let mut mode = vec!["--mode", "few", "--augment", "mvfa", "--support"];
        mode.extend(support.iter().map(String::as_str));
        assert_equals_eval(&place, &data, object, &mode);
    }
}
