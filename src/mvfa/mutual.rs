//! Pictures that judge each other, without references.
//!
//! Comes in: per other picture the distances of a picture's patches to the nearest of its own. Goes out: per patch the mean
//! of the smallest of them. Plain arithmetic, cannot fail. What most pictures of a batch show is normal, whether or not some
//! of them are not; a patch that is unusual finds its like in few of them (after MuSc, without its neighbourhoods of patches
//! and its second look at whole pictures).

/// Share of the other pictures, those that are nearest to a patch, that judge it.
const NEAREST_SHARE: f64 = 0.3;

/// Per other picture the distances `[patches]` → their mean over the nearest pictures, `[patches]`.
pub(crate) fn mutual_distances(others: &[Vec<f32>]) -> Vec<f32> {
    let patches = others.iter().map(Vec::len).min().unwrap_or(0);
    let counted = ((others.len() as f64 * NEAREST_SHARE) as usize).max(1);
    let mean = |patch: usize| {
        let mut distances: Vec<f32> = others.iter().map(|other| other[patch]).collect();
        distances.sort_unstable_by(f32::total_cmp);
        distances.truncate(counted);
        distances.iter().sum::<f32>() / distances.len().max(1) as f32
    };
    (0..patches).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_three_tenths_count() {
        let others: Vec<Vec<f32>> = (0..10).map(|n| vec![n as f32, 9.0 - n as f32, 4.0]).collect();
        assert_eq!(mutual_distances(&others), [1.0, 1.0, 4.0]);
        assert_eq!(mutual_distances(&others[4..7]), [4.0, 3.0, 4.0], "of three the nearest alone");
        assert!(mutual_distances(&[]).is_empty());
    }
}
