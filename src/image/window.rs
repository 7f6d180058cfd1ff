//! Grey deeper than 8 bits to 8 bits.
//!
//! In: grey values in the file's own units. Out: 0..255. A linear window as radiology uses it, or the
//! clipping of Pillow's `convert('RGB')`, which the published method inherits.

use std::str::FromStr;

use super::ImageError;

/// A linear window: `center - width / 2` becomes black, `center + width / 2` white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Grey value that becomes the middle.
    pub center: f32,
    /// Range of grey values from black to white, above 0.
    pub width: f32,
}

/// How deep grey is brought to 8 bits.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum WindowChoice {
    /// The file's own window, else the 0.5 to 99.5 percentiles of the finite values (all of them where
    /// these two are equal).
    #[default]
    Auto,
    /// What Pillow up to 12 does: cut to 0..255 and drop the fraction. Everything above 255 is white.
    Pil,
    /// A window given by hand.
    Manual(Window),
}

/// Share of the values that `Auto` leaves out at each end, in percent.
const CUT_PERCENT: f64 = 0.5;

impl FromStr for WindowChoice {
    type Err = ImageError;

    /// Reads `auto`, `pil` or `CENTER,WIDTH`.
    fn from_str(text: &str) -> Result<Self, ImageError> {
        let trimmed = text.trim();
        if trimmed.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        if trimmed.eq_ignore_ascii_case("pil") {
            return Ok(Self::Pil);
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

impl WindowChoice {
    /// Settles the choice for one picture.
    pub(super) fn tone(self, values: &[f32], of_file: Option<Window>) -> Tone {
        match (self, of_file) {
            (Self::Pil, _) => Tone::Clip,
            (Self::Manual(window), _) | (Self::Auto, Some(window)) => Tone::from_window(window),
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
    Linear { low: f64, high: f64 },
}

impl Tone {
    fn from_window(window: Window) -> Self {
        let (center, half) = (f64::from(window.center), f64::from(window.width) / 2.0);
        Self::Linear { low: center - half, high: center + half }
    }

    fn from_percentiles(values: &[f32]) -> Self {
        let mut finite: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
        let low = percentile(&mut finite, CUT_PERCENT);
        let high = percentile(&mut finite, 100.0 - CUT_PERCENT);
        if low < high {
            return Self::Linear { low, high };
        }
        // Nearly all values are equal (a small bright thing on an even ground): show all there is.
        Self::Linear { low: percentile(&mut finite, 0.0), high: percentile(&mut finite, 100.0) }
    }

    /// One grey value to 8 bits. What is not a number becomes black.
    pub(super) fn apply(self, value: f32) -> u8 {
        // `as u8` drops the fraction, cuts to 0..=255 and turns NaN into 0.
        match self {
            Self::Clip => value as u8,
            Self::Linear { low, high } => {
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
fn percentile(values: &mut [f32], percent: f64) -> f64 {
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
            ("", None),
        ] {
            assert_eq!(text.parse::<WindowChoice>().ok(), expected, "{text:?}");
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
    fn an_even_picture_is_black() {
        assert_eq!(WindowChoice::Auto.tone(&[5.0; 9], None).apply(5.0), 0);
        assert_eq!(WindowChoice::Auto.tone(&[f32::NAN; 9], None).apply(f32::NAN), 0);
    }
}
