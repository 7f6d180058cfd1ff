//! How patch values become a map: where patches lie, and how far the map is smoothed.
//!
//! Comes in: patch values `[grid, grid]`. Goes out: a map `[side_px, side_px]`. Plain arithmetic, cannot fail. Without
//! smoothing it is [`upsample`] to the last bit, as the released code has it. Upsampling and a Gaussian are both linear and
//! work along one axis after the other, so they are one matrix `[side_px, grid]` a side.

use crate::bundle::manifest::Manifest;
use crate::bundle::scoring::PatchPlaces;
use crate::mvfa::upsample::{Geometry, axis_weights, upsample};

/// A Gaussian ends so many sigmas from its middle.
const CUT_SIGMAS: f32 = 4.0;

/// How patch values become a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MapRule {
    pub(crate) geometry: Geometry,
    /// Sigma in pixels of the map; 0 leaves it as it is.
    pub(crate) smoothing_px: f32,
}

impl MapRule {
    /// The released code's (spec §8).
    pub(crate) const PAPER: Self = Self { geometry: Geometry::Reference, smoothing_px: 0.0 };

    /// The rule of a model's memory.
    pub(crate) fn of(manifest: &Manifest) -> Self {
        manifest.scoring.as_ref().map_or(Self::PAPER, |scoring| Self {
            geometry: match scoring.patches {
                PatchPlaces::AlignCorners => Geometry::Reference,
                PatchPlaces::PatchCentres => Geometry::PatchCentres { patch_px: manifest.vision.patch_px },
            },
            smoothing_px: scoring.smoothing_px,
        })
    }

    /// The same for showing: patches at their true places.
    pub(crate) fn shown(self, patch_px: usize) -> Self {
        Self { geometry: Geometry::PatchCentres { patch_px }, ..self }
    }

    /// Patch values `[grid, grid]` → `[side_px, side_px]`, both row-major. Empty if there are not `grid²` values.
    pub(crate) fn spread(self, values: &[f32], grid: usize, side_px: usize) -> Vec<f32> {
        if self.smoothing_px <= 0.0 || grid == 0 || values.len() != grid * grid {
            return upsample(values, grid, side_px, self.geometry);
        }
        let axis = smoothed(&axis_weights(grid, side_px, self.geometry), grid, self.smoothing_px);
        // Down the columns, `[side_px, grid]`, then along the rows.
        let mut columns = vec![0.0; side_px * grid];
        for (out, weights) in columns.chunks_exact_mut(grid).zip(axis.chunks_exact(grid)) {
            for (weight, row) in weights.iter().zip(values.chunks_exact(grid)).filter(|(weight, _)| **weight != 0.0) {
                out.iter_mut().zip(row).for_each(|(o, v)| *o += weight * v);
            }
        }
        let product = |row: &[f32], weights: &[f32]| row.iter().zip(weights).map(|(v, w)| v * w).sum();
        columns.chunks_exact(grid).flat_map(|row| axis.chunks_exact(grid).map(move |w| product(row, w))).collect()
    }
}

/// Rows `[side, width]`, each replaced by the mean of its neighbours under a Gaussian; the outer rows go on for ever.
fn smoothed(rows: &[f32], width: usize, sigma: f32) -> Vec<f32> {
    let reach = (CUT_SIGMAS * sigma).round() as isize;
    let kernel: Vec<f64> = (-reach..=reach).map(|x| (-0.5 * (x as f64 / f64::from(sigma)).powi(2)).exp()).collect();
    let total: f64 = kernel.iter().sum();
    let last = (rows.len() / width.max(1)) as isize - 1;
    let mut out = Vec::with_capacity(rows.len());
    for y in 0..=last {
        let mut sum = vec![0.0_f64; width];
        for (weight, at) in kernel.iter().zip(y - reach..) {
            let from = at.clamp(0, last) as usize * width;
            let row = rows.get(from..from + width).unwrap_or_default();
            sum.iter_mut().zip(row).for_each(|(s, v)| *s += weight / total * f64::from(*v));
        }
        out.extend(sum.iter().map(|v| *v as f32));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: usize = 3;
    const SIDE_PX: usize = 13;

    fn rule(smoothing_px: f32) -> MapRule {
        MapRule { geometry: Geometry::PatchCentres { patch_px: 4 }, smoothing_px }
    }

    fn values() -> Vec<f32> {
        (0..GRID * GRID).map(|n| (n * 5 % 7) as f32).collect()
    }

    /// The whole Gaussian on the whole map, pixel by pixel.
    fn naive(map: &[f32], sigma: f32) -> Vec<f32> {
        let reach = (4.0 * sigma).round() as isize;
        let at = |y: isize, x: isize| {
            let inside = |v: isize| v.clamp(0, SIDE_PX as isize - 1) as usize;
            f64::from(map[inside(y) * SIDE_PX + inside(x)])
        };
        let weight = |d: isize| (-((d * d) as f64) / (2.0 * f64::from(sigma).powi(2))).exp();
        let window = || (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| (dy, dx)));
        let total: f64 = window().map(|(dy, dx)| weight(dy) * weight(dx)).sum();
        let pixels = (0..SIDE_PX * SIDE_PX).map(|n| ((n / SIDE_PX) as isize, (n % SIDE_PX) as isize));
        let sum = |(y, x)| window().map(|(dy, dx)| weight(dy) * weight(dx) * at(y + dy, x + dx)).sum::<f64>() / total;
        pixels.map(|place| sum(place) as f32).collect()
    }

    #[test]
    fn smoothing_is_a_gaussian_on_the_map_with_its_edges_held() {
        for sigma in [0.3, 1.0, 2.5, 40.0] {
            for geometry in [Geometry::Reference, Geometry::PatchCentres { patch_px: 4 }] {
                let rule = MapRule { geometry, smoothing_px: sigma };
                let found = rule.spread(&values(), GRID, SIDE_PX);
                let expected = naive(&upsample(&values(), GRID, SIDE_PX, geometry), sigma);
                assert_eq!(found.len(), expected.len());
                let worst = found.iter().zip(&expected).map(|(f, e)| (f - e).abs()).fold(0.0, f32::max);
                assert!(worst < 1e-5, "{geometry:?}, sigma {sigma}: {worst}");
            }
        }
    }

    #[test]
    fn without_smoothing_it_is_the_upsampled_map_bit_for_bit() {
        let expected = upsample(&values(), GRID, SIDE_PX, rule(0.0).geometry);
        assert_eq!(rule(0.0).spread(&values(), GRID, SIDE_PX), expected);
        assert_eq!(rule(1.0).spread(&[1.0; 4], GRID, SIDE_PX), [0.0; 0]);
    }
}
