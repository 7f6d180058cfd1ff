//! A square map at the pixels of the picture it belongs to: the map covers the whole picture and is sampled bilinearly
//! between the centres of its pixels.
//!
//! Comes in: a map [side, side] and a pixel. Goes out: its value there; no number for a map of another size.

/// The two map pixels around a picture pixel along one axis, and the weight of the second.
#[derive(Clone, Copy)]
pub struct Neighbours {
    near: usize,
    far: usize,
    far_weight: f32,
}

impl Neighbours {
    /// For picture pixel `index` of `length`; both pixels are below `side`, which is not 0.
    pub fn at(index: usize, length: usize, side: usize) -> Self {
        let last = side - 1;
        let centre = (index as f32 + 0.5) * side as f32 / length.max(1) as f32 - 0.5;
        let centre = centre.clamp(0.0, last as f32);
        let near = (centre as usize).min(last);
        Self { near, far: (near + 1).min(last), far_weight: centre - near as f32 }
    }
}

/// Bilinear sample of a [side, side] map. A neighbour without weight does not count, finite or not.
pub fn sample(map: &[f32], side: usize, row: Neighbours, column: Neighbours) -> f32 {
    let weighted = |y: usize, x: usize, weight: f32| if weight == 0.0 { 0.0 } else { map[y * side + x] * weight };
    weighted(row.near, column.near, (1.0 - row.far_weight) * (1.0 - column.far_weight))
        + weighted(row.near, column.far, (1.0 - row.far_weight) * column.far_weight)
        + weighted(row.far, column.near, row.far_weight * (1.0 - column.far_weight))
        + weighted(row.far, column.far, row.far_weight * column.far_weight)
}

/// The map at one pixel of a picture: its row among so many, its column among so many.
pub fn at_pixel(map: &[f32], side: usize, row: (usize, usize), column: (usize, usize)) -> f32 {
    if side == 0 || map.len() != side * side {
        return f32::NAN;
    }
    sample(map, side, Neighbours::at(row.0, row.1, side), Neighbours::at(column.0, column.1, side))
}

/// The map at every pixel of a picture, [height, width], as an overlay shows it.
pub fn sampled(map: &[f32], side: usize, width_px: usize, height_px: usize) -> Vec<f32> {
    let row = |y: usize| (0..width_px).map(move |x| at_pixel(map, side, (y, height_px), (x, width_px)));
    (0..height_px).flat_map(row).collect()
}
