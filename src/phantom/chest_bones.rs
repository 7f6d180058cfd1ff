//! Ribs, clavicles, shoulder blades and spine as a chest X-ray shows them: added density.
//!
//! Units as in `chest`.

use super::dice::Dice;
use super::noise::Noise;
use super::shape::{cover, smoothstep};

/// Ribs drawn on each side.
const RIBS: usize = 10;

/// The bones of one patient.
pub(super) struct Bones {
    top: f32,
    spacing: f32,
    half_width: f32,
    /// How far posterior ribs drop towards the side, and how steep anterior ones are.
    drop: f32,
    steep: f32,
    strength: f32,
    clavicle: f32,
    clavicle_tilt: f32,
    spine: f32,
    sway: Noise,
}

impl Bones {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        Self {
            top: dice.between(-0.36, -0.32),
            spacing: dice.between(0.060, 0.070),
            half_width: dice.between(0.0105, 0.0145),
            drop: dice.between(0.05, 0.12),
            steep: dice.between(0.12, 0.20),
            strength: dice.between(0.07, 0.15),
            clavicle: dice.between(0.12, 0.20),
            clavicle_tilt: dice.between(-0.02, 0.10),
            spine: dice.between(0.05, 0.13),
            sway: dice.noise(),
        }
    }

    /// Added density; `lung_edge` is the distance to the lungs' edge, where ribs end.
    pub(super) fn density(&self, u: f32, v: f32, lung_edge: f32) -> f32 {
        let side = if u > 0.0 { 1.0 } else { -1.0 };
        let across = u.abs();
        let mut density = 0.0;
        let s = ((across - 0.035) / 0.33).clamp(0.0, 1.0);
        // The cage: ribs end at the chest wall, and fade where the belly is dense.
        let cage = cover(lung_edge - 0.022, 0.008) * smoothstep(0.42, 0.30, v);
        if cage > 0.0 && across > 0.03 {
            for k in 0..RIBS {
                let row = self.top + self.spacing * k as f32;
                let sway = 0.006 * self.sway.at(4.0 * u, k as f32 + 0.5);
                let back = row - 0.055 * (s * std::f32::consts::PI).sin() + self.drop * s * s + sway;
                let slope = -0.055 * std::f32::consts::PI * (s * std::f32::consts::PI).cos() + 2.0 * self.drop * s;
                density += self.tube(v - back, slope / 0.33, self.half_width);
                if s > 0.30 && (1..8).contains(&k) {
                    let front = row + self.drop + self.steep * (1.0 - s).powf(1.3) + sway;
                    let slope = -1.3 * self.steep * (1.0 - s).powf(0.3) / 0.33;
                    let fade = smoothstep(0.30, 0.55, s);
                    density += 0.55 * fade * self.tube(v - front, slope, 1.15 * self.half_width);
                }
            }
            // Bones stand out less where the wall is seen edge on.
            density *= self.strength * cage * smoothstep(0.03, 0.06, across);
        }
        density + self.others(side, across, u, v)
    }

    /// A flattened tube: its edges stop more of the beam.
    fn tube(&self, off: f32, slope: f32, half_width: f32) -> f32 {
        let off = off.abs() / (1.0 + slope * slope).sqrt();
        let edge = (off / half_width).min(1.0);
        cover(off - half_width, 0.003) * (0.65 + 0.35 * edge * edge)
    }

    fn others(&self, side: f32, across: f32, u: f32, v: f32) -> f32 {
        let mut density = 0.0;
        // Clavicles: a lazy S from the breastbone up to the shoulder.
        let s = ((across - 0.03) / 0.30).clamp(0.0, 1.0);
        let line = -0.245 - 0.085 * s - self.clavicle_tilt * s * s + 0.018 * (s * std::f32::consts::TAU).sin();
        let ends = cover((across - 0.18).abs() - 0.155, 0.012);
        density += self.clavicle * ends * self.tube(v - line + 0.004 * side, 0.35, 0.0145 + 0.006 * (1.0 - s));
        // Shoulder blades: a faint sheet with an edge.
        let blade = 0.335 - 0.10 * (v + 0.30) - across;
        let sheet = smoothstep(0.0, 0.015, -blade) * smoothstep(0.10, -0.05, v) * smoothstep(-0.40, -0.34, v);
        density += 0.07 * sheet + 0.06 * cover(blade.abs() - 0.004, 0.005) * smoothstep(0.05, -0.05, v);
        // Vertebrae, one above the other.
        let body = smoothstep(0.042, 0.030, across);
        let disc = (std::f32::consts::PI * (v / (0.8 * self.spacing) + 0.3 * self.sway.at(0.5, 2.0 * v))).sin();
        density += self.spine * body * (0.75 + 0.25 * smoothstep(0.1, 0.5, disc.abs())) * smoothstep(-0.55, -0.45, v);
        density += 0.05 * cover((u.abs() - 0.036).abs() - 0.003, 0.003) * smoothstep(0.1, 0.5, disc.abs());
        density
    }
}
