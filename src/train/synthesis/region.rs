//! Where an anomaly goes, and how its edge runs.

use rand::{Rng, RngExt};

use crate::image::Planes;
use crate::phantom::Noise;

/// Darker pixels are taken for the space around the body.
const BACKGROUND: f32 = 0.06;
/// Places tried before one outside the body is taken.
const TRIES: usize = 60;
/// Smaller changes are not seen.
const SEEN: f32 = 4.0 / 255.0;

/// A ragged or round area.
pub(super) struct Region {
    /// Centre, in pixels.
    pub(super) centre: (f32, f32),
    /// Half width and half height, in pixels.
    pub(super) half: (f32, f32),
    /// 0..1 for each pixel, `[side, side]`; soft where the edge is.
    pub(super) weight: Vec<f32>,
}

impl Region {
    /// An area inside the body whose width and height are each a share of the side from `extent`.
    /// `raggedness` 0 is an ellipse; `softness_px` is the width of the edge.
    pub(super) fn draw(
        planes: &Planes,
        extent: (f32, f32),
        raggedness: f32,
        softness_px: f32,
        rng: &mut impl Rng,
    ) -> Self {
        let side = planes.side_px as f32;
        let mut between = |range: (f32, f32)| range.0 + (range.1 - range.0) * rng.random::<f32>();
        let half = (0.5 * side * between(extent), 0.5 * side * between(extent));
        let mut centre = (0.5 * side, 0.5 * side);
        for _ in 0..TRIES {
            let (x, y) = (side * rng.random::<f32>(), side * rng.random::<f32>());
            if grey(planes, x as usize, y as usize) > BACKGROUND {
                centre = (x, y);
                break;
            }
        }
        let noise = Noise::new(rng.next_u32());
        let scale = 3.0 / half.0.max(half.1).max(1.0);
        let slope = 0.5 * (half.0 + half.1) / softness_px.max(0.5);
        let weight = (0..planes.side_px * planes.side_px)
            .map(|i| {
                let (x, y) = ((i % planes.side_px) as f32, (i / planes.side_px) as f32);
                let (dx, dy) = ((x - centre.0) / half.0.max(1.0), (y - centre.1) / half.1.max(1.0));
                let inside = 1.0 - dx.hypot(dy) + raggedness * noise.octaves(x * scale, y * scale, 3);
                (0.5 + inside * slope).clamp(0.0, 1.0)
            })
            .collect();
        Self { centre, half, weight }
    }
}

/// Mean of the channels at a pixel; 0 outside.
fn grey(planes: &Planes, x: usize, y: usize) -> f32 {
    let area = planes.side_px * planes.side_px;
    if x >= planes.side_px || y >= planes.side_px {
        return 0.0;
    }
    let at = y * planes.side_px + x;
    (0..3).map(|c| planes.values.get(c * area + at).copied().unwrap_or(0.0)).sum::<f32>() / 3.0
}

/// Value of a channel between pixels, bilinear, held at the border.
pub(super) fn sample(planes: &Planes, channel: usize, x: f32, y: f32) -> f32 {
    let side = planes.side_px;
    let last = (side - 1) as f32;
    let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
    let (x0, y0) = (x as usize, y as usize);
    let (x1, y1) = ((x0 + 1).min(side - 1), (y0 + 1).min(side - 1));
    let (fx, fy) = (x - x0 as f32, y - y0 as f32);
    let at = |x: usize, y: usize| planes.values.get((channel * side + y) * side + x).copied().unwrap_or(0.0);
    let top = at(x0, y0) * (1.0 - fx) + at(x1, y0) * fx;
    let bottom = at(x0, y1) * (1.0 - fx) + at(x1, y1) * fx;
    top * (1.0 - fy) + bottom * fy
}

/// 1 where the region's inside was changed enough to be seen, or a near neighbour was, so that
/// pixels which happen to be alike leave no holes.
pub(super) fn changed(before: &Planes, after: &Planes, region: &Region) -> Vec<u8> {
    const REACH: usize = 2;
    let side = before.side_px;
    let area = side * side;
    let seen: Vec<bool> = (0..area)
        .map(|i| {
            let difference = |c: usize| (before.values[c * area + i] - after.values[c * area + i]).abs();
            region.weight[i] >= 0.5 && (0..3).map(difference).sum::<f32>() / 3.0 > SEEN
        })
        .collect();
    (0..area)
        .map(|i| {
            let (x, y) = (i % side, i / side);
            let near = |y: usize| (x.saturating_sub(REACH)..=(x + REACH).min(side - 1)).any(|x| seen[y * side + x]);
            let any = (y.saturating_sub(REACH)..=(y + REACH).min(side - 1)).any(near);
            u8::from(region.weight[i] >= 0.5 && any)
        })
        .collect()
}
