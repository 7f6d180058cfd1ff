//! Whether a picture shows anything at all, and whether its shape survives being made a square.
//!
//! Comes in: a picture as it is shown. Goes out: what is wrong with it, in numbers. Cannot fail. Grey values are counted on
//! rows spread over the picture, so that the largest picture costs as little as a small one.

use super::Rgb8;

/// Grey values that a blank picture may differ by: what lossy formats leave of one value.
const BLANK_RANGE: usize = 2;
/// Share of the pixels that may lie anywhere: dead pixels, a mark in a corner.
const STRAY_SHARE: f64 = 0.001;
/// From this share of one grey value on (and its neighbours within [`BLANK_RANGE`]) a picture shows little. The emptiest
/// slices at the top of a head have 0.93.
const SPARSE_SHARE: f64 = 0.98;
/// With a shorter side below this the model sees a few pixels blown up.
const TINY_PX: usize = 32;
/// The model sees every picture as a square; a longer one than this is squeezed beyond recognition.
const LONGEST_SHAPE: usize = 4;
/// Pixels that are counted, about.
const COUNTED_PX: usize = 1 << 18;
const CHANNELS: usize = 3;

/// How empty a picture is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Emptiness {
    /// One value in every pixel.
    Single,
    /// One value but for what lossy formats and dead pixels leave.
    Nearly,
    /// One value in so large a share of the pixels that little is left.
    Sparse {
        /// Of the pixels, in 0..1.
        share: f64,
    },
}

/// How empty a picture is, or `None` if it shows something. A picture without pixels is a single value.
pub fn emptiness(picture: &Rgb8) -> Option<Emptiness> {
    let (counts, counted) = histograms(picture);
    if counts.iter().all(|channel| span(channel, 0) == 0) {
        // Every row, before it is said that no pixel differs.
        let first = picture.bytes.get(..CHANNELS).unwrap_or(&[]);
        let is_single = picture.bytes.chunks_exact(CHANNELS).all(|pixel| pixel == first);
        return Some(if is_single { Emptiness::Single } else { Emptiness::Nearly });
    }
    let strays = (STRAY_SHARE * counted as f64) as usize;
    if counts.iter().all(|channel| span(channel, 0) <= BLANK_RANGE || largest_share(channel, counted - strays) >= 1.0) {
        return Some(Emptiness::Nearly);
    }
    let share = counts.iter().map(|channel| largest_share(channel, counted)).fold(1.0, f64::min);
    (share >= SPARSE_SHARE).then_some(Emptiness::Sparse { share })
}

/// Whether the shorter side has too few pixels to show anything.
pub fn is_tiny(width_px: usize, height_px: usize) -> bool {
    width_px.min(height_px) < TINY_PX
}

/// Whether the picture is so long that it is squeezed beyond recognition.
pub fn is_long(width_px: usize, height_px: usize) -> bool {
    width_px.max(height_px) > LONGEST_SHAPE * width_px.min(height_px)
}

/// How often each value occurs in each channel, and in how many pixels.
fn histograms(picture: &Rgb8) -> ([[usize; 256]; CHANNELS], usize) {
    let mut counts = [[0; 256]; CHANNELS];
    let mut counted = 0;
    let rows_apart = (picture.width_px * picture.height_px).div_ceil(COUNTED_PX).max(1);
    for y in (0..picture.height_px).step_by(rows_apart) {
        for pixel in picture.row(y).chunks_exact(CHANNELS) {
            for (channel, value) in counts.iter_mut().zip(pixel) {
                channel[usize::from(*value)] += 1;
            }
            counted += 1;
        }
    }
    (counts, counted)
}

/// From the lowest to the highest value that more than `ignored` pixels have.
fn span(channel: &[usize; 256], ignored: usize) -> usize {
    let first = channel.iter().position(|count| *count > ignored);
    let last = channel.iter().rposition(|count| *count > ignored);
    first.zip(last).map_or(0, |(first, last)| last - first)
}

/// The largest share of `of` pixels that has values within [`BLANK_RANGE`].
fn largest_share(channel: &[usize; 256], of: usize) -> f64 {
    let most = channel.windows(BLANK_RANGE + 1).map(|values| values.iter().sum::<usize>()).max().unwrap_or(0);
    most as f64 / of.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width_px: usize, height_px: usize, value: impl Fn(usize, usize) -> u8) -> Rgb8 {
        let pixels = (0..width_px * height_px).map(|i| value(i % width_px, i / width_px));
        Rgb8 { width_px, height_px, bytes: pixels.flat_map(|v| [v; 3]).collect() }
    }

    #[test]
    fn one_value_and_almost_one_value_show_nothing() {
        for (found, expected) in [
            (grey(96, 96, |_, _| 0), Some(Emptiness::Single)),
            (grey(96, 96, |_, _| 137), Some(Emptiness::Single)),
            (grey(1, 1, |_, _| 9), Some(Emptiness::Single)),
            (grey(0, 0, |_, _| 0), Some(Emptiness::Single)),
            (grey(128, 128, |x, y| 100 + ((x * 7 + y * 3) % 3) as u8), Some(Emptiness::Nearly)),
            (grey(128, 128, |x, y| if (x, y) == (60, 9) { 255 } else { 0 }), Some(Emptiness::Nearly)),
            // As large as not every row is counted.
            (grey(600, 1500, |x, y| u8::from((x, y) == (7, 1))), Some(Emptiness::Nearly)),
            (grey(128, 128, |x, _| 100 + (x >> 4) as u8), None),
            (grey(600, 1500, |x, y| (x + y) as u8), None),
        ] {
            assert_eq!(emptiness(&found), expected, "{} x {}", found.width_px, found.height_px);
        }
        let colour = Rgb8 { width_px: 40, height_px: 40, bytes: [10, 200, 30].repeat(1600) };
        assert_eq!(emptiness(&colour), Some(Emptiness::Single));
    }

    #[test]
    fn a_label_on_black_is_little_and_a_head_is_much() {
        let label = grey(100, 100, |x, y| if x < 10 && y < 10 { 255 } else { 0 });
        assert_eq!(emptiness(&label), Some(Emptiness::Sparse { share: 0.99 }));
        assert_eq!(emptiness(&grey(100, 100, |x, y| if x < 30 && y < 20 { 200 } else { 0 })), None);
    }

    #[test]
    fn shapes_that_do_not_survive() {
        assert!(is_tiny(9, 800) && is_tiny(1, 1) && !is_tiny(32, 32));
        assert!(is_long(1, 20_000) && is_long(64, 2000) && !is_long(64, 256) && !is_long(1, 1));
    }
}
