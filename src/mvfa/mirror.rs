//! The left-right channel: how far each patch lies from what the picture itself shows at the mirrored place.
//!
//! Comes in: unit patch rows of the memory's levels. Goes out: a distance a patch. Plain arithmetic, cannot fail. For objects
//! whose two sides look alike, seen straight: heads, chests. With z a patch's unit rows of all L levels joined, over √L,
//!
//! ```text
//! s(i) = 1 − max z(i)·z(j)   over patches j = (r', c') with (r' − r)² + (g − 1 − c' − c)² ≤ (0.1 g)²,  i = (r, c)
//! ```
//!
//! for the axis in the middle; the window forgives a little. A head that lies to one side has its own axis, which is looked for
//! on request ([`MirrorAxis::Found`]). Each patch is compared with the picture's own patches only, so no reference is needed; beside a
//! memory the channel is one more level, at half weight.

use serde::{Deserialize, Serialize};

use crate::compute::dot;

/// Weight of the channel beside the memory's distances.
pub(crate) const BESIDE_MEMORY: f32 = 0.5;

/// The window's radius is the grid's side divided by this.
const SIDES_A_RADIUS: f32 = 10.0;

/// Axes that are tried: so many turns and shifts to each side, of so many degrees, and of so many patches of a grid of 17.
const TURNS: i32 = 6;
const TURN_DEGREES: f32 = 2.5;
const SHIFTS: i32 = 4;
const SHIFT_PATCHES: f32 = 0.5;
/// A patch near the axis is its own mirror image, or its neighbour's, whatever the picture shows: pairs that are not so many
/// patches apart, of a grid of 17, say nothing about the axis.
const LEAST_APART_PATCHES: f32 = 3.0;
/// So much more alike must the sides be at another axis than at the middle.
const LEAST_GAIN: f32 = 0.01;

/// Where left and right of a picture are divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MirrorAxis {
    /// In the middle of the picture, upright.
    #[default]
    Middle,
    /// Where the picture looks most like its mirror image, for those that lie off centre.
    Found,
}

/// Per level unit rows `[grid², dim]`, row-major → per patch its distance to the mirrored place, `[grid²]`; 0 where that lies
/// outside. Empty if rows are missing.
pub(crate) fn mirror_distances(levels: &[Vec<f32>], grid: usize, axis: MirrorAxis) -> Vec<f32> {
    let patches = grid * grid;
    let dim = |level: &Vec<f32>| level.len() / patches.max(1);
    if levels.is_empty() || levels.iter().any(|level| dim(level) == 0 || level.len() != patches * dim(level)) {
        return Vec::new();
    }
    let mut likeness = Likeness::new(levels, patches);
    let axis = match axis {
        MirrorAxis::Middle => Axis::MIDDLE,
        MirrorAxis::Found => Axis::estimated(&mut likeness, grid),
    };
    distances_at(axis, &mut likeness, grid)
}

fn distances_at(axis: Axis, likeness: &mut Likeness<'_>, grid: usize) -> Vec<f32> {
    let (radius, centre) = (grid as f32 / SIDES_A_RADIUS, (grid as f32 - 1.0) / 2.0);
    let around = |at: f32| {
        let (from, to) = ((at - radius).ceil().max(0.0), (at + radius).floor().min(grid as f32 - 1.0));
        from as usize..(to + 1.0).max(0.0) as usize
    };
    let mut distance = |patch: usize| {
        let [column, row] = axis.mirrored(place_of(patch, grid)).map(|at| at + centre);
        let places = around(row).flat_map(|r| around(column).map(move |c| (r, c)));
        let is_near = |(r, c): &(usize, usize)| {
            let [down, across] = [*r as f32 - row, *c as f32 - column];
            down * down + across * across <= radius * radius
        };
        let nearest = places.filter(is_near).map(|(r, c)| likeness.of(patch, r * grid + c)).reduce(f32::max);
        nearest.map_or(0.0, |nearest| 1.0 - nearest)
    };
    (0..grid * grid).map(&mut distance).collect()
}

/// Place of a patch, in patches from the middle of the picture: to the right, and down.
fn place_of(patch: usize, grid: usize) -> [f32; 2] {
    let centre = (grid as f32 - 1.0) / 2.0;
    [(patch % grid) as f32 - centre, (patch / grid) as f32 - centre]
}

/// Cosines of patches with patches, each computed once.
struct Likeness<'a> {
    levels: &'a [Vec<f32>],
    patches: usize,
    /// No number: not asked for yet.
    known: Vec<f32>,
}

impl<'a> Likeness<'a> {
    fn new(levels: &'a [Vec<f32>], patches: usize) -> Self {
        Self { levels, patches, known: vec![f32::NAN; patches * patches] }
    }

    fn of(&mut self, a: usize, b: usize) -> f32 {
        let place = a.min(b) * self.patches + a.max(b);
        if self.known[place].is_nan() {
            let of_level = |level: &Vec<f32>| {
                let dim = level.len() / self.patches;
                let row = |n: usize| level.get(n * dim..(n + 1) * dim).unwrap_or_default();
                dot(row(a), row(b))
            };
            self.known[place] = self.levels.iter().map(of_level).sum::<f32>() / self.levels.len() as f32;
        }
        self.known[place]
    }
}

/// The line that a picture is mirrored at: how far its normal is turned from the picture's rows, and how far the line lies
/// from the middle, in patches.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    normal: [f32; 2],
    offset: f32,
}

impl Axis {
    const MIDDLE: Self = Self { normal: [1.0, 0.0], offset: 0.0 };

    fn new(degrees: f32, offset: f32) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Self { normal: [cos, sin], offset }
    }

    /// Where a place comes to lie.
    fn mirrored(self, [x, y]: [f32; 2]) -> [f32; 2] {
        let twice = 2.0 * (x * self.normal[0] + y * self.normal[1] - self.offset);
        [x - twice * self.normal[0], y - twice * self.normal[1]]
    }

    /// The axis at which the picture looks most like its mirror image, patch by patch; the middle unless another one is
    /// clearly better, so that straight pictures are not touched.
    fn estimated(likeness: &mut Likeness<'_>, grid: usize) -> Self {
        let middle = Self::MIDDLE.symmetry(likeness, grid);
        let mut best = (middle + LEAST_GAIN, Self::MIDDLE);
        for turn in -TURNS..=TURNS {
            for shift in -SHIFTS..=SHIFTS {
                let axis = Self::new(turn as f32 * TURN_DEGREES, shift as f32 * SHIFT_PATCHES * grid as f32 / 17.0);
                let found = axis.symmetry(likeness, grid);
                if found > best.0 {
                    best = (found, axis);
                }
            }
        }
        best.1
    }

    /// Mean cosine of the patches with those at their mirrored places, where those are in the picture and not beside them.
    fn symmetry(self, likeness: &mut Likeness<'_>, grid: usize) -> f32 {
        let (centre, apart) = ((grid as f32 - 1.0) / 2.0, LEAST_APART_PATCHES * grid as f32 / 17.0);
        let (mut sum, mut count) = (0.0, 0);
        for patch in 0..grid * grid {
            let place = place_of(patch, grid);
            let mirrored = self.mirrored(place);
            let distance = (place[0] - mirrored[0]).hypot(place[1] - mirrored[1]);
            let [column, row] = mirrored.map(|at| (at + centre).round());
            if distance >= apart && [column, row].iter().all(|at| (0.0..grid as f32).contains(at)) {
                sum += likeness.of(patch, row as usize * grid + column as usize);
                count += 1;
            }
        }
        sum / count.max(1) as f32
    }
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
        let plain =
            mirror_distances(&[level(symmetric), level(|r, c| 0.5 * symmetric(r, c))], GRID, MirrorAxis::Middle);
        assert!(plain.iter().all(|d| d.abs() < 1e-6), "{plain:?}");
        let spot = level(|r, c| if (r, c) == (3, 2) { -1.5 } else { symmetric(r, c) });
        let found = mirror_distances(&[spot], GRID, MirrorAxis::Middle);
        let far: Vec<usize> = (0..GRID * GRID).filter(|n| found[*n] > 0.5).collect();
        assert_eq!(far, [3 * GRID + 2], "neighbours of the mirrored place are searched, too");
    }

    #[test]
    fn the_window_is_a_disc_of_a_tenth_of_the_grid() {
        // One patch alone looks like the one in question; how far it may lie from the mirrored place.
        let near = |rows: isize, columns: isize| {
            let (row, mirrored) = (5, GRID as isize - 1 - 3);
            let twin = ((row + rows) as usize, (mirrored + columns) as usize);
            let levels = [level(|r, c| if (r, c) == (5, 3) || (r, c) == twin { 0.0 } else { 1.5 })];
            let found = distances_at(Axis::MIDDLE, &mut Likeness::new(&levels, GRID * GRID), GRID);
            found[5 * GRID + 3] < 0.5
        };
        // A radius of 1.1: its square is 1.21.
        assert!(near(0, 0) && near(1, 0) && near(-1, 0) && near(0, 1) && near(0, -1));
        assert!(!near(1, 1) && !near(2, 0) && !near(0, -2));
    }

    #[test]
    fn the_axis_of_a_turned_and_shifted_picture_is_found() {
        let centre = (GRID as f32 - 1.0) / 2.0;
        // Steep on both sides of the axis and along it: no other axis fits.
        let picture = |axis: Axis| {
            level(move |row, column| {
                let (x, y) = (column as f32 - centre, row as f32 - centre);
                let across = x * axis.normal[0] + y * axis.normal[1] - axis.offset;
                let along = y * axis.normal[0] - x * axis.normal[1];
                0.35 * across.abs() + 0.3 * along
            })
        };
        for (degrees, offset) in [(0.0, 0.0), (10.0, 0.0), (-7.5, 0.0), (0.0, 0.6), (5.0, -0.6)] {
            let axis = Axis::new(degrees, offset);
            let levels = [picture(axis)];
            let found = Axis::estimated(&mut Likeness::new(&levels, GRID * GRID), GRID);
            let turned = (found.normal[1].asin() - axis.normal[1].asin()).to_degrees().abs();
            assert!(
                turned <= TURN_DEGREES + 1e-3 && (found.offset - axis.offset).abs() <= 0.5,
                "{degrees} {offset}: {found:?}"
            );
            if offset == 0.0 {
                let straightened: f32 = mirror_distances(&levels, GRID, MirrorAxis::Found).iter().sum();
                let plain: f32 =
                    distances_at(Axis::MIDDLE, &mut Likeness::new(&levels, GRID * GRID), GRID).iter().sum();
                assert!(straightened <= plain + 1e-6, "{degrees}: {straightened} {plain}");
            }
        }
    }

    #[test]
    fn missing_rows_give_nothing() {
        for levels in [vec![], vec![vec![1.0; 3]], vec![vec![]], vec![level(|_, _| 0.0), vec![1.0; 5]]] {
            assert_eq!(mirror_distances(&levels, GRID, MirrorAxis::Found), [0.0; 0]);
        }
        assert_eq!(mirror_distances(&[vec![1.0]], 0, MirrorAxis::Found), [0.0; 0]);
    }
}
