//! Which slices of a series are taken.
//!
//! Comes in: what `--slices` says: numbers from 1, ranges, `all` or `middle`. Goes out: frame numbers from 0, rising, each
//! once. Fails with the part that is no number, or with a slice that the series does not have.

use std::str::FromStr;

use anyhow::{Result, bail};

/// A choice of slices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slices {
    /// Every one.
    All,
    /// The middle one.
    Middle,
    /// From the first to the second number, counted from 1.
    Ranges(Vec<(usize, usize)>),
}

impl FromStr for Slices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "all" => return Ok(Self::All),
            "middle" => return Ok(Self::Middle),
            _ => {}
        }
        let range = |part: &str| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| text.trim().parse::<usize>().ok().filter(|n| *n > 0);
            match number(from).zip(number(to)) {
                Some((from, to)) if from > to => {
                    Err(format!("the range {part:?} runs backwards; write the lower number first: {to}-{from}"))
                }
                Some(range) => Ok(range),
                None => Err(format!("{part:?} is no slice; write all, middle, or numbers from 1 like 1,5,20-40")),
            }
        };
        text.split(',').map(range).collect::<Result<_, _>>().map(Self::Ranges)
    }
}

impl Slices {
    /// The only slice with this number.
    pub(super) fn one(number: usize) -> Self {
        Self::Ranges(vec![(number, number)])
    }

    /// The frames, of a series with `count`; `whole` says what has them, like "file".
    ///
    /// # Errors
    /// A slice that is not there.
    pub(super) fn of(&self, count: usize, whole: &str) -> Result<Vec<usize>> {
        let ranges = match self {
            Self::All => return Ok((0..count).collect()),
            Self::Middle => return Ok(vec![count / 2]),
            Self::Ranges(ranges) => ranges,
        };
        if let Some(wanted) = ranges.iter().flat_map(|(from, to)| [from, to]).find(|n| **n > count) {
            bail!("there is no frame {wanted}: the {whole} has {count}; choose 1 to {count}");
        }
        let mut frames: Vec<usize> = ranges.iter().flat_map(|&(from, to)| from - 1..to).collect();
        frames.sort_unstable();
        frames.dedup();
        Ok(frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ranges_and_words() {
        let of = |text: &str| text.parse::<Slices>().unwrap().of(9, "file").unwrap();
        assert_eq!(of("all"), (0..9).collect::<Vec<_>>());
        assert_eq!(of("middle"), [4]);
        assert_eq!(of("3,1, 7-9,8"), [0, 2, 6, 7, 8]);
        let backwards = "1,5-3".parse::<Slices>().unwrap_err();
        assert_eq!(backwards, "the range \"5-3\" runs backwards; write the lower number first: 3-5");
        for wrong in ["", "0", "x", "1,,2", "-3"] {
            assert!(wrong.parse::<Slices>().unwrap_err().contains("is no slice"), "{wrong}");
        }
        let error = Slices::one(10).of(9, "series").unwrap_err().to_string();
        assert_eq!(error, "there is no frame 10: the series has 9; choose 1 to 9");
    }
}
