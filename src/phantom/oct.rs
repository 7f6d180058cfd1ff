//! Retinal OCT, a B-scan: vitreous, layered retina with the foveal pit, pigment epithelium, choroid.
//!
//! Each column has heights: the inner surface, the outer end of the photoreceptors, the pigment
//! epithelium. Between them the layers follow a profile. Lesions bend the heights and fill what opens:
//! fluid under the retina, detached epithelium, drusen, cysts with swelling. The mask of such a lesion
//! is where the retina is bent, as readers outline it.

use super::dice::Dice;
use super::field::Field;
use super::make::{Phantom, Streams, grey};
use super::noise::{Noise, mix};
use super::oct_lesion::{Bend, Lesions};
use super::sensor::{NoiseKind, Sensor};
use super::shape::{cover, smoothstep};

/// Which data set the scan resembles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// RESC: a wide field squeezed into a square, the retina thin, fine speckle.
    Wide,
    /// OCT2017: a narrow field, the retina thick, white corners where the scan was moved.
    Narrow,
}

/// Layers of the retina from the inner surface (0) to the photoreceptors' outer end (1): depth where
/// each begins, and its grey value.
const LAYERS: [(f32, f32); 9] = [
    (0.00, 0.78), // nerve fibres
    (0.10, 0.50), // ganglion cells
    (0.24, 0.62), // inner plexiform
    (0.38, 0.34), // inner nuclear
    (0.50, 0.55), // outer plexiform
    (0.58, 0.26), // outer nuclear
    (0.80, 0.48), // limiting membrane
    (0.83, 0.36), // inner segments
    (0.90, 0.80), // ellipsoid zone
];

/// One eye without disease.
pub(super) struct Eye {
    /// Height of the pigment epithelium in the middle, its slope and its bow.
    base: (f32, f32, f32),
    /// Thickness of the retina away from the fovea.
    pub(super) thickness: f32,
    fovea_at: f32,
    fovea_depth: f32,
    fovea_width: f32,
    /// Thickness of the epithelium's bright band.
    pub(super) band: f32,
    wave: Noise,
    texture: Noise,
    choroid: f32,
    values: [f32; 9],
    band_value: f32,
    choroid_value: f32,
    vitreous: f32,
    /// Columns under vessels: place, half width, strength.
    shadows: Vec<(f32, f32, f32)>,
    /// A detached hyaloid: height above the retina and strength.
    hyaloid: Option<(f32, f32)>,
    darkening: f32,
}

/// Heights of one column in sides of the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// Inner surface of the retina.
    pub(super) inner: f32,
    /// Outer end of the photoreceptors.
    pub(super) outer: f32,
    /// Upper edge of the pigment epithelium.
    pub(super) epithelium: f32,
    /// Where the epithelium lies without disease.
    pub(super) floor: f32,
}

impl Eye {
    fn draw(dice: &mut Dice, style: Style) -> Self {
        let narrow = style == Style::Narrow;
        let thickness = if narrow { dice.between(0.17, 0.28) } else { dice.between(0.12, 0.19) };
        let mut values = LAYERS.map(|(_, value)| value);
        values.iter_mut().for_each(|v| *v *= dice.between(0.86, 1.14));
        let shadows = (0..2 + dice.below(5))
            .map(|_| (dice.unit(), dice.between(0.004, 0.012), dice.between(0.2, 0.65)))
            .collect();
        Self {
            base: (
                dice.between(0.55, 0.68),
                dice.around(if narrow { 0.12 } else { 0.10 }),
                dice.between(0.0, if narrow { 0.06 } else { 0.14 }),
            ),
            thickness,
            fovea_at: if dice.chance(0.75) { dice.between(0.3, 0.7) } else { dice.between(-0.6, -0.2) },
            fovea_depth: dice.between(0.35, 0.62),
            fovea_width: if narrow { dice.between(0.10, 0.16) } else { dice.between(0.06, 0.11) },
            band: dice.between(0.013, 0.020) * if narrow { 1.2 } else { 1.0 },
            wave: dice.noise(),
            texture: dice.noise(),
            choroid: dice.between(0.07, 0.20),
            values,
            band_value: dice.between(0.85, 1.0),
            choroid_value: dice.between(0.35, 0.58),
            vitreous: dice.between(0.03, 0.09),
            shadows,
            hyaloid: dice.chance(0.25).then(|| (dice.between(0.02, 0.08), dice.between(0.15, 0.4))),
            darkening: dice.between(0.0, 0.5),
        }
    }

    /// Heights without disease.
    pub(super) fn column(&self, x: f32) -> Column {
        let (height, slope, bow) = self.base;
        let off = x - 0.5;
        // Hung like a bowl: the middle lies lower than the ends.
        let floor = height + slope * off - 4.0 * bow * off * off + 0.006 * self.wave.at(3.0 * x, 0.5);
        let away = (x - self.fovea_at) / self.fovea_width;
        let pit = self.fovea_depth * (-0.5 * away * away).exp();
        let rim = 0.12 * (-0.5 * (away.abs() - 2.2).powi(2)).exp();
        let wave = 0.04 * self.wave.at(4.0 * x, 7.5);
        let thickness = self.thickness * (1.0 - pit + rim + wave);
        Column { inner: floor - thickness, outer: floor, epithelium: floor, floor }
    }

    /// Grey value of a point in a column that may be bent.
    fn tissue(&self, x: f32, y: f32, column: &Column, healthy: &Column, soft: f32) -> f32 {
        let Column { inner, outer, epithelium, floor } = *column;
        let mut value = self.vitreous;
        if let Some((above, strength)) = self.hyaloid {
            // It does not follow a retina that is lifted later.
            let line = healthy.inner - above * (0.6 + 0.4 * (5.0 * x + 1.0).sin());
            value = value.max(strength * cover((y - line).abs() - 0.002, 0.003));
        }
        let t = (y - inner) / (outer - inner).max(1e-3);
        let retina = cover(inner - y, soft) * cover(y - outer, soft);
        if retina > 0.0 {
            value = mix(value, self.layer(t, x), retina);
        }
        if y > outer {
            // Between photoreceptors and epithelium, where they are apart, there is fluid.
            let apart = smoothstep(0.0, 2.0 * soft, epithelium - outer);
            value = mix(value, 0.06, cover(outer - y, soft) * apart);
        }
        let streak = 0.5 + 0.5 * self.texture.octaves(14.0 * x, 22.0 * y, 3);
        let below = y - floor - self.band;
        let fade = (-below.max(0.0) / self.choroid).exp();
        let vessels = smoothstep(0.1, 0.5, self.texture.at(20.0 * x, 30.0 * y + 40.0)) * smoothstep(0.01, 0.03, below);
        let choroid = fade * (self.choroid_value * (0.7 + 0.5 * streak) - 0.18 * vessels).max(0.02);
        value = mix(value, choroid, cover(epithelium - y, soft));
        let band = cover((y - epithelium - 0.5 * self.band).abs() - 0.5 * self.band, soft);
        value = mix(value, self.band_value, band);
        // Shadows of vessels begin at the inner surface.
        let mut light = 1.0 - self.darkening * 2.0 * (x - 0.5) * (x - 0.5);
        for &(at, half_width, strength) in &self.shadows {
            let shade = strength * (1.0 - smoothstep(0.0, half_width, (x - at).abs()));
            light *= 1.0 - shade * smoothstep(0.0, 0.02, y - inner - 0.01);
        }
        value * light
    }

    /// Grey value of the retina at a relative depth.
    fn layer(&self, t: f32, x: f32) -> f32 {
        let mut value = self.values[0];
        for (i, &(begin, _)) in LAYERS.iter().enumerate().skip(1) {
            // Borders wander a little.
            let begin = begin + 0.018 * self.wave.at(9.0 * x, 3.0 * i as f32 + 0.5);
            value = mix(value, self.values[i], smoothstep(begin - 0.016, begin + 0.016, t));
        }
        value * (1.0 + 0.10 * self.texture.octaves(30.0 * x, 40.0 * t, 2))
    }
}

/// Draws the scan.
pub(super) fn draw(streams: &mut Streams, style: Style, side_px: usize) -> Phantom {
    let dice = &mut streams.anatomy;
    let eye = Eye::draw(dice, style);
    let sensor = Sensor {
        blur_px: dice.between(0.4, 0.8),
        shading: dice.between(0.02, 0.12),
        noise: if style == Style::Narrow { dice.between(0.22, 0.45) } else { dice.between(0.12, 0.34) },
        grain_px: if style == Style::Narrow { dice.between(0.3, 0.8) } else { dice.between(0.0, 0.5) },
        kind: NoiseKind::Speckle,
        gamma: dice.between(0.75, 1.15),
        gain: dice.between(0.75, 1.05),
        offset: dice.between(0.0, 0.06),
    };
    let margins = margins(dice, style);
    let lesions = match &mut streams.lesion {
        Some(dice) => Lesions::draw(dice, &eye, style, side_px),
        None => Lesions::none(),
    };
    let soft = 0.9 / side_px as f32;
    let columns: Vec<(Column, Column, Bend)> = (0..side_px)
        .map(|x| {
            let x = (x as f32 + 0.5) / side_px as f32;
            let healthy = eye.column(x);
            let (bent, bend) = lesions.bend(x, healthy);
            (healthy, bent, bend)
        })
        .collect();
    let mut mask = Vec::with_capacity(side_px * side_px);
    let body = Field::from_fn(side_px, |x, y| {
        let (healthy, column, bend) = &columns[((x * side_px as f32) as usize).min(side_px - 1)];
        let value = eye.tissue(x, y, column, healthy, soft);
        let (value, is_lesion) = lesions.fill(x, y, value, column, bend, soft);
        mask.push(if is_lesion { 255 } else { 0 });
        value
    });
    let mut picture = sensor.expose(&mut streams.sensor, &body);
    for (place, marked) in mask.iter_mut().enumerate() {
        let (x, y) = picture.point(place);
        if margins.iter().any(|edge| edge(x, y)) {
            picture.values[place] = 1.0;
            *marked = 0;
        }
    }
    grey(&picture, mask)
}

/// A test whether a point lies in an empty part of the frame.
type Edge = Box<dyn Fn(f32, f32) -> bool>;

/// White corners and strips that moving the scan into place leaves in some exports.
fn margins(dice: &mut Dice, style: Style) -> Vec<Edge> {
    let mut edges: Vec<Edge> = Vec::new();
    if style == Style::Narrow && dice.chance(0.35) {
        let (slope, height) = (dice.around(0.12), dice.between(0.02, 0.10));
        if dice.chance(0.5) {
            edges.push(Box::new(move |x, y| y < height + slope * (x - 0.5)));
        } else {
            edges.push(Box::new(move |x, y| y > 1.0 - height + slope * (x - 0.5)));
        }
    }
    edges
}
