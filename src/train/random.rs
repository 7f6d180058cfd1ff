//! Numbers that follow from a seed and a place, so that a resumed run draws the same ones.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// What a stream of numbers is for; keeps streams of one seed apart.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// Starting values of tensors.
    Init = 1,
    /// Which pictures are the shots.
    Shots = 2,
    /// Order of the pictures in an epoch.
    Order = 3,
    /// Sentences of a step.
    Sentences = 4,
    /// Synthetic anomalies.
    Synthesis = 5,
    /// Which pictures are kept for validation.
    Validation = 6,
}

/// The stream of `purpose` at place `index` (an epoch, a step, a picture).
pub fn stream(seed: u64, purpose: Purpose, index: u64) -> Pcg64 {
    // Odd multipliers spread neighbouring places over the seed space.
    let mixed = seed
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add((purpose as u64).wrapping_mul(0xD1B5_4A32_D192_ED03))
        .wrapping_add(index.wrapping_mul(0x8CB9_2BA7_2F3D_8DD7));
    Pcg64::seed_from_u64(mixed)
}

/// `0..count` in a random order.
pub fn order(seed: u64, purpose: Purpose, index: u64, count: usize) -> Vec<usize> {
    let mut rng = stream(seed, purpose, index);
    let mut list: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        list.swap(last, rng.random_range(0..=last));
    }
    list
}

/// Normally distributed values.
pub fn normal(rng: &mut Pcg64, count: usize, deviation: f32) -> Vec<f32> {
    // Box and Muller's transform; the smallest uniform value keeps the logarithm finite.
    (0..count)
        .map(|_| {
            let (u, v): (f32, f32) = (rng.random(), rng.random());
            deviation * (-2.0 * u.max(f32::MIN_POSITIVE).ln()).sqrt() * (std::f32::consts::TAU * v).cos()
        })
        .collect()
}

/// Uniformly distributed values in `-bound..bound`.
pub fn uniform(rng: &mut Pcg64, count: usize, bound: f32) -> Vec<f32> {
    (0..count).map(|_| (2.0 * rng.random::<f32>() - 1.0) * bound).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_holds_everything_once_and_differs_between_epochs() {
        let first = order(7, Purpose::Order, 0, 50);
        assert_eq!(first, order(7, Purpose::Order, 0, 50));
        assert_ne!(first, order(7, Purpose::Order, 1, 50));
        assert_ne!(first, order(8, Purpose::Order, 0, 50));
        let mut sorted = first;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn normal_values_have_the_wanted_deviation() {
        let values = normal(&mut stream(1, Purpose::Init, 0), 20_000, 0.5);
        let mean = values.iter().sum::<f32>() / 20_000.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 20_000.0;
        assert!(mean.abs() < 0.02 && (variance.sqrt() - 0.5).abs() < 0.02, "{mean} {variance}");
    }
}
