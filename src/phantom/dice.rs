//! Random numbers of one picture.
//!
//! In: object, seed, index and what the numbers are for. Out: numbers that depend on nothing else, so
//! that a picture never depends on how many others are made, and a lesion never changes the anatomy
//! around it. The generator is PCG32 from `rand_pcg`: its stream is fixed by its publication, where
//! `rand`'s own small generators may change between versions. Floats are made here for the same reason.

use rand::Rng;
use rand_pcg::Pcg32;

use super::Object;
use super::noise::Noise;

/// What a stream of numbers is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// The body, as it is without disease.
    Anatomy,
    /// The lesions, drawn over the same body.
    Lesion,
    /// The machine: noise and shading.
    Sensor,
}

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(super) struct Dice(Pcg32);

impl Dice {
    /// The stream for one purpose of one picture.
    pub(super) fn new(object: Object, seed: u64, index: u64, purpose: Purpose) -> Self {
        let parts = [seed, object as u64, index, purpose as u64];
        let state = parts.iter().fold(0, |state: u64, &part| scramble(state ^ part));
        Self(Pcg32::new(state, scramble(state)))
    }

    /// Uniform in 0..1, with 24 bits.
    pub(super) fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// Uniform between two values.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Between two positive values, uniform in the logarithm: small ones as often as large ones.
    pub(super) fn log_between(&mut self, low: f32, high: f32) -> f32 {
        self.between(low.ln(), high.ln()).exp()
    }

    /// Uniform in `-reach..reach`.
    pub(super) fn around(&mut self, reach: f32) -> f32 {
        self.between(-reach, reach)
    }

    /// True with a probability.
    pub(super) fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// A whole number below `count`; 0 where there is nothing to choose from.
    pub(super) fn below(&mut self, count: usize) -> usize {
        ((self.unit() * count as f32) as usize).min(count.saturating_sub(1))
    }

    /// Standard normal, by the polar form of Box and Muller.
    pub(super) fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f32::consts::TAU * self.unit()).cos()
    }

    /// A new field of smooth noise.
    pub(super) fn noise(&mut self) -> Noise {
        Noise::new(self.0.next_u32())
    }
}

/// SplitMix64's finaliser: neighbouring seeds and indices get unrelated streams.
fn scramble(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(object: Object, seed: u64, index: u64, purpose: Purpose) -> u32 {
        Dice::new(object, seed, index, purpose).0.next_u32()
    }

    #[test]
    fn every_part_of_the_key_counts() {
        let base = first(Object::Brain, 1, 2, Purpose::Anatomy);
        assert_eq!(base, first(Object::Brain, 1, 2, Purpose::Anatomy));
        assert_ne!(base, first(Object::Liver, 1, 2, Purpose::Anatomy));
        assert_ne!(base, first(Object::Brain, 2, 1, Purpose::Anatomy));
        assert_ne!(base, first(Object::Brain, 1, 3, Purpose::Anatomy));
        assert_ne!(base, first(Object::Brain, 1, 2, Purpose::Lesion));
    }

    #[test]
    fn moments_are_right() {
        let mut dice = Dice::new(Object::Brain, 0, 0, Purpose::Sensor);
        let n = 20_000;
        let draws: Vec<f32> = (0..n).map(|_| dice.normal()).collect();
        let mean = draws.iter().sum::<f32>() / n as f32;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / n as f32;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        assert!((0..n).all(|_| dice.below(3) < 3));
    }
}
