//! The evaluation as one HTML file: no program in it, nothing fetched.
//!
//! Comes in: figures, pictures' scores, thumbnails. Goes out: the text of the file. Cannot fail.

use std::fmt::Write;

use crate::eval::bootstrap::Interval;
use crate::eval::scores::{Evaluation, ImageResult, Scores};
use crate::eval::sweep::roc_curve;

/// Bars of a histogram.
const BARS: usize = 20;
/// The mark of a report of this program.
pub const REPORT_MARK: &str = "<meta name=\"generator\" content=\"mvfa eval\">";
const MODEL: &str = "this model";
const RAW_TOKENS: &str = "raw tokens of its tower";
const GREY_VALUE: &str = "grey value";

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:light-dark(#1a1d21,#e8eaed);--soft:light-dark(#5b636d,#a3abb5);\
--line:light-dark(#d8dce1,#3a4048);--back:light-dark(#fff,#14171a);--card:light-dark(#f5f6f8,#1e2226);\
--normal:light-dark(#2b6cb0,#7ab7f0);--abnormal:light-dark(#c2410c,#f59e6b);--raw:light-dark(#6b46c1,#b794f4);\
--grey:light-dark(#5b636d,#a3abb5)}\
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);max-width:70rem;margin:0 auto;padding:1rem}\
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.15rem;margin:2rem 0 .5rem}p{max-width:46rem}.soft,small{color:var(--soft)}\
.wide{overflow-x:auto}table{border-collapse:collapse}th:first-child{min-width:7rem}th,td{text-align:left;padding:.35rem .9rem .35rem 0;border-bottom:1px solid var(--line);\
font-variant-numeric:tabular-nums}.row{display:flex;flex-wrap:wrap;gap:2rem}svg{max-width:100%;height:auto;color:var(--soft)}\
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:.75rem}figure{margin:0;background:var(--card);\
border-radius:6px;padding:.5rem}img{width:100%;display:block;border-radius:4px}figcaption{font-size:.8rem;overflow-wrap:anywhere;\
margin-top:.35rem}.a{color:var(--abnormal)}.n{color:var(--normal)}";

/// What a report holds besides the figures.
#[derive(Clone, Debug)]
pub struct Heading {
    /// Name and revision of the model.
    pub model: String,
    /// Name of the object.
    pub object: String,
    /// Data, mode, references, in words.
    pub setting: String,
}

/// A picture to show: its name, and a JPEG of it in base64.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// The scores.
    pub result: &'a ImageResult,
    /// File name.
    pub name: String,
    /// JPEG, base64.
    pub jpeg: String,
}

/// The whole file. `shown` are the pictures to show, in their order; `hidden` says how many are not.
pub fn html(heading: &Heading, evaluation: &Evaluation, shown: &[Shown<'_>], hidden: usize) -> String {
    let mut page = String::new();
    let scores: Vec<f32> = evaluation.images.iter().map(|i| i.score).collect();
    let labels: Vec<bool> = evaluation.images.iter().map(|i| i.abnormal).collect();
    let abnormal = labels.iter().filter(|l| **l).count();
    // Writing to a string does not fail.
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">{REPORT_MARK}<meta name=\"viewport\" content=\"width=device-width\">\
         <title>Evaluation: {object}</title><style>{STYLE}</style><h1>{object}: evaluation</h1>\
         <p>{model}. {setting}</p><p>{normal} normal and {abnormal} abnormal pictures{left_out}.</p>\
         <p><strong>Research and teaching only. Not a medical device.</strong></p><h2>Figures</h2>{table}\
         <h2>Curves</h2><div class=\"row\">{roc}{histogram}</div><h2>Pictures, highest score first</h2>",
        object = escape(&heading.object),
        model = escape(&heading.model),
        setting = escape(&heading.setting),
        normal = labels.len() - abnormal,
        left_out = match evaluation.left_out {
            0 => String::new(),
            n => format!(" ({n} more could not be read)"),
        },
        table = table(evaluation),
        roc = roc(&curves(evaluation, &labels)),
        histogram = histogram(&scores, &labels),
    );
    if hidden > 0 {
        let _ =
            write!(page, "<p class=\"soft\">The highest and the lowest are shown; {hidden} between them are not.</p>");
    }
    page.push_str("<div class=\"grid\">");
    for picture in shown {
        let (class, word) = if picture.result.abnormal { ("a", "abnormal") } else { ("n", "normal") };
        let _ = write!(
            page,
            "<figure><img alt=\"\" src=\"data:image/jpeg;base64,{}\"><figcaption><strong>{:.3}</strong> \
             <span class=\"{class}\">{word}</span><br>{}</figcaption></figure>",
            picture.jpeg,
            picture.result.score,
            escape(&picture.name),
        );
    }
    page.push_str("</div></html>\n");
    page
}

fn table(evaluation: &Evaluation) -> String {
    let mut rows = vec![(MODEL, evaluation.model)];
    rows.extend(evaluation.calibrated.map(|s| ("this model, each picture by itself", s)));
    rows.extend(evaluation.memory_raw.map(|s| (RAW_TOKENS, s)));
    rows.push((GREY_VALUE, evaluation.raw_intensity));
    let lines: String = rows.iter().map(|(name, s)| line(name, s)).collect();
    format!(
        "<div class=\"wide\"><table><tr><th><th>image AUROC<th>image F1<th>pixel AUROC<th>pixel AP<th>PRO</tr>{lines}\
         </table></div><p class=\"soft\">F1 is the largest over all thresholds. PRO: per-region overlap up to a false-positive rate \
         of 0.3. Small: 95 % intervals. They take pictures as independent; slices of one patient are not.</p>"
    )
}

fn line(name: &str, scores: &Scores) -> String {
    let of = |value: Option<f64>, interval: Option<Interval>| {
        let value = value.map_or_else(|| "–".to_owned(), |v| format!("{v:.3}"));
        let sure = interval.map_or_else(String::new, |i| format!("<br><small>{:.3} to {:.3}</small>", i.lo, i.hi));
        format!("<td>{value}{sure}")
    };
    let cells = [
        of(scores.image_auroc, scores.image_auroc_interval),
        of(scores.f1_max, scores.f1_max_interval),
        of(scores.pixel_auroc, scores.pixel_auroc_interval),
        of(scores.pixel_ap, scores.pixel_ap_interval),
        of(scores.pro, scores.pro_interval),
    ];
    format!("<tr><th>{name}{}</tr>", cells.concat())
}

/// One line of the ROC figure.
struct Curve {
    name: &'static str,
    colour: &'static str,
    /// Dashes of the line, so that it is told apart without its colour.
    dashes: &'static str,
    /// (false-positive rate, true-positive rate).
    points: Vec<(f64, f64)>,
}

/// The model and what it must beat, on the same pictures.
fn curves(evaluation: &Evaluation, labels: &[bool]) -> Vec<Curve> {
    let mut all = Vec::new();
    let mut add = |name, colour, dashes, scores: Vec<f32>| {
        all.push(Curve { name, colour, dashes, points: roc_curve(&scores, labels) });
    };
    let images = &evaluation.images;
    add(MODEL, "var(--abnormal)", "none", images.iter().map(|i| i.score).collect());
    if evaluation.memory_raw.is_some() {
        add(RAW_TOKENS, "var(--raw)", "7 3", images.iter().filter_map(|i| i.score_memory_raw).collect());
    }
    add(GREY_VALUE, "var(--grey)", "2 3", images.iter().map(|i| i.score_raw_intensity).collect());
    all
}

fn roc(curves: &[Curve]) -> String {
    if curves.iter().any(|c| c.points.is_empty()) {
        return "<p class=\"soft\">No curve: only one class is there.</p>".to_owned();
    }
    let (mut lines, mut key) = (String::new(), String::new());
    for (n, Curve { name, colour, dashes, points }) in curves.iter().enumerate().rev() {
        let line: String =
            points.iter().map(|(x, y)| format!("{:.1},{:.1} ", 40.0 + 220.0 * x, 230.0 - 220.0 * y)).collect();
        let style = format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"");
        let y = 180 + 18 * n - 18 * curves.len().saturating_sub(2);
        // Writing to a string does not fail.
        let _ = write!(lines, "<polyline points=\"{line}\" {style}/>");
        let _ = write!(key, "<path d=\"M275 {y}h28\" {style}/><text x=\"310\" y=\"{}\">{name}</text>", y + 4);
    }
    format!(
        "<svg width=\"470\" height=\"270\" viewBox=\"0 0 470 270\" role=\"img\" aria-label=\"ROC curves over pictures\">\
         <path d=\"M40 10V230H260M40 230L260 10\" fill=\"none\" stroke=\"var(--line)\"/>{lines}\
         <g fill=\"currentColor\" font-size=\"12\">{key}<text x=\"90\" y=\"260\">false-positive rate</text>\
         <text x=\"14\" y=\"170\" transform=\"rotate(-90 14 170)\">true-positive rate</text></g></svg>"
    )
}

fn histogram(scores: &[f32], labels: &[bool]) -> String {
    let lo = scores.iter().copied().fold(f32::INFINITY, f32::min);
    let hi = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut counts = [[0_usize; BARS]; 2];
    for (score, label) in scores.iter().zip(labels) {
        let place = if hi > lo { (score - lo) / (hi - lo) * BARS as f32 } else { 0.0 };
        counts[usize::from(*label)][(place as usize).min(BARS - 1)] += 1;
    }
    let most = counts.iter().flatten().copied().max().unwrap_or(1).max(1) as f64;
    let mut bars = String::new();
    for (class, colour) in [(0, "var(--normal)"), (1, "var(--abnormal)")] {
        for (n, count) in counts[class].iter().enumerate() {
            let height = 200.0 * *count as f64 / most;
            let x = 10.0 + 16.0 * n as f64 + 7.0 * class as f64;
            let _ = write!(
                bars,
                "<rect x=\"{x}\" y=\"{:.1}\" width=\"7\" height=\"{height:.1}\" fill=\"{colour}\"/>",
                230.0 - height
            );
        }
    }
    format!(
        "<svg width=\"340\" height=\"270\" viewBox=\"0 0 340 270\" role=\"img\" aria-label=\"Scores of normal and abnormal pictures\">\
         <path d=\"M10 230H330\" stroke=\"var(--line)\"/>{bars}<g font-size=\"12\"><text x=\"10\" y=\"260\" fill=\"currentColor\">{lo:.3}</text>\
         <text x=\"330\" y=\"260\" text-anchor=\"end\" fill=\"currentColor\">{hi:.3}</text>\
         <text x=\"110\" y=\"260\" fill=\"var(--normal)\">normal</text><text x=\"170\" y=\"260\" fill=\"var(--abnormal)\">abnormal</text></g></svg>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_pictures_are_many() {
        let drawn = histogram(&[0.0, 0.1, 1.0, 1.0, 1.0, 1.0], &[false, false, false, true, true, true]);
        let heights = |colour: &str| -> Vec<f64> {
            let bars = drawn.split("<rect ").skip(1).filter_map(|bar| bar.split("/>").next());
            let bars = bars.filter(|bar| bar.contains(colour));
            bars.map(|bar| bar.split("height=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()).collect()
        };
        // Three abnormal pictures share a bar, the highest.
        let (normal, abnormal) = (heights("--normal"), heights("--abnormal"));
        assert_eq!((normal.len(), abnormal.len()), (BARS, BARS));
        let filled = |bars: &[f64]| -> Vec<(usize, f64)> {
            bars.iter().copied().enumerate().filter(|(_, height)| *height > 0.0).collect()
        };
        assert_eq!(filled(&normal), [(0, 66.7), (2, 66.7), (BARS - 1, 66.7)]);
        assert_eq!(filled(&abnormal), [(BARS - 1, 200.0)]);
    }
}
