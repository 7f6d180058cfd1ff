//! Confidence of a figure over pictures.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde::Serialize;

/// The middle 95 % of resampled figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// 2.5 % of them are lower.
    pub lo: f64,
    /// 2.5 % of them are higher.
    pub hi: f64,
}

/// Percentile bootstrap over pictures, each class resampled by itself so that none goes missing.
/// Pictures of one patient are not independent: with such pictures the truth is wider.
pub fn bootstrap(
    scores: &[f32],
    labels: &[bool],
    metric: impl Fn(&[f32], &[bool]) -> Option<f64>,
    seed: u64,
    rounds: usize,
) -> Option<Interval> {
    metric(scores, labels)?;
    let mut rng = Pcg64::seed_from_u64(seed);
    let classes: Vec<Vec<f32>> = [false, true]
        .iter()
        .map(|class| scores.iter().zip(labels).filter(|(_, l)| *l == class).map(|(s, _)| *s).collect())
        .collect();
    let drawn_labels: Vec<bool> =
        classes.iter().zip([false, true]).flat_map(|(class, label)| vec![label; class.len()]).collect();
    let mut figures = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let drawn: Vec<f32> = classes
            .iter()
            .flat_map(|class| (0..class.len()).map(|_| class[rng.random_range(0..class.len())]).collect::<Vec<_>>())
            .collect();
        figures.extend(metric(&drawn, &drawn_labels));
    }
    middle(figures)
}

/// The middle 95 %; `None` of nothing.
pub(crate) fn middle(mut figures: Vec<f64>) -> Option<Interval> {
    figures.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| figures.get((figures.len().saturating_sub(1) as f64 * share).round() as usize).copied();
    Some(Interval { lo: at(0.025)?, hi: at(0.975)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::auroc;

    #[test]
    fn holds_the_figure_and_narrows_with_more_pictures() {
        let set = |n: usize| -> (Vec<f32>, Vec<bool>) {
            (0..n).map(|i| (((i * 7919) % 101) as f32 + if i % 3 == 0 { 25.0 } else { 0.0 }, i % 3 == 0)).unzip()
        };
        let width = |n: usize| {
            let (scores, labels) = set(n);
            let interval = bootstrap(&scores, &labels, auroc, 1, 400).unwrap();
            let figure = auroc(&scores, &labels).unwrap();
            assert!(interval.lo <= figure && figure <= interval.hi, "{interval:?} {figure}");
            interval.hi - interval.lo
        };
        assert!(width(600) < 0.6 * width(60));
        assert_eq!(bootstrap(&[1.0, 2.0], &[true, true], auroc, 1, 10), None);
    }
}
