//! Words of a person's own: what they change, and what is said where they cannot be used.

use std::fs;

use crate::tools::{Answer, bundle, mvfa, tiny};

fn predict(more: &[&str]) -> Answer {
    let (bundle, image) = (bundle(), tiny("input_rgb.png"));
    let mut arguments = vec!["predict", "--bundle", &bundle, "--object", "brain", "--mode", "zero", "--json"];
    arguments.extend_from_slice(more);
    arguments.push(&image);
    mvfa(&arguments)
}

#[test]
fn own_words_change_the_score_and_are_in_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let paper = predict(&[]).expect(0).json_lines().remove(0);
    assert!(paper.get("own_words").is_none());
    let abnormal = file("abnormal.txt", "\u{feff}{} with bleeding\r\n\r\n  damaged {}  \n");
    let own = predict(&["--organ", "Head", "--abnormal-states", &abnormal]).expect(0).json_lines().remove(0);
    assert_ne!(own["score"], paper["score"]);
    assert_eq!(own["own_words"]["organ"], "Head");
    assert_eq!(own["own_words"]["abnormal"], serde_json::json!(["{} with bleeding", "damaged {}"]));
    assert_eq!(own["own_words"]["normal"].as_array().unwrap().len(), 7);
    let contrast = file("contrast.txt", "skull\nair\n");
    let less = predict(&["--contrast", &contrast]).expect(0).json_lines().remove(0);
    assert!(less["score"].as_f64() < paper["score"].as_f64());
}

#[test]
fn lists_that_cannot_be_used_end_the_run_with_a_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.txt");
    let list = path.display().to_string();
    fs::write(&path, "\n \n").unwrap();
    assert!(
        predict(&["--normal-states", &list])
            .expect(1)
            .stderr
            .contains("the list of normal states is empty; give at least one line")
    );
    fs::write(&path, vec!["photo"; 80].join(" ")).unwrap();
    assert!(
        predict(&["--abnormal-states", &list]).expect(2).stderr.contains("at most 77 are possible; use fewer words")
    );
    fs::remove_file(&path).unwrap();
    assert!(predict(&["--contrast", &list]).expect(1).stderr.contains("cannot be read"));
}
