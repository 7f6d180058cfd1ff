//! Brain MRI, an axial slice: scalp, skull, folded cortex, ventricles, deep grey matter.
//!
//! The body's units: the head is about the unit circle, x to the right of the picture, y to the back.
//! Lesions: tumours with oedema, necrosis and sometimes an enhancing rim; infarct-like patches.

use super::dice::Dice;
use super::field::Field;
use super::make::{Phantom, Streams, grey};
use super::noise::{Noise, mix};
use super::region::{Outline, Region};
use super::sensor::{NoiseKind, Sensor, blend};
use super::shape::{Ellipse, Pose, cover, smoothstep};

/// Grey values of one weighting.
#[derive(Debug, Clone, Copy)]
struct Contrast {
    fat: f32,
    bone: f32,
    fluid: f32,
    grey: f32,
    white: f32,
    /// Oedema, tumour, dead core, rim.
    lesion: [f32; 4],
}

const T1: Contrast =
    Contrast { fat: 0.92, bone: 0.10, fluid: 0.14, grey: 0.44, white: 0.60, lesion: [0.40, 0.33, 0.16, 0.93] };
const T2: Contrast =
    Contrast { fat: 0.70, bone: 0.07, fluid: 0.95, grey: 0.55, white: 0.38, lesion: [0.72, 0.66, 0.97, 0.40] };
const FLAIR: Contrast =
    Contrast { fat: 0.62, bone: 0.06, fluid: 0.10, grey: 0.52, white: 0.42, lesion: [0.74, 0.84, 0.20, 0.95] };

/// Radius of the brain where the head's is 1.
const BRAIN: f32 = 0.83;

/// A symmetric pair of structures: both halves, and whether they hold fluid or grey matter.
struct Nucleus {
    shape: [Ellipse; 2],
    fluid: bool,
}

/// One head.
struct Head {
    pose: Pose,
    contrast: Contrast,
    /// Unevenness of the outline.
    outline: Noise,
    front_width: f32,
    folds: Noise,
    fold_frequency: f32,
    warp: Noise,
    atrophy: f32,
    texture: Noise,
    nuclei: Vec<Nucleus>,
    /// High slices have the fissure all along and no ventricles.
    is_high: bool,
    furrow_depth: f32,
    is_stripped: bool,
    midline_sway: f32,
}

impl Head {
    fn draw(dice: &mut Dice) -> Self {
        let size = dice.between(0.40, 0.475);
        let narrow = dice.between(0.76, 0.90);
        let pose = Pose {
            centre: (0.5 + dice.around(0.025), 0.5 + dice.around(0.025)),
            scale: (size * narrow, size),
            angle: dice.around(0.22),
        };
        let (one, other) = match dice.below(5) {
            0 | 1 => (FLAIR, T2),
            2 | 3 => (T1, FLAIR),
            _ => (T2, FLAIR),
        };
        let contrast = one.towards(&other, dice.between(0.0, 0.18), dice);
        let is_high = dice.chance(0.3);
        let atrophy = dice.log_between(0.6, 2.0);
        Self {
            pose,
            contrast,
            outline: dice.noise(),
            front_width: dice.between(0.02, 0.10),
            folds: dice.noise(),
            fold_frequency: dice.between(4.2, 5.6),
            warp: dice.noise(),
            atrophy,
            texture: dice.noise(),
            nuclei: if is_high { Vec::new() } else { nuclei(dice, atrophy) },
            is_high,
            furrow_depth: dice.between(0.16, 0.30),
            is_stripped: dice.chance(0.35),
            midline_sway: dice.around(0.02),
        }
    }

    /// Grey value and room for lesions at a point of the picture.
    fn tissue(&self, x: f32, y: f32) -> (f32, f32) {
        let (u, v) = self.pose.to_body(x, y);
        let u = u * (1.0 + self.front_width * (-v).max(0.0)) + self.midline_sway * (3.0 * v).sin();
        let radius = u.hypot(v) * (1.0 + 0.02 * self.outline.at(1.2 * u + 3.0, 1.2 * v));
        let c = &self.contrast;
        let brain = cover(radius - BRAIN, 0.008);
        let around = if self.is_stripped { 0.0 } else { self.shell(radius, u, v) };
        if brain == 0.0 {
            return (around, 0.0);
        }
        let depth = BRAIN - radius;
        // Furrows run inwards more than along: the noise is stretched towards the middle.
        let (warp_u, warp_v) = (0.9 * self.warp.at(3.0 * u, 3.0 * v), 0.9 * self.warp.at(3.0 * u + 7.0, 3.0 * v));
        let f = self.fold_frequency * radius.max(0.2).powf(-0.55);
        let furrow = self.folds.distance_to_zero(f * u + warp_u, f * v + warp_v) / f;
        let furrow_depth = self.furrow_depth + 0.12 * self.warp.at(2.5 * u + 9.0, 2.5 * v);
        let mut to_fluid = depth.min(furrow + 1.2 * (depth - furrow_depth).max(0.0));
        // The fissure between the halves; deep slices have it only in front and behind.
        let fissure_ends = if self.is_high { 0.0 } else { (0.42 - v.abs()).max(0.0) };
        to_fluid = to_fluid.min(u.abs() + 0.8 * fissure_ends);
        let fluid_width = 0.011 * self.atrophy;
        let cortex = 0.062 + 0.014 * self.texture.at(6.0 * u, 6.0 * v);
        let mottle = 0.035 * self.texture.octaves(9.0 * u, 9.0 * v, 3);
        let grey = smoothstep(cortex + 0.012, cortex - 0.012, to_fluid - fluid_width);
        let mut value = mix(c.white, c.grey, grey) + mottle;
        let mut ventricle: f32 = 0.0;
        let fluid = smoothstep(fluid_width + 0.007, fluid_width - 0.007, to_fluid);
        for nucleus in &self.nuclei {
            let wobble = 0.012 * self.warp.at(7.0 * u, 7.0 * v);
            // The horns of the ventricles bend outwards at their ends.
            let bent = if nucleus.fluid { u - u.signum() * 0.35 * (v - 0.06).powi(2) } else { u };
            let near = nucleus.shape.iter().map(|s| s.distance(bent, v)).fold(f32::INFINITY, f32::min) + wobble;
            if nucleus.fluid {
                // A thin wall parts the two ventricles.
                ventricle = ventricle.max(cover(near, 0.010) * smoothstep(0.006, 0.014, u.abs()));
            } else {
                value = mix(value, mix(c.grey, c.white, 0.15) + mottle, 0.85 * cover(near, 0.02));
            }
        }
        value = mix(value, c.fluid, fluid.max(ventricle));
        (mix(around, value, brain), brain * (1.0 - ventricle) * smoothstep(0.0, 0.03, depth))
    }

    /// Scalp and skull.
    fn shell(&self, radius: f32, u: f32, v: f32) -> f32 {
        let c = &self.contrast;
        let thick = 0.02 * self.outline.at(2.5 * u, 2.5 * v + 5.0);
        let skin = cover(radius - 1.0, 0.01);
        let fat = mix(0.5, c.fat, smoothstep(0.0, 0.02, 0.985 - radius)) + 0.06 * self.texture.at(14.0 * u, 14.0 * v);
        let bone_edge = 0.945 + thick;
        // Marrow between the two tables of the skull.
        let marrow = 0.30 * c.fat * cover((radius - 0.905 - 0.5 * thick).abs() - 0.008, 0.012);
        let mut value = mix(fat, c.bone + marrow, cover(radius - bone_edge, 0.012));
        value = mix(value, c.fluid * 0.85, cover(radius - (BRAIN + 0.035), 0.010));
        value * skin
    }
}

impl Contrast {
    /// A weighting between two, each grey value a little off.
    fn towards(&self, other: &Self, t: f32, dice: &mut Dice) -> Self {
        let mut between = |a: f32, b: f32| (mix(a, b, t) * dice.between(0.92, 1.08)).clamp(0.02, 1.0);
        Self {
            fat: between(self.fat, other.fat),
            bone: between(self.bone, other.bone),
            fluid: between(self.fluid, self.fluid),
            grey: between(self.grey, other.grey),
            white: between(self.white, other.white),
            lesion: [0, 1, 2, 3].map(|i| between(self.lesion[i], self.lesion[i])),
        }
    }
}

/// Ventricles and deep grey matter, not quite symmetric.
fn nuclei(dice: &mut Dice, atrophy: f32) -> Vec<Nucleus> {
    let wide = dice.between(0.035, 0.06) * atrophy.sqrt();
    let shift = dice.around(0.05);
    let through_bodies = dice.chance(0.4);
    let mut pair = |at: (f32, f32), radii: (f32, f32), angle: f32, fluid: bool| {
        let mut one = || {
            let scale = dice.between(0.88, 1.14);
            let at = (at.0 + dice.around(0.012), at.1 + shift + dice.around(0.012));
            Ellipse::new(at, (radii.0 * scale, radii.1 * scale), angle + dice.around(0.06))
        };
        Nucleus { shape: [one(), one().mirrored()], fluid }
    };
    if through_bodies {
        // A slice through the bodies of the ventricles: one long bow on each side.
        return vec![
            pair((0.20 + 0.6 * wide, -0.10), (0.045, 0.16), 0.15, false),
            pair((0.05 + 0.9 * wide, 0.06), (wide, 0.36), 0.0, true),
        ];
    }
    vec![
        pair((0.17, -0.20), (0.055, 0.12), 0.30, false),
        pair((0.12, 0.13), (0.085, 0.13), -0.35, false),
        pair((0.30, -0.03), (0.060, 0.17), 0.10, false),
        pair((0.045 + 0.8 * wide, -0.17), (wide, 0.16), 0.22, true),
        pair((0.015, 0.06), (0.3 * wide, 0.11), 0.0, true),
        pair((0.16 + 0.6 * wide, 0.32), (0.9 * wide, 0.14), -0.30, true),
    ]
}

/// Draws the slice.
pub(super) fn draw(streams: &mut Streams, side_px: usize) -> Phantom {
    let dice = &mut streams.anatomy;
    let head = Head::draw(dice);
    let mut room = Field::flat(side_px, 0.0);
    let mut places = room.values.iter_mut();
    let mut body = Field::from_fn(side_px, |x, y| {
        let (value, free) = head.tissue(x, y);
        if let Some(place) = places.next() {
            *place = free;
        }
        value
    });
    spots(dice, &room, head.contrast, &mut body);
    let sensor = Sensor {
        blur_px: dice.between(0.5, 1.0),
        shading: dice.between(0.05, 0.28),
        noise: dice.log_between(0.012, 0.05),
        grain_px: dice.between(0.0, 0.7),
        kind: NoiseKind::Rician,
        gamma: dice.between(0.85, 1.25),
        gain: dice.between(0.8, 1.05),
        offset: 0.0,
    };
    let mut region = Region::none(side_px);
    if let Some(dice) = &mut streams.lesion {
        region = lesion(dice, &room, &head.contrast, &mut body);
    }
    grey(&sensor.expose(&mut streams.sensor, &body), region.mask())
}

/// Benign bright and dark dots: vessels, widened spaces around them, age spots.
fn spots(dice: &mut Dice, room: &Field, contrast: Contrast, body: &mut Field) {
    for _ in 0..dice.below(9) {
        let at = (dice.between(0.25, 0.75), dice.between(0.2, 0.8));
        let radii = (dice.between(0.003, 0.008), dice.between(0.003, 0.010));
        let spot = Ellipse::new(at, radii, dice.between(0.0, 3.0));
        let to = if dice.chance(0.5) { contrast.fluid } else { contrast.lesion[1] };
        let strength = dice.between(0.3, 0.9);
        let mut weight = Field::flat(room.side_px, 0.0);
        weight.paint((at.0 - 0.02, at.1 - 0.02), (at.0 + 0.02, at.1 + 0.02), |x, y, w| {
            *w = strength * cover(spot.distance(x, y), 0.003);
        });
        weight.values.iter_mut().zip(&room.values).for_each(|(w, free)| *w *= free);
        blend(body, &weight, |_, _, _, _| to);
    }
}

/// Draws tumours or patches and returns where they are.
fn lesion(dice: &mut Dice, room: &Field, contrast: &Contrast, body: &mut Field) -> Region {
    let outline = Outline::draw(dice);
    let region = Region::place(dice, room, outline);
    let texture = dice.noise();
    let [oedema, tumour, core, rim] = contrast.lesion;
    let is_patch = dice.chance(0.3);
    let strength = dice.between(0.45, 1.0);
    // Depths at which oedema ends and the dead core begins; 2 is never.
    let edge = if is_patch { 2.0 } else { dice.between(0.05, 0.40) };
    let dead = if dice.chance(0.55) { edge + dice.between(0.15, 0.35) } else { 2.0 };
    let enhances = dice.chance(0.4);
    blend(body, &region.weight, |x, y, here, place| {
        let wave = texture.octaves(18.0 * x, 18.0 * y, 3);
        let depth = region.depth.values[place] + 0.10 * wave;
        let mut value = mix(here, oedema, 0.8 * strength);
        let solid = mix(here, tumour + 0.10 * wave, (strength + 0.1).min(1.0));
        value = mix(value, solid, smoothstep(edge - 0.06, edge + 0.06, depth));
        value = mix(value, mix(here, core, strength), smoothstep(dead - 0.05, dead + 0.05, depth));
        if enhances {
            let line = if dead < 2.0 { dead } else { edge } - 0.04;
            value = mix(value, rim, 0.8 * strength * cover((depth - line).abs() - 0.05, 0.05));
        }
        value
    });
    region
}
