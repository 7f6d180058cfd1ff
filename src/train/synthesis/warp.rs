//! A place blown up from its centre: `r' = r^k / R^(k-1)`.

use rand::{Rng, RngExt};

use super::region::{Region, sample};
use crate::image::Planes;

/// Width and height as a share of the side.
const EXTENT: (f32, f32) = (0.2, 0.6);
/// The exponent k is 2 to the power of these.
const EXPONENT: (f32, f32) = (0.5, 2.0);

pub(super) fn apply(planes: &mut Planes, rng: &mut impl Rng) -> Region {
    let side = planes.side_px;
    let region = Region::draw(planes, EXTENT, 0.0, 1.0, rng);
    let k = (EXPONENT.0 + (EXPONENT.1 - EXPONENT.0) * rng.random::<f32>()).exp2();
    let before = planes.clone();
    for i in 0..side * side {
        let (dx, dy) = ((i % side) as f32 - region.centre.0, (i / side) as f32 - region.centre.1);
        // Distance in half axes; 1 is the edge, where nothing moves.
        let r = (dx / region.half.0.max(1.0)).hypot(dy / region.half.1.max(1.0));
        if r >= 1.0 {
            continue;
        }
        let shrink = r.powf(k - 1.0);
        for channel in 0..3 {
            planes.values[channel * side * side + i] =
                sample(&before, channel, region.centre.0 + dx * shrink, region.centre.1 + dy * shrink);
        }
    }
    region
}
