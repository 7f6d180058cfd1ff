//! Abdominal CT, an axial slice through the liver, in a soft-tissue window.
//!
//! The body's units: half the picture's side; x to the patient's left (right of the picture), y to the
//! back. The liver is at the left of the picture. Lesions: hypodense or enhancing nodules in the liver.

use super::dice::Dice;
use super::field::Field;
use super::make::{Phantom, Streams, grey};
use super::noise::{Noise, mix};
use super::region::{Outline, Region};
use super::sensor::{NoiseKind, Sensor, blend};
use super::shape::{Ellipse, Pose, cover, join, smoothstep};
use super::tree::{Root, vessels};

/// Air lies far below the window, so that its noise stays black.
const AIR: f32 = -0.3;

/// Something of one grey value.
struct Part {
    shape: Ellipse,
    value: f32,
    /// Bone: the middle is less dense than the edge.
    is_hollow: bool,
}

/// One abdomen.
struct Abdomen {
    pose: Pose,
    outline: Noise,
    texture: Noise,
    skin: Ellipse,
    wall: Ellipse,
    /// Inside of the muscles.
    inside: Ellipse,
    liver: [Ellipse; 3],
    parts: Vec<Part>,
    /// Grey values.
    fat: f32,
    muscle: f32,
    liver_value: f32,
    /// Only the liver is shown, as in data sets that are cut out.
    is_cut_out: bool,
}

impl Abdomen {
    fn draw(dice: &mut Dice) -> Self {
        let size = dice.between(0.90, 1.02);
        let pose = Pose {
            centre: (0.5 + dice.around(0.02), 0.5 + dice.around(0.03)),
            scale: (0.5 * size, 0.5 * size),
            angle: dice.around(0.10),
        };
        let (wide, high) = (dice.between(0.84, 0.95), dice.between(0.62, 0.80));
        let fat_thick = dice.between(0.03, 0.13);
        let muscle_thick = dice.between(0.035, 0.06);
        let centred = |less: f32| Ellipse::new((0.0, 0.0), (wide - less, high - less), 0.0);
        let bulk = dice.between(0.85, 1.1);
        let (iw, ih) = (wide - fat_thick - muscle_thick, high - fat_thick - muscle_thick);
        let liver = [
            Ellipse::new((-0.48 * iw, 0.02 * ih), (0.46 * iw * bulk, 0.80 * ih), dice.around(0.2)),
            Ellipse::new((-0.10 * iw, -0.38 * ih), (0.48 * iw * bulk, 0.36 * ih * bulk), dice.between(-0.1, 0.35)),
            Ellipse::new((-0.50 * iw, 0.40 * ih), (0.32 * iw, 0.42 * ih), dice.around(0.3)),
        ];
        let muscle = dice.between(0.46, 0.54);
        let liver_value = dice.between(0.50, 0.66);
        let mut abdomen = Self {
            pose,
            outline: dice.noise(),
            texture: dice.noise(),
            skin: centred(0.0),
            wall: centred(fat_thick),
            inside: centred(fat_thick + muscle_thick),
            liver,
            parts: Vec::new(),
            fat: dice.between(0.14, 0.26),
            muscle,
            liver_value,
            is_cut_out: dice.chance(0.2),
        };
        abdomen.parts = abdomen.organs(dice, (iw, ih));
        abdomen
    }

    /// Everything but the liver, from the back to the front of the painter's canvas.
    fn organs(&self, dice: &mut Dice, (iw, ih): (f32, f32)) -> Vec<Part> {
        let enhanced = dice.between(0.58, 0.92);
        let mut parts = Vec::new();
        let mut add = |at: (f32, f32), radii: (f32, f32), angle: f32, value: f32| {
            parts.push(Part { shape: Ellipse::new(at, radii, angle), value, is_hollow: false });
        };
        // Muscles beside the spine, crura, spleen, stomach with its air, kidneys, aorta, vena cava.
        for side in [-1.0, 1.0] {
            add((side * 0.19, 0.72 * ih), (0.15, 0.13), side * 0.4, self.muscle);
        }
        let spleen = self.liver_value + dice.around(0.05);
        add(
            (0.66 * iw, 0.28 * ih),
            (dice.between(0.11, 0.19), dice.between(0.24, 0.40)),
            dice.between(0.1, 0.6),
            spleen,
        );
        if dice.chance(0.85) {
            let at = (dice.between(0.30, 0.45) * iw, dice.between(-0.45, -0.25) * ih);
            let radii = (dice.between(0.16, 0.26), dice.between(0.11, 0.18));
            let angle = dice.around(0.5);
            add(at, (radii.0 + 0.02, radii.1 + 0.02), angle, self.muscle + 0.04);
            add(at, radii, angle, dice.between(0.36, 0.62));
            if dice.chance(0.6) {
                add((at.0, at.1 - 0.45 * radii.1), (0.65 * radii.0, 0.45 * radii.1), angle, AIR);
            }
        }
        if dice.chance(0.45) {
            let kidney = dice.between(0.55, 0.85);
            add((0.38 * iw, 0.50 * ih), (0.10, 0.14), 0.3, kidney);
            add((0.35 * iw, 0.50 * ih), (0.04, 0.06), 0.3, self.fat + 0.1);
        }
        for _ in 0..dice.below(4) {
            let at = (dice.between(0.05, 0.55) * iw, dice.between(-0.05, 0.25) * ih);
            let radius = dice.between(0.035, 0.07);
            add(at, (radius * 1.2, radius), dice.around(1.5), dice.between(0.40, 0.62));
        }
        add((0.09 + dice.around(0.03), 0.36 * ih), (0.058, 0.056), 0.0, enhanced);
        add((-0.13 + dice.around(0.03), 0.30 * ih), (0.070, 0.050), 0.2, mix(self.liver_value, enhanced, 0.6));
        let spine_at = (dice.around(0.02), 0.60 * ih);
        let mut bone = |at: (f32, f32), radii: (f32, f32), angle: f32, value: f32| {
            parts.push(Part { shape: Ellipse::new(at, radii, angle), value, is_hollow: true });
        };
        bone(spine_at, (0.150, 0.115), 0.0, 0.95);
        bone((spine_at.0, spine_at.1 + 0.25), (0.035, 0.10), 0.0, 0.9);
        for side in [-1.0, 1.0] {
            bone((spine_at.0 + side * 0.15, spine_at.1 + 0.13), (0.10, 0.035), side * 0.35, 0.88);
        }
        // The canal.
        parts.push(Part {
            shape: Ellipse::new((spine_at.0, spine_at.1 + 0.135), (0.055, 0.045), 0.0),
            value: self.muscle,
            is_hollow: false,
        });
        // Ribs lie in the wall at any angle but the front.
        for _ in 0..6 + dice.below(6) {
            let angle = dice.between(-0.6, std::f32::consts::PI + 0.6);
            let at = (1.04 * iw * angle.cos(), 1.04 * ih * angle.sin());
            let tangent = (ih * angle.cos()).atan2(-iw * angle.sin());
            let radii = (dice.between(0.04, 0.10), dice.between(0.018, 0.028));
            parts.push(Part {
                shape: Ellipse::new(at, radii, tangent),
                value: dice.between(0.85, 1.0),
                is_hollow: true,
            });
        }
        parts
    }

    fn liver_distance(&self, u: f32, v: f32) -> f32 {
        let [right, left, low] = &self.liver;
        let whole = join(join(right.distance(u, v), left.distance(u, v), 0.12), low.distance(u, v), 0.12);
        let wave = 0.03 * self.outline.octaves(3.0 * u, 3.0 * v, 2);
        // A hollow for the hilum and the spine.
        let hollow = 0.16 - (u - 0.02).hypot(v - 0.16);
        (whole + wave).max(self.inside.distance(u, v) + 0.02).max(hollow)
    }

    /// Grey value and share of liver at a point of the picture.
    fn tissue(&self, x: f32, y: f32) -> (f32, f32) {
        let (u, v) = self.pose.to_body(x, y);
        let wave = 0.02 * self.outline.at(1.5 * u + 7.0, 1.5 * v);
        let soft = 0.006;
        let mottle = 0.02 * self.texture.octaves(7.0 * u, 7.0 * v, 3);
        let liver = cover(self.liver_distance(u, v), soft);
        if self.is_cut_out {
            return (mix(AIR, self.liver_value + mottle, liver), liver);
        }
        let skin = self.skin.distance(u, v) + wave;
        let mut value = mix(AIR, 0.48, cover(skin, soft));
        value = mix(value, self.fat + mottle, cover(skin + 0.015, soft));
        let streaks = smoothstep(0.35, 0.6, self.texture.at(16.0 * u, 16.0 * v));
        let muscle = self.muscle + mottle - 0.12 * streaks;
        // The wall is thinner in front and uneven at the sides.
        let thin = 0.012 * self.outline.octaves(4.0 * u + 3.0, 4.0 * v, 2) + 0.012 * smoothstep(0.0, 0.5, -v);
        value = mix(value, muscle, cover(self.wall.distance(u, v) + wave + thin, soft));
        value = mix(value, self.fat + 0.03 + mottle, cover(self.inside.distance(u, v) + wave, soft));
        let uneven = 0.012 * self.outline.at(6.0 * u, 6.0 * v);
        for part in self.parts.iter().filter(|part| !part.is_hollow) {
            let distance = part.shape.distance(u, v) + uneven;
            value = mix(value, part.value + mottle, cover(distance, soft));
        }
        value = mix(value, self.liver_value + mottle, liver);
        let uneven = 0.006 * self.outline.at(9.0 * u, 9.0 * v);
        let sponge = 0.68 + 0.08 * self.texture.at(30.0 * u, 30.0 * v);
        for part in self.parts.iter().filter(|part| part.is_hollow) {
            let distance = part.shape.distance(u, v) + uneven;
            let density = mix(part.value, sponge, smoothstep(0.010, 0.022, -distance));
            value = mix(value, density, cover(distance, soft));
        }
        // The canal lies in the bone.
        if let Some(canal) = self.parts.iter().rev().find(|part| !part.is_hollow) {
            value = mix(value, canal.value, cover(canal.shape.distance(u, v), soft));
        }
        (value, liver)
    }
}

/// Draws the slice.
pub(super) fn draw(streams: &mut Streams, side_px: usize) -> Phantom {
    let dice = &mut streams.anatomy;
    let abdomen = Abdomen::draw(dice);
    let mut liver = Field::flat(side_px, 0.0);
    let mut places = liver.values.iter_mut();
    let mut body = Field::from_fn(side_px, |x, y| {
        let (value, share) = abdomen.tissue(x, y);
        if let Some(place) = places.next() {
            *place = share;
        }
        value
    });
    inner_vessels(dice, &abdomen, &liver, &mut body);
    bladder(dice, &abdomen, &mut liver, &mut body);
    if !abdomen.is_cut_out && dice.chance(0.7) {
        table(dice, &mut body);
    }
    let sensor = Sensor {
        blur_px: dice.between(0.5, 0.9),
        shading: dice.between(0.0, 0.03),
        noise: if abdomen.is_cut_out { 0.012 } else { dice.log_between(0.015, 0.06) },
        grain_px: dice.between(0.5, 1.1),
        kind: NoiseKind::Additive,
        gamma: dice.between(0.8, 1.25),
        gain: dice.between(0.9, 1.1),
        offset: 0.0,
    };
    let mut region = Region::none(side_px);
    if let Some(dice) = &mut streams.lesion {
        region = lesion(dice, &liver, &mut body);
    }
    grey(&sensor.expose(&mut streams.sensor, &body), region.mask())
}

/// Portal and hepatic veins; brighter with contrast, darker in a fatty liver without.
fn inner_vessels(dice: &mut Dice, abdomen: &Abdomen, liver: &Field, body: &mut Field) {
    let change = if dice.chance(0.25) { dice.between(-0.12, -0.04) } else { dice.between(0.04, 0.20) };
    for (start, direction) in [((-0.10, 0.10), 3.3), ((-0.16, 0.20), 2.6), ((-0.12, 0.02), 4.3)] {
        let root = Root {
            at: abdomen.pose.to_picture(start.0, start.1),
            direction: direction + dice.around(0.4),
            length: dice.between(0.08, 0.14),
            radius: dice.between(0.006, 0.013),
            forks: 3,
        };
        let mut weight = vessels(dice, body.side_px, root);
        weight.values.iter_mut().zip(&liver.values).for_each(|(w, share)| *w *= 0.9 * share);
        blend(body, &weight, |_, _, here, _| here + change);
    }
}

/// The gall bladder or a benign fissure: dark, at the lower edge of the liver, and no place for lesions.
fn bladder(dice: &mut Dice, abdomen: &Abdomen, liver: &mut Field, body: &mut Field) {
    if abdomen.is_cut_out || dice.chance(0.45) {
        return;
    }
    let at = abdomen.pose.to_picture(dice.between(-0.30, -0.16), dice.between(-0.06, 0.08));
    let radii = (dice.between(0.018, 0.035), dice.between(0.03, 0.06));
    let shape = Ellipse::new(at, radii, dice.between(0.0, 1.2));
    let value = dice.between(0.36, 0.44);
    for place in 0..body.values.len() {
        let (x, y) = body.point(place);
        let weight = cover(shape.distance(x, y), 0.004);
        body.values[place] = mix(body.values[place], value, weight);
        liver.values[place] *= 1.0 - weight;
    }
}

/// The couch under the patient.
fn table(dice: &mut Dice, body: &mut Field) {
    let (depth, bend) = (dice.between(0.90, 0.97), dice.between(0.1, 0.35));
    let value = dice.between(0.25, 0.6);
    for place in 0..body.values.len() {
        let (x, y) = body.point(place);
        let line = depth - bend * (x - 0.5).powi(2);
        let weight = cover((y - line).abs() - 0.003, 0.003) * cover((x - 0.5).abs() - 0.36, 0.01);
        body.values[place] = body.values[place].max(value * weight);
    }
}

/// Draws nodules in the liver and returns where they are.
fn lesion(dice: &mut Dice, liver: &Field, body: &mut Field) -> Region {
    let mut outline = Outline::draw(dice);
    outline.wobble *= 0.6;
    let region = Region::place(dice, liver, outline);
    let texture = dice.noise();
    let sign = if dice.chance(0.72) { -1.0 } else { 1.0 };
    let change = sign * dice.log_between(0.06, 0.24);
    let core = if dice.chance(0.4) { -dice.between(0.03, 0.12) } else { 0.0 };
    let rim = if dice.chance(0.35) { dice.between(0.04, 0.14) } else { 0.0 };
    blend(body, &region.weight, |x, y, here, place| {
        let depth = region.depth.values[place];
        let wave = 0.03 * texture.octaves(25.0 * x, 25.0 * y, 3);
        // Vessels end at the nodule.
        let base = mix(here, here.clamp(0.45, 0.68), 0.8);
        base + change + wave + core * smoothstep(0.25, 0.5, depth) + rim * cover((depth - 0.08).abs() - 0.06, 0.05)
    });
    region
}
