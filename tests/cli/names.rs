//! Names of files: strange ones, long ones, and a reader that goes away.

use std::fs;
#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};

use crate::tools::{bundle, changed_bundle, mvfa, names, text, tiny};

/// Clears the screen and writes in red.
const ESCAPE: &str = "\u{1b}[2J\u{1b}[31mx\u{9b}0m";

fn predict(more: &[&str]) -> crate::tools::Answer {
    let bundle = bundle();
    mvfa(["predict", "--bundle", &bundle, "--object", "brain"].iter().chain(more))
}

#[track_caller]
fn assert_harmless(text: &str) {
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    assert!(text.contains("[2J"), "{text:?}");
}

#[cfg(unix)]
#[test]
fn names_of_files_do_not_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join(format!("{ESCAPE}.png")), folder.path().join(format!("{ESCAPE}.txt")));
    fs::copy(tiny("input_rgb.png"), &good).unwrap();
    fs::write(&bad, "no picture").unwrap();
    let (good, bad) = (text(&good), text(&bad));
    let answer = predict(&[&good, &bad]).expect(1);
    assert_harmless(&answer.stdout);
    assert_harmless(&answer.stderr);
    assert_eq!(answer.stderr.lines().count(), 1);
    let answer = predict(&["--json", &good]).expect(0);
    assert_harmless(&answer.stdout);
    assert_eq!(answer.json_lines()[0]["image"], good.as_str());
}

#[test]
fn names_in_a_model_do_not_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = changed_bundle(folder.path(), |manifest, _| {
        for field in ["name", "licence", "intended_use", "zero_shot_note"] {
            manifest[field] = ESCAPE.into();
        }
        manifest["objects"][0]["name"] = ESCAPE.into();
        manifest["objects"][1]["id"] = ESCAPE.into();
    });
    assert_harmless(&mvfa(["info", "--bundle", &bundle]).expect(0).stdout);
    let json = mvfa(["info", "--bundle", &bundle, "--json"]).expect(0);
    assert_harmless(&json.stdout);
    assert_eq!(json.json_lines()[0]["name"], ESCAPE);
    let unknown = mvfa(["predict", "--bundle", &bundle, "--object", "knee", &tiny("input_rgb.png")]).expect(2);
    assert_harmless(&unknown.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_are_told_apart() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = tempfile::tempdir().unwrap();
    for name in [&b"\xff.png"[..], b"\xfe.png"] {
        fs::copy(tiny("input_rgb.png"), folder.path().join(OsStr::from_bytes(name))).unwrap();
    }
    let lines = predict(&["--json", &text(folder.path())]).expect(0).json_lines();
    let images: Vec<&str> = lines.iter().map(|line| line["image"].as_str().unwrap()).collect();
    assert!(images[0].ends_with("\\xfe.png") && images[1].ends_with("\\xff.png"), "{images:?}");
}

#[test]
fn a_very_long_name_has_its_results_under_a_shorter_one() {
    let folder = tempfile::tempdir().unwrap();
    let (image, out) = (folder.path().join(format!("{}.png", "n".repeat(248))), folder.path().join("out"));
    fs::copy(tiny("input_rgb.png"), &image).unwrap();
    let answer = predict(&["--npy", "--out", &text(&out), &text(&image)]).expect(0);
    let short = "n".repeat(200);
    assert_eq!(names(&out), [format!("{short}.overlay.png"), format!("{short}.zero.npy")]);
    assert!(answer.stderr.contains(&format!("are named {short}")), "{}", answer.stderr);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let image = tiny("input_rgb.png");
    let bundle = bundle();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mvfa"));
    command.args(["predict", "--bundle", &bundle, "--object", "brain"]).args(std::iter::repeat_n(&image, 50));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    // Nor does it matter that nobody reads what went wrong.
    let mut command = Command::new(env!("CARGO_BIN_EXE_mvfa"));
    command.args(["predict", "--bundle", &bundle, "--object", "brain"]).args(std::iter::repeat_n("not-there.png", 50));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
