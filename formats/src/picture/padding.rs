//! Padding: a grey value that stands for "nothing was measured here" and lies far from all that was.
//!
//! Comes in: grey values. Goes out: [`Padding`], which says of each value whether it is padding. Scanners, resampling and
//! cropping fill the corners outside a round field of view, or a frame around a picture, with values such as -3024,
//! -2000, -9999 or 65535. One of them counted as a grey value would take most of the window. Cannot fail.

use super::window::{CUT_PERCENT, percentile};

/// A value held by no more than one pixel in so many is no padding.
const ONE_IN: usize = 100;
/// How far padding lies from the others' percentile, in widths of the others' window. Padding of -2000 lies .4 to .5 widths
/// below a CT slice; zeros around a stripped brain lie less than .2 below it.
const FAR: f64 = 0.3;
/// With no more grey values than this beside it the picture holds labels, and none of them is padding.
const LABELS_AT_MOST: usize = 16;
/// Enough for padding of two kinds at both ends.
const ROUNDS: usize = 4;

/// Which values are padding.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Padding {
    /// This value and those below it.
    low: Option<f32>,
    /// This value and those above it.
    high: Option<f32>,
}

impl Padding {
    /// The padding among these values.
    pub(super) fn of(values: &[f32]) -> Self {
        let mut found = Self::default();
        for _ in 0..ROUNDS {
            let Some(more) = found.more(values) else { break };
            found = more;
        }
        found
    }

    /// Whether a value was measured: it is a number, and no padding.
    pub(super) fn leaves(self, value: f32) -> bool {
        value.is_finite() && self.low.is_none_or(|low| value > low) && self.high.is_none_or(|high| value < high)
    }

    /// High padding around a picture, which is drawn black as low padding is: it holds a corner. Inside a picture such a
    /// value may be what one looks for, and stays white.
    pub(super) fn high_frame(self, values: &[f32]) -> Option<f32> {
        let corners = [values.first(), values.last()];
        self.high.filter(|high| corners.into_iter().flatten().any(|corner| corner >= high))
    }

    /// With one more value at either end, if that is padding.
    fn more(self, values: &[f32]) -> Option<Self> {
        let mut all = 0;
        let (mut lowest, mut highest) = ((f32::INFINITY, 0), (f32::NEG_INFINITY, 0));
        for &value in values.iter().filter(|value| value.is_finite()) {
            all += 1;
            if !self.leaves(value) {
                continue;
            }
            match value.total_cmp(&lowest.0) {
                std::cmp::Ordering::Less => lowest = (value, 1),
                std::cmp::Ordering::Equal => lowest.1 += 1,
                std::cmp::Ordering::Greater => {}
            }
            match value.total_cmp(&highest.0) {
                std::cmp::Ordering::Greater => highest = (value, 1),
                std::cmp::Ordering::Equal => highest.1 += 1,
                std::cmp::Ordering::Less => {}
            }
        }
        let is_common = |(_, count): (f32, usize)| count * ONE_IN > all;
        let with_low = Self { low: Some(lowest.0), ..self };
        let with_high = Self { high: Some(highest.0), ..self };
        if is_common(lowest) && with_low.is_far(values, lowest.0) {
            Some(with_low)
        } else if is_common(highest) && with_high.is_far(values, highest.0) {
            Some(with_high)
        } else {
            None
        }
    }

    /// Whether `end`, which this leaves out, lies far from what it leaves.
    fn is_far(self, values: &[f32], end: f32) -> bool {
        let mut rest: Vec<f32> = values.iter().copied().filter(|value| self.leaves(*value)).collect();
        if !has_more_values_than(LABELS_AT_MOST, &rest) {
            return false;
        }
        let low = percentile(&mut rest, CUT_PERCENT);
        let high = percentile(&mut rest, 100.0 - CUT_PERCENT);
        let end = f64::from(end);
        low < high && (low - end).max(end - high) >= FAR * (high - low)
    }
}

fn has_more_values_than(count: usize, values: &[f32]) -> bool {
    let mut seen: Vec<f32> = Vec::with_capacity(count + 1);
    for value in values {
        if !seen.contains(value) {
            seen.push(*value);
            if seen.len() > count {
                return true;
            }
        }
    }
    false
}

/// Turns the values that a file calls "no data" into what is not a number, unless nothing else is left. `no_data` as GDAL
/// writes it: a number as text.
#[cfg(feature = "files")]
pub(super) fn clear_no_data(values: &mut [f32], no_data: &str) {
    let Ok(no_data) = no_data.trim_matches(|c: char| c.is_whitespace() || c == '\0').parse::<f64>() else { return };
    let no_data = no_data as f32;
    if values.iter().any(|value| value.is_finite() && *value != no_data) {
        values.iter_mut().filter(|value| **value == no_data).for_each(|value| *value = f32::NAN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thousand values from `low` to `high`, and as many of `fill` as given.
    fn filled(low: f32, high: f32, fills: &[(f32, usize)]) -> Vec<f32> {
        let inner = (0..1000).map(|n| low + (high - low) * n as f32 / 999.0);
        fills.iter().flat_map(|(value, count)| std::iter::repeat_n(*value, *count)).chain(inner).collect()
    }

    fn left(values: &[f32]) -> usize {
        let padding = Padding::of(values);
        values.iter().filter(|value| padding.leaves(**value)).count()
    }

    #[test]
    fn far_values_of_many_pixels_are_padding() {
        for (low, high, fills) in [
            (-1000.0, 1100.0, &[(-3024.0, 280)][..]),
            (-1000.0, 1100.0, &[(-2000.0, 20)]),
            (-1000.0, 1500.0, &[(-2000.0, 280)]),
            (0.0, 1.0, &[(-9999.0, 100)]),
            (0.0, 4095.0, &[(65535.0, 100)]),
            (0.0, 1.0, &[(f32::MIN, 100)]),
            (-1000.0, 1100.0, &[(-3024.0, 100), (-2000.0, 100)]),
            (-1000.0, 1100.0, &[(-2000.0, 100), (32767.0, 100)]),
            (0.0, 1.0, &[(-9999.0, 100), (9999.0, 100)]),
        ] {
            assert_eq!(left(&filled(low, high, fills)), 1000, "{fills:?}");
        }
    }

    #[test]
    fn near_rare_and_lonely_values_are_none() {
        for values in [
            filled(-1000.0, 1100.0, &[]),
            filled(-1000.0, 1100.0, &[(-1024.0, 400)]),
            filled(100.0, 1000.0, &[(0.0, 900)]),
            filled(0.0, 1100.0, &[(-3024.0, 10)]),
            vec![5.0; 500],
            // Labels.
            (0..900).map(|n| [0.0, 0.0, 1.0, 2.0, 3.0][n % 5]).collect(),
            (0..900).map(|n| if n % 3 == 0 { 9.0 } else { 0.0 }).collect(),
            Vec::new(),
        ] {
            assert_eq!(left(&values), values.len());
        }
    }

    #[test]
    fn a_few_values_between_do_not_hide_padding() {
        let mut values = filled(-1000.0, 1100.0, &[(-3024.0, 280)]);
        values.extend([-2900.0, -2500.0, -1700.0, -1200.0]);
        assert_eq!(left(&values), 1004);
    }

    #[test]
    fn high_padding_is_a_frame_where_it_holds_a_corner() {
        let framed = filled(0.0, 100.0, &[(900.0, 50)]);
        assert_eq!(Padding::of(&framed).high_frame(&framed), Some(900.0));
        let mut inside = filled(0.0, 100.0, &[]);
        inside.splice(500..500, vec![900.0; 50]);
        assert!(!Padding::of(&inside).leaves(900.0));
        assert_eq!(Padding::of(&inside).high_frame(&inside), None);
    }

    #[cfg(feature = "files")]
    #[test]
    fn no_data_of_the_file_is_no_number() {
        let cleared = |values: &[f32], text| {
            let mut values = values.to_vec();
            clear_no_data(&mut values, text);
            values.iter().filter(|value| value.is_nan()).count()
        };
        assert_eq!(cleared(&[0.0, 1.0, 0.0, 2.0], " 0\0"), 2);
        assert_eq!(cleared(&[-9999.0, 1.0], "-9999.0"), 1);
        assert_eq!(cleared(&[7.0, 7.0], "7"), 0, "nothing else is left");
        assert_eq!(cleared(&[0.0, 1.0], "none"), 0);
        assert_eq!(cleared(&[0.0, f32::NAN], "nan"), 1);
    }
}
