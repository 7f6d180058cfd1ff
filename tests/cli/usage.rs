//! Help, exit codes and messages.

use crate::tools::{bundle, mvfa, tiny};

#[test]
fn help_tells_every_command_with_examples() {
    let help = mvfa(["--help"]).expect(0);
    for word in ["convert", "predict", "info", "train", "eval", "phantom", "Examples:"] {
        assert!(help.stdout.contains(word), "{word} in\n{}", help.stdout);
    }
    for command in ["convert", "predict", "info", "train", "eval", "phantom"] {
        let help = mvfa([command, "--help"]).expect(0);
        assert!(help.stdout.contains("Examples:"), "{}", help.stdout);
        assert_eq!(help.stderr, "");
    }
    // What a choice means stands where it is made.
    for protocol in ["few", "zero"] {
        let help =
            mvfa(["train", protocol, "--help"]).expect(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in ["no test any more", "50 for valid, all for test", "--strict", "--new-words"] {
            assert!(help.contains(words), "{words} in\n{help}");
        }
        assert!(!help.contains("--save-every"), "{help}");
    }
    let few = mvfa(["train", "few", "--help"]).expect(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(few.contains("the best epoch is chosen by them"), "{few}");
}

#[test]
fn version_is_told() {
    assert!(mvfa(["--version"]).expect(0).stdout.starts_with("mvfa "));
}

#[test]
fn bad_usage_is_two_and_on_standard_error() {
    let (bundle, image) = (bundle(), tiny("input_rgb.png"));
    let cases: &[&[&str]] = &[
        &[],
        &["frobnicate"],
        &["predict"],
        &["predict", "--object", "brain"],
        &["predict", "--object", "brain", "--mode", "both", &image],
        &["predict", "--object", "brain", "--device", "abacus", &image],
        &["predict", "--object", "brain", "--window", "wide", &image],
        &["predict", "--object", "brain", "--window", "40,-1", &image],
        &["predict", "--bundle", &bundle, "--object", "brain", "--npy", &image],
        &["predict", "--bundle", &bundle, "--object", "brain", "--mode", "few", &image],
        &["predict", "--bundle", &bundle, "--object", "knee", &image],
        &["convert", "--clip", &image],
        &["convert", "--clip", &image, "--out", "x", "--objects", "knee"],
        &["convert", "--clip", &image, "--out", "x", "--object", "knee=MRI"],
        &["convert", "--clip", &image, "--out", "x", "--dtype", "f64"],
        &["convert", "--clip", &image, "--out", "x", "--levels", "one"],
    ];
    for case in cases {
        let answer = mvfa(*case).expect(2);
        assert_eq!(answer.stdout, "", "{case:?}");
        assert!(!answer.stderr.is_empty(), "{case:?}");
    }
}

#[test]
fn an_unknown_object_is_answered_with_the_known_ones() {
    let answer = mvfa(["predict", "--bundle", &bundle(), "--object", "knee", &tiny("input_rgb.png")]).expect(2);
    assert!(answer.stderr.contains("brain") && answer.stderr.contains("chest"), "{}", answer.stderr);
}

#[test]
fn a_bundle_that_is_not_there_is_a_failure() {
    for arguments in
        [&["info", "--bundle", "nowhere"][..], &["predict", "--bundle", "nowhere", "--object", "x", "a.png"]]
    {
        let answer = mvfa(arguments).expect(1);
        assert!(answer.stderr.starts_with("mvfa: ") && answer.stderr.contains("nowhere"), "{}", answer.stderr);
        assert_eq!(answer.stderr.lines().count(), 1, "{}", answer.stderr);
    }
}
