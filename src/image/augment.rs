//! The 11 versions of a reference picture that fill the memory.
//!
//! In: [`Planes`]. Out: 11 of the same size, or one of them, in the order of [`AUGMENTATION_NAMES`]: the picture, four
//! rotations, four shifts, two flips. Rotations and shifts are bilinear warps in which the picture is
//! mirrored at the outer edges of its border pixels. Source: the few-shot path of MVFA (Huang et al.,
//! CVPR 2024), computed in f32 in the order that its sampler uses, so that results agree to rounding.

use std::f64::consts::PI;

use super::Planes;

/// Names of the versions, in the order of [`augment_mvfa`].
pub const AUGMENTATION_NAMES: [&str; 11] = [
    "original",
    "rotate -pi/8",
    "rotate -pi/16",
    "rotate +pi/16",
    "rotate +pi/8",
    "shift (+0.1,+0.1)",
    "shift (-0.1,+0.1)",
    "shift (-0.1,-0.1)",
    "shift (+0.1,-0.1)",
    "flip left-right",
    "flip up-down",
];

/// Rotation angles in radians.
const ANGLES: [f64; 4] = [-PI / 8.0, -PI / 16.0, PI / 16.0, PI / 8.0];
/// Shifts (x, y) in half sides: 0.1 moves the sampling point by a twentieth of the side.
const SHIFTS: [(f32, f32); 4] = [(0.1, 0.1), (-0.1, 0.1), (-0.1, -0.1), (0.1, -0.1)];

/// The 11 versions of `planes`. Works for any number of channels, so a mask can go the same way.
pub fn augment_mvfa(planes: &Planes) -> Vec<Planes> {
    (0..AUGMENTATION_NAMES.len()).map(|n| augmented(planes, n)).collect()
}

/// One of the versions, by its place in [`AUGMENTATION_NAMES`]; the picture itself for numbers beyond.
pub fn augmented(planes: &Planes, version: usize) -> Planes {
    const FIRST_SHIFT: usize = 1 + ANGLES.len();
    const LEFT_RIGHT: usize = FIRST_SHIFT + SHIFTS.len();
    const UP_DOWN: usize = LEFT_RIGHT + 1;
    match version {
        1..FIRST_SHIFT => {
            let angle = ANGLES[version - 1];
            let (sin, cos) = (angle.sin() as f32, angle.cos() as f32);
            warp(planes, [[cos, -sin, 0.0], [sin, cos, 0.0]])
        }
        FIRST_SHIFT..LEFT_RIGHT => {
            let (x, y) = SHIFTS[version - FIRST_SHIFT];
            warp(planes, [[1.0, 0.0, x], [0.0, 1.0, y]])
        }
        LEFT_RIGHT => flip_left_right(planes),
        UP_DOWN => flip_up_down(planes),
        _ => planes.clone(),
    }
}

/// The two pixels around a coordinate and the weight of the second.
#[derive(Clone, Copy)]
struct Pair {
    near: usize,
    far: usize,
    far_weight: f32,
}

/// Mirrors a pixel coordinate at -0.5 and `side - 0.5`, then finds its neighbours.
fn reflected_pair(coordinate: f32, side_px: usize) -> Pair {
    let side = side_px as f32;
    let from_edge = (coordinate + 0.5).abs();
    let flips = (from_edge / side).floor();
    let inside = from_edge - flips * side;
    let mirrored = if flips % 2.0 == 0.0 { inside } else { side - inside } - 0.5;
    let mirrored = mirrored.clamp(0.0, side - 1.0);
    let near = mirrored.floor();
    // The far neighbour of the last pixel has weight 0; any pixel will do for it.
    let last = side_px - 1;
    Pair { near: (near as usize).min(last), far: (near as usize + 1).min(last), far_weight: mirrored - near }
}

/// Bilinear warp; `theta` leads from an output point to an input point, both in -1..1 over the edges.
fn warp(planes: &Planes, theta: [[f32; 3]; 2]) -> Planes {
    let side_px = planes.side_px;
    let area = side_px * side_px;
    if area == 0 {
        return planes.clone();
    }
    let side = side_px as f32;
    let unit: Vec<f32> = (0..side_px).map(|i| (2.0 * i as f32 + 1.0) / side - 1.0).collect();
    let to_pixel = |g: f32| ((g + 1.0) * side - 1.0) / 2.0;
    let mut values = vec![0.0; planes.values.len()];
    for (y, &py) in unit.iter().enumerate() {
        for (x, &px) in unit.iter().enumerate() {
            let [gx, gy] = theta.map(|row| row[0] * px + row[1] * py + row[2]);
            let column = reflected_pair(to_pixel(gx), side_px);
            let row = reflected_pair(to_pixel(gy), side_px);
            let taps = [
                (row.near, column.near, (1.0 - row.far_weight) * (1.0 - column.far_weight)),
                (row.near, column.far, (1.0 - row.far_weight) * column.far_weight),
                (row.far, column.near, row.far_weight * (1.0 - column.far_weight)),
                (row.far, column.far, row.far_weight * column.far_weight),
            ];
            // Whole planes only: a rest shorter than a plane stays 0. Both sides have `area` elements.
            for (from, to) in planes.values.chunks_exact(area).zip(values.chunks_exact_mut(area)) {
                to[y * side_px + x] = taps.iter().map(|&(ty, tx, weight)| from[ty * side_px + tx] * weight).sum();
            }
        }
    }
    Planes { side_px, values }
}

/// Every row backwards.
fn flip_left_right(planes: &Planes) -> Planes {
    let rows = planes.values.chunks(planes.side_px.max(1));
    Planes { side_px: planes.side_px, values: rows.flat_map(|row| row.iter().rev().copied()).collect() }
}

/// Every plane's rows from the bottom.
fn flip_up_down(planes: &Planes) -> Planes {
    let side_px = planes.side_px.max(1);
    let flipped =
        planes.values.chunks(side_px * side_px).flat_map(|plane| plane.chunks(side_px).rev().flatten().copied());
    Planes { side_px: planes.side_px, values: flipped.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flips_move_pixels() {
        let planes = Planes { side_px: 2, values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0] };
        let versions = augment_mvfa(&planes);
        assert_eq!(versions[0], planes);
        assert_eq!(versions[9].values, [2.0, 1.0, 4.0, 3.0, 6.0, 5.0, 8.0, 7.0]);
        assert_eq!(versions[10].values, [3.0, 4.0, 1.0, 2.0, 7.0, 8.0, 5.0, 6.0]);
    }

    #[test]
    fn a_shift_of_a_tenth_is_a_twentieth_of_the_side() {
        // 20 px: one pixel to the left and up, mirrored at the far edges.
        let values: Vec<f32> = (0..400).map(|i| (i % 20) as f32).collect();
        let versions = augment_mvfa(&Planes { side_px: 20, values });
        for (x, &value) in versions[5].values.iter().take(20).enumerate() {
            assert!((value - (x as f32 + 1.0).min(19.0)).abs() < 1e-4, "column {x}: {value}");
        }
    }

    #[test]
    fn odd_input_does_not_panic() {
        for (side_px, len) in [(0, 0), (0, 5), (1, 3), (3, 8), (3, 30)] {
            assert_eq!(augment_mvfa(&Planes { side_px, values: vec![f32::NAN; len] }).len(), 11);
        }
    }
}
