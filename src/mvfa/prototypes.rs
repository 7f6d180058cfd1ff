//! What most of a picture looks like, and how far each of its patches lies from that.
//!
//! Comes in: unit patch rows of the memory's levels. Goes out: a distance a patch. Plain arithmetic, cannot fail. No
//! reference is needed: the picture's own patches are gathered into a few directions, and those that hold enough patches are
//! its intrinsic prototypes (after INP-Former, which learns them; here they are centres of k-means). A large lesion makes a
//! prototype of its own and is then not seen. With z a patch's unit rows of all L levels joined, over √L,
//!
//! ```text
//! p(i) = 1 − max z(i)·c   over the centres c, of length 1, that hold a share of the patches
//! ```

use crate::compute::dot;
use crate::mvfa::clusters::Clusters;

/// Centres that are looked for: as many as INP-Former has queries.
const CENTRES: usize = 6;

/// Share of a picture's patches that a prototype holds at least.
const LEAST_SHARE: f64 = 0.05;

/// Per level unit rows `[patches, dim]`, row-major → per patch its distance to the nearest prototype. Empty if rows are
/// missing.
pub(crate) fn prototype_distances(levels: &[Vec<f32>], patches: usize) -> Vec<f32> {
    let rows = joined(levels, patches);
    let dim = rows.len() / patches.max(1);
    if dim == 0 {
        return Vec::new();
    }
    let clusters = Clusters::found(&rows, dim, CENTRES);
    let least = (LEAST_SHARE * patches as f64).ceil() as usize;
    let sizes = clusters.sizes();
    let prototypes: Vec<&[f32]> =
        clusters.centres().zip(sizes).filter(|(_, size)| *size >= least).map(|(centre, _)| centre).collect();
    rows.chunks_exact(dim)
        .map(|row| 1.0 - prototypes.iter().map(|prototype| dot(row, prototype)).fold(-1.0, f32::max))
        .collect()
}

/// The rows of all levels side by side, of length 1: `[patches, sum of dims]`. Empty if levels differ in their patches.
fn joined(levels: &[Vec<f32>], patches: usize) -> Vec<f32> {
    if levels.iter().any(|level| level.is_empty() || !level.len().is_multiple_of(patches.max(1))) {
        return Vec::new();
    }
    let scale = 1.0 / (levels.len() as f32).sqrt();
    let row = |patch: usize| {
        levels.iter().flat_map(move |level| {
            let dim = level.len() / patches;
            level.get(patch * dim..(patch + 1) * dim).unwrap_or_default().iter().map(move |value| scale * value)
        })
    };
    (0..patches).flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of two numbers: the patch's angle.
    fn level(angles: &[f32]) -> Vec<f32> {
        angles.iter().flat_map(|angle| [angle.cos(), angle.sin()]).collect()
    }

    #[test]
    fn what_few_patches_show_is_far_from_what_most_show() {
        // Two kinds of tissue, 29 patches each, and two patches unlike both.
        let mut angles: Vec<f32> = (0..58).map(|n| if n % 2 == 0 { 0.0 } else { 1.0 }).collect();
        angles.extend([2.5, 2.5]);
        let found = prototype_distances(&[level(&angles), level(&angles)], angles.len());
        assert!(found[..58].iter().all(|d| d.abs() < 1e-6), "{found:?}");
        assert!((found[58] - (1.0 - 1.5_f32.cos())).abs() < 1e-5, "as far as from the nearer kind: {}", found[58]);
    }

    #[test]
    fn levels_are_joined_with_equal_weight() {
        let rows = joined(&[vec![1.0, 0.0, 0.0, 1.0], vec![0.0, 1.0, 0.0, 1.0]], 2);
        let half = 0.5_f32.sqrt();
        assert_eq!(rows, [half, 0.0, 0.0, half, 0.0, half, 0.0, half]);
        assert!(prototype_distances(&[vec![1.0; 3]], 2).is_empty() && prototype_distances(&[], 2).is_empty());
    }
}
