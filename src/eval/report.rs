//! The evaluation as one HTML file: no program in it, nothing fetched.
//!
//! In: figures, pictures' scores, thumbnails. Out: the text of the file. Cannot fail; text is escaped by
//! the template.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::eval::bootstrap::Interval;
use crate::eval::plots::{Curve, histogram, roc};
use crate::eval::scores::{Evaluation, ImageResult, Scores};
use crate::eval::sweep::roc_curve;

/// The mark of a report of this program.
pub const REPORT_MARK: &str = "<meta name=\"generator\" content=\"mvfa eval\">";
const MODEL: &str = "this model";
const RAW_TOKENS: &str = "raw tokens of its tower";
const GREY_VALUE: &str = "grey value";
const MEAN_DIFFERENCE: &str = "difference to the mean reference";

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
    /// What is to be known about the data, a sentence each without its full stop.
    pub warnings: Vec<String>,
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
pub fn report(heading: &Heading, evaluation: &Evaluation, shown: &[Shown<'_>], hidden: usize) -> String {
    let scores: Vec<f32> = evaluation.images.iter().map(|i| i.score).collect();
    let labels: Vec<bool> = evaluation.images.iter().map(|i| i.abnormal).collect();
    let abnormal = labels.iter().filter(|l| **l).count();
    html! {
        (DOCTYPE)
        html lang="en" {
            meta charset="utf-8";
            (PreEscaped(REPORT_MARK))
            meta name="viewport" content="width=device-width";
            title { "Evaluation: " (heading.object) }
            style { (PreEscaped(STYLE)) }
            h1 { (heading.object) ": evaluation" }
            p { (heading.model) ". " (heading.setting) }
            p {
                (labels.len() - abnormal) " normal and " (abnormal) " abnormal pictures"
                @if evaluation.left_out > 0 { " (" (evaluation.left_out) " more could not be read)" }
                "."
            }
            p { strong { "Research and teaching only. Not a medical device." } }
            @for warning in &heading.warnings { p { strong { "Note: " } (warning) "." } }
            h2 { "Figures" }
            (table(evaluation))
            h2 { "Curves" }
            div.row { (roc(&curves(evaluation, &labels))) (histogram(&scores, &labels)) }
            h2 { "Pictures, highest score first" }
            @if hidden > 0 {
                p.soft { "The highest and the lowest are shown; " (hidden) " between them are not." }
            }
            div.grid { @for picture in shown { (figure(picture)) } }
        }
    }
    .into_string()
}

fn figure(picture: &Shown<'_>) -> Markup {
    let (class, word) = if picture.result.abnormal { ("a", "abnormal") } else { ("n", "normal") };
    html! {
        figure {
            img alt="" src={ "data:image/jpeg;base64," (picture.jpeg) };
            figcaption {
                strong { (format_args!("{:.3}", picture.result.score)) } " "
                span class=(class) { (word) }
                br;
                (picture.name)
                @for warning in &picture.result.warnings { br; strong { (warning.short()) } }
            }
        }
    }
}

fn table(evaluation: &Evaluation) -> Markup {
    let mut rows = vec![(MODEL, evaluation.model)];
    rows.extend(evaluation.calibrated.map(|s| ("this model, each picture by itself", s)));
    rows.extend(evaluation.memory_raw.map(|s| (RAW_TOKENS, s)));
    rows.push((GREY_VALUE, evaluation.raw_intensity));
    rows.extend(evaluation.mean_difference.map(|s| (MEAN_DIFFERENCE, s)));
    html! {
        div.wide {
            table {
                tr { th {} th { "image AUROC" } th { "image AP" } th { "image F1" } th { "pixel AUROC" } th { "pixel AP" } th { "PRO" } }
                @for (name, scores) in &rows { (line(name, scores)) }
            }
        }
        p.soft {
            "F1 is the largest over all thresholds. PRO: per-region overlap up to a false-positive rate of 0.3. "
            "Small: 95 % intervals. "
            @if let Some(persons) = evaluation.persons { "They are drawn by person (" (persons) " in all)." }
            @else { "They take pictures as independent; slices of one patient are not." }
        }
    }
}

fn line(name: &str, scores: &Scores) -> Markup {
    let cells: [(Option<f64>, Option<Interval>); 6] = [
        (scores.image_auroc, scores.image_auroc_interval),
        (scores.image_ap, scores.image_ap_interval),
        (scores.f1_max, scores.f1_max_interval),
        (scores.pixel_auroc, scores.pixel_auroc_interval),
        (scores.pixel_ap, scores.pixel_ap_interval),
        (scores.pro, scores.pro_interval),
    ];
    html! {
        tr {
            th { (name) }
            @for (value, interval) in cells {
                td {
                    @if let Some(value) = value { (format_args!("{value:.3}")) } @else { "–" }
                    @if let Some(Interval { lo, hi }) = interval {
                        br;
                        small { (format_args!("{lo:.3} to {hi:.3}")) }
                    }
                }
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mvfa::Warning;

    #[test]
    fn names_are_text_and_not_elements() {
        let result = ImageResult {
            sample: 0,
            abnormal: true,
            score: 0.5,
            score_zero: None,
            score_memory: None,
            score_calibrated: None,
            score_memory_raw: None,
            score_raw_intensity: 0.0,
            score_mean_difference: None,
            warnings: vec![Warning::Unlike],
            person: None,
        };
        let name = "<script>\"&'.png".to_owned();
        let drawn = figure(&Shown { result: &result, name, jpeg: String::new() }).into_string();
        assert!(drawn.contains("unlike the normals"), "beside the score: {drawn}");
        assert!(drawn.contains("&lt;script&gt;&quot;&amp;") && !drawn.contains("<script"), "{drawn}");
    }
}
