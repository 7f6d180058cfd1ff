//! `convert`, and `info` on what it made.

use crate::tools::{convert_tiny, mvfa, text, tiny};

#[test]
fn a_converted_bundle_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made");
    let adapters = tiny("adapters.pth");
    let more = ["--adapters", &adapters, "--objects", "liver", "--object", "knee=knee MRI:detection"];
    let names = ["--name", "Tiny", "--licence", "none", "--quick-gelu", "--dtype", "f16"];
    let made = convert_tiny(&out, &[&more[..], &names[..]].concat()).expect(0);
    assert_eq!(made.stdout, "", "messages belong on standard error");

    let answer = mvfa(["info", "--bundle", &text(&out), "--json"]).expect(0);
    let lines = answer.json_lines();
    assert_eq!(lines.len(), 1);
    let info = &lines[0];
    assert_eq!(info["name"], "Tiny");
    assert_eq!(info["licence"], "none");
    assert_eq!(info["vision"]["levels"], serde_json::json!([1, 2, 3, 4]));
    assert_eq!(info["vision"]["activation"], "quick_gelu");
    assert_eq!(info["preprocess"]["size_px"], 70);
    assert_eq!(info["self_test"], true);
    let objects = info["objects"].as_array().unwrap();
    let ids: Vec<&str> = objects.iter().map(|o| o["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["liver", "knee"]);
    assert_eq!(objects[1]["prompt"], "knee MRI");
    assert_eq!(objects[1]["kind"], "detection");
    assert!(objects.iter().all(|o| o["zero_shot"] == true), "{objects:?}");

    let prose = mvfa(["info", "--bundle", &text(&out)]).expect(0).stdout;
    assert!(prose.contains("Tiny") && prose.contains("knee"), "{prose}");
}

#[test]
fn without_adapters_there_is_no_zero_shot() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("plain");
    convert_tiny(&out, &[]).expect(0);
    let info = mvfa(["info", "--bundle", &text(&out), "--json"]).expect(0).json_lines().remove(0);
    assert_eq!(info["objects"].as_array().unwrap().len(), 6, "the default is MVFA's six");
    assert!(info["objects"].as_array().unwrap().iter().all(|o| o["zero_shot"] == false));

    let image = tiny("input_rgb.png");
    let fixed = ["predict", "--bundle", &text(&out), "--object", "brain"].map(str::to_owned);
    let zero = mvfa(fixed.iter().cloned().chain(["--mode".into(), "zero".into(), image.clone()])).expect(1);
    assert!(zero.stderr.contains("words"), "{}", zero.stderr);
    let neither = mvfa(fixed.into_iter().chain([image])).expect(2);
    assert!(neither.stderr.contains("--support"), "{}", neither.stderr);
}

#[test]
fn something_else_than_a_checkpoint_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let out = text(&folder.path().join("made"));
    for clip in [tiny("input_rgb.png"), "not-there.pt".to_owned()] {
        let answer = mvfa(["convert", "--clip", &clip, "--out", &out]).expect(1);
        assert!(answer.stderr.contains(&clip), "{}", answer.stderr);
        assert!(!folder.path().join("made").exists());
    }
}

#[test]
fn what_is_taken_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let made = convert_tiny(&folder.path().join("made"), &[]).expect(0);
    let parts = ["CLIP, named as OpenAI CLIP or open_clip", "width 32, 4 blocks, 2 heads", "activation: exact GELU"];
    assert!(parts.iter().all(|part| made.stderr.contains(part)), "{}", made.stderr);
    assert!(made.stderr.contains("note: left out:") && made.stderr.contains("visual.ln_post"), "{}", made.stderr);
    let quick = convert_tiny(&folder.path().join("quick"), &["--quick-gelu"]).expect(0);
    assert!(quick.stderr.contains("activation: x * sigmoid(1.702 x)"), "{}", quick.stderr);
    let other = convert_tiny(&folder.path().join("other"), &["--prefix", "teacher."]).expect(2);
    assert!(other.stderr.contains("\"teacher.\"") && other.stderr.contains("--prefix"), "{}", other.stderr);
}

#[test]
fn the_adapters_of_a_bundle_are_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| text(&folder.path().join(name));
    let adapters = tiny("adapters.pth");
    convert_tiny(&folder.path().join("plain"), &[]).expect(0);
    let change = |more: &[&str]| {
        let fixed = ["convert", "--bundle"].into_iter().chain(more.iter().copied());
        mvfa(fixed.map(str::to_owned))
    };
    let (plain, knee) = (path("plain"), "knee=knee MRI:detection");
    let added = ["--adapters", &adapters, "--objects", "liver", "--object", knee, "--name", "Later"];
    let made = change(&[&[&plain, "--out", &path("added")][..], &added].concat()).expect(0);
    assert!(made.stderr.contains("wrote Later to"), "{}", made.stderr);
    let objects = |name: &str| {
        let info = mvfa(["info", "--bundle", &path(name), "--json"]).expect(0).json_lines().remove(0);
        let all = info["objects"].as_array().unwrap().clone();
        all.iter().map(|o| (o["id"].as_str().unwrap().to_owned(), o["zero_shot"] == true)).collect::<Vec<_>>()
    };
    assert_eq!(objects("added"), [("liver".to_owned(), true), ("knee".to_owned(), true)]);
    change(&[&path("added"), "--no-adapters", "--out", &path("less")]).expect(0);
    assert_eq!(objects("less"), [("liver".to_owned(), false), ("knee".to_owned(), false)]);

    let neither = change(&[&plain, "--out", &path("x")]).expect(2);
    assert!(neither.stderr.contains("--adapters FILE or --no-adapters"), "{}", neither.stderr);
    let none = change(&[&plain, "--no-adapters", "--out", &path("x")]).expect(2);
    assert!(none.stderr.contains("has no adapters"), "{}", none.stderr);
    let both = change(&[&plain, "--clip", &adapters, "--out", &path("x")]).expect(2);
    assert!(both.stderr.contains("--clip"), "{}", both.stderr);
    assert!(!folder.path().join("x").exists());
}
