//! What the vision tower reads: channel planes in 0..1.

use super::Rgb8;

/// Square channel planes, before the model's mean and standard deviation.
#[derive(Debug, Clone, PartialEq)]
pub struct Planes {
    /// Side in pixels.
    pub side_px: usize,
    /// [3, side, side], rows from the top, in 0..1.
    pub values: Vec<f32>,
}

/// Splits a square picture into planes and divides by 255.
///
/// Resize first: of a picture that is not square only the top left square is taken.
pub fn to_planes(picture: &Rgb8) -> Planes {
    let side_px = picture.width_px.min(picture.height_px);
    let mut values = Vec::with_capacity(3 * side_px * side_px);
    for channel in 0..3 {
        for y in 0..side_px {
            let row = picture.row(y).chunks_exact(3).map(|pixel| f32::from(pixel[channel]) / 255.0);
            values.extend(row.chain(std::iter::repeat(0.0)).take(side_px));
        }
    }
    Planes { side_px, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_come_one_after_the_other() {
        let picture = Rgb8 { width_px: 2, height_px: 2, bytes: vec![0, 51, 255, 255, 102, 0, 51, 0, 0, 0, 0, 51] };
        let planes = to_planes(&picture);
        assert_eq!(planes.side_px, 2);
        assert_eq!(planes.values, [0.0, 1.0, 0.2, 0.0, 0.2, 0.4, 0.0, 0.0, 1.0, 0.0, 0.0, 0.2]);
    }

    #[test]
    fn missing_bytes_are_black() {
        let picture = Rgb8 { width_px: 2, height_px: 2, bytes: vec![255; 6] };
        assert_eq!(to_planes(&picture).values, [1.0, 1.0, 0.0, 0.0].repeat(3));
    }
}
