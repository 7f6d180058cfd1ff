//! Figures against scikit-learn, scipy and numpy (`make_figures.py` beside this file).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use mvfa_web::eval::{PixelStream, Resampling, auroc, average_precision, f1_max, regions, roc_curve};
use serde_json::Value;

/// Sums in another order differ in the last digits of 64 bits.
const LIMIT: f64 = 1e-12;

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/figures/golden.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn bits(value: &Value) -> Vec<u8> {
    value.as_array().unwrap().iter().map(|v| u8::try_from(v.as_u64().unwrap()).unwrap()).collect()
}

/// Distance to the expected figure; both must be there or both missing.
#[track_caller]
fn difference(what: &str, found: Option<f64>, expected: &Value) -> f64 {
    match (found, expected.as_f64()) {
        (None, None) => 0.0,
        (Some(found), Some(expected)) => {
            let off = (found - expected).abs();
            assert!(off <= LIMIT, "{what}: {found}, expected {expected}");
            off
        }
        _ => panic!("{what}: {found:?}, expected {expected}"),
    }
}

#[test]
fn lists_of_scores_have_the_figures_of_scikit_learn() {
    let golden = golden();
    let cases = golden["lists"].as_array().unwrap();
    let (mut worst, mut missing) = (0.0_f64, 0);
    for (n, case) in cases.iter().enumerate() {
        let scores = numbers(&case["scores"]);
        let labels: Vec<bool> = bits(&case["labels"]).iter().map(|l| *l == 1).collect();
        worst = worst.max(difference(&format!("case {n}, AUROC"), auroc(&scores, &labels), &case["auroc"]));
        let precision = average_precision(&scores, &labels);
        worst = worst.max(difference(&format!("case {n}, AP"), precision, &case["ap"]));
        worst = worst.max(difference(&format!("case {n}, F1"), f1_max(&scores, &labels), &case["f1_max"]));
        let area: f64 =
            roc_curve(&scores, &labels).windows(2).map(|p| (p[1].0 - p[0].0) * (p[0].1 + p[1].1) / 2.0).sum();
        match case["auroc"].as_f64() {
            Some(expected) => assert!((area - expected).abs() < 1e-9, "case {n}: area under the curve's points"),
            None => missing += 1,
        }
    }
    println!("{} cases, {missing} of one class, furthest off by {worst:.1e}", cases.len());
    assert_eq!((cases.len(), missing), (50, 4));
}

#[test]
fn sets_of_maps_have_the_figures_of_the_other_programs() {
    let golden = golden();
    let cases = golden["sets"].as_array().unwrap();
    let (mut worst, mut without_region) = (0.0_f64, 0);
    for (n, case) in cases.iter().enumerate() {
        let side = case["side"].as_u64().unwrap() as usize;
        let mut stream = PixelStream::new(side).unwrap();
        for (map, mask) in case["maps"].as_array().unwrap().iter().zip(case["masks"].as_array().unwrap()) {
            stream.push(&numbers(map), &bits(mask)).unwrap();
        }
        let found = stream.finish().unwrap();
        for (what, figure, expected) in [
            ("AUROC", found.auroc, &case["auroc"]),
            ("AP", found.average_precision, &case["ap"]),
            ("F1", found.f1_max, &case["f1_max"]),
            ("PRO", found.pro, &case["pro"]),
        ] {
            worst = worst.max(difference(&format!("set {n}, {what}"), figure, expected));
        }
        without_region += usize::from(case["pro"].is_null());
    }
    println!("{} sets, {without_region} without a region, furthest off by {worst:.1e}", cases.len());
    assert_eq!((cases.len(), without_region), (20, 2));
}

#[test]
fn a_set_larger_than_a_piece_is_exact() {
    // 80 maps of 240 x 240: more pixels than are ever held, with many ties across the pieces.
    const SIDE: usize = 240;
    let map = |n: usize| -> Vec<f32> {
        (0..SIDE * SIDE)
            .map(|i| ((i * 7919 + n * 104_729) % 1009) as f32 + if i < 1000 && n % 2 == 1 { 500.5 } else { 0.0 })
            .collect()
    };
    let mask = |n: usize| -> Vec<u8> { (0..SIDE * SIDE).map(|i| u8::from(i < 1000 && n % 2 == 1)).collect() };
    let mut stream = PixelStream::new(SIDE).unwrap();
    let (mut scores, mut labels) = (Vec::new(), Vec::new());
    for n in 0..80 {
        stream.push(&map(n), &mask(n)).unwrap();
        scores.extend(map(n));
        labels.extend(mask(n).iter().map(|m| *m == 1));
    }
    let found = stream.finish().unwrap();
    for (streamed, held) in [
        (found.auroc, auroc(&scores, &labels)),
        (found.average_precision, average_precision(&scores, &labels)),
        (found.f1_max, f1_max(&scores, &labels)),
    ] {
        assert!((streamed.unwrap() - held.unwrap()).abs() < 1e-12, "{streamed:?} {held:?}");
    }
}

#[test]
fn an_empty_mask_has_no_region() {
    assert_eq!(regions(&[0; 9], 3), (Vec::new(), vec![0; 9]));
    assert_eq!(regions(&[1; 9], 3).0, [9]);
}

/// The largest test set of BMAD: 3 715 pictures. Takes half a minute and 2 GB of temporary files.
#[test]
#[ignore = "slow; run with --ignored"]
fn a_set_of_full_size_stays_in_bounded_memory() {
    const SIDE: usize = 240;
    const PICTURES: usize = 3715;
    const LIMIT_MB: f64 = 250.0;
    let start = std::time::Instant::now();
    let mut stream = PixelStream::new(SIDE).unwrap();
    let mut state = 1_u64;
    for n in 0..PICTURES {
        let mask: Vec<u8> =
            (0..SIDE * SIDE).map(|i| u8::from(n % 5 == 0 && i % SIDE < 20 && i / SIDE < 20 + n % 50)).collect();
        let noise = |label: &u8| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 16_777_216.0 + 0.3 * f32::from(*label)
        };
        let map: Vec<f32> = mask.iter().map(noise).collect();
        stream.push(&map, &mask).unwrap();
    }
    let pushed = start.elapsed();
    let found = stream.finish_with(Resampling { rounds: 1000, seed: 1 }).unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak_mb = peak.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0;
    println!(
        "{} pixels: {pushed:.1?} to sort, {:.1?} in all, peak {peak_mb:.0} MB",
        PICTURES * SIDE * SIDE,
        start.elapsed()
    );
    println!("{found:?}");
    // Uniform noise, moved up by 0.3: the area is 1 - 0.7² / 2.
    assert!((found.auroc.unwrap() - 0.755).abs() < 1e-3);
    assert!(peak_mb < LIMIT_MB, "{peak_mb} MB");
}
