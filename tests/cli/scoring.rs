//! Rules of the memory in a manifest, and what the command line makes of them.

use std::path::Path;

use serde_json::{Value, json};

use crate::tools::{changed_bundle, mvfa, tiny};

fn rules() -> Value {
    json!({
        "levels": [2, 3],
        "patches": "patch_centres",
        "smoothing_px": 2.0,
        "image_score": { "segmentation": "top:0.01", "detection": "top:0.05" },
        "class_rows": false
    })
}

/// The tiny model with a memory of raw tokens, rules of its own, and heads whose sides look alike.
fn with_rules(folder: &Path) -> String {
    changed_bundle(folder, |manifest, _| {
        manifest["memory"] = "raw".into();
        manifest["scoring"] = rules();
        manifest["objects"][0]["bilateral"] = true.into();
    })
}

fn predict(bundle: &str, object: &str, more: &[&str]) -> crate::tools::Answer {
    let supports = [tiny("support_0.png"), tiny("support_1.png")];
    let image = tiny("input_rgb.png");
    let mut arguments = vec!["predict", "--bundle", bundle, "--object", object, "--json"];
    arguments.extend_from_slice(more);
    if !more.contains(&"self") {
        arguments.extend(["--support", &supports[0], &supports[1], "--"]);
    }
    arguments.push(&image);
    mvfa(&arguments)
}

fn score(bundle: &str, object: &str, more: &[&str]) -> f64 {
    predict(bundle, object, more).expect(0).json_lines()[0]["score"].as_f64().unwrap()
}

#[test]
fn rules_that_cannot_be_are_named_with_what_was_expected() {
    let cases = [
        ("/scoring/levels", json!([]), "scoring.levels must be rising and out of vision.levels [1, 2, 3, 4], found []"),
        ("/scoring/levels", json!([3, 2]), "found [3, 2]"),
        ("/scoring/levels", json!([2, 5]), "found [2, 5]"),
        ("/scoring/patches", json!("corners"), "align_corners"),
        ("/scoring/smoothing_px", json!(-1), "scoring.smoothing_px must lie in 0..=64, found -1"),
        ("/scoring/smoothing_px", json!(65), "found 65"),
        ("/scoring/image_score/segmentation", json!("top:0"), "found \"top:0\""),
        ("/scoring/image_score/detection", json!("median"), "must be max, mean, or top:"),
        ("/scoring/class_rows", json!("no"), "expected a boolean"),
        ("/scoring/sigma", json!(4), "unknown field `sigma`"),
        ("/memory", json!("adapted"), "scoring is for a memory of raw tokens"),
    ];
    for (pointer, value, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        let bundle = changed_bundle(folder.path(), |manifest, _| {
            manifest["memory"] = "raw".into();
            manifest["scoring"] = rules();
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            manifest.pointer_mut(parent).unwrap()[field] = value.clone();
        });
        let answer = mvfa(["info", "--bundle", &bundle]).expect(1);
        assert!(answer.stderr.contains(words), "{pointer} = {value}: {}", answer.stderr);
    }
}

#[test]
fn info_tells_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = with_rules(folder.path());
    let told = mvfa(["info", "--bundle", &bundle]).expect(0).stdout;
    for words in ["memory of blocks 2, 3, patches at their centres, smoothed by 2 px", "top:0.01", "left with right"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let told = &mvfa(["info", "--bundle", &bundle, "--json"]).expect(0).json_lines()[0];
    assert_eq!((&told["scoring"], &told["objects"][0]["bilateral"]), (&rules(), &json!(true)));
    let plain = crate::tools::bundle();
    assert!(mvfa(["info", "--bundle", &plain]).expect(0).stdout.contains("the paper's rules"));
    let told = &mvfa(["info", "--bundle", &plain, "--json"]).expect(0).json_lines()[0];
    let image_score = json!({ "segmentation": "max", "detection": "mean" });
    let expected =
        json!({ "patches": "align_corners", "smoothing_px": 0.0, "image_score": image_score, "class_rows": true });
    assert_eq!((&told["scoring"], &told["objects"][0]["bilateral"]), (&expected, &json!(false)));
}

#[test]
fn the_papers_rules_are_those_of_a_model_without_its_own() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let own = with_rules(one.path());
    let plain = changed_bundle(two.path(), |manifest, _| manifest["memory"] = "raw".into());
    for object in ["brain", "chest"] {
        let paper = predict(&own, object, &["--scoring", "paper"]).expect(0).json_lines();
        let expected = predict(&plain, object, &[]).expect(0).json_lines();
        for field in ["score", "score_memory", "score_calibrated", "map_min", "map_max", "normal_pictures"] {
            assert_eq!(paper[0][field], expected[0][field], "{object} {field}");
        }
        let model = score(&own, object, &["--scoring", "model"]);
        assert_eq!(model, score(&own, object, &[]), "{object}: the default");
        assert_ne!(model, paper[0]["score"].as_f64().unwrap(), "{object}");
    }
    // The object of the manifest has the channel, the other one has not.
    for (object, of_model, other) in [("brain", "on", "off"), ("chest", "off", "on")] {
        let model = score(&own, object, &[]);
        assert_eq!(score(&own, object, &["--bilateral", of_model]), model, "{object}");
        assert_ne!(score(&own, object, &["--bilateral", other]), model, "{object}");
    }
}

#[test]
fn a_picture_is_compared_with_itself_without_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = with_rules(folder.path());
    let line = &predict(&bundle, "brain", &["--mode", "self"]).expect(0).json_lines()[0];
    assert_eq!((&line["mode"], &line["score"]), (&json!("self"), &line["score_memory"]));
    assert!(line["score_calibrated"].is_null() && line["score_zero"].is_null());
    for (object, more) in [("chest", &["--mode", "self"][..]), ("brain", &["--mode", "self", "--bilateral", "off"])] {
        let refused = predict(&bundle, object, more).expect(1);
        assert!(refused.stderr.contains("--bilateral on") && refused.stdout.is_empty(), "{}", refused.stderr);
    }
    predict(&bundle, "chest", &["--mode", "self", "--bilateral", "on"]).expect(0);
}
