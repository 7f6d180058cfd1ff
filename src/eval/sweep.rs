//! One walk down the scores gives every curve.
//!
//! Comes in: scores with labels, the highest first, equal ones together. Goes out: area under the
//! ROC curve, average precision and the largest F1 as scikit-learn defines them, and per-region
//! overlap. `None` if a class is missing: there is no such figure then.

/// False-positive rate up to which per-region overlap is integrated.
const PRO_LIMIT: f64 = 0.3;

/// Counts of everything above the threshold so far.
#[derive(Clone, Debug)]
pub(crate) struct Sweep {
    positives: f64,
    negatives: f64,
    regions: f64,
    true_positives: f64,
    false_positives: f64,
    overlap: f64,
    roc_area: f64,
    precision_area: f64,
    best_f1: f64,
    pro_area: f64,
}

impl Sweep {
    /// For so many of each class, and so many abnormal regions.
    pub(crate) fn new(positives: f64, negatives: f64, regions: f64) -> Self {
        Self {
            positives,
            negatives,
            regions,
            true_positives: 0.0,
            false_positives: 0.0,
            overlap: 0.0,
            roc_area: 0.0,
            precision_area: 0.0,
            best_f1: 0.0,
            pro_area: 0.0,
        }
    }

    /// Lowers the threshold to the next score, which so many of each class have. `overlap` is the
    /// sum over the positives of 1 / size of their region.
    pub(crate) fn lower(&mut self, positives: f64, negatives: f64, overlap: f64) {
        let (tp, fp, before) = (self.true_positives, self.false_positives, self.overlap);
        self.true_positives += positives;
        self.false_positives += negatives;
        self.overlap += overlap;
        self.roc_area += (self.false_positives - fp) * (tp + self.true_positives) / 2.0;
        // Nothing above the threshold yet has no precision; there is nothing to weigh by it either.
        let precision = self.true_positives / (self.true_positives + self.false_positives).max(1.0);
        self.precision_area += (self.true_positives - tp) * precision;
        let f1 = 2.0 * self.true_positives / (self.true_positives + self.false_positives + self.positives);
        self.best_f1 = self.best_f1.max(f1);
        let limit = PRO_LIMIT * self.negatives;
        if fp < limit && self.false_positives > fp {
            // Cut the last piece at the limit, on a straight line.
            let end = self.false_positives.min(limit);
            let share = (end - fp) / (self.false_positives - fp);
            let at_end = before + (self.overlap - before) * share;
            self.pro_area += (end - fp) * (before + at_end) / 2.0;
        }
    }

    fn has_both(&self) -> bool {
        self.positives > 0.0 && self.negatives > 0.0
    }

    pub(crate) fn auroc(&self) -> Option<f64> {
        self.has_both().then(|| self.roc_area / (self.positives * self.negatives))
    }

    pub(crate) fn average_precision(&self) -> Option<f64> {
        self.has_both().then(|| self.precision_area / self.positives)
    }

    pub(crate) fn f1_max(&self) -> Option<f64> {
        self.has_both().then_some(self.best_f1)
    }

    /// Mean over regions of the part found, integrated over the false-positive rate up to 0.3 and
    /// divided by it.
    pub(crate) fn pro(&self) -> Option<f64> {
        self.has_both().then(|| self.pro_area / (self.regions * PRO_LIMIT * self.negatives))
    }
}

/// Walks down scores that fit into memory; `visit` is called after each distinct score.
fn sweep(scores: &[f32], labels: &[bool], mut visit: impl FnMut(&Sweep)) -> Sweep {
    let positives = labels.iter().filter(|l| **l).count();
    let mut sweep = Sweep::new(positives as f64, (labels.len() - positives) as f64, 1.0);
    let mut order: Vec<usize> = (0..scores.len().min(labels.len())).collect();
    order.sort_unstable_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let mut rest = order.as_slice();
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|i| scores[**i] == scores[*first]).count().max(1);
        let (group, others) = rest.split_at(same);
        let hits = group.iter().filter(|i| labels[**i]).count();
        sweep.lower(hits as f64, (group.len() - hits) as f64, 0.0);
        visit(&sweep);
        rest = others;
    }
    sweep
}

/// Area under the ROC curve; `None` with one class only.
pub fn auroc(scores: &[f32], labels: &[bool]) -> Option<f64> {
    sweep(scores, labels, |_| {}).auroc()
}

/// Average precision; `None` with one class only.
pub fn average_precision(scores: &[f32], labels: &[bool]) -> Option<f64> {
    sweep(scores, labels, |_| {}).average_precision()
}

/// The largest F1 over all thresholds; `None` with one class only.
pub fn f1_max(scores: &[f32], labels: &[bool]) -> Option<f64> {
    sweep(scores, labels, |_| {}).f1_max()
}

/// Points (false-positive rate, true-positive rate) from (0, 0) to (1, 1); empty with one class only.
pub fn roc_curve(scores: &[f32], labels: &[bool]) -> Vec<(f64, f64)> {
    let mut points = vec![(0.0, 0.0)];
    let whole = sweep(scores, labels, |s| {
        points.push((s.false_positives / s.negatives, s.true_positives / s.positives));
    });
    if whole.has_both() { points } else { Vec::new() }
}
