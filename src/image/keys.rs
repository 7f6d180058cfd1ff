//! Keys' cubic, the kernel of bicubic resizing.
//!
//! In: a distance in cells of the source. Out: a weight; the caller makes the weights of one place add up to one.
//! Source: R. G. Keys, "Cubic convolution interpolation for digital image processing", 1981.

/// Its free parameter: what Pillow takes, and torch with antialiasing (without, torch takes -0.75; spec §2).
const KEYS_A: f64 = -0.5;
/// Its reach at scale 1.
pub(crate) const KEYS_SUPPORT: f64 = 2.0;

/// The weight at distance `t`.
pub(crate) fn keys(t: f64) -> f64 {
    let t = t.abs();
    if t < 1.0 {
        ((KEYS_A + 2.0) * t - (KEYS_A + 3.0)) * t * t + 1.0
    } else if t < KEYS_SUPPORT {
        (((t - 5.0) * t + 8.0) * t - 4.0) * KEYS_A
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_any_place_add_up_to_one() {
        for place in [0.0, 0.25, 0.5, 0.9] {
            let sum: f64 = (-2..=2).map(|cell| keys(f64::from(cell) + place)).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{place}: {sum}");
        }
        assert_eq!((keys(0.0), keys(1.0), keys(-2.5)), (1.0, 0.0, 0.0));
    }
}
