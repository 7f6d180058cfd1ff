//! Directions that many rows share: spherical k-means.
//!
//! Comes in: unit rows. Goes out: centres of length 1, and to which of them each row belongs. Cannot fail, and nothing is
//! drawn by chance: the first centres are rows that lie as far apart as can be (see [`crate::mvfa::coreset`]).

use crate::compute::dot;
use crate::mvfa::coreset::Choice;

/// Rounds at most; most sets stop before.
const ROUNDS: usize = 20;

/// Rows and their centres while these are looked for.
#[derive(Clone, Debug)]
pub(crate) struct Clusters {
    dim: usize,
    /// `[centres, dim]`, row-major.
    centres: Vec<f32>,
    /// Per row the number of its centre.
    of_row: Vec<usize>,
    rounds: usize,
}

impl Clusters {
    /// The first centres of `rows`, `[n, dim]` row-major: at most `count`.
    pub(crate) fn new(rows: &[f32], dim: usize, count: usize) -> Self {
        let mut choice = Choice::new(rows, dim, count);
        while choice.step() {}
        let mut clusters = Self { dim: dim.max(1), centres: choice.finish(), of_row: Vec::new(), rounds: 0 };
        clusters.of_row = rows.chunks_exact(clusters.dim).map(|row| clusters.nearest(row)).collect();
        clusters
    }

    /// All rounds at once.
    pub(crate) fn found(rows: &[f32], dim: usize, count: usize) -> Self {
        let mut clusters = Self::new(rows, dim, count);
        while clusters.step(rows) {}
        clusters
    }

    /// Moves each centre to the mean of its rows, and each row to its nearest centre. False when nothing changes any more.
    pub(crate) fn step(&mut self, rows: &[f32]) -> bool {
        if self.rounds == ROUNDS {
            return false;
        }
        self.rounds += 1;
        let mut sums = vec![0.0_f32; self.centres.len()];
        for (row, centre) in rows.chunks_exact(self.dim).zip(&self.of_row) {
            let sum = sums.get_mut(centre * self.dim..(centre + 1) * self.dim).unwrap_or_default();
            sum.iter_mut().zip(row).for_each(|(s, v)| *s += v);
        }
        for (centre, sum) in self.centres.chunks_exact_mut(self.dim).zip(sums.chunks_exact(self.dim)) {
            let length = dot(sum, sum).sqrt();
            // A centre that lost its rows stays where it is.
            if length > 0.0 {
                centre.iter_mut().zip(sum).for_each(|(c, s)| *c = s / length);
            }
        }
        let moved: Vec<usize> = rows.chunks_exact(self.dim).map(|row| self.nearest(row)).collect();
        let is_new = moved != self.of_row;
        self.of_row = moved;
        is_new
    }

    /// The number of the centre with the largest cosine; the first of equals.
    pub(crate) fn nearest(&self, row: &[f32]) -> usize {
        let mut best = (f32::NEG_INFINITY, 0);
        for (n, centre) in self.centres.chunks_exact(self.dim).enumerate() {
            let cosine = dot(row, centre);
            if cosine > best.0 {
                best = (cosine, n);
            }
        }
        best.1
    }

    /// How many rows each centre has.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.centres.len() / self.dim];
        self.of_row.iter().for_each(|centre| sizes[*centre] += 1);
        sizes
    }

    /// Per row the number of its centre.
    pub(crate) fn of_rows(&self) -> &[usize] {
        &self.of_row
    }

    /// The centres, each of `dim` values.
    pub(crate) fn centres(&self) -> impl Iterator<Item = &[f32]> {
        self.centres.chunks_exact(self.dim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Unit rows of two numbers around three angles.
    fn rows() -> Vec<f32> {
        (0..30)
            .flat_map(|n| {
                let angle = [0.0_f32, 2.0, 4.0][n % 3] + 0.1 * (n as f32 / 30.0 - 0.5);
                [angle.cos(), angle.sin()]
            })
            .collect()
    }

    #[test]
    fn rows_of_one_direction_share_a_centre() {
        let (rows, found) = (rows(), Clusters::found(&rows(), 2, 3));
        assert_eq!(found.sizes(), [10, 10, 10]);
        for (n, centre) in found.of_rows().iter().enumerate() {
            assert_eq!(*centre, found.of_rows()[n % 3], "row {n}");
            assert_eq!(found.nearest(&rows[2 * n..2 * n + 2]), *centre);
        }
        for centre in found.centres() {
            assert!((dot(centre, centre) - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn fewer_rows_than_centres_and_rows_that_are_no_numbers_end() {
        assert_eq!(Clusters::found(&rows()[..4], 2, 9).sizes(), [1, 1]);
        assert_eq!(Clusters::found(&[], 2, 3).of_rows(), [] as [usize; 0]);
        assert_eq!(Clusters::found(&[f32::NAN; 8], 2, 3).of_rows().len(), 4);
    }
}
