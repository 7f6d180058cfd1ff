//! One window for all pictures of a run, taken from its normal ones.
//!
//! Comes in: pictures deeper than 8 bits, one at a time. Of each only its [`GreySpread`] is kept, some hundred numbers, so
//! that pictures need not stay in memory and can be read by different workers. Goes out: the range from black to white
//! that the pictures have together. Cannot fail; pictures of 8 bits have no spread.

use super::padding::Padding;
use super::window::{CUT_PERCENT, GreyRange, Tone};
use super::{Picture, Pixels};

/// Percentiles that are kept, evenly spaced from 0 to 100. With this many the two that make a window are among them.
const KNOTS: usize = 201;
/// Of larger pictures as many values are looked at, evenly spaced.
const VALUES_AT_MOST: usize = 1 << 20;

/// How the grey values of one picture are spread, padding left out.
#[derive(Debug, Clone, PartialEq)]
pub struct GreySpread {
    /// Percentiles from 0 to 100, evenly spaced, rising.
    pub knots: Vec<f64>,
    /// Whether there was padding.
    pub is_padded: bool,
}

impl Picture {
    /// How the grey values are spread; `None` where no window applies.
    pub fn grey_spread(&self) -> Option<GreySpread> {
        let (values, window) = match &self.pixels {
            Pixels::DeepGray { values, window } => (values, *window),
            Pixels::DeepRgb { values } => (values, None),
            Pixels::Rgb8(_) | Pixels::Gray8(_) => return None,
        };
        let padding = Padding::of(values);
        let is_padded = values.iter().any(|value| !padding.leaves(*value));
        if let Some(Tone::Linear { range, .. }) = window.map(Tone::from_window) {
            // The file's own window counts as all there is: half of the picture at either end.
            let knots = (0..KNOTS).map(|n| if n < KNOTS / 2 { range.low } else { range.high }).collect();
            return Some(GreySpread { knots, is_padded });
        }
        let step = values.len().div_ceil(VALUES_AT_MOST).max(1);
        let mut measured: Vec<f32> =
            values.iter().step_by(step).copied().filter(|value| padding.leaves(*value)).collect();
        measured.sort_unstable_by(f32::total_cmp);
        let measured: Vec<f64> = measured.into_iter().map(f64::from).collect();
        let knots = (0..KNOTS).filter_map(|n| at(&measured, n as f64 * 100.0 / (KNOTS - 1) as f64)).collect();
        Some(GreySpread { knots, is_padded })
    }
}

/// The window of several pictures together, each counted alike whatever its size: the percentiles that one picture's
/// window has. `None` without pictures, or where all grey values are equal.
pub fn pooled_range<'a>(spreads: impl IntoIterator<Item = &'a [f64]>) -> Option<GreyRange> {
    let mut all: Vec<f64> = spreads.into_iter().flatten().copied().filter(|value| value.is_finite()).collect();
    all.sort_unstable_by(f64::total_cmp);
    let ends = |cut: f64| Some(GreyRange { low: at(&all, cut)?, high: at(&all, 100.0 - cut)? });
    ends(CUT_PERCENT).filter(GreyRange::is_open).or_else(|| ends(0.0).filter(GreyRange::is_open))
}

/// Linearly interpolated percentile of sorted values, as numpy's default; `None` without values.
fn at(sorted: &[f64], percent: f64) -> Option<f64> {
    let position = percent / 100.0 * sorted.len().checked_sub(1)? as f64;
    let lower = *sorted.get(position.floor() as usize)?;
    let upper = sorted.get(position.ceil() as usize).copied().unwrap_or(lower);
    Some(lower + (upper - lower) * (position - position.floor()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Window, WindowChoice};

    fn picture(values: Vec<f32>, window: Option<Window>) -> Picture {
        let pixels = Pixels::DeepGray { values, window };
        let Pixels::DeepGray { values, .. } = &pixels else { unreachable!() };
        let width_px = values.len();
        Picture { width_px, height_px: 1, pixels, format: "test", pil_takes_high_byte: false, notes: Vec::new() }
    }

    fn ramp(low: f32, high: f32) -> Vec<f32> {
        (0..5000).map(|n| low + (high - low) * n as f32 / 4999.0).collect()
    }

    fn pooled(pictures: &[Picture]) -> Option<GreyRange> {
        let spreads: Vec<GreySpread> = pictures.iter().filter_map(Picture::grey_spread).collect();
        pooled_range(spreads.iter().map(|spread| spread.knots.as_slice()))
    }

    #[test]
    fn of_one_picture_it_is_its_own_window() {
        let one = picture(ramp(-1000.0, 1100.0), None);
        let own = one.shown(WindowChoice::Auto).1.unwrap().range;
        assert_eq!(pooled(std::slice::from_ref(&one)), Some(own));
        assert_eq!(pooled(&[one.clone(), one.clone(), one]), Some(own), "equal ones change nothing");
    }

    #[test]
    fn of_several_it_holds_the_grey_values_of_all() {
        let range = pooled(&[picture(ramp(0.0, 100.0), None), picture(ramp(0.0, 1000.0), None)]).unwrap();
        assert!(range.low < 5.0 && range.high > 980.0 && range.high < 1000.0, "{range:?}");
    }

    #[test]
    fn padding_and_what_is_no_number_are_left_out() {
        let plain = picture(ramp(-1000.0, 1100.0), None);
        let mut values = ramp(-1000.0, 1100.0);
        values.extend(vec![-3024.0; 900]);
        values.extend([f32::NAN, f32::INFINITY]);
        let padded = picture(values, None);
        assert!(padded.grey_spread().unwrap().is_padded && !plain.grey_spread().unwrap().is_padded);
        assert_eq!(pooled(&[padded]), pooled(&[plain]));
    }

    #[test]
    fn the_files_own_window_counts() {
        let own = Some(Window { center: 40.0, width: 400.0 });
        let range = pooled(&[picture(ramp(-1000.0, 1100.0), own), picture(ramp(0.0, 5.0), own)]).unwrap();
        assert_eq!((range.low, range.high), (-160.0, 240.0));
    }

    #[test]
    fn without_grey_values_there_is_none() {
        assert_eq!(pooled(&[]), None);
        assert_eq!(pooled(&[picture(vec![7.0; 30], None)]), None);
        assert_eq!(pooled(&[picture(vec![f32::NAN; 30], None)]), None);
        let mut small = vec![7.0; 1000];
        small[500] = 1007.0;
        assert_eq!(pooled(&[picture(small, None)]), Some(GreyRange { low: 7.0, high: 1007.0 }));
    }
}
