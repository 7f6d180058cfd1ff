//! Connected regions of a map at a threshold.
//!
//! Comes in: a map in pixels of its picture. Goes out: each region of what reaches the threshold (pixels that touch along
//! a side or at a corner belong together), the one with the highest value first. Cannot fail: what is no number is outside.

/// One region.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Number of pixels.
    pub area_px: usize,
    /// Highest value.
    pub peak: f32,
    /// Column and row of the highest value.
    pub peak_at: [usize; 2],
    /// Mean value.
    pub mean: f64,
    /// First column and row, number of columns and rows.
    pub bounds: [usize; 4],
}

/// The regions of `map` ([height, width]).
pub fn regions(map: &[f32], width_px: usize, threshold: f32) -> Vec<Region> {
    let mut found = Vec::new();
    if width_px == 0 {
        return found;
    }
    let height_px = map.len() / width_px;
    let mut is_open: Vec<bool> = map.iter().map(|&value| value.is_finite() && value >= threshold).collect();
    let mut waiting = Vec::new();
    for start in 0..height_px * width_px {
        if !std::mem::replace(&mut is_open[start], false) {
            continue;
        }
        waiting.push(start);
        let mut region = Region { area_px: 0, peak: f32::NEG_INFINITY, peak_at: [0; 2], mean: 0.0, bounds: [0; 4] };
        let (mut low, mut high) = ([usize::MAX; 2], [0; 2]);
        while let Some(at) = waiting.pop() {
            let place = [at % width_px, at / width_px];
            region.area_px += 1;
            region.mean += f64::from(map[at]);
            if map[at] > region.peak {
                (region.peak, region.peak_at) = (map[at], place);
            }
            for axis in 0..2 {
                low[axis] = low[axis].min(place[axis]);
                high[axis] = high[axis].max(place[axis]);
            }
            let [columns, rows] =
                [(place[0], width_px), (place[1], height_px)].map(|(i, n)| i.saturating_sub(1)..(i + 2).min(n));
            for next in rows.flat_map(|y| columns.clone().map(move |x| y * width_px + x)) {
                if std::mem::replace(&mut is_open[next], false) {
                    waiting.push(next);
                }
            }
        }
        region.mean /= region.area_px as f64;
        region.bounds = [low[0], low[1], high[0] - low[0] + 1, high[1] - low[1] + 1];
        found.push(region);
    }
    found.sort_by(|a, b| b.peak.total_cmp(&a.peak));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_touch_and_the_highest_comes_first() {
        let map = [
            [1.0, 0.0, 0.0, 0.0], //
            [0.0, 1.5, 0.0, 3.0],
            [0.0, 0.0, 0.0, f32::NAN],
        ];
        let found = regions(&map.concat(), 4, 1.0);
        let expected = [
            Region { area_px: 1, peak: 3.0, peak_at: [3, 1], mean: 3.0, bounds: [3, 1, 1, 1] },
            Region { area_px: 2, peak: 1.5, peak_at: [1, 1], mean: 1.25, bounds: [0, 0, 2, 2] },
        ];
        assert_eq!(found, expected);
        assert_eq!(regions(&[], 0, 0.0), []);
    }
}
