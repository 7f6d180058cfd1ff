//! A smaller memory bank: centres in place of rows.
//!
//! Comes in: unit rows. Goes out: fewer unit rows, by spherical k-means from starting rows that lie far apart.
//! Cannot fail, and nothing is drawn by chance. Fewer rows are faster to search and blur what is normal.

/// Rounds of k-means; centres hardly move after these.
const ROUNDS: usize = 8;

/// Sums that run side by side, so that a compiler may use vectors.
const LANES: usize = 8;

/// At most `keep` unit rows that stand for `rows`, `[n, dim]` row-major; all of them where there are no more.
/// `keep` counts at least one.
pub fn compress(rows: &[f32], dim: usize, keep: usize) -> Vec<f32> {
    let keep = keep.max(1);
    if dim == 0 || rows.len() <= keep * dim {
        return rows.to_vec();
    }
    let mut centres = far_apart(rows, dim, keep);
    for _ in 0..ROUNDS {
        let mut sums = vec![0.0_f32; centres.len()];
        for row in rows.chunks_exact(dim) {
            let nearest = nearest(row, &centres);
            if let Some(sum) = sums.chunks_exact_mut(dim).nth(nearest) {
                sum.iter_mut().zip(row).for_each(|(s, v)| *s += v);
            }
        }
        for (centre, sum) in centres.chunks_exact_mut(dim).zip(sums.chunks_exact(dim)) {
            let length = dot(sum, sum).sqrt();
            // A centre that nothing is nearest to stays where it was.
            if length > 0.0 {
                centre.iter_mut().zip(sum).for_each(|(c, s)| *c = s / length);
            }
        }
    }
    centres
}

/// The first row, then again and again the row furthest from all that were taken.
fn far_apart(rows: &[f32], dim: usize, keep: usize) -> Vec<f32> {
    let mut taken: Vec<f32> = rows.iter().take(dim).copied().collect();
    let mut closest = vec![f32::NEG_INFINITY; rows.len() / dim];
    while taken.len() < keep * dim {
        let last = taken.get(taken.len() - dim..).unwrap_or_default();
        let mut furthest = (f32::INFINITY, 0);
        for (n, (row, closest)) in rows.chunks_exact(dim).zip(&mut closest).enumerate() {
            *closest = closest.max(dot(row, last));
            if *closest < furthest.0 {
                furthest = (*closest, n);
            }
        }
        let next = rows.chunks_exact(dim).nth(furthest.1).unwrap_or_default();
        taken.extend_from_slice(next);
    }
    taken
}

/// The centre with the largest cosine.
fn nearest(row: &[f32], centres: &[f32]) -> usize {
    let mut best = (f32::NEG_INFINITY, 0);
    for (n, centre) in centres.chunks_exact(row.len()).enumerate() {
        let cosine = dot(row, centre);
        if cosine > best.0 {
            best = (cosine, n);
        }
    }
    best.1
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (a_whole, b_whole) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a_whole.remainder().iter().zip(b_whole.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_whole.zip(b_whole) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_directions_rows_lie_in() {
        let mut rows = Vec::new();
        for n in 0..60 {
            let angle = [0.0_f32, 2.0, 4.0][n % 3] + 0.02 * (n as f32 / 60.0 - 0.5);
            rows.extend([angle.cos(), angle.sin()]);
        }
        let small = compress(&rows, 2, 3);
        assert_eq!(small.len(), 6);
        for row in rows.chunks_exact(2) {
            let cosine = small.chunks_exact(2).map(|c| dot(row, c)).fold(f32::MIN, f32::max);
            assert!(cosine > 0.999, "{row:?} is {cosine} from {small:?}");
        }
        assert_eq!(compress(&rows, 2, 0).len(), 2, "one row at least");
        assert_eq!(compress(&rows, 2, 60), rows);
    }

    #[test]
    fn sums_side_by_side_leave_nothing_out() {
        let values: Vec<f32> = (0..21).map(|n| n as f32).collect();
        assert_eq!(dot(&values, &values), 2870.0);
    }
}
