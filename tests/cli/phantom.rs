//! `mvfa phantom`.

use crate::tools::{mvfa, text};

#[test]
fn phantoms_of_all_objects_are_written_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let out = text(&folder.path().join("phantoms"));
    let few = ["--normal", "2", "--abnormal", "2", "--size", "64", "--valid-share", "0.5", "--json"];
    let answer = mvfa(["phantom", "--object", "all", "--out", &out].iter().chain(&few)).expect(0);
    let lines = answer.json_lines();
    assert_eq!(lines.len(), 6, "{}", answer.stdout);
    for line in &lines {
        assert_eq!(line["valid_normal"], 1, "{line}");
        assert_eq!(line["test_abnormal"], 1, "{line}");
        let set = folder.path().join("phantoms").join(line["folder"].as_str().unwrap());
        for part in ["valid/good/img", "valid/Ungood/img", "test/good/img", "test/Ungood/anomaly_mask"] {
            assert_eq!(std::fs::read_dir(set.join(part)).unwrap().count(), 1, "{line}: {part}");
        }
    }
}

#[test]
fn a_folder_that_is_not_empty_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine.txt");
    std::fs::write(&mine, "x").unwrap();
    let answer = mvfa(["phantom", "--object", "brain", "--out", &text(folder.path())]).expect(1);
    assert!(answer.stderr.contains("not an empty folder"), "{}", answer.stderr);
    assert_eq!(answer.stdout, "");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn arguments_that_cannot_be_right_are_bad_usage() {
    let cases: &[(&[&str], &str)] = &[
        (&["--object", "knee"], "brain, liver"),
        (&["--object", "brain", "--size", "7"], "64 to 1024"),
        (&["--object", "brain", "--valid-share", "2"], "0 to 1"),
        (&["--object", "brain", "--normal", "0", "--abnormal", "0"], "at least one"),
        (&["--object", "brain", "--seed", "one"], "--seed"),
        (&[], "--object"),
    ];
    for (arguments, part) in cases {
        let answer = mvfa(["phantom", "--out", "new"].iter().chain(*arguments)).expect(2);
        assert!(answer.stderr.contains(part), "{arguments:?}: {}", answer.stderr);
    }
}
