//! What the machine does to the body: blur, shading, noise, tone.
//!
//! The random part is drawn pixel by pixel and does not depend on the body, so a lesion changes
//! nothing beyond the reach of the blur.

use super::dice::Dice;
use super::field::Field;
use super::noise::mix;

/// How noise joins the signal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum NoiseKind {
    /// Added, as in CT and X-ray.
    Additive,
    /// Length of a complex number whose parts are noisy, as in magnitude MRI.
    Rician,
    /// Multiplied, as in coherent imaging.
    Speckle,
}

/// One machine with one protocol.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sensor {
    /// Deviation of the blur in pixels of a 256-pixel picture.
    pub(super) blur_px: f32,
    /// Strength of slow shading over the picture; 0 is none.
    pub(super) shading: f32,
    /// Deviation of the noise, where white is 1.
    pub(super) noise: f32,
    /// Size of the grain in pixels of a 256-pixel picture; 0 is white noise.
    pub(super) grain_px: f32,
    /// How the noise joins.
    pub(super) kind: NoiseKind,
    /// Exponent of the tone curve.
    pub(super) gamma: f32,
    /// Factor before the tone curve.
    pub(super) gain: f32,
    /// Added after it.
    pub(super) offset: f32,
}

/// Side for which lengths in pixels are meant.
const REFERENCE_SIDE_PX: f32 = 256.0;

impl Sensor {
    /// Takes the picture; values of 0..1 come out.
    pub(super) fn expose(&self, dice: &mut Dice, body: &Field) -> Field {
        let scale = body.side_px as f32 / REFERENCE_SIDE_PX;
        let blurred = body.blurred(self.blur_px * scale);
        let grain = grain(dice, body.side_px, self.grain_px * scale);
        let second = if self.kind == NoiseKind::Rician {
            self::grain(dice, body.side_px, self.grain_px * scale)
        } else {
            Field::flat(0, 0.0)
        };
        let slow = dice.noise();
        let size = dice.between(1.0, 2.0);
        let mut picture = Field::flat(body.side_px, 0.0);
        for (place, value) in picture.values.iter_mut().enumerate() {
            let (x, y) = body.point(place);
            let shade = 1.0 + self.shading * slow.octaves(x * size, y * size, 2);
            let signal = blurred.values[place] * shade * self.gain;
            let noise = self.noise * grain.values[place];
            let seen = match self.kind {
                NoiseKind::Additive => signal + noise,
                NoiseKind::Rician => {
                    (signal + noise).hypot(self.noise * second.values.get(place).copied().unwrap_or(0.0))
                }
                NoiseKind::Speckle => signal * (1.0 + noise) + 0.25 * noise.abs() * self.noise,
            };
            *value = (seen.clamp(0.0, 1.0).powf(self.gamma) + self.offset).clamp(0.0, 1.0);
        }
        picture
    }
}

/// Noise of deviation 1 with grains of a size.
pub(super) fn grain(dice: &mut Dice, side_px: usize, grain_px: f32) -> Field {
    let white = Field { side_px, values: (0..side_px * side_px).map(|_| dice.normal()).collect() };
    if grain_px < 0.3 {
        return white;
    }
    let mut grain = white.blurred(grain_px);
    // A Gaussian blur of white noise leaves 1 / (2 sqrt(pi) sigma) of its deviation.
    let restore = 2.0 * std::f32::consts::PI.sqrt() * grain_px;
    grain.values.iter_mut().for_each(|v| *v *= restore.max(1.0));
    grain
}

/// Towards `to` by a weight, where the weight is not 0.
pub(super) fn blend(field: &mut Field, weight: &Field, to: impl Fn(f32, f32, f32, usize) -> f32) {
    for place in 0..field.values.len() {
        let w = weight.values[place];
        if w > 0.0 {
            let (x, y) = field.point(place);
            let here = field.values[place];
            field.values[place] = mix(here, to(x, y, here, place), w);
        }
    }
}
