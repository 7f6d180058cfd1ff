//! Figures of `mvfa eval` against scikit-learn and scipy (tests/eval/make_metrics.py).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::json;
use mvfa_web::eval::{PixelStream, auroc, average_precision, bootstrap, f1_max, roc_curve};
use serde_json::Value;

const LIMIT: f64 = 1e-9;

fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

#[track_caller]
fn close(what: &str, found: Option<f64>, expected: &Value) {
    let (found, expected) = (found.unwrap(), expected.as_f64().unwrap());
    assert!((found - expected).abs() <= LIMIT, "{what}: {found}, expected {expected}");
}

#[test]
fn figures_over_pictures_equal_scikit_learns() {
    let golden = json("metrics/golden.json");
    let cases = golden["images"].as_array().unwrap();
    assert_eq!(cases.len(), 50);
    for (n, case) in cases.iter().enumerate() {
        let scores = floats(&case["scores"]);
        let labels: Vec<bool> = case["labels"].as_array().unwrap().iter().map(|l| l.as_bool().unwrap()).collect();
        close(&format!("case {n} AUROC"), auroc(&scores, &labels), &case["auroc"]);
        close(&format!("case {n} AP"), average_precision(&scores, &labels), &case["average_precision"]);
        close(&format!("case {n} F1"), f1_max(&scores, &labels), &case["f1_max"]);
        let curve = roc_curve(&scores, &labels);
        assert_eq!((curve.first(), curve.last()), (Some(&(0.0, 0.0)), Some(&(1.0, 1.0))));
    }
}

#[test]
fn figures_over_pixels_equal_scipys() {
    for (n, case) in json("metrics/golden.json")["pixels"].as_array().unwrap().iter().enumerate() {
        let mut stream = PixelStream::new(12).unwrap();
        for (map, mask) in case["maps"].as_array().unwrap().iter().zip(case["masks"].as_array().unwrap()) {
            let mask: Vec<u8> = floats(mask).iter().map(|m| *m as u8).collect();
            stream.push(&floats(map), &mask).unwrap();
        }
        let found = stream.finish().unwrap();
        close(&format!("case {n} AUROC"), found.auroc, &case["auroc"]);
        close(&format!("case {n} AP"), found.average_precision, &case["average_precision"]);
        close(&format!("case {n} F1"), found.f1_max, &case["f1_max"]);
        close(&format!("case {n} PRO"), found.pro, &case["pro"]);
    }
}

#[test]
fn one_class_gives_no_figure_and_not_a_wrong_one() {
    for labels in [[true; 3], [false; 3]] {
        let scores = [0.1, 0.2, 0.3];
        assert_eq!(auroc(&scores, &labels), None);
        assert_eq!(average_precision(&scores, &labels), None);
        assert_eq!(f1_max(&scores, &labels), None);
        assert_eq!(bootstrap(&scores, &labels, auroc, 1, 10), None);
        assert!(roc_curve(&scores, &labels).is_empty());
    }
}
