//! Which values of a mask mean abnormal.
//!
//! Comes in: a decoded mask. Goes out: 0 and 1 for each pixel, and the rule that was used. Two values: the higher one is
//! abnormal, whatever they are (0 and 255, 0 and 1, black and red). Up to eight: everything above 0 (label maps). More: a
//! grey ramp, abnormal above half of white. Cannot fail.

use crate::image::{Picture, Pixels};

/// More distinct values than a label map has.
const MANY: usize = 9;
/// Smallest 8-bit grey value that counts as abnormal in a ramp: above half of 255.
const ABNORMAL_FROM: u8 = 128;

/// The rule that was used.
#[derive(Clone, Debug, PartialEq)]
pub enum Coding {
    /// All pixels are 0.
    Empty,
    /// One or two values; the highest is abnormal.
    Two {
        /// The values as grey, in their order.
        values: Vec<f32>,
    },
    /// Up to eight values; everything above 0 is abnormal.
    Few {
        /// The values as grey, in their order.
        values: Vec<f32>,
    },
    /// Many values; above half of white is abnormal.
    Ramp {
        /// The largest value.
        largest: f32,
    },
}

/// Pillow's `convert('L')`: the luma of ITU-R 601-2, in 16 bits after the point.
pub(super) fn grey([red, green, blue]: [u8; 3]) -> u8 {
    let sum = u32::from(red) * 19_595 + u32::from(green) * 38_470 + u32::from(blue) * 7_471;
    ((sum + 0x8000) >> 16) as u8
}

/// Whether all pixels have one colour.
pub(super) fn is_constant(picture: &Picture) -> bool {
    match &picture.pixels {
        Pixels::Rgb8(bytes) => bytes.chunks_exact(3).all(|pixel| Some(pixel) == bytes.get(..3)),
        Pixels::Gray8(grey) => grey.iter().all(|v| Some(v) == grey.first()),
        Pixels::DeepGray { values, .. } => values.iter().all(|v| Some(v) == values.first()),
        Pixels::DeepRgb { values } => values.chunks_exact(3).all(|pixel| Some(pixel) == values.get(..3)),
    }
}

/// 0 and 1 for each pixel. Only values that were stored without loss can be a label map.
pub(super) fn abnormal(picture: &Picture) -> (Vec<u8>, Coding) {
    let is_lossy = picture.format == "JPEG";
    match &picture.pixels {
        Pixels::Rgb8(bytes) => {
            // Colours are told apart as colours, and ranked as the grey that people see.
            let colours: Vec<[u8; 3]> = bytes.chunks_exact(3).map(|p| [p[0], p[1], p[2]]).collect();
            by_value(&colours, is_lossy, |c| f32::from(grey(*c)), |c| *c == [0; 3], |c| grey(*c) >= ABNORMAL_FROM)
        }
        Pixels::Gray8(values) => by_value(values, is_lossy, |v| f32::from(*v), |v| *v == 0, |v| *v >= ABNORMAL_FROM),
        Pixels::DeepGray { values, .. } => by_deep_value(values.iter().copied(), is_lossy),
        // The brightest of the three, so that a pure colour is as high as white.
        Pixels::DeepRgb { values } => {
            let brightest = values.chunks_exact(3).map(|pixel| pixel.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            by_deep_value(brightest, is_lossy)
        }
    }
}

fn by_deep_value(values: impl Iterator<Item = f32>, is_lossy: bool) -> (Vec<u8>, Coding) {
    let values: Vec<f32> = values.map(|v| if v.is_finite() { v + 0.0 } else { 0.0 }).collect();
    let largest = values.iter().copied().fold(0.0, f32::max);
    // White is that of the format which just holds the largest value.
    let white = [1.0, 255.0, 65_535.0].into_iter().find(|white| largest <= *white).unwrap_or(largest);
    by_value(&values, is_lossy, |v| *v, |v| *v <= 0.0, |v| *v > white / 2.0)
}

fn by_value<T: Copy + PartialEq>(
    pixels: &[T],
    is_lossy: bool,
    rank: impl Fn(&T) -> f32,
    is_zero: impl Fn(&T) -> bool,
    is_above_half: impl Fn(&T) -> bool,
) -> (Vec<u8>, Coding) {
    let mut values: Vec<T> = Vec::new();
    for value in pixels {
        if !values.contains(value) {
            values.push(*value);
            if values.len() >= MANY {
                break;
            }
        }
    }
    values.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
    let all = |is: &dyn Fn(&T) -> bool| pixels.iter().map(|value| u8::from(is(value))).collect::<Vec<u8>>();
    let ranks = || values.iter().map(&rank).collect::<Vec<f32>>();
    match values.as_slice() {
        [] => (Vec::new(), Coding::Empty),
        [one] if is_zero(one) => (vec![0; pixels.len()], Coding::Empty),
        [highest] | [_, highest] => (all(&|value| value == highest), Coding::Two { values: ranks() }),
        few if few.len() < MANY && !is_lossy => (all(&|value| !is_zero(value)), Coding::Few { values: ranks() }),
        _ => {
            let largest = pixels.iter().map(rank).fold(0.0, f32::max);
            (all(&is_above_half), Coding::Ramp { largest })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(pixels: Pixels, format: &'static str) -> Picture {
        Picture { width_px: 2, height_px: 2, pixels, format, pil_takes_high_byte: false, notes: Vec::new() }
    }

    fn of(pixels: Pixels) -> (Vec<u8>, Coding) {
        abnormal(&picture(pixels, "PNG"))
    }

    #[test]
    fn the_higher_of_two_values_is_abnormal() {
        for (low, high) in [(0, 255), (0, 1), (1, 2), (85, 170), (254, 255)] {
            let (found, coding) = of(Pixels::Gray8(vec![low, high, high, low]));
            assert_eq!(found, [0, 1, 1, 0], "{low} and {high}");
            assert_eq!(coding, Coding::Two { values: vec![f32::from(low), f32::from(high)] });
        }
        let red = of(Pixels::Rgb8([[0; 3], [255, 0, 0], [0; 3], [255, 0, 0]].concat()));
        assert_eq!(red.0, [0, 1, 0, 1]);
        assert_eq!(of(Pixels::DeepGray { values: vec![0.0, 1.0, 1.0, 0.0], window: None }).0, [0, 1, 1, 0]);
    }

    #[test]
    fn everything_above_0_of_few_values_is_abnormal() {
        let (found, coding) = of(Pixels::Gray8(vec![0, 85, 170, 0]));
        assert_eq!((found, coding), (vec![0, 1, 1, 0], Coding::Few { values: vec![0.0, 85.0, 170.0] }));
        let deep = of(Pixels::DeepGray { values: vec![0.0, 65_535.0, 255.0, 0.0], window: None });
        assert_eq!(deep.0, [0, 1, 1, 0]);
        let palette = of(Pixels::Rgb8([[0; 3], [128, 0, 0], [0, 128, 0], [128, 128, 0]].concat()));
        assert_eq!(palette.0, [0, 1, 1, 1]);
    }

    #[test]
    fn a_ramp_is_cut_at_half_of_white() {
        let ramp: Vec<u8> = (0..=255).collect();
        let (found, coding) = of(Pixels::Gray8(ramp));
        assert_eq!((found.iter().position(|v| *v == 1), coding), (Some(128), Coding::Ramp { largest: 255.0 }));
        // Neighbours of an edge in a JPEG are no labels.
        let (found, _) = abnormal(&picture(Pixels::Gray8(vec![0, 2, 254, 255]), "JPEG"));
        assert_eq!(found, [0, 0, 1, 1]);
        let deep: Vec<f32> = (0..10).map(|n| n as f32 / 9.0).collect();
        let (found, _) = of(Pixels::DeepGray { values: deep, window: None });
        assert_eq!(found.iter().filter(|v| **v == 1).count(), 5);
    }

    #[test]
    fn one_value_is_nothing_or_everything() {
        assert_eq!(of(Pixels::Gray8(vec![0; 4])), (vec![0; 4], Coding::Empty));
        assert_eq!(of(Pixels::Gray8(vec![1; 4])).0, [1; 4]);
    }
}
