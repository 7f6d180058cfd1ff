//! Folders of a run: those of others are left alone, and one run at a time has its own.

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use crate::tools::{Place, done, mvfa, refused, stderr, text};

/// Runs a command that must be refused as bad usage; what it says.
#[track_caller]
fn bad_usage(command: &mut std::process::Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(output.stdout.is_empty(), "it began to work");
    stderr(&output)
}

#[test]
fn a_folder_of_somebody_else_is_neither_used_nor_removed() {
    let place = Place::new();
    let notes = place.state("m", "notes.txt");
    fs::create_dir(notes.parent().unwrap()).unwrap();
    fs::write(&notes, "mine").unwrap();
    let said = bad_usage(&mut place.train("m", &["--epochs", "1"]));
    assert!(said.contains("notes.txt") && said.contains("another --out"), "{said}");
    assert_eq!(fs::read(&notes).unwrap(), b"mine");
    assert_eq!(fs::read_dir(notes.parent().unwrap()).unwrap().count(), 1);
    assert!(!place.path("m").exists());
}

#[test]
fn a_target_that_cannot_be_written_is_refused_before_the_work() {
    let place = Place::new();
    fs::create_dir(place.path("folder")).unwrap();
    fs::write(place.path("folder/thesis.doc"), "mine").unwrap();
    let said = bad_usage(&mut place.train("folder", &["--epochs", "1"]));
    assert!(said.contains("thesis.doc"), "{said}");
    assert!(!place.path("folder.training").exists());

    let said = bad_usage(&mut place.train("tiny", &["--epochs", "1"]));
    assert!(said.contains("the model that is trained on"), "{said}");

    let mut here = mvfa(&["train", "few", "--object", "brain", "--shots", "1", "--out", "."]);
    here.args(["--bundle", text(&place.bundle), "--data", text(&place.data)]).current_dir(place.path(""));
    let before = fs::read_dir(place.path("")).unwrap().count();
    let said = bad_usage(&mut here);
    assert!(said.contains("no name of its own"), "{said}");
    assert_eq!(fs::read_dir(place.path("")).unwrap().count(), before);
}

#[test]
fn a_folder_of_data_that_is_not_there_was_never_saved() {
    let place = Place::new();
    for command in ["train few", "eval"] {
        let mut words: Vec<&str> = command.split(' ').collect();
        words.extend(["--object", "brain", "--bundle", text(&place.bundle), "--data", "mistyped"]);
        let out = place.path("out");
        if command.starts_with("train") {
            words.extend(["--out", text(&out)]);
        }
        let said = refused(&mut mvfa(&words));
        assert!(said.contains("mistyped") && said.contains("name a folder"), "{said}");
        assert!(!said.contains("still there"), "{said}");
    }
}

#[test]
fn a_second_run_into_one_folder_is_told_and_the_first_goes_on() {
    let place = Place::new();
    let more = ["--epochs", "6", "--save-every", "0"];
    done(&mut place.train("alone", &more));
    let mut first = place.train("m", &more).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while place.saved("m").is_none() {
        assert!(first.try_wait().unwrap().is_none(), "it ended before it saved anything");
        sleep(Duration::from_millis(2));
    }
    let said = refused(&mut place.train("m", &more));
    assert!(said.contains("another run is training into") && said.contains("m.training"), "{said}");
    assert!(!said.contains("still there"), "{said}");
    assert!(first.try_wait().unwrap().is_none(), "the first run was over already: nothing was shown");
    assert!(first.wait().unwrap().success());
    assert!(place.tensors("alone") == place.tensors("m"), "the weights differ");
    assert!(!place.path("m.training").exists());
}
