//! A ragged piece of another picture, turned and scaled a little.

use rand::{Rng, RngExt};

use super::region::{Region, sample};
use crate::image::Planes;

/// Width and height as a share of the side.
const EXTENT: (f32, f32) = (0.1, 0.6);
/// Largest turn, in radians.
const TURN: f32 = std::f32::consts::FRAC_PI_4;
/// Smallest and largest scale.
const SCALE: (f32, f32) = (0.8, 1.25);

pub(super) fn apply(planes: &mut Planes, other: &Planes, rng: &mut impl Rng) -> Region {
    let side = planes.side_px;
    let region = Region::draw(planes, EXTENT, 0.5, 1.5, rng);
    let from = Region::draw(other, EXTENT, 0.0, 1.0, rng).centre;
    let angle = TURN * (2.0 * rng.random::<f32>() - 1.0);
    let scale = SCALE.0 + (SCALE.1 - SCALE.0) * rng.random::<f32>();
    let (sin, cos) = (angle.sin() * scale, angle.cos() * scale);
    for (i, weight) in region.weight.iter().enumerate().filter(|(_, w)| **w > 0.0) {
        let (dx, dy) = ((i % side) as f32 - region.centre.0, (i / side) as f32 - region.centre.1);
        let (x, y) = (from.0 + cos * dx - sin * dy, from.1 + sin * dx + cos * dy);
        for channel in 0..3 {
            let pasted = sample(other, channel, x, y);
            let value = &mut planes.values[channel * side * side + i];
            *value = *value * (1.0 - weight) + pasted * weight;
        }
    }
    region
}
