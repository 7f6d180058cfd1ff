//! Bicubic resize to a square, with the exact bytes of Pillow up to version 12.
//!
//! In: any [`Rgb8`]. Out: [side, side]. Keys' cubic (a = -0.5), widened by the scale when shrinking;
//! weights as 22-bit fixed point; first along the rows (the width changes), then along the columns,
//! with 8 bits in between; an axis that already has the right length is left alone. Pillow 13 chooses
//! the order by size and gives other bytes for some pictures. Source: Pillow's documented behaviour of
//! `Image.resize`, checked byte for byte in `tests/parity/image.rs`.

use super::Rgb8;
use super::keys::{KEYS_SUPPORT, keys};

/// Fraction bits of a fixed-point weight.
const PRECISION_BITS: u32 = 22;
/// Half of one, for rounding.
const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// The inputs of one output pixel along an axis.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

/// Resizes to `side_px` x `side_px`. A picture without pixels becomes black.
pub fn resize_bicubic(picture: &Rgb8, side_px: usize) -> Rgb8 {
    if picture.width_px == 0 || picture.height_px == 0 {
        return Rgb8 { width_px: side_px, height_px: side_px, bytes: vec![0; side_px * side_px * 3] };
    }
    let wide = if picture.width_px == side_px { None } else { Some(resize_width(picture, side_px)) };
    let wide = wide.as_ref().unwrap_or(picture);
    if wide.height_px == side_px { wide.clone() } else { resize_height(wide, side_px) }
}

/// Fixed-point weights of one axis.
fn axis_taps(n_in: usize, n_out: usize) -> Vec<Taps> {
    let scale = n_in as f64 / n_out as f64;
    let stretch = scale.max(1.0);
    let support = KEYS_SUPPORT * stretch;
    let inverse = 1.0 / stretch;
    (0..n_out)
        .map(|i| {
            let centre = (i as f64 + 0.5) * scale;
            // `as usize` drops the fraction and turns negative numbers into 0, as the reference does.
            let first = (centre - support + 0.5) as usize;
            let end = ((centre + support + 0.5) as usize).min(n_in);
            let raw: Vec<f64> = (first..end).map(|x| keys((x as f64 - centre + 0.5) * inverse)).collect();
            let sum: f64 = raw.iter().sum();
            let fix = |w: f64| {
                let w = if sum == 0.0 { w } else { w / sum };
                (w * f64::from(1 << PRECISION_BITS) + if w < 0.0 { -0.5 } else { 0.5 }) as i32
            };
            Taps { first, weights: raw.into_iter().map(fix).collect() }
        })
        .collect()
}

/// Fixed point to a byte: rounded, cut to 0..255.
fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

/// Changes the width.
fn resize_width(picture: &Rgb8, width_px: usize) -> Rgb8 {
    let taps = axis_taps(picture.width_px, width_px);
    let mut bytes = Vec::with_capacity(width_px * picture.height_px * 3);
    for y in 0..picture.height_px {
        let row = picture.row(y);
        for tap in &taps {
            let mut sum = [HALF; 3];
            let pixels = row.get(tap.first * 3..).unwrap_or(&[]).chunks_exact(3);
            // Sums stay below 2^31: absolute weights add up to at most about 1.3 times 2^22.
            for (pixel, &weight) in pixels.zip(&tap.weights) {
                for (channel, &byte) in sum.iter_mut().zip(pixel) {
                    *channel += i32::from(byte) * weight;
                }
            }
            bytes.extend(sum.map(to_byte));
        }
    }
    Rgb8 { width_px, height_px: picture.height_px, bytes }
}

/// Changes the height.
fn resize_height(picture: &Rgb8, height_px: usize) -> Rgb8 {
    let taps = axis_taps(picture.height_px, height_px);
    let mut bytes = Vec::with_capacity(picture.width_px * height_px * 3);
    let mut sums = vec![0; picture.width_px * 3];
    for tap in &taps {
        sums.fill(HALF);
        for (offset, &weight) in tap.weights.iter().enumerate() {
            for (sum, &byte) in sums.iter_mut().zip(picture.row(tap.first + offset)) {
                *sum += i32::from(byte) * weight;
            }
        }
        bytes.extend(sums.iter().map(|&sum| to_byte(sum)));
    }
    Rgb8 { width_px: picture.width_px, height_px, bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width_px: usize, height_px: usize, values: &[u8]) -> Rgb8 {
        Rgb8 { width_px, height_px, bytes: values.iter().flat_map(|&v| [v; 3]).collect() }
    }

    #[test]
    fn weights_add_up_to_one() {
        for (n_in, n_out) in [(1, 5), (5, 1), (7, 240), (512, 240), (240, 240), (10_000, 3)] {
            for tap in axis_taps(n_in, n_out) {
                let sum: i32 = tap.weights.iter().sum();
                assert!((sum - (1 << PRECISION_BITS)).unsigned_abs() as usize <= tap.weights.len(), "{n_in}->{n_out}");
                assert!(tap.first + tap.weights.len() <= n_in);
            }
        }
    }

    #[test]
    fn an_even_picture_stays_even() {
        for (w, h) in [(1, 1), (3, 1), (1, 9), (33, 17), (5, 5)] {
            assert_eq!(resize_bicubic(&grey(w, h, &vec![93; w * h]), 5), grey(5, 5, &[93; 25]));
        }
    }

    #[test]
    fn edges_overshoot_as_the_kernel_does() {
        // Pillow 12: Image.fromarray(...).resize((4, 4), BICUBIC), every row alike.
        let found = resize_bicubic(&grey(2, 2, &[60, 200, 60, 200]), 4);
        assert_eq!(found, grey(4, 4, &[48, 89, 171, 212].repeat(4)));
    }

    #[test]
    fn odd_input_does_not_panic() {
        assert_eq!(resize_bicubic(&grey(0, 3, &[]), 2).bytes, [0; 12]);
        assert_eq!(resize_bicubic(&grey(3, 3, &[9; 9]), 0).bytes, [0; 0]);
        let short = Rgb8 { width_px: 4, height_px: 4, bytes: vec![255; 5] };
        assert_eq!(resize_bicubic(&short, 2).bytes, [0; 12]);
        assert_eq!(resize_bicubic(&short, 4).width_px, 4);
    }
}
