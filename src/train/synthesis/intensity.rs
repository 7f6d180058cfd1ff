//! Smooth blobs that make a place brighter or darker.

use rand::{Rng, RngExt};

use super::region::Region;
use crate::image::Planes;
use crate::phantom::Noise;

/// Width and height as a share of the side.
const EXTENT: (f32, f32) = (0.15, 0.6);
/// Strongest change, as a share of white.
const STRENGTH: (f32, f32) = (0.4, 0.6);
/// Sizes of the blobs at 240 px, in pixels.
const BLOBS_PX: [f32; 2] = [10.0, 18.0];
/// Width of the edge, in pixels.
const EDGE_PX: (f32, f32) = (1.0, 4.0);

pub(super) fn apply(planes: &mut Planes, rng: &mut impl Rng) -> Region {
    let side = planes.side_px;
    let edge_px = EDGE_PX.0 + (EDGE_PX.1 - EDGE_PX.0) * rng.random::<f32>();
    let region = Region::draw(planes, EXTENT, 0.5, edge_px, rng);
    let strength = STRENGTH.0 + (STRENGTH.1 - STRENGTH.0) * rng.random::<f32>();
    let sign = if rng.random::<bool>() { 1.0 } else { -1.0 };
    let blob_px = BLOBS_PX[rng.random_range(0..BLOBS_PX.len())] * side as f32 / 240.0;
    let noise = Noise::new(rng.next_u32());
    for (i, weight) in region.weight.iter().enumerate().filter(|(_, w)| **w > 0.0) {
        let (x, y) = ((i % side) as f32 / blob_px, (i / side) as f32 / blob_px);
        // From the noise's -1..1 to 0..1, so that all of the region changes the same way.
        let blob = (0.5 + 0.5 * noise.at(x, y)).clamp(0.0, 1.0);
        for channel in 0..3 {
            let value = &mut planes.values[channel * side * side + i];
            *value = (*value + sign * strength * blob * weight).clamp(0.0, 1.0);
        }
    }
    region
}
