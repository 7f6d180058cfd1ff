//! The figures of an evaluation, as a table for people and as JSON.
//!
//! Comes in: an [`Evaluation`]. Goes out: lines, and the last object of `--json`. Cannot fail.

use serde_json::{Value, json};

use crate::eval::{Evaluation, Interval, Scores, Windows};

pub(super) fn summary(evaluation: &Evaluation, references: usize, seconds: f64) -> Value {
    let model = &evaluation.model;
    let abnormal = evaluation.images.iter().filter(|i| i.abnormal).count();
    json!({
        "image_auroc": model.image_auroc,
        "image_ap": model.image_ap,
        "pixel_auroc": model.pixel_auroc,
        "pixel_ap": model.pixel_ap,
        "pro": model.pro,
        "f1_max": model.f1_max,
        "n_normal": evaluation.images.len() - abnormal,
        "n_abnormal": abnormal,
        "intervals": {
            "image_auroc": model.image_auroc_interval,
            "image_ap": model.image_ap_interval,
            "pixel_auroc": model.pixel_auroc_interval,
            "pixel_ap": model.pixel_ap_interval,
            "pro": model.pro_interval,
            "f1_max": model.f1_max_interval,
        },
        "calibrated": evaluation.calibrated,
        "baselines": baselines(evaluation),
        "details": {
            "pixel_f1_max": model.pixel_f1_max,
            "references": references,
            "left_out": evaluation.left_out,
            "seconds": seconds,
            "window": window(&evaluation.windows),
        },
    })
}

/// The windows of deep grey as data; null where none applies.
fn window(windows: &Windows) -> Option<Value> {
    let range = windows.shared.map(|shown| shown.range);
    (range.is_some() || windows.deep > 0).then(|| {
        json!({
            "low": range.map(|range| range.low),
            "high": range.map(|range| range.high),
            "from": if range.is_some() { "references" } else { "picture" },
            "pictures": windows.deep,
            "pictures_with_padding": windows.padded,
        })
    })
}

/// One line of the table: a name and its figures.
fn row(name: &str, cells: [String; 7]) -> String {
    cells.iter().fold(format!("{name:<26}"), |line, cell| format!("{line} {cell:>11}")).trim_end().to_owned()
}

pub(super) fn heads() -> String {
    let heads = ["pixel AUROC", "pixel AP", "PRO", "pixel F1", "image F1", "image AP", "image AUROC"];
    row("", heads.map(str::to_owned))
}

/// Figures, and their intervals below.
pub(super) fn figures(name: &str, s: &Scores) -> [String; 2] {
    let of = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
    let sure = |i: Option<Interval>| i.map_or_else(String::new, |i| format!("{:.3}-{:.3}", i.lo, i.hi));
    let values = [s.pixel_auroc, s.pixel_ap, s.pro, s.pixel_f1_max, s.f1_max, s.image_ap, s.image_auroc];
    let intervals = [
        s.pixel_auroc_interval,
        s.pixel_ap_interval,
        s.pro_interval,
        None,
        s.f1_max_interval,
        s.image_ap_interval,
        s.image_auroc_interval,
    ];
    [row(name, values.map(of)), row("  95 %", intervals.map(sure))]
}

pub(super) fn baseline_lines(evaluation: &Evaluation) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(evaluation.memory_raw.iter().flat_map(|s| figures("raw tokens of its tower", s)));
    lines.extend(figures("grey value", &evaluation.raw_intensity));
    lines.extend(evaluation.mean_difference.iter().flat_map(|s| figures("difference to mean", s)));
    lines
}

pub(super) fn baselines(evaluation: &Evaluation) -> Value {
    json!({
        "memory_raw": evaluation.memory_raw,
        "raw_intensity": evaluation.raw_intensity,
        "mean_difference": evaluation.mean_difference,
    })
}

pub(super) fn prose(evaluation: &Evaluation) -> Vec<String> {
    let mut lines = vec![heads()];
    lines.extend(figures("this model", &evaluation.model));
    lines.extend(evaluation.calibrated.iter().flat_map(|s| figures("each picture by itself", s)));
    lines.extend(baseline_lines(evaluation));
    let best = evaluation.memory_raw.iter().chain([&evaluation.raw_intensity]).chain(&evaluation.mean_difference);
    let beaten = best.filter_map(|s| s.pixel_auroc).fold(0.0, f64::max);
    if evaluation.model.pixel_auroc.is_some_and(|own| own < beaten) {
        lines.push("A baseline finds the pixels better than this model.".to_owned());
    }
    lines
}
