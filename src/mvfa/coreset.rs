//! A smaller memory: a few rows in place of all.
//!
//! Comes in: unit rows. Goes out: some of them, as far apart as can be (a greedy coreset). Cannot fail, and nothing is
//! drawn by chance. Centres of k-means, which are means of rows, lose more (docs/decisions.md).

use crate::compute::dot;

/// At most `keep` of `rows`, `[n, dim]` row-major: the first, then again and again the one furthest from all that were
/// taken. `keep` counts at least one.
pub fn compress(rows: &[f32], dim: usize, keep: usize) -> Vec<f32> {
    let mut choice = Choice::new(rows, dim, keep);
    while choice.step() {}
    choice.finish()
}

/// Rows being chosen, one a step.
pub(crate) struct Choice<'a> {
    rows: &'a [f32],
    dim: usize,
    /// Values of all rows to choose.
    wanted: usize,
    taken: Vec<f32>,
    /// Per row the cosine of the nearest one taken, the last one left out.
    closest: Vec<f32>,
}

impl<'a> Choice<'a> {
    pub(crate) fn new(rows: &'a [f32], dim: usize, keep: usize) -> Self {
        let (keep, count) = (keep.max(1), rows.len() / dim.max(1));
        let taken = if count <= keep { rows } else { rows.get(..dim).unwrap_or_default() };
        let wanted = keep.min(count) * dim;
        Self { rows, dim, wanted, taken: taken.to_vec(), closest: vec![f32::NEG_INFINITY; count] }
    }

    /// Takes one more row. False when there are as many as wanted.
    pub(crate) fn step(&mut self) -> bool {
        if self.taken.len() >= self.wanted {
            return false;
        }
        let last = self.taken.get(self.taken.len() - self.dim..).unwrap_or_default();
        let mut furthest: (f32, &[f32]) = (f32::INFINITY, &[]);
        for (row, closest) in self.rows.chunks_exact(self.dim).zip(&mut self.closest) {
            *closest = closest.max(dot(row, last));
            if *closest < furthest.0 {
                furthest = (*closest, row);
            }
        }
        self.taken.extend_from_slice(furthest.1);
        true
    }

    pub(crate) fn finish(self) -> Vec<f32> {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_one_row_of_every_direction_before_a_second_of_any() {
        let rows: Vec<f32> = (0..60)
            .flat_map(|n| {
                let angle = [0.0_f32, 2.0, 4.0][n % 3] + 0.02 * (n as f32 / 60.0 - 0.5);
                [angle.cos(), angle.sin()]
            })
            .collect();
        let small = compress(&rows, 2, 3);
        assert_eq!(small.len(), 6);
        for row in rows.chunks_exact(2) {
            let cosine = small.chunks_exact(2).map(|taken| dot(row, taken)).fold(f32::MIN, f32::max);
            assert!(cosine > 0.999, "{row:?} is {cosine} from {small:?}");
        }
        for taken in small.chunks_exact(2) {
            assert!(rows.chunks_exact(2).any(|row| row == taken), "{taken:?} is none of the rows");
        }
        assert_eq!(compress(&rows, 2, 0), rows[..2], "one row at least");
        assert_eq!(compress(&rows, 2, 60), rows);
        assert_eq!(compress(&[f32::NAN; 8], 2, 3).len(), 6, "it ends");
    }
}
