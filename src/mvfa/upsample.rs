//! Patch values to pixels, bilinear.

/// Where a patch value sits in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Geometry {
    /// Corner patches on the corner pixels (`align_corners`), as the released code does: up to
    /// 8.5 px away from the patches' true place (spec §1). Every number of the paper's rules uses this.
    Reference,
    /// Each value at the centre of its patch; values beyond the outer centres are held. For
    /// showing, and for numbers where a manifest says so.
    PatchCentres {
        /// Side of a patch, in pixels.
        patch_px: usize,
    },
}

/// One channel `[grid, grid]` → `[side_px, side_px]`, both row-major.
///
/// A `values` slice of another length than `grid²` gives an empty result.
pub fn upsample(values: &[f32], grid: usize, side_px: usize, geometry: Geometry) -> Vec<f32> {
    if grid == 0 || values.len() != grid * grid {
        return Vec::new();
    }
    let taps: Vec<Tap> = (0..side_px).map(|i| Tap::at(i, grid, side_px, geometry)).collect();
    let mut out = Vec::with_capacity(side_px * side_px);
    for y in &taps {
        let (top, bottom) = (&values[y.first * grid..][..grid], &values[y.second * grid..][..grid]);
        for x in &taps {
            let upper = top[x.first] * (1.0 - x.weight) + top[x.second] * x.weight;
            let lower = bottom[x.first] * (1.0 - x.weight) + bottom[x.second] * x.weight;
            out.push(upper * (1.0 - y.weight) + lower * y.weight);
        }
    }
    out
}

/// The patch that is nearest to each output pixel along one axis.
pub(crate) fn nearest(grid: usize, side_px: usize, geometry: Geometry) -> Vec<usize> {
    let taps = (0..side_px).filter(|_| grid > 0).map(|i| Tap::at(i, grid, side_px, geometry));
    taps.map(|tap| if tap.weight < 0.5 { tap.first } else { tap.second }).collect()
}

/// The same along one axis, as a matrix `[side_px, grid]`, row-major.
pub(crate) fn axis_weights(grid: usize, side_px: usize, geometry: Geometry) -> Vec<f32> {
    let mut rows = vec![0.0; side_px * grid];
    for (i, row) in rows.chunks_exact_mut(grid.max(1)).enumerate() {
        let tap = Tap::at(i, grid, side_px, geometry);
        row[tap.first] += 1.0 - tap.weight;
        row[tap.second] += tap.weight;
    }
    rows
}

/// The two neighbours of an output pixel along one axis, and the weight of the second.
struct Tap {
    first: usize,
    second: usize,
    weight: f32,
}

impl Tap {
    fn at(i: usize, grid: usize, side_px: usize, geometry: Geometry) -> Self {
        let last = (grid - 1) as f32;
        let position = match geometry {
            Geometry::Reference if side_px > 1 => i as f32 * (last / (side_px - 1) as f32),
            Geometry::Reference => 0.0,
            Geometry::PatchCentres { patch_px } => (i as f32 + 0.5) / patch_px.max(1) as f32 - 0.5,
        }
        .clamp(0.0, last);
        let first = position.floor() as usize;
        Self { first, second: (first + 1).min(grid - 1), weight: position - first as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_meet_corners_in_the_reference_geometry() {
        let out = upsample(&[0.0, 1.0, 2.0, 3.0], 2, 5, Geometry::Reference);
        assert_eq!([out[0], out[4], out[20], out[24]], [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(out[12], 1.5);
    }

    #[test]
    fn patch_centres_hold_the_patch_values() {
        // 2 patches of 3 px: centres at pixels 1 and 4, held outside.
        let out = upsample(&[0.0, 3.0, 0.0, 3.0], 2, 6, Geometry::PatchCentres { patch_px: 3 });
        for (found, expected) in out.iter().zip([0.0, 0.0, 1.0, 2.0, 3.0, 3.0]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}
