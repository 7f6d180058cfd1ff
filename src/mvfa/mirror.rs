//! The left-right channel: how far each patch lies from what the picture itself shows at the mirrored place.
//!
//! Comes in: unit patch rows of the memory's levels. Goes out: a distance a patch. Plain arithmetic, cannot fail. For objects
//! whose two sides look alike, seen straight: heads, chests. With z a patch's unit rows of all L levels joined, over √L,
//!
//! ```text
//! s(i) = 1 − max z(i)·z(j)   over patches j = (r', c') with (r' − r)² + (g − 1 − c' − c)² ≤ (0.1 g)²,  i = (r, c)
//! ```
//!
//! The window forgives a head that is not quite straight or not quite in the middle. Each patch is compared with the
//! picture's own patches only, so no reference is needed; beside a memory the channel is one more level, at half weight.

use crate::compute::dot;

/// Weight of the channel beside the memory's distances.
pub(crate) const BESIDE_MEMORY: f32 = 0.5;

/// The window's radius is the grid's side divided by this.
const SIDES_A_RADIUS: usize = 10;

/// Per level unit rows `[grid², dim]`, row-major → per patch its distance to the mirrored place, `[grid²]`. Empty if rows
/// are missing.
pub(crate) fn mirror_distances(levels: &[Vec<f32>], grid: usize) -> Vec<f32> {
    let patches = grid * grid;
    let dim = |level: &Vec<f32>| level.len() / patches.max(1);
    if levels.is_empty() || levels.iter().any(|level| dim(level) == 0 || level.len() != patches * dim(level)) {
        return Vec::new();
    }
    let cosine = |a: usize, b: usize| {
        let of_level = |level: &Vec<f32>| {
            let row = |n: usize| level.get(n * dim(level)..(n + 1) * dim(level)).unwrap_or_default();
            dot(row(a), row(b))
        };
        levels.iter().map(of_level).sum::<f32>() / levels.len() as f32
    };
    let reach = grid / SIDES_A_RADIUS;
    let around = |at: usize| at.saturating_sub(reach)..(at + reach + 1).min(grid);
    let is_near = |rows: usize, columns: usize| {
        SIDES_A_RADIUS * SIDES_A_RADIUS * (rows * rows + columns * columns) <= grid * grid
    };
    let distance = |patch: usize| {
        let (row, mirrored) = (patch / grid, grid - 1 - patch % grid);
        let places = around(row).flat_map(|r| around(mirrored).map(move |c| (r, c)));
        let near = places.filter(|(r, c)| is_near(r.abs_diff(row), c.abs_diff(mirrored)));
        1.0 - near.map(|(r, c)| cosine(patch, r * grid + c)).fold(f32::NEG_INFINITY, f32::max)
    };
    (0..patches).map(distance).collect()
}

/// The same values at the weight that they have beside a memory.
pub(crate) fn beside_memory(distances: &[f32]) -> Vec<f32> {
    distances.iter().map(|distance| BESIDE_MEMORY * distance).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: usize = 11;

    /// Rows of two numbers: the patch's angle.
    fn level(angle: impl Fn(usize, usize) -> f32) -> Vec<f32> {
        (0..GRID * GRID).flat_map(|n| [angle(n / GRID, n % GRID).cos(), angle(n / GRID, n % GRID).sin()]).collect()
    }

    #[test]
    fn a_symmetric_picture_is_near_itself_and_a_spot_on_one_side_is_not() {
        let symmetric = |row: usize, column: usize| 0.3 * row as f32 + 0.2 * column.min(GRID - 1 - column) as f32;
        let plain = mirror_distances(&[level(symmetric), level(|r, c| 0.5 * symmetric(r, c))], GRID);
        assert!(plain.iter().all(|d| d.abs() < 1e-6), "{plain:?}");
        let spot = level(|r, c| if (r, c) == (3, 2) { -1.5 } else { symmetric(r, c) });
        let found = mirror_distances(&[spot], GRID);
        let far: Vec<usize> = (0..GRID * GRID).filter(|n| found[*n] > 0.5).collect();
        assert_eq!(far, [3 * GRID + 2], "neighbours of the mirrored place are searched, too");
    }

    #[test]
    fn the_window_is_a_disc_of_a_tenth_of_the_grid() {
        // One patch alone looks like the one in question; how far it may lie from the mirrored place.
        let near = |rows: isize, columns: isize| {
            let (row, mirrored) = (5, GRID as isize - 1 - 3);
            let twin = ((row + rows) as usize, (mirrored + columns) as usize);
            let found =
                mirror_distances(&[level(|r, c| if (r, c) == (5, 3) || (r, c) == twin { 0.0 } else { 1.5 })], GRID);
            found[5 * GRID + 3] < 0.5
        };
        // A radius of 1.1: its square is 1.21.
        assert!(near(0, 0) && near(1, 0) && near(-1, 0) && near(0, 1) && near(0, -1));
        assert!(!near(1, 1) && !near(2, 0) && !near(0, -2));
    }

    #[test]
    fn missing_rows_give_nothing() {
        for levels in [vec![], vec![vec![1.0; 3]], vec![vec![]], vec![level(|_, _| 0.0), vec![1.0; 5]]] {
            assert_eq!(mirror_distances(&levels, GRID), [0.0; 0]);
        }
        assert_eq!(mirror_distances(&[vec![1.0]], 0), [0.0; 0]);
    }
}
