//! Confidence of pixel figures: the sweep over all pixels, repeated for pictures drawn with replacement.
//!
//! Comes in: pixels from the highest score down, each with the picture or region it belongs to. Goes
//! out: the middle 95 % of each figure. Cannot fail. All rounds walk down together: a round differs
//! from the set only in how often it holds each picture, so pixels are counted once per step and the
//! counts are weighed. A step joins the scores of a thousandth of a class; only intervals are made
//! this way, never the figures themselves.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::eval::bootstrap::{Interval, middle};
use crate::eval::sweep::Sweep;

/// Steps that each class is cut into.
const STEPS: f64 = 1000.0;

/// Pixels that count alike: the normal ones of a picture, or those of an abnormal region.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    /// Number of the picture.
    pub(crate) picture: usize,
    /// Pixels of the region; `None` for normal pixels.
    pub(crate) region_px: Option<usize>,
    /// Pixels of the group.
    pub(crate) pixels: usize,
}

/// Intervals of pixel figures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PixelIntervals {
    /// Of the area under the ROC curve.
    pub auroc: Option<Interval>,
    /// Of average precision.
    pub average_precision: Option<Interval>,
    /// Of per-region overlap.
    pub pro: Option<Interval>,
}

/// All rounds on their way down.
pub(crate) struct Resampled<'a> {
    groups: &'a [Group],
    /// How often each round holds each picture, `[pictures, rounds]`.
    held: Vec<u16>,
    rounds: Vec<Sweep>,
    /// Pixels of each group since the last step.
    counts: Vec<u32>,
    touched: Vec<u32>,
    since: [f64; 2],
    step: [f64; 2],
}

impl<'a> Resampled<'a> {
    /// Draws the rounds. Pictures with and without regions are drawn apart, so that none goes missing.
    pub(crate) fn new(groups: &'a [Group], rounds: usize, seed: u64) -> Self {
        let pictures = groups.iter().map(|g| g.picture + 1).max().unwrap_or(0);
        let mut abnormal = vec![false; pictures];
        groups.iter().filter(|g| g.region_px.is_some()).for_each(|g| abnormal[g.picture] = true);
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut held = vec![0_u16; pictures * rounds];
        for class in [false, true] {
            let members: Vec<usize> = (0..pictures).filter(|p| abnormal[*p] == class).collect();
            for round in 0..rounds {
                for _ in 0..members.len() {
                    held[members[rng.random_range(0..members.len())] * rounds + round] += 1;
                }
            }
        }
        let mut totals = vec![[0.0; 3]; rounds];
        let mut whole = [0.0; 2];
        for group in groups {
            let class = usize::from(group.region_px.is_some());
            whole[class] += group.pixels as f64;
            for (total, times) in totals.iter_mut().zip(&held[group.picture * rounds..]) {
                total[class] += f64::from(*times) * group.pixels as f64;
                total[2] += f64::from(*times) * class as f64;
            }
        }
        Self {
            groups,
            held,
            rounds: totals
                .iter()
                .map(|[negatives, positives, regions]| Sweep::new(*positives, *negatives, *regions))
                .collect(),
            counts: vec![0; groups.len()],
            touched: Vec::new(),
            since: [0.0; 2],
            step: whole.map(|pixels| (pixels / STEPS).max(1.0)),
        }
    }

    /// Counts the next pixel. `ends` says that the pixel after it has a lower score.
    pub(crate) fn count(&mut self, group: u32, ends: bool) {
        let Some(count) = self.counts.get_mut(group as usize) else { return };
        if *count == 0 {
            self.touched.push(group);
        }
        *count += 1;
        let class = usize::from(self.groups[group as usize].region_px.is_some());
        self.since[class] += 1.0;
        if ends && (self.since[0] >= self.step[0] || self.since[1] >= self.step[1]) {
            self.lower();
        }
    }

    fn lower(&mut self) {
        let rounds = self.rounds.len();
        let mut more = vec![[0.0; 3]; rounds];
        for group in self.touched.drain(..) {
            let pixels = f64::from(std::mem::take(&mut self.counts[group as usize]));
            let Group { picture, region_px, .. } = self.groups[group as usize];
            let held = self.held[picture * rounds..].iter();
            match region_px {
                None => more.iter_mut().zip(held).for_each(|(m, times)| m[0] += f64::from(*times) * pixels),
                Some(region_px) => more.iter_mut().zip(held).for_each(|(m, times)| {
                    m[1] += f64::from(*times) * pixels;
                    m[2] += f64::from(*times) * pixels / region_px as f64;
                }),
            }
        }
        for (round, [negatives, positives, overlap]) in self.rounds.iter_mut().zip(more) {
            round.lower(positives, negatives, overlap);
        }
        self.since = [0.0; 2];
    }

    /// The intervals, after the last pixel.
    pub(crate) fn finish(mut self) -> PixelIntervals {
        self.lower();
        let of = |figure: fn(&Sweep) -> Option<f64>| middle(self.rounds.iter().filter_map(figure).collect());
        PixelIntervals { auroc: of(Sweep::auroc), average_precision: of(Sweep::average_precision), pro: of(Sweep::pro) }
    }
}
