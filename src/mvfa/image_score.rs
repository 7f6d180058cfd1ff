//! How one number is made of a picture's memory map.
//!
//! Comes in: the name of a rule, as it stands in a manifest, and a map. Goes out: the image score. Fails with a sentence
//! where a name is none of a rule. A new rule is added here and nowhere else. Source: spec §8 for the maximum and the
//! mean; the mean of the highest values after AnomalyDINO, whose share is a hundredth.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A rule that makes one score of a map.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ImageScore {
    /// The largest value.
    Max,
    /// The mean of all values.
    Mean,
    /// The mean of the highest values, this share of all, rounded up.
    Top(f64),
}

/// What a rule's name begins with if a share follows.
const TOP: &str = "top:";

impl ImageScore {
    /// The score of a map; nothing has the score 0.
    pub(crate) fn of(self, map: &[f32]) -> f32 {
        match self {
            _ if map.is_empty() => 0.0,
            Self::Max => map.iter().copied().fold(f32::NEG_INFINITY, f32::max),
            Self::Mean => mean(map),
            Self::Top(share) => {
                let count = (map.len() as f64 * share).ceil().max(1.0) as usize;
                let mut values = map.to_vec();
                match values.len().checked_sub(count) {
                    None | Some(0) => mean(map),
                    Some(first) => {
                        values.select_nth_unstable_by(first, f32::total_cmp);
                        mean(values.get(first..).unwrap_or_default())
                    }
                }
            }
        }
    }
}

/// Summed in 64 bits.
fn mean(values: &[f32]) -> f32 {
    let sum: f64 = values.iter().map(|v| f64::from(*v)).sum();
    (sum / values.len().max(1) as f64) as f32
}

impl fmt::Display for ImageScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Mean => f.write_str("mean"),
            Self::Top(share) => write!(f, "{TOP}{share}"),
        }
    }
}

impl FromStr for ImageScore {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let share = |text: &str| text.parse().ok().filter(|share| *share > 0.0 && *share <= 1.0).map(Self::Top);
        match text {
            "max" => Some(Self::Max),
            "mean" => Some(Self::Mean),
            _ => text.strip_prefix(TOP).and_then(share),
        }
        .ok_or_else(|| {
            format!(
                "an image score must be max, mean, or top: with a share above 0 up to 1 like top:0.01, found {text:?}"
            )
        })
    }
}

impl TryFrom<String> for ImageScore {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ImageScore> for String {
    fn from(rule: ImageScore) -> Self {
        rule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_makes_its_number() {
        let map: Vec<f32> = (0..200).map(|n| (n * 37 % 200) as f32).collect();
        assert_eq!(ImageScore::Max.of(&map), 199.0);
        assert_eq!(ImageScore::Mean.of(&map), 99.5);
        assert_eq!(ImageScore::Top(0.01).of(&map), 198.5);
        assert_eq!(ImageScore::Top(0.011).of(&map), 198.0, "rounded up");
        assert_eq!(ImageScore::Top(1e-9).of(&map), 199.0, "one at least");
        assert_eq!(ImageScore::Top(1.0).of(&map), 99.5);
        for rule in [ImageScore::Max, ImageScore::Mean, ImageScore::Top(0.5)] {
            assert_eq!(rule.of(&[]), 0.0);
        }
    }

    #[test]
    fn names_are_read_and_written() {
        for name in ["max", "mean", "top:0.01", "top:0.05", "top:1"] {
            assert_eq!(name.parse::<ImageScore>().map(|rule| rule.to_string()), Ok(name.to_owned()));
        }
        for name in ["", "median", "top", "top:", "top:0", "top:-0.1", "top:1.5", "top:NaN", "Top:0.1"] {
            let error = name.parse::<ImageScore>().unwrap_err();
            assert!(error.contains("top:0.01") && error.contains(&format!("{name:?}")), "{error}");
        }
    }
}
