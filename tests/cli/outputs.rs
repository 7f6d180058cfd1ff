//! What a run writes: never over a picture or a file of somebody else, and known again by the next run.

use std::fs;
use std::path::Path;

use crate::tools::{Answer, bundle, mvfa, names, text, tiny};

fn predict(more: &[&str]) -> Answer {
    let bundle = bundle();
    mvfa(["predict", "--bundle", &bundle, "--object", "brain"].iter().chain(more))
}

/// A folder with two pictures.
fn pictures(folder: &Path) -> String {
    let scans = folder.join("scans");
    fs::create_dir(&scans).unwrap();
    fs::copy(tiny("input_rgb.png"), scans.join("a.png")).unwrap();
    fs::copy(tiny("input_grey.png"), scans.join("b.png")).unwrap();
    text(&scans)
}

#[test]
fn a_picture_with_the_name_of_a_result_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let scans = pictures(folder.path());
    let own = Path::new(&scans).join("a.overlay.png");
    fs::copy(tiny("support_0.png"), &own).unwrap();
    let before = fs::read(&own).unwrap();
    let files = ["a.png", "a.overlay.png"].map(|name| text(&Path::new(&scans).join(name)));
    // As a folder, file by file, and where it is no picture of this run.
    for images in [vec![scans.as_str()], vec![&files[0], &files[1]], vec![&files[0]]] {
        let answer = predict(&[&["--out", &scans][..], &images].concat()).expect(2);
        assert!(
            answer.stderr.contains("a.overlay.png") && answer.stderr.contains("another --out"),
            "{}",
            answer.stderr
        );
        assert_eq!(answer.stdout, "", "refused before the work");
        assert_eq!(fs::read(&own).unwrap(), before);
    }
    // A normal picture to compare with is no less of a picture.
    let support = ["--support", &files[1], "--", &files[0]];
    predict(&[&["--out", &scans, "--augment", "none"][..], &support].concat()).expect(2);
    assert_eq!(names(Path::new(&scans)), ["a.overlay.png", "a.png", "b.png"]);
}

#[test]
fn a_map_of_somebody_else_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let (scans, out) = (pictures(folder.path()), folder.path().join("out"));
    let run = || predict(&["--npy", "--out", &text(&out), &scans]);
    run().expect(0);
    let map = out.join("a.zero.npy");
    let whole = fs::read(&map).unwrap();
    run().expect(0);
    assert_eq!(fs::read(&map).unwrap(), whole, "the program's own results are replaced");
    // Bytes that NumPy would write for the same values.
    let start = 10 + usize::from(u16::from_le_bytes([whole[8], whole[9]]));
    let header = String::from_utf8(whole[10..start].to_vec()).unwrap();
    let mut other = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    other.extend(format!("{:117}\n", header.trim()).bytes());
    other.extend(&whole[start..]);
    fs::write(&map, &other).unwrap();
    let answer = run().expect(2);
    assert!(answer.stderr.contains("a.zero.npy"), "{}", answer.stderr);
    assert_eq!(fs::read(&map).unwrap(), other);
    predict(&["--out", &text(&out), &scans]).expect(0);
}

#[test]
fn overlays_of_the_run_before_are_no_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let scans = pictures(folder.path());
    let score = || {
        let more = ["--json", "--augment", "none", "--support", &scans, "--", &tiny("support_0.png")];
        let answer = predict(&more).expect(0);
        (answer.json_lines()[0]["score_memory"].clone(), answer.stderr)
    };
    let (clean, note) = score();
    assert_eq!(note, "");
    let run = || predict(&["--json", "--out", &scans, &scans]).expect(0);
    let first = run();
    assert_eq!((first.json_lines().len(), first.stderr.as_str()), (2, ""));
    let second = run();
    assert_eq!(second.json_lines().len(), 2);
    assert_eq!(second.stderr.lines().count(), 1, "{}", second.stderr);
    assert!(second.stderr.contains("2 overlays"), "{}", second.stderr);
    for (one, two) in first.json_lines().iter().zip(second.json_lines()) {
        assert_eq!((&one["image"], &one["score"]), (&two["image"], &two["score"]));
    }
    // They pollute no references either, and the same name alone makes no overlay.
    let (again, note) = score();
    assert!(again == clean && note.contains("2 overlays"), "{again} {note}");
    fs::copy(tiny("support_0.png"), Path::new(&scans).join("mine.overlay.png")).unwrap();
    assert_ne!(score().0, clean);
    let overlay = text(&Path::new(&scans).join("a.overlay.png"));
    let answer = predict(&["--json", &overlay]).expect(2);
    assert!(answer.stderr.contains("no picture to analyse"), "{}", answer.stderr);
}

#[test]
fn overlays_in_a_data_set_are_not_measured() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let counts = ["--normal", "4", "--abnormal", "4", "--valid-share", "0.5", "--size", "70"];
    mvfa(["phantom", "--object", "brain", "--out", &text(&data)].iter().chain(&counts)).expect(0);
    for part in ["valid/good/img", "test/good/img"] {
        let part = text(&data.join("Brain_AD").join(part));
        predict(&["--out", &part, &part]).expect(0);
    }
    let (bundle, data) = (bundle(), text(&data));
    let eval = ["eval", "--bundle", &bundle, "--data", &data, "--object", "brain", "--augment", "none", "--json"];
    let answer = mvfa(eval.iter().chain(&["--shots", "2"])).expect(0);
    assert_eq!(answer.json_lines().last().unwrap()["n_normal"], 2);
    assert_eq!(answer.stderr.lines().filter(|line| line.contains("4 overlays")).count(), 1, "{}", answer.stderr);
    // Two normal pictures are there, whatever was drawn beside them.
    mvfa(eval.iter().chain(&["--shots", "3"])).expect(2);
}

#[test]
fn a_report_replaces_reports_only() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let counts = ["--normal", "4", "--abnormal", "4", "--valid-share", "0.5", "--size", "70"];
    mvfa(["phantom", "--object", "brain", "--out", &text(&data)].iter().chain(&counts)).expect(0);
    let good = data.join("Brain_AD/test/good/img");
    let picture = good.join(&names(&good)[0]);
    let (bundle, data) = (bundle(), text(&data));
    let eval = |report: &Path| {
        let report = text(report);
        let fixed = ["eval", "--bundle", &bundle, "--data", &data, "--object", "brain", "--mode", "zero", "--json"];
        mvfa(fixed.iter().chain(&["--report", &report]))
    };
    let report = folder.path().join("report.html");
    eval(&report).expect(0);
    let first = fs::read(&report).unwrap();
    eval(&report).expect(0);
    assert_eq!(fs::read(&report).unwrap(), first);

    let notes = folder.path().join("notes.html");
    fs::write(&notes, "<!doctype html>mine").unwrap();
    for foreign in [&picture, &notes, &folder.path().join("no/such/folder/x.html"), &folder.path().to_owned()] {
        let before = fs::read(foreign).ok();
        let answer = eval(foreign).expect(2);
        assert!(answer.stderr.contains("--report"), "{}", answer.stderr);
        assert_eq!(answer.stdout, "", "refused before the work");
        assert_eq!(fs::read(foreign).ok(), before);
    }
    assert_eq!(names(folder.path()), ["data", "notes.html", "report.html"]);
}
