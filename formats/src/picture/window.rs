//! Grey deeper than 8 bits to 8 bits.
//!
//! In: grey values in the file's own units. Out: 0..255. A linear window as radiology uses it, or the
//! clipping of Pillow's `convert('RGB')`, which the published method inherits.

use std::fmt;
use std::str::FromStr;

use super::ImageError;
use super::padding::Padding;

/// A linear window: `center - width / 2` becomes black, `center + width / 2` white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Grey value that becomes the middle.
    pub center: f32,
    /// Range of grey values from black to white, above 0.
    pub width: f32,
}

/// Grey values from black to white, as a window's two ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GreyRange {
    /// This and all below is black.
    pub low: f64,
    /// This and all above is white.
    pub high: f64,
}

impl GreyRange {
    /// Whether there is anything between black and white.
    pub(super) fn is_open(&self) -> bool {
        self.low < self.high && self.low.is_finite() && self.high.is_finite()
    }
}

impl fmt::Display for GreyRange {
    /// "-1000 … 1100", with as many digits as tell its values apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.high - self.low;
        let digits = if width > 0.0 { (2.0 - width.log10().floor()).clamp(0.0, 12.0) as usize } else { 0 };
        let number = |value: f64| {
            let text = format!("{value:.digits$}");
            // Rounding may leave "-0".
            let is_zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
            if is_zero { text.replace('-', "") } else { text }
        };
        write!(f, "{} … {}", number(self.low), number(self.high))
    }
}

/// How deep grey was shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    /// The window.
    pub range: GreyRange,
    /// Whether pixels without a measured value were left out of it.
    pub is_padded: bool,
}

/// How deep grey is brought to 8 bits.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum WindowChoice {
    /// The file's own window, else the 0.5 to 99.5 percentiles of the finite values (all of them where
    /// these two are equal), padding left out.
    #[default]
    Auto,
    /// What Pillow up to 12 does: cut to 0..255 and drop the fraction. Everything above 255 is white.
    Pil,
    /// A window given by hand.
    Manual(Window),
    /// The window of other pictures; padding around the picture is black.
    Between(GreyRange),
}

/// Share of the values that `Auto` leaves out at each end, in percent.
pub(super) const CUT_PERCENT: f64 = 0.5;

impl FromStr for WindowChoice {
    type Err = ImageError;

    /// Reads `auto`, `pil`, `CENTER,WIDTH` or `LOW..HIGH`.
    fn from_str(text: &str) -> Result<Self, ImageError> {
        let trimmed = text.trim();
        if trimmed.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        if trimmed.eq_ignore_ascii_case("pil") {
            return Ok(Self::Pil);
        }
        if let Some((low, high)) = trimmed.split_once("..") {
            let ends = low.trim().parse().ok().zip(high.trim().parse().ok());
            let range = ends.map(|(low, high)| GreyRange { low, high }).filter(GreyRange::is_open);
            return range.map(Self::Between).ok_or_else(|| ImageError::Window { found: text.to_owned() });
        }
        let number = |part: &str| part.trim().parse::<f32>().ok().filter(|v| v.is_finite());
        trimmed
            .split_once(',')
            .and_then(|(center, width)| Some(Window { center: number(center)?, width: number(width)? }))
            .filter(|window| window.width > 0.0)
            .map(Self::Manual)
            .ok_or_else(|| ImageError::Window { found: text.to_owned() })
    }
}

impl fmt::Display for WindowChoice {
    /// As [`WindowChoice::from_str`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Pil => f.write_str("pil"),
            Self::Manual(Window { center, width }) => write!(f, "{center},{width}"),
            Self::Between(GreyRange { low, high }) => write!(f, "{low}..{high}"),
        }
    }
}

impl WindowChoice {
    /// Settles the choice for one picture.
    pub(super) fn tone(self, values: &[f32], of_file: Option<Window>) -> Tone {
        match (self, of_file) {
            (Self::Pil, _) => Tone::Clip,
            (Self::Manual(window), _) | (Self::Auto, Some(window)) => Tone::from_window(window),
            (Self::Between(range), _) => Tone::with_padding(range, values, Padding::of(values)),
            (Self::Auto, None) => Tone::from_percentiles(values),
        }
    }
}

/// A settled way from a grey value to 8 bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Tone {
    /// Cut to 0..255, fraction dropped.
    Clip,
    /// `low` and below become 0, `high` and above 255, rounded in between.
    Linear {
        /// The ends.
        range: GreyRange,
        /// Padding around the picture: this and all above is black.
        frame: Option<f32>,
        /// Whether there is padding.
        is_padded: bool,
    },
}

impl Tone {
    pub(super) fn from_window(window: Window) -> Self {
        let (center, half) = (f64::from(window.center), f64::from(window.width) / 2.0);
        Self::Linear { range: GreyRange { low: center - half, high: center + half }, frame: None, is_padded: false }
    }

    fn from_percentiles(values: &[f32]) -> Self {
        let padding = Padding::of(values);
        let mut measured: Vec<f32> = values.iter().copied().filter(|v| padding.leaves(*v)).collect();
        let low = percentile(&mut measured, CUT_PERCENT);
        let high = percentile(&mut measured, 100.0 - CUT_PERCENT);
        let range = if low < high {
            GreyRange { low, high }
        } else {
            // Nearly all values are equal (a small bright thing on an even ground): show all there is.
            GreyRange { low: percentile(&mut measured, 0.0), high: percentile(&mut measured, 100.0) }
        };
        Self::with_padding(range, values, padding)
    }

    fn with_padding(range: GreyRange, values: &[f32], padding: Padding) -> Self {
        let is_padded = values.iter().any(|value| !padding.leaves(*value));
        Self::Linear { range, frame: padding.high_frame(values), is_padded }
    }

    /// The window, if it is one.
    pub(super) fn shown(self) -> Option<Shown> {
        match self {
            Self::Clip => None,
            Self::Linear { range, is_padded, .. } => Some(Shown { range, is_padded }),
        }
    }

    /// One grey value to 8 bits. What is not a number becomes black.
    pub(super) fn apply(self, value: f32) -> u8 {
        // `as u8` drops the fraction, cuts to 0..=255 and turns NaN into 0.
        match self {
            Self::Clip => value as u8,
            Self::Linear { frame: Some(frame), .. } if value >= frame => 0,
            Self::Linear { range: GreyRange { low, high }, .. } => {
                let value = f64::from(value);
                if value <= low {
                    0
                } else if value >= high {
                    255
                } else {
                    ((value - low) / (high - low) * 255.0).round() as u8
                }
            }
        }
    }
}

/// Linearly interpolated percentile as numpy's default; 0 without values. Reorders the values.
pub(super) fn percentile(values: &mut [f32], percent: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    let position = percent / 100.0 * last as f64;
    let index = (position.floor() as usize).min(last);
    let (_, &mut lower, above) = values.select_nth_unstable_by(index, f32::total_cmp);
    let lower = f64::from(lower);
    let upper = above.iter().copied().min_by(f32::total_cmp).map_or(lower, f64::from);
    lower + (upper - lower) * (position - index as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_from_text() {
        let manual = |center, width| Some(WindowChoice::Manual(Window { center, width }));
        for (text, expected) in [
            ("auto", Some(WindowChoice::Auto)),
            (" PIL ", Some(WindowChoice::Pil)),
            ("40,400", manual(40.0, 400.0)),
            ("-600, 1500.5", manual(-600.0, 1500.5)),
            ("40", None),
            ("40,0", None),
            ("40,-1", None),
            ("nan,1", None),
            ("0,inf", None),
            ("1,2,3", None),
            ("-1000..1100.5", Some(WindowChoice::Between(GreyRange { low: -1000.0, high: 1100.5 }))),
            ("5..5", None),
            ("5..nan", None),
            ("..5", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<WindowChoice>().ok(), expected, "{text:?}");
            assert_eq!(expected.and_then(|choice| choice.to_string().parse().ok()), expected, "{text:?} written again");
        }
    }

    #[test]
    fn percentiles_are_numpys() {
        // numpy.percentile([1, 2, 3, 4, 10], q)
        for (percent, expected) in [(0.0, 1.0), (0.5, 1.02), (50.0, 3.0), (60.0, 3.4), (99.5, 9.88), (100.0, 10.0)] {
            let found = percentile(&mut [10.0, 3.0, 1.0, 4.0, 2.0], percent);
            assert!((found - expected).abs() < 1e-12, "{percent}: {found}");
        }
        assert_eq!(percentile(&mut [], 50.0), 0.0);
    }

    #[test]
    fn values_outside_the_window_are_cut() {
        let values = [-50.0, 0.0, 100.0, 101.0, 200.0, 900.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        let apply = |choice: WindowChoice, of_file| values.map(|v| choice.tone(&values, of_file).apply(v));
        let window = Window { center: 100.0, width: 200.0 };
        let expected = [0, 0, 128, 129, 255, 255, 0, 255, 0];
        assert_eq!(apply(WindowChoice::Manual(window), None), expected);
        assert_eq!(apply(WindowChoice::Auto, Some(window)), expected);
        assert_eq!(apply(WindowChoice::Pil, Some(window)), [0, 0, 100, 101, 200, 255, 0, 255, 0]);
    }

    #[test]
    fn auto_shows_a_small_bright_thing_on_even_ground() {
        let mut values = vec![7.0; 1000];
        values[500] = 1007.0;
        let tone = WindowChoice::Auto.tone(&values, None);
        assert_eq!([7.0, 507.0, 1007.0].map(|v| tone.apply(v)), [0, 128, 255]);
    }

    #[test]
    fn padding_takes_nothing_of_the_window() {
        let inner: Vec<f32> = (0..2000).map(|n| n as f32 - 1000.0).collect();
        let plain = WindowChoice::Auto.tone(&inner, None);
        for (fill, grey) in [(-3024.0, 0), (-2000.0, 0), (32767.0, 0), (f32::NAN, 0)] {
            let padded = [vec![fill; 300], inner.clone()].concat();
            let tone = WindowChoice::Auto.tone(&padded, None);
            assert_eq!(tone.shown().map(|shown| shown.range), plain.shown().map(|shown| shown.range), "{fill}");
            assert!(tone.shown().is_some_and(|shown| shown.is_padded), "{fill}");
            assert_eq!(tone.apply(fill), grey, "{fill} around the picture is black");
            assert!(inner.iter().all(|value| tone.apply(*value) == plain.apply(*value)), "{fill}");
            // Through the window of other pictures too.
            let range = GreyRange { low: -900.0, high: 900.0 };
            let tone = WindowChoice::Between(range).tone(&padded, None);
            assert_eq!([fill, -900.0, 900.0].map(|value| tone.apply(value)), [grey, 0, 255], "{fill}");
        }
        assert!(!plain.shown().is_some_and(|shown| shown.is_padded));
        // Inside the picture it may be what one looks for.
        let inside = [inner.clone(), vec![32767.0; 300], inner].concat();
        let tone = WindowChoice::Auto.tone(&inside, None);
        assert_eq!((tone.apply(32767.0), tone.apply(0.0)), (255, 128));
    }

    #[test]
    fn ranges_are_told_with_the_digits_they_need() {
        for (low, high, expected) in [
            (-1000.4, 1100.2, "-1000 … 1100"),
            (0.0, 65535.0, "0 … 65535"),
            (-0.0001, 0.95, "0.000 … 0.950"),
            // The window 380,761.
            (-0.5, 760.5, "0 … 760"),
            (1e6, 1e6 + 20.0, "1000000.0 … 1000020.0"),
            (0.0, 2.5e-9, "0.00000000000 … 0.00000000250"),
        ] {
            assert_eq!(GreyRange { low, high }.to_string(), expected);
        }
    }

    #[test]
    fn an_even_picture_is_black() {
        assert_eq!(WindowChoice::Auto.tone(&[5.0; 9], None).apply(5.0), 0);
        assert_eq!(WindowChoice::Auto.tone(&[f32::NAN; 9], None).apply(f32::NAN), 0);
    }
}
