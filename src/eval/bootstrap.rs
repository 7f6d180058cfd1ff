//! Confidence of a figure over pictures, drawn by person.

use std::collections::BTreeMap;

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

/// Percentile bootstrap over persons: `persons` has the number of each picture's, and pictures of one person are drawn
/// together. Persons with normal, with abnormal and with both kinds of pictures are drawn by themselves, so that no class
/// goes missing. Where persons are not known each picture is its own, and the truth is wider.
pub fn bootstrap(
    scores: &[f32],
    labels: &[bool],
    persons: &[usize],
    metric: impl Fn(&[f32], &[bool]) -> Option<f64>,
    seed: u64,
    rounds: usize,
) -> Option<Interval> {
    metric(scores, labels)?;
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut pictures = BTreeMap::<usize, Vec<(f32, bool)>>::new();
    for ((score, label), person) in scores.iter().zip(labels).zip(persons) {
        pictures.entry(*person).or_default().push((*score, *label));
    }
    let has = |person: &[(f32, bool)], class: bool| person.iter().any(|(_, label)| *label == class);
    let kinds: Vec<Vec<&Vec<(f32, bool)>>> = [(true, false), (false, true), (true, true)]
        .iter()
        .map(|kind| pictures.values().filter(|p| (has(p, false), has(p, true)) == *kind).collect())
        .collect();
    let mut figures = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let mut drawn = (Vec::with_capacity(scores.len()), Vec::with_capacity(scores.len()));
        for kind in &kinds {
            for _ in 0..kind.len() {
                drawn.extend(kind[rng.random_range(0..kind.len())].iter().copied());
            }
        }
        figures.extend(metric(&drawn.0, &drawn.1));
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
            let persons: Vec<usize> = (0..n).collect();
            let interval = bootstrap(&scores, &labels, &persons, auroc, 1, 400).unwrap();
            let figure = auroc(&scores, &labels).unwrap();
            assert!(interval.lo <= figure && figure <= interval.hi, "{interval:?} {figure}");
            interval.hi - interval.lo
        };
        assert!(width(600) < 0.6 * width(60));
        assert_eq!(bootstrap(&[1.0, 2.0], &[true, true], &[0, 1], auroc, 1, 10), None);
    }

    #[test]
    fn pictures_of_one_person_are_drawn_together() {
        let set = |copies: usize| -> (Vec<f32>, Vec<bool>, Vec<usize>) {
            let all = (0..40 * copies).map(|i| i / copies);
            let score = |p: usize| ((p * 7919) % 101) as f32 + if p.is_multiple_of(2) { 25.0 } else { 0.0 };
            let mut set = (Vec::new(), Vec::new(), Vec::new());
            all.for_each(|p| {
                set.0.push(score(p));
                set.1.push(p % 2 == 0);
                set.2.push(p);
            });
            set
        };
        // Copies of a picture tell nothing new: by person the interval stays, by picture it narrows.
        let interval = |(scores, labels, persons): &(Vec<f32>, Vec<bool>, Vec<usize>)| {
            bootstrap(scores, labels, persons, auroc, 1, 400).unwrap()
        };
        let (one, many) = (set(1), set(9));
        assert_eq!(interval(&one), interval(&many));
        let by_picture = interval(&(many.0.clone(), many.1.clone(), (0..360).collect()));
        let width = |i: Interval| i.hi - i.lo;
        assert!(width(by_picture) < 0.6 * width(interval(&one)));
    }

    #[test]
    fn a_person_with_both_classes_keeps_them() {
        let interval = bootstrap(&[0.0, 1.0], &[false, true], &[7, 7], auroc, 1, 20);
        assert_eq!(interval, Some(Interval { lo: 1.0, hi: 1.0 }));
    }
}
