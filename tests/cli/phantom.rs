//! `phantom`: what is drawn, and that masks are exact.

use std::fs;
use std::path::Path;

use mvfa_web::phantom::{Object, make};

use crate::tools::{mvfa, text};

const SIDE_PX: usize = 128;

#[test]
fn the_same_key_draws_the_same_picture_and_another_does_not() {
    for object in Object::ALL {
        let one = make(object, 1, 5, true, SIDE_PX);
        assert_eq!(one, make(object, 1, 5, true, SIDE_PX));
        assert_ne!(one.picture, make(object, 2, 5, true, SIDE_PX).picture);
        assert_ne!(one.picture, make(object, 1, 6, true, SIDE_PX).picture);
    }
}

#[test]
fn a_lesion_is_where_the_mask_is_and_nowhere_else() {
    for object in Object::ALL {
        for index in 0..12 {
            let (normal, abnormal) = (make(object, 3, index, false, SIDE_PX), make(object, 3, index, true, SIDE_PX));
            assert!(normal.mask.iter().all(|m| *m == 0), "{object:?} {index}: a mask without a lesion");
            assert!(abnormal.mask.iter().all(|m| [0, 255].contains(m)));
            let share = abnormal.mask.iter().filter(|m| **m == 255).count() as f64 / (SIDE_PX * SIDE_PX) as f64;
            assert!((0.005..=0.2).contains(&share), "{object:?} {index}: the lesion has {share} of the picture");
            let changed = |i: usize| {
                (0..3).any(|c| normal.picture.bytes[3 * i + c].abs_diff(abnormal.picture.bytes[3 * i + c]) > 8)
            };
            let near = |i: usize| {
                let (x, y) = (i % SIDE_PX, i / SIDE_PX);
                (y.saturating_sub(9)..(y + 10).min(SIDE_PX)).any(|y| {
                    (x.saturating_sub(9)..(x + 10).min(SIDE_PX)).any(|x| abnormal.mask[y * SIDE_PX + x] == 255)
                })
            };
            let stray = (0..SIDE_PX * SIDE_PX).filter(|i| changed(*i) && !near(*i)).count();
            assert!(stray < 40, "{object:?} {index}: {stray} pixels changed away from the mask");
            let inside = (0..SIDE_PX * SIDE_PX).filter(|i| abnormal.mask[*i] == 255);
            let (seen, all) = inside.fold((0, 0), |(seen, all), i| (seen + usize::from(changed(i)), all + 1));
            assert!(seen * 10 > all, "{object:?} {index}: only {seen} of {all} lesion pixels differ");
        }
    }
}

#[test]
fn a_folder_has_the_layout_and_says_that_it_is_synthetic() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("phantoms");
    let counts = ["--normal", "4", "--abnormal", "4", "--valid-share", "0.5", "--size", "64", "--json"];
    let run = || mvfa(["phantom", "--object", "all", "--out", &text(&out)].iter().chain(&counts));
    let answer = run().expect(0);
    assert_eq!(answer.json_lines().len(), 6);
    for name in ["Brain", "Liver", "Retina_RESC", "Retina_OCT2017", "Chest", "Histopathology"] {
        for split in ["valid", "test"] {
            let of = |inner: &str| files(&out.join(format!("{name}_AD")).join(split).join(inner));
            assert_eq!(of("good/img").len(), 2);
            assert_eq!(of("Ungood/img").len(), 2);
            assert_eq!(of("Ungood/img"), of("Ungood/anomaly_mask"));
            assert!(of("good/img").iter().all(|file| file.starts_with("synthetic_")));
        }
    }
    let picture = out.join("Brain_AD/test/good/img");
    let bytes = fs::read(picture.join(&files(&picture)[0])).unwrap();
    let note = b"Synthetic phantom";
    assert!(bytes.windows(note.len()).any(|w| w == note), "the PNG does not say that it is synthetic");
    // A second run would mix two sets.
    assert!(run().expect(1).stderr.contains("not an empty folder"));
}

#[test]
fn what_cannot_be_drawn_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let out = text(&folder.path().join("x"));
    assert!(mvfa(["phantom", "--object", "knee", "--out", &out]).expect(2).stderr.contains("choose brain"));
    assert!(
        mvfa(["phantom", "--object", "brain", "--size", "5", "--out", &out]).expect(2).stderr.contains("64 to 1024")
    );
    let none = ["--normal", "0", "--abnormal", "0"];
    mvfa(["phantom", "--object", "brain", "--out", &out].iter().chain(&none)).expect(2);
}

fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut names: Vec<String> = names.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
