//! What can be refused is refused before the work begins.

use std::fs;

use crate::tools::{bundle, convert_tiny, mvfa, names, text, tiny};

#[test]
fn numbers_that_cannot_be_are_bad_usage() {
    let bundle = bundle();
    let train = ["train", "few", "--bundle", &bundle, "--object", "brain", "--data", "none", "--out", "m"];
    let zero = ["train", "zero", "--bundle", &bundle, "--object", "none", "--data", "none", "--out", "m"];
    let eval = ["eval", "--bundle", &bundle, "--object", "brain", "--data", "none"];
    let cases: [(&[&str], &str, &str); 14] = [
        (&train, "--lr", "nan"),
        (&train, "--lr", "-1"),
        (&train, "--lr", "0"),
        (&train, "--lr", "inf"),
        (&train, "--shots", "0"),
        (&train, "--epochs", "0"),
        (&train, "--batch", "0"),
        (&train, "--select-every", "0"),
        (&train, "--select-limit", "0"),
        (&zero, "--limit", "0"),
        (&zero, "--lr", "-0.5"),
        (&eval, "--bank-rows", "0"),
        (&eval, "--limit", "0"),
        (&eval, "--limit", "-3"),
    ];
    for (command, option, value) in cases {
        let value = format!("{option}={value}");
        let answer = mvfa(command.iter().chain(&[value.as_str()])).expect(2);
        assert!(answer.stderr.contains(option), "{}", answer.stderr);
    }
    // As two words a negative number is a value too, and no option.
    let answer = mvfa(train.iter().chain(&["--lr", "-1"])).expect(2);
    assert!(answer.stderr.contains("a number above 0"), "{}", answer.stderr);
}

#[test]
fn a_size_that_no_tower_has_is_bad_usage() {
    let folder = tempfile::tempdir().unwrap();
    let out = text(&folder.path().join("made"));
    for size in ["100000", "18446744073709551615", "4097", "1806"] {
        let clip = tiny("openai_jit.pt");
        let answer = mvfa(["convert", "--clip", &clip, "--out", &out, "--heads", "2", "--size", size]).expect(2);
        // 128 patches of 14 pixels.
        assert!(answer.stderr.contains("--size of at most 1792"), "{}", answer.stderr);
    }
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_bundle_takes_the_place_of_a_bundle_only() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made");
    convert_tiny(&out, &[]).expect(0);
    convert_tiny(&out, &["--name", "again"]).expect(0);
    // Adapters that a person put there are theirs.
    let adapters = out.join("adapters.pth");
    fs::copy(tiny("adapters.pth"), &adapters).unwrap();
    let answer = convert_tiny(&out, &[]).expect(2);
    assert!(answer.stderr.contains("adapters.pth"), "{}", answer.stderr);
    let answer = convert_tiny(&out, &["--adapters", &text(&adapters)]).expect(2);
    assert!(answer.stderr.contains("which would be replaced"), "{}", answer.stderr);
    assert_eq!(fs::read(&adapters).unwrap(), fs::read(tiny("adapters.pth")).unwrap());
    assert_eq!(names(folder.path()), ["made"]);
}
