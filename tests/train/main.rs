//! Training as a person does it, on the tiny model: resuming, refusing, overfitting.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::Duration;

use common::tiny_bundle;

fn mvfa(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mvfa"));
    command.args(args);
    command
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A data set of brain phantoms.
fn phantoms(folder: &Path) -> PathBuf {
    let made =
        mvfa(&["phantom", "--object", "brain", "--normal", "6", "--abnormal", "6", "--size", "70", "--seed", "5"])
            .args(["--out", text(&folder.join("data"))])
            .output()
            .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder.join("data")
}

fn train(bundle: &Path, data: &Path, out: &Path, more: &[&str]) -> Command {
    let mut command = mvfa(&["train", "few", "--object", "brain", "--shots", "1", "--json"]);
    command.args(["--bundle", text(bundle), "--data", text(data), "--out", text(out)]).args(more);
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Adapters of a finished bundle, as bytes.
fn adapters(out: &Path) -> Vec<u8> {
    fs::read(out.join("adapters.pth")).unwrap()
}

#[test]
fn a_run_that_was_killed_ends_as_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("tiny");
    tiny_bundle("openclip_state_dict.pt", &bundle, |_| {});
    let data = phantoms(folder.path());
    let epochs = ["--epochs", "12", "--select-every", "4"];

    let whole = folder.path().join("whole");
    let done = train(&bundle, &data, &whole, &epochs).output().unwrap();
    assert!(done.status.success(), "{}", stderr(&done));

    let cut = folder.path().join("cut");
    let state = folder.path().join("cut.training/state.safetensors");
    let mut kills = 0;
    // Moments that differ from run to run; once the run ends by itself there is nothing left to kill.
    for pause_ms in [400, 700, 1100] {
        let mut child = train(&bundle, &data, &cut, &epochs).stdout(std::process::Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(pause_ms));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
    }
    println!("killed {kills} times; a state was saved: {}", state.exists());
    assert!(kills > 0, "every run ended before it could be killed");
    if !cut.exists() {
        let done = train(&bundle, &data, &cut, &epochs).output().unwrap();
        assert!(done.status.success(), "{}", stderr(&done));
    }
    assert_eq!(adapters(&whole), adapters(&cut));
    assert!(!state.exists(), "a finished run cleans up");
}

#[test]
fn other_settings_do_not_go_on_with_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("tiny");
    tiny_bundle("openclip_state_dict.pt", &bundle, |_| {});
    let data = phantoms(folder.path());
    let out = folder.path().join("out");
    fs::create_dir_all(folder.path().join("out.training")).unwrap();
    fs::write(folder.path().join("out.training/settings.json"), "{\"seed\": 1}").unwrap();
    let refused = train(&bundle, &data, &out, &["--epochs", "1"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("differs"), "{}", stderr(&refused));
    assert!(!out.exists());
}

#[test]
fn unreadable_pictures_are_named_and_left_out_or_stop_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("tiny");
    tiny_bundle("openclip_state_dict.pt", &bundle, |_| {});
    let data = phantoms(folder.path());
    let good = data.join("Brain_AD/valid/good/img");
    let first = fs::read_dir(&good).unwrap().next().unwrap().unwrap().path();
    fs::write(&first, b"no picture").unwrap();
    let name = first.file_name().unwrap().to_str().unwrap();
    let run = |out: &str, strict: &[&str]| {
        train(&bundle, &data, &folder.path().join(out), &["--epochs", "1", "--select", "last"])
            .args(strict)
            .output()
            .unwrap()
    };
    // Whichever pictures are drawn, all of the valid folder are shots or kept aside.
    let all = |out: &str, strict: &[&str]| {
        train(&bundle, &data, &folder.path().join(out), &["--epochs", "1"]).args(strict).output().unwrap()
    };
    assert!(run("a", &[]).status.success());
    let told = all("b", &[]);
    assert!(told.status.success(), "{}", stderr(&told));
    assert!(stderr(&told).contains(name), "{}", stderr(&told));
    let stopped = all("c", &["--strict"]);
    assert_eq!(stopped.status.code(), Some(1));
    assert!(stderr(&stopped).contains(name), "{}", stderr(&stopped));
}

#[test]
fn too_few_pictures_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("tiny");
    tiny_bundle("openclip_state_dict.pt", &bundle, |_| {});
    let data = phantoms(folder.path());
    let mut command = mvfa(&["train", "few", "--object", "brain", "--shots", "40"]);
    command.args(["--bundle", text(&bundle), "--data", text(&data), "--out", text(&folder.path().join("out"))]);
    let refused = command.output().unwrap();
    assert!(!refused.status.success());
    assert!(stderr(&refused).contains("40 shots") && stderr(&refused).contains("found"), "{}", stderr(&refused));
}

#[test]
fn normal_pictures_alone_are_enough_for_synthetic_anomalies() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("tiny");
    tiny_bundle("openclip_state_dict.pt", &bundle, |_| {});
    let data = phantoms(folder.path());
    fs::remove_dir_all(data.join("Brain_AD/valid/Ungood")).unwrap();
    let out = folder.path().join("out");
    let refused = train(&bundle, &data, &out, &["--epochs", "1"]).output().unwrap();
    assert!(stderr(&refused).contains("--normal-only"), "{}", stderr(&refused));
    let done = train(&bundle, &data, &out, &["--epochs", "1", "--normal-only"]).output().unwrap();
    assert!(done.status.success(), "{}", stderr(&done));
    assert!(fs::read_to_string(out.join("training.json")).unwrap().contains("synthetic anomalies"));
}

#[test]
fn two_and_two_phantoms_are_learned_by_heart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let made = mvfa(&["phantom", "--object", "brain", "--normal", "2", "--abnormal", "2", "--valid-share", "0"])
        .args(["--out", text(&data)])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", stderr(&made));
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default");
    let out = folder.path().join("out");
    let done = mvfa(&["train", "zero", "--object", "none", "--epochs", "14", "--lr", "0.001"])
        .args(["--select", "last", "--bundle", text(&default), "--data", text(&data), "--out", text(&out)])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", stderr(&done));
    let figures = eval(&out, &data, "brain");
    println!("on the pictures it was trained on: pixel AUROC {}", figures["pixel_auroc"]);
    assert!(figures["pixel_auroc"].as_f64().unwrap() >= 0.99, "{figures}");
}

#[test]
fn what_is_learned_on_five_objects_helps_on_the_sixth() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let made = mvfa(&["phantom", "--object", "all", "--normal", "8", "--abnormal", "8", "--valid-share", "0.25"])
        .args(["--size", "128", "--out", text(&data)])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", stderr(&made));
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default");
    let train = |out: &Path, rate: &str, limit: &str, seed: &str| {
        let done = mvfa(&["train", "zero", "--object", "liver", "--epochs", "2", "--select", "last", "--seed", seed])
            .args(["--lr", rate, "--limit", limit])
            .args(["--bundle", text(&default), "--data", text(&data), "--out", text(out)])
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", stderr(&done));
        eval(out, &data, "liver")["pixel_auroc"].as_f64().unwrap()
    };
    // A learning rate of nothing leaves the random adapters as they were drawn. One draw may find the
    // lesions by chance, or everything else: the mean of three is what random means.
    let random = ["1", "2", "3"].map(|seed| train(&folder.path().join(format!("random{seed}")), "0", "1", seed));
    let mean = random.iter().sum::<f64>() / 3.0;
    let learned = train(&folder.path().join("learned"), "0.001", "6", "1");
    println!("pixel AUROC on an object never seen: {learned:.3}, random adapters {random:.3?}");
    assert!(learned >= mean + 0.15, "{learned} against {random:?}");
}

/// Figures of zero-shot on the test folder.
fn eval(bundle: &Path, data: &Path, object: &str) -> serde_json::Value {
    let done = mvfa(&["eval", "--mode", "zero", "--json", "--object", object, "--bundle", text(bundle)])
        .args(["--data", text(data)])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", stderr(&done));
    let lines = String::from_utf8_lossy(&done.stdout).into_owned();
    serde_json::from_str(lines.lines().last().unwrap()).unwrap()
}
