//! The two plots of a report, as SVG in its colours: they follow the reader's light or dark theme.
//!
//! In: curves, scores with their labels. Out: markup. Cannot fail.

use maud::{Markup, html};

/// Bars of a histogram.
const BARS: usize = 20;

/// One line of the ROC figure.
pub(super) struct Curve {
    pub(super) name: &'static str,
    /// A colour of the report's style.
    pub(super) colour: &'static str,
    /// Dashes of the line, so that it is told apart without its colour.
    pub(super) dashes: &'static str,
    /// (false-positive rate, true-positive rate).
    pub(super) points: Vec<(f64, f64)>,
}

/// ROC curves over pictures, the first one on top; a sentence if a curve has no points.
pub(super) fn roc(curves: &[Curve]) -> Markup {
    if curves.iter().any(|c| c.points.is_empty()) {
        return html! { p.soft { "No curve: only one class is there." } };
    }
    let key_y = |n: usize| 180 + 18 * n - 18 * curves.len().saturating_sub(2);
    html! {
        svg width="470" height="270" viewBox="0 0 470 270" role="img" aria-label="ROC curves over pictures" {
            path d="M40 10V230H260M40 230L260 10" fill="none" stroke="var(--line)" {}
            @for Curve { colour, dashes, points, .. } in curves.iter().rev() {
                polyline points=(polyline(points)) fill="none" stroke=(colour) stroke-width="2" stroke-dasharray=(dashes) {}
            }
            g fill="currentColor" font-size="12" {
                @for (n, Curve { name, colour, dashes, .. }) in curves.iter().enumerate() {
                    path d={ "M275 " (key_y(n)) "h28" } fill="none" stroke=(colour) stroke-width="2" stroke-dasharray=(dashes) {}
                    text x="310" y=(key_y(n) + 4) { (name) }
                }
                text x="90" y="260" { "false-positive rate" }
                text x="14" y="170" transform="rotate(-90 14 170)" { "true-positive rate" }
            }
        }
    }
}

fn polyline(points: &[(f64, f64)]) -> String {
    points.iter().map(|(x, y)| format!("{:.1},{:.1} ", 40.0 + 220.0 * x, 230.0 - 220.0 * y)).collect()
}

/// How many normal and abnormal pictures have which score.
pub(super) fn histogram(scores: &[f32], labels: &[bool]) -> Markup {
    let lo = scores.iter().copied().fold(f32::INFINITY, f32::min);
    let hi = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut counts = [[0_usize; BARS]; 2];
    for (score, label) in scores.iter().zip(labels) {
        let place = if hi > lo { (score - lo) / (hi - lo) * BARS as f32 } else { 0.0 };
        counts[usize::from(*label)][(place as usize).min(BARS - 1)] += 1;
    }
    let most = counts.iter().flatten().copied().max().unwrap_or(1).max(1) as f64;
    let height = |count: usize| 200.0 * count as f64 / most;
    html! {
        svg width="340" height="270" viewBox="0 0 340 270" role="img" aria-label="Scores of normal and abnormal pictures" {
            path d="M10 230H330" stroke="var(--line)" {}
            @for (class, colour) in ["var(--normal)", "var(--abnormal)"].into_iter().enumerate() {
                @for (n, count) in counts[class].into_iter().enumerate() {
                    rect x=(10 + 16 * n + 7 * class) y=(format_args!("{:.1}", 230.0 - height(count)))
                        width="7" height=(format_args!("{:.1}", height(count))) fill=(colour) {}
                }
            }
            g font-size="12" {
                text x="10" y="260" fill="currentColor" { (format_args!("{lo:.3}")) }
                text x="330" y="260" text-anchor="end" fill="currentColor" { (format_args!("{hi:.3}")) }
                text x="110" y="260" fill="var(--normal)" { "normal" }
                text x="170" y="260" fill="var(--abnormal)" { "abnormal" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_pictures_are_many() {
        let drawn = histogram(&[0.0, 0.1, 1.0, 1.0, 1.0, 1.0], &[false, false, false, true, true, true]).into_string();
        let heights = |colour: &str| -> Vec<f64> {
            let bars = drawn.split("<rect ").skip(1).filter_map(|bar| bar.split('>').next());
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
