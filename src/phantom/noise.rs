//! Smooth random fields over the plane.
//!
//! Gradient noise on the unit lattice with a hash instead of a table (after Perlin, "Improving noise",
//! 2002): any point can be asked for, in any order, with the same answer.

/// One random field; zero mean, about -1..1, features of about one unit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noise {
    seed: u32,
}

impl Noise {
    pub(crate) fn new(seed: u32) -> Self {
        Self { seed }
    }

    /// The field at a point.
    pub(crate) fn at(self, x: f32, y: f32) -> f32 {
        let (x0, y0) = (x.floor(), y.floor());
        let (fx, fy) = (x - x0, y - y0);
        let (ix, iy) = (x0 as i32, y0 as i32);
        let corner = |dx: i32, dy: i32| {
            let hash = self.hash(ix.wrapping_add(dx), iy.wrapping_add(dy));
            let (gx, gy) = GRADIENTS[(hash >> 28) as usize];
            gx * (fx - dx as f32) + gy * (fy - dy as f32)
        };
        let (u, v) = (quintic(fx), quintic(fy));
        let top = mix(corner(0, 0), corner(1, 0), u);
        let bottom = mix(corner(0, 1), corner(1, 1), u);
        // Unit gradients reach about 0.7.
        1.4 * mix(top, bottom, v)
    }

    /// Several octaves, each twice as fine and half as strong.
    pub(crate) fn octaves(self, x: f32, y: f32, count: u32) -> f32 {
        let (mut sum, mut scale, mut strength) = (0.0, 1.0, 1.0);
        for octave in 0..count {
            // A shift keeps the lattices of the octaves apart: at lattice points the noise is 0.
            let shift = 17.3 * octave as f32;
            sum += strength * self.at(x * scale + shift, y * scale - shift);
            scale *= 2.0;
            strength *= 0.5;
        }
        sum
    }

    /// About how far the nearest zero of the field is: the field over its slope. The zeros are
    /// smooth curves, such as the furrows of a folded surface.
    pub(super) fn distance_to_zero(self, x: f32, y: f32) -> f32 {
        const STEP: f32 = 0.05;
        let here = self.at(x, y);
        let slope = (self.at(x + STEP, y) - here).hypot(self.at(x, y + STEP) - here) / STEP;
        here.abs() / (slope + 0.15)
    }

    /// Uniform 32 bits for a lattice point.
    pub(super) fn hash(self, x: i32, y: i32) -> u32 {
        let mut h = self.seed ^ (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77);
        h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
        h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
        h ^ (h >> 15)
    }
}

/// Sixteen directions, evenly spaced.
const GRADIENTS: [(f32, f32); 16] = {
    const A: f32 = 0.923_879_5;
    // One rounding step off the exact root: with the exact one some pixels change, and so would models.
    #[allow(clippy::approx_constant)]
    const B: f32 = 0.707_106_8;
    const C: f32 = 0.382_683_43;
    [
        (1.0, 0.0),
        (A, C),
        (B, B),
        (C, A),
        (0.0, 1.0),
        (-C, A),
        (-B, B),
        (-A, C),
        (-1.0, 0.0),
        (-A, -C),
        (-B, -B),
        (-C, -A),
        (0.0, -1.0),
        (C, -A),
        (B, -B),
        (A, -C),
    ]
};

/// Perlin's fade curve.
fn quintic(t: f32) -> f32 {
    t * t * t * (t * (6.0 * t - 15.0) + 10.0)
}

/// From `a` at 0 to `b` at 1.
pub(super) fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_smooth_centred_and_seeded() {
        let noise = Noise::new(7);
        let values: Vec<f32> =
            (0..10_000).map(|i| noise.at((i % 100) as f32 * 0.37, (i / 100) as f32 * 0.41)).collect();
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        assert!(mean.abs() < 0.05, "{mean}");
        assert!(values.iter().any(|v| v.abs() > 0.5) && values.iter().all(|v| v.abs() < 1.5));
        assert!((noise.at(3.7, -8.2) - noise.at(3.701, -8.2)).abs() < 0.01);
        assert_ne!(noise.at(0.5, 0.5), Noise::new(8).at(0.5, 0.5));
    }
}
