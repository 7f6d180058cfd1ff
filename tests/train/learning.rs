//! Training learns: a few pictures by heart, and something of use on an object never seen.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use crate::tools::{done, json_lines, mvfa, phantoms, text};

/// The model that comes with the project: only its tower is used.
fn tower() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default")
}

/// Figures of zero-shot on the test folder.
fn eval(bundle: &Path, data: &Path, object: &str) -> Value {
    let mut command = mvfa(&["eval", "--mode", "zero", "--json", "--object", object]);
    let output = done(command.args(["--bundle", text(bundle), "--data", text(data)]));
    json_lines(&output).pop().unwrap()
}

fn pixel_auroc(figures: &Value) -> f64 {
    figures["pixel_auroc"].as_f64().unwrap()
}

#[test]
fn two_and_two_phantoms_are_learned_by_heart() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    phantoms(&data, &["--object", "brain", "--normal", "2", "--abnormal", "2", "--valid-share", "0"]);
    let start = Instant::now();
    let mut train = mvfa(&["train", "zero", "--object", "none", "--epochs", "14", "--lr", "0.001"]);
    train.args(["--select", "last", "--bundle", text(&tower()), "--data", text(&data), "--out", text(&out)]);
    done(&mut train);
    let seconds = start.elapsed().as_secs();
    let figures = eval(&out, &data, "brain");
    println!("on the pictures it was trained on: pixel AUROC {}, trained in {seconds} s", figures["pixel_auroc"]);
    assert!(pixel_auroc(&figures) >= 0.99, "{figures}");
}

/// Nothing that was learned before has a say here: the tower was trained on photographs, the words and
/// adapters are new, and the phantoms are of a seed that the default model was not made with.
#[test]
fn what_is_learned_on_five_objects_helps_on_the_sixth() {
    const TARGET: &str = "liver";
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let counts = ["--normal", "8", "--abnormal", "8", "--valid-share", "0.25", "--size", "128", "--seed", "77"];
    phantoms(&data, &[["--object", "all"].as_slice(), &counts].concat());
    let train = |name: &str, [epochs, rate, limit, seed]: [&str; 4]| {
        let out = folder.path().join(name);
        let mut train = mvfa(&["train", "zero", "--object", TARGET, "--new-words", "--select", "last"]);
        train.args(["--epochs", epochs, "--lr", rate, "--limit", limit, "--seed", seed]);
        done(train.args(["--bundle", text(&tower()), "--data", text(&data), "--out", text(&out)]));
        eval(&out, &data, TARGET)
    };
    // So small a learning rate leaves adapters and words as they were drawn. One draw may find the
    // lesions by chance, or everything else: the mean of three is what random means.
    let random = ["1", "2", "3"].map(|seed| pixel_auroc(&train(&format!("random{seed}"), ["1", "1e-12", "1", seed])));
    let mean = random.iter().sum::<f64>() / 3.0;
    let figures = train("learned", ["2", "0.001", "6", "1"]);
    let learned = pixel_auroc(&figures);
    let grey = pixel_auroc(&figures["baselines"]["raw_intensity"]);
    println!("pixel AUROC on {TARGET}, never seen: {learned:.3}; random {random:.3?}; grey values {grey:.3}");
    assert!(learned >= mean + 0.15, "{learned} against {random:?}");
    assert!(learned >= grey, "{learned} against {grey} of grey values");
}
