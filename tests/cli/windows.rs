//! One window for references and pictures, padding left out: with the bundled model, on CT-like slices.

use std::path::Path;

use serde_json::Value;

use crate::ct::{Stored, padded, slice, write};
use crate::tools::{bundle, mvfa, text, tiny};

/// Left of which number a slice is a reference.
const REFERENCES: u64 = 4;

fn default_bundle() -> String {
    text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default"))
}

/// Writes four references, a normal slice and one with a lesion, and gives their names in that order.
fn slices(folder: &Path, name: &str, stored: Stored, fill: Option<f32>) -> Vec<String> {
    let of = |number, lesion| {
        let plain = slice(number, lesion);
        let values = fill.map_or(plain.clone(), |fill| padded(&plain, fill));
        write(&folder.join(format!("{name}-{number}-{lesion}.tif")), &values, fill, stored)
    };
    let references = (0..REFERENCES).map(|number| of(number, false));
    references.chain([of(10, false), of(10, true)]).collect()
}

/// What `predict` says of pictures beside references.
fn reports(references: &[String], pictures: &[String], more: &[&str]) -> (Vec<Value>, String) {
    let bundle = default_bundle();
    let mut arguments = vec!["predict", "--bundle", &bundle, "--object", "liver", "--json"];
    arguments.extend(more);
    if !references.is_empty() {
        arguments.push("--support");
        arguments.extend(references.iter().map(String::as_str));
    }
    arguments.push("--");
    arguments.extend(pictures.iter().map(String::as_str));
    let answer = mvfa(&arguments).expect(0);
    (answer.json_lines(), answer.stderr)
}

fn number(report: &Value, key: &str) -> f64 {
    report[key].as_f64().unwrap()
}

/// Scores of a padded normal slice and a padded lesion are those of the slices without padding.
#[test]
fn padding_of_the_picture_takes_nothing_of_the_window() {
    let folder = tempfile::tempdir().unwrap();
    for (name, stored, fill) in [
        ("a", Stored::Int16, -3024.0),
        ("b", Stored::Int16, -2000.0),
        ("c", Stored::UInt16, 65535.0),
        ("d", Stored::Float32, -9999.0),
    ] {
        let plain = slices(folder.path(), &format!("{name}-plain"), stored, None);
        let filled = slices(folder.path(), &format!("{name}-filled"), stored, Some(fill));
        let (references, tested) = plain.split_at(REFERENCES as usize);
        let (all, stderr) = reports(references, &[tested, &filled[REFERENCES as usize..]].concat(), &[]);
        let [normal, lesion, filled_normal, filled_lesion] = [0, 1, 2, 3].map(|n| number(&all[n], "score"));
        println!("{fill}: normal {normal:.3} {filled_normal:.3}, lesion {lesion:.3} {filled_lesion:.3}");
        assert!(lesion > normal, "{fill}: {normal} {lesion}");
        assert!((filled_normal - normal).abs() < 0.03, "{fill}: {normal} {filled_normal}");
        assert!((filled_lesion - lesion).abs() < 0.03, "{fill}: {lesion} {filled_lesion}");
        for (report, is_padded) in all.iter().zip([false, false, true, true]) {
            assert_eq!(report["window"]["from"], "references", "{fill}");
            assert_eq!(report["window"]["padding_left_out"], is_padded, "{fill}");
            assert_eq!(
                [&report["window"]["low"], &report["window"]["high"]],
                [&all[0]["window"]["low"], &all[0]["window"]["high"]]
            );
        }
        assert_eq!(stderr.matches("for all pictures, taken from the normal pictures").count(), 1, "{stderr}");
        assert_eq!(stderr.matches("padding left out").count(), 2, "of the padded pictures alone: {stderr}");
    }
}

#[test]
fn references_with_padding_have_the_window_of_those_without() {
    let folder = tempfile::tempdir().unwrap();
    let plain = slices(folder.path(), "plain", Stored::Int16, None);
    let filled = slices(folder.path(), "filled", Stored::Int16, Some(-3024.0));
    let (references, tested) = plain.split_at(REFERENCES as usize);
    let window = |references: &[String]| {
        let (reports, stderr) = reports(references, &tested[..1], &[]);
        (number(&reports[0]["window"], "low"), number(&reports[0]["window"], "high"), stderr)
    };
    let (low, high, stderr) = window(references);
    assert!((-1020.0..-990.0).contains(&low) && (600.0..1120.0).contains(&high), "{low} {high}");
    assert!(!stderr.contains("padding"), "{stderr}");
    let (filled_low, filled_high, stderr) = window(&filled[..REFERENCES as usize]);
    let width = high - low;
    assert!((filled_low - low).abs() < 0.02 * width, "{filled_low}");
    assert!((filled_high - high).abs() < 0.1 * width, "{filled_high} {high}");
    assert!(stderr.contains("taken from the normal pictures, padding left out"), "{stderr}");
}

#[test]
fn without_references_each_picture_has_its_own_and_a_chosen_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let [plains, fills] =
        [None, Some(-3024.0)].map(|fill| slices(folder.path(), &format!("{}", fill.is_some()), Stored::Int16, fill));
    let (normal, plain, filled) = (&plains[0], plains.last().unwrap(), fills.last().unwrap());
    let predict = |more: &[&str]| {
        let bundle = bundle();
        mvfa([&["predict", "--bundle", &bundle, "--object", "brain", "--json"], more].concat()).expect(0)
    };
    let answer = predict(&[plain, filled]);
    let reports = answer.json_lines();
    for (report, is_padded) in reports.iter().zip([false, true]) {
        assert_eq!(
            (&report["window"]["from"], &report["window"]["padding_left_out"]),
            (&"picture".into(), &is_padded.into())
        );
        assert!((-1020.0..-990.0).contains(&number(&report["window"], "low")), "{report}");
    }
    assert_eq!(answer.stderr.matches("window -10").count(), 2, "{}", answer.stderr);
    let notes = reports[1]["notes"].to_string();
    assert!(notes.contains("padding left out"), "{notes}");

    let (reference, window) =
        (tiny("input_grey16.png"), &predict(&["--window", "40,400", "--support", normal, "--", filled]));
    let report = &window.json_lines()[0]["window"];
    assert_eq!((number(report, "low"), number(report, "high"), &report["from"]), (-160.0, 240.0, &"option".into()));
    assert_eq!(window.stderr, "");
    // The paper's own clipping is no window, and 8 bits have none.
    assert!(predict(&["--window", "pil", &reference]).json_lines()[0].get("window").is_none());
    assert!(predict(&[&tiny("input_rgb.png")]).json_lines()[0].get("window").is_none());
}

#[test]
fn an_evaluation_tells_the_window_in_figures_and_report() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("set");
    for (place, numbers, lesion, fill) in [
        ("valid/good/img", 0..2, false, Some(-3024.0)),
        ("test/good/img", 10..12, false, None),
        ("test/Ungood/img", 20..21, true, Some(-2000.0)),
    ] {
        let place = data.join(place);
        std::fs::create_dir_all(&place).unwrap();
        for number in numbers {
            let plain = slice(number, lesion);
            let values = fill.map_or(plain.clone(), |fill| padded(&plain, fill));
            write(&place.join(format!("{number}.tif")), &values, fill, Stored::Int16);
        }
    }
    let report = folder.path().join("report.html");
    let (bundle, data, path) = (bundle(), text(&data), text(&report));
    let fixed = ["eval", "--bundle", &bundle, "--data", &data, "--object", "brain", "--json", "--report", &path];
    let few = mvfa([&fixed[..], &["--shots", "2", "--augment", "none"]].concat()).expect(0);
    let lines = few.json_lines();
    let window = &lines.last().unwrap()["details"]["window"];
    assert_eq!(
        (&window["from"], &window["pictures"], &window["pictures_with_padding"]),
        (&"references".into(), &3.into(), &1.into())
    );
    assert!((-1020.0..-990.0).contains(&number(window, "low")), "{window}");
    for told in [few.stderr.as_str(), &std::fs::read_to_string(&report).unwrap()] {
        assert!(told.contains("for all pictures, taken from the references, padding left out"), "{told}");
    }
    let words = mvfa([&fixed[..], &["--mode", "zero", "--shots", "0"]].concat()).expect(0);
    let lines = words.json_lines();
    let window = &lines.last().unwrap()["details"]["window"];
    assert_eq!((&window["from"], window["low"].is_null()), (&"picture".into(), true));
    assert!(
        words.stderr.contains("3 pictures deeper than 8 bits, each through a window of its own, padding left out"),
        "{}",
        words.stderr
    );
}
