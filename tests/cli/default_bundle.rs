//! Where a program that was copied away finds its model.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::tools::{bundle, text};

/// Copies the tiny bundle to `folder`.
fn put_model(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for entry in fs::read_dir(bundle()).unwrap() {
        let file = entry.unwrap().path();
        fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
    }
}

/// Runs a copy of the program in an empty folder; the person's data folder and the variable are as given.
fn info(home: &Path, models: Option<&Path>) -> (i32, String) {
    let (bin, empty) = (home.join("bin"), home.join("empty"));
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(&empty).unwrap();
    // Written by a process of its own: a file that this one has open for writing may be inherited by what another
    // test starts, and cannot be run until that ends ("Text file busy").
    assert!(Command::new("cp").arg(env!("CARGO_BIN_EXE_mvfa")).arg(bin.join("mvfa")).status().unwrap().success());
    let mut command = Command::new(bin.join("mvfa"));
    command.arg("info").current_dir(empty).env_remove("MVFA_MODELS").env("XDG_DATA_HOME", home.join("data"));
    if let Some(folder) = models {
        command.env("MVFA_MODELS", folder);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), said)
}

#[test]
fn nowhere_the_places_and_a_command_are_named() {
    let home = tempfile::tempdir().unwrap();
    let (code, said) = info(home.path(), None);
    assert_eq!(code, 2, "{said}");
    let data = text(&home.path().join("data/mvfa"));
    for needed in ["cargo xtask install", "MVFA_MODELS", "--bundle", &data] {
        assert!(said.contains(needed), "{needed} in {said}");
    }
}

#[test]
fn beside_the_program_in_the_data_folder_or_where_the_variable_says() {
    for place in ["bin/models/default", "data/mvfa/models/default", "data/mvfa/default"] {
        let home = tempfile::tempdir().unwrap();
        put_model(&home.path().join(place));
        let (code, said) = info(home.path(), None);
        assert_eq!(code, 0, "{place}: {said}");
    }
    let home = tempfile::tempdir().unwrap();
    put_model(&home.path().join("mine/default"));
    let (code, said) = info(home.path(), Some(&home.path().join("mine")));
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_variable_that_names_no_model_is_an_error_though_there_is_another() {
    let home = tempfile::tempdir().unwrap();
    put_model(&home.path().join("data/mvfa/default"));
    let (code, said) = info(home.path(), Some(&home.path().join("nothing")));
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("MVFA_MODELS is"), "{said}");
}
