//! Outlines of a map at a threshold: marching squares with linear interpolation.
//!
//! In: a square map and a threshold. Out: [`Polyline`]s around what reaches the threshold, in map pixels.
//! The square between four pixel centres is crossed along its sides; the two-way case is settled by the
//! mean of its corners. Squares with a corner that is not finite are left out. Lines that meet the border
//! of the outermost centres end there; all others are closed. Source: Lorensen and Cline (1987), in 2-D.

/// Points (x, y) in map pixels: the centre of the first pixel is (0.5, 0.5), the far corner of the map
/// (side, side). The first point comes again at the end of a closed line.
pub type Polyline = Vec<[f32; 2]>;

/// No crossing: an empty place in the table of segments.
const NONE: u32 = u32::MAX;

/// Outlines of `map` ([side, side]) at `threshold`: values equal to it are inside.
/// Empty for a map of another size, or a threshold that is not finite.
pub fn contours(map: &[f32], side: usize, threshold: f32) -> Vec<Polyline> {
    let is_square = side.checked_mul(side) == Some(map.len());
    if side < 2 || !is_square || map.len() >= (NONE / 2) as usize || !threshold.is_finite() {
        return Vec::new();
    }
    Grid { map, side, threshold }.trace()
}

struct Grid<'a> {
    map: &'a [f32],
    side: usize,
    threshold: f32,
}

impl Grid<'_> {
    /// Number of the grid line from centre (x, y) to its right neighbour.
    fn across(&self, x: usize, y: usize) -> u32 {
        (y * self.side + x) as u32
    }

    /// Number of the grid line from centre (x, y) to the one below.
    fn down(&self, x: usize, y: usize) -> u32 {
        (self.map.len() + y * self.side + x) as u32
    }

    /// Where the threshold lies on a grid line that it crosses.
    fn point(&self, line: u32) -> [f32; 2] {
        let area = self.map.len();
        let (from, is_down) =
            if (line as usize) < area { (line as usize, false) } else { (line as usize - area, true) };
        let to = if is_down { from + self.side } else { from + 1 };
        let (a, b) = (f64::from(self.map[from]), f64::from(self.map[to]));
        let share = ((f64::from(self.threshold) - a) / (b - a)) as f32;
        let (x, y) = ((from % self.side) as f32 + 0.5, (from / self.side) as f32 + 0.5);
        if is_down { [x, y + share] } else { [x + share, y] }
    }

    /// The up to two segments inside the square whose first corner is (x, y).
    fn segments(&self, x: usize, y: usize) -> [Option<(u32, u32)>; 2] {
        let at = y * self.side + x;
        let corners = [self.map[at], self.map[at + 1], self.map[at + self.side + 1], self.map[at + self.side]];
        if corners.iter().any(|v| !v.is_finite()) {
            return [None, None];
        }
        let (top, right) = (self.across(x, y), self.down(x + 1, y));
        let (bottom, left) = (self.across(x, y + 1), self.down(x, y));
        let inside = corners.map(|v| v >= self.threshold);
        let mean = corners.iter().map(|&v| f64::from(v)).sum::<f64>() / 4.0;
        let middle_inside = mean >= f64::from(self.threshold);
        match inside {
            [false, false, false, false] | [true, true, true, true] => [None, None],
            [true, false, false, false] | [false, true, true, true] => [Some((left, top)), None],
            [false, true, false, false] | [true, false, true, true] => [Some((top, right)), None],
            [false, false, true, false] | [true, true, false, true] => [Some((right, bottom)), None],
            [false, false, false, true] | [true, true, true, false] => [Some((bottom, left)), None],
            [true, true, false, false] | [false, false, true, true] => [Some((left, right)), None],
            [false, true, true, false] | [true, false, false, true] => [Some((top, bottom)), None],
            // Two opposite corners: the other two are cut off where the middle belongs to the first two.
            [true, false, true, false] if middle_inside => [Some((top, right)), Some((bottom, left))],
            [true, false, true, false] => [Some((left, top)), Some((right, bottom))],
            [false, true, false, true] if middle_inside => [Some((left, top)), Some((right, bottom))],
            [false, true, false, true] => [Some((top, right)), Some((bottom, left))],
        }
    }

    /// Joins the segments: first the lines with two ends, then the closed ones, each in grid order.
    fn trace(&self) -> Vec<Polyline> {
        // A grid line belongs to at most two squares, so at most two segments meet on it.
        let mut joined = vec![[NONE; 2]; 2 * self.map.len()];
        let mut join = |from: u32, to: u32| {
            if let Some(place) = joined[from as usize].iter_mut().find(|place| **place == NONE) {
                *place = to;
            }
        };
        for y in 0..self.side - 1 {
            for x in 0..self.side - 1 {
                for (a, b) in self.segments(x, y).into_iter().flatten() {
                    join(a, b);
                    join(b, a);
                }
            }
        }
        let mut lines = Vec::new();
        for wants_ends in [true, false] {
            for start in 0..joined.len() {
                let [first, second] = joined[start];
                if first != NONE && (second == NONE || !wants_ends) {
                    lines.push(self.follow(&mut joined, start as u32));
                }
            }
        }
        lines.retain(|line| line.len() > 1);
        lines
    }

    /// Walks from one crossing to the next, taking each segment out of the table.
    fn follow(&self, joined: &mut [[u32; 2]], start: u32) -> Polyline {
        let mut line = vec![self.point(start)];
        let mut here = start;
        while let Some(&next) = joined[here as usize].iter().find(|next| **next != NONE) {
            for (from, to) in [(here, next), (next, here)] {
                if let Some(place) = joined[from as usize].iter_mut().find(|place| **place == to) {
                    *place = NONE;
                }
            }
            let point = self.point(next);
            // Crossings of several grid lines fall together where a centre has the threshold's value.
            if line.last() != Some(&point) {
                line.push(point);
            }
            here = next;
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pixel_gives_a_closed_diamond() {
        let found = contours(&[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0], 3, 0.5);
        assert_eq!(found, [vec![[1.0, 1.5], [1.5, 1.0], [2.0, 1.5], [1.5, 2.0], [1.0, 1.5]]]);
    }

    #[test]
    fn crossings_are_interpolated() {
        // A straight edge between columns: 0 and 4, threshold 1: a quarter of the way.
        let found = contours(&[0.0, 4.0, 0.0, 4.0], 2, 1.0);
        assert_eq!(found, [vec![[0.75, 0.5], [0.75, 1.5]]]);
    }

    #[test]
    fn lines_that_leave_the_map_stay_open() {
        let found = contours(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 3, 0.5);
        assert_eq!(found, [vec![[1.0, 0.5], [0.5, 1.0]]]);
    }

    #[test]
    fn the_mean_settles_two_way_squares() {
        for (low, expected) in [
            // Mean 0.5 or more: the two high corners belong together.
            (0.2, [[[1.125, 0.5], [1.5, 0.875]], [[0.875, 1.5], [0.5, 1.125]]]),
            // Mean below: each high corner stands alone.
            (-1.0, [[[0.75, 0.5], [0.5, 0.75]], [[1.25, 1.5], [1.5, 1.25]]]),
        ] {
            let found = contours(&[1.0, low, low, 1.0], 2, 0.5);
            let near = |a: &[f32; 2], b: &[f32; 2]| (a[0] - b[0]).abs() < 1e-6 && (a[1] - b[1]).abs() < 1e-6;
            assert_eq!(found.len(), 2);
            for (line, expected) in found.iter().zip(&expected) {
                assert!(line.len() == 2 && line.iter().zip(expected).all(|(a, b)| near(a, b)), "{low}: {line:?}");
            }
        }
    }

    #[test]
    fn a_ring_has_two_closed_lines() {
        let side = 9;
        let map: Vec<f32> = (0..side * side)
            .map(|i| {
                let (x, y) = ((i % side) as f32 - 4.0, (i / side) as f32 - 4.0);
                if (1.5..3.5).contains(&x.hypot(y)) { 1.0 } else { 0.0 }
            })
            .collect();
        let found = contours(&map, side, 0.5);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|line| line.len() > 8 && line.first() == line.last()));
    }

    #[test]
    fn a_disc_has_its_area() {
        // Distance to the centre as the map: the outline at -r is a circle of radius r.
        let (side, radius) = (64, 20.0);
        let map: Vec<f32> =
            (0..side * side).map(|i| -((i % side) as f32 - 31.5).hypot((i / side) as f32 - 31.5)).collect();
        let found = contours(&map, side, -radius);
        assert_eq!(found.len(), 1);
        let twice: f32 = found[0].windows(2).map(|p| p[0][0] * p[1][1] - p[1][0] * p[0][1]).sum();
        let expected = std::f32::consts::PI * radius * radius;
        assert!((twice.abs() / 2.0 - expected).abs() < expected * 0.002);
    }

    #[test]
    fn odd_input_gives_no_line() {
        for (map, side, threshold) in [
            (vec![], 0, 0.5),
            (vec![1.0], 1, 0.5),
            (vec![1.0; 5], 2, 0.5),
            (vec![0.0, 1.0, 0.0, 1.0], 2, f32::NAN),
            (vec![f32::NAN, 1.0, 0.0, 1.0], 2, 0.5),
            (vec![f32::INFINITY, 1.0, 0.0, 1.0], 2, 0.5),
            (vec![0.5; 4], 2, 0.5),
        ] {
            assert!(contours(&map, side, threshold).is_empty(), "{map:?}");
        }
    }

    #[test]
    fn values_on_the_threshold_do_not_tear_lines() {
        // A peak that only touches the threshold is a point, not a line.
        assert!(contours(&[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0], 3, 1.0).is_empty());
        let plateau = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let found = contours(&plateau, 4, 1.0);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].first(), found[0].last());
    }
}
