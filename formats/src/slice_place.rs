//! Where a slice lies in its volume, and which slices of other volumes lie nearest.
//!
//! Comes in: a series and the number of a frame. Goes out: its place, by millimetres where two volumes lie in the same
//! space, else by the share of the way from the first slice to the last. Cannot fail: a series of one frame has no places.

use crate::Series;

/// Volumes lie in the same space if they share so much of the shorter one's range.
const SHARED_RANGE: f64 = 0.5;

/// Where a slice lies in its volume.
#[derive(Debug, Clone, PartialEq)]
pub struct SlicePlace {
    /// 0 for the first slice, 1 for the last.
    share: f64,
    plane: Option<&'static str>,
    range: Option<Range>,
}

/// A slice's place along the normal, and those of the outer slices of its volume, in millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Range {
    at: f64,
    low: f64,
    high: f64,
}

impl SlicePlace {
    /// The place of frame `n`; `None` if its volume has no other slice.
    pub fn of(series: &Series, n: usize) -> Option<Self> {
        let info = series.info(n)?;
        let of_volume = |m: &usize| series.info(*m).is_some_and(|other| other.volume == info.volume);
        let slices: Vec<usize> = (0..series.len()).filter(of_volume).collect();
        let index = slices.iter().position(|slice| *slice == n)?;
        let last = slices.len().checked_sub(1).filter(|last| *last > 0)?;
        let depth = |m: &usize| series.info(*m).and_then(|info| info.geometry.depth_mm());
        let depths: Option<Vec<f64>> = slices.iter().map(depth).collect();
        let range = depths.map(|depths| Range {
            at: depths[index],
            low: depths.iter().copied().fold(f64::INFINITY, f64::min),
            high: depths.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        });
        Some(Self { share: index as f64 / last as f64, plane: info.geometry.plane(), range })
    }

    /// How far another slice lies, as a share of this one's volume.
    pub fn distance(&self, other: &Self) -> f64 {
        let in_mm = self.range.zip(other.range).filter(|_| self.plane == other.plane).and_then(|(a, b)| {
            let (shared, length) = (a.high.min(b.high) - a.low.max(b.low), a.high - a.low);
            let is_same_space = length > 0.0 && shared >= SHARED_RANGE * length.min(b.high - b.low);
            is_same_space.then(|| (a.at - b.at).abs() / length)
        });
        in_mm.unwrap_or_else(|| (self.share - other.share).abs())
    }

    /// Which of `others` lie nearest, at most `count`, in their order.
    pub fn nearest(&self, others: &[Self], count: usize) -> Vec<usize> {
        let mut order: Vec<(f64, usize)> = others.iter().enumerate().map(|(n, o)| (self.distance(o), n)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut nearest: Vec<usize> = order.into_iter().take(count).map(|(_, n)| n).collect();
        nearest.sort_unstable();
        nearest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(n: usize, of: usize, range: Option<(f64, f64)>) -> SlicePlace {
        let share = n as f64 / (of - 1) as f64;
        let range = range.map(|(low, high)| Range { at: low + share * (high - low), low, high });
        SlicePlace { share, plane: range.map(|_| "axial"), range }
    }

    #[test]
    fn millimetres_count_in_one_space_and_shares_elsewhere() {
        // 10 slices from 0 to 90 mm, and 19 from 0 to 180 mm.
        let of = |range: fn(f64) -> Option<(f64, f64)>| -> Vec<usize> {
            let others: Vec<SlicePlace> = (0..19).map(|n| slice(n, 19, range(180.0))).collect();
            slice(4, 10, range(90.0)).nearest(&others, 2)
        };
        assert_eq!(of(|high| Some((0.0, high))), [3, 4], "40 mm is its place, 30 and 50 mm are equally near");
        assert_eq!(of(|_| None), [7, 8], "4 of 9 is 8 of 18");
        let apart = |high: f64| if high > 100.0 { Some((1000.0, 1180.0)) } else { Some((0.0, high)) };
        assert_eq!(of(apart), [7, 8], "volumes of different places");
    }

    #[test]
    fn never_more_than_there_are_and_in_their_order() {
        let others: Vec<SlicePlace> = (0..3).rev().map(|n| slice(n, 3, None)).collect();
        assert_eq!(slice(0, 3, None).nearest(&others, 9), [0, 1, 2]);
        assert_eq!(slice(0, 3, None).nearest(&others, 1), [2]);
        assert_eq!(slice(0, 3, None).nearest(&[], 1), [] as [usize; 0]);
    }
}
