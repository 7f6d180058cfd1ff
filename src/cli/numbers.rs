//! Numbers on the command line, within bounds.
//!
//! Comes in: text. Goes out: a number in its bounds. Fails with what is expected, which clap shows with
//! the option's name and exit code 2.

/// A count of something that there must be.
pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(0) => Err("it must be 1 or more".to_owned()),
        Ok(count) => Ok(count),
        Err(error) => Err(format!("{error}; write a whole number from 1 on")),
    }
}

/// A learning rate.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("it must be a number above 0, such as 0.001".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_is_taken() {
        assert_eq!((at_least_one("1"), rate("1e-4")), (Ok(1), Ok(1e-4)));
        assert!(["0", "-1", "x", ""].iter().all(|text| at_least_one(text).is_err()));
        assert!(["0", "-0.1", "nan", "inf", "x", "1e999"].iter().all(|text| rate(text).is_err()));
    }
}
