//! Chest X-ray, frontal: lungs, heart, diaphragm, ribs, clavicles, vessels, and what lies about.
//!
//! Densities along the beam add up; the film shows them through a saturating curve. The body's units:
//! sides of the picture, origin between the lungs, x to the patient's left (right of the picture), y
//! down. Lesions: nodules, patchy consolidations, effusions, all over the lung fields.

use super::chest_bones::Bones;
use super::dice::Dice;
use super::field::Field;
use super::make::{Phantom, Streams, grey};
use super::noise::{Noise, mix};
use super::region::{Outline, Region};
use super::sensor::{NoiseKind, Sensor, blend};
use super::shape::{Ellipse, Pose, cover, join, smoothstep};
use super::tree::{Root, vessels};

/// One patient.
struct Thorax {
    pose: Pose,
    lungs: [Ellipse; 2],
    apices: [Ellipse; 2],
    /// Height of each dome of the diaphragm and how much it bulges.
    domes: [(f32, f32); 2],
    heart: Ellipse,
    atrium: Ellipse,
    arch: Ellipse,
    trunk_width: f32,
    outline: Noise,
    texture: Noise,
    soft_tissue: f32,
    lung: f32,
    heart_value: f32,
    belly: f32,
    breasts: Option<(f32, f32)>,
    bubble: Option<(f32, f32)>,
}

impl Thorax {
    fn draw(dice: &mut Dice) -> Self {
        let size = dice.between(0.88, 1.08);
        let pose = Pose {
            centre: (0.5 + dice.around(0.025), 0.47 + dice.around(0.03)),
            scale: (size * dice.between(0.92, 1.04), size),
            angle: dice.around(0.05),
        };
        let deep = dice.around(0.04);
        let mut lung = |side: f32| {
            let at = (side * dice.between(0.195, 0.215), 0.03 + deep);
            let radii = (dice.between(0.145, 0.168), dice.between(0.38, 0.43));
            Ellipse::new(at, radii, -side * dice.between(0.02, 0.10))
        };
        let lungs = [lung(-1.0), lung(1.0)];
        let apices = [-1.0, 1.0].map(|side| Ellipse::new((side * 0.155, -0.22), (0.105, 0.15), -side * 0.25));
        let heart_wide = dice.between(0.125, 0.18);
        Self {
            pose,
            lungs,
            apices,
            domes: [
                (dice.between(0.17, 0.24) + deep, dice.between(0.04, 0.10)),
                (dice.between(0.19, 0.26) + deep, dice.between(0.04, 0.10)),
            ],
            heart: Ellipse::new((0.055 + dice.around(0.02), 0.15 + deep), (heart_wide, dice.between(0.11, 0.14)), 0.5),
            atrium: Ellipse::new((-0.03, 0.12 + deep), (0.06, 0.10), 0.0),
            arch: Ellipse::new((0.045, -0.10), (0.038, 0.05), 0.0),
            trunk_width: dice.between(0.040, 0.058),
            outline: dice.noise(),
            texture: dice.noise(),
            soft_tissue: dice.between(0.48, 0.60),
            lung: dice.between(0.14, 0.24),
            heart_value: dice.between(0.42, 0.58),
            belly: dice.between(0.50, 0.70),
            breasts: dice.chance(0.4).then(|| (dice.between(0.12, 0.22), dice.between(0.04, 0.10))),
            bubble: dice.chance(0.45).then(|| (dice.between(0.10, 0.18), dice.between(0.02, 0.04))),
        }
    }

    /// Distance to the lungs' edge, negative inside.
    fn lung_distance(&self, u: f32, v: f32) -> f32 {
        let side = usize::from(u > 0.0);
        let wave = 0.010 * self.outline.octaves(5.0 * u, 5.0 * v, 2);
        let sac = join(self.lungs[side].distance(u, v), self.apices[side].distance(u, v), 0.08);
        let (height, bulge) = self.domes[side];
        let off = (u.abs() - 0.19) / 0.15;
        let dome = height + bulge * off * off;
        let trunk = self.trunk_width + 0.02 * smoothstep(-0.05, -0.3, v) - u.abs();
        (sac + wave).max(v - dome).max(trunk)
    }

    /// Density along the beam and share of lung at a point of the picture.
    fn density(&self, x: f32, y: f32, bones: &Bones) -> (f32, f32) {
        let (u, v) = self.pose.to_body(x, y);
        let chest = Ellipse::new((0.0, 0.22), (0.43, 0.58), 0.0).distance(u, v);
        let shoulders = Ellipse::new((0.0, -0.20), (0.56, 0.16), 0.0).distance(u, v);
        let neck = (u.abs() - 0.13).max(v + 0.1);
        let arms = 0.02 * self.outline.at(3.0 * u, 3.0 * v + 11.0);
        let skin = join(join(chest, shoulders, 0.16), neck, 0.20) + arms;
        // Thin at its edge, thick in the middle.
        let thick = smoothstep(0.0, 0.16, -skin);
        let mottle = 0.02 * self.texture.octaves(6.0 * u, 6.0 * v, 3);
        // Limbs and neck are thinner than the trunk.
        let trunk = 1.0 - 0.35 * smoothstep(-0.12, 0.02, chest);
        let mut density = cover(skin, 0.004) * (0.16 + (self.soft_tissue - 0.10) * thick * trunk + mottle);
        let lung_edge = self.lung_distance(u, v).max(skin + 0.03);
        let lung = cover(lung_edge, 0.008);
        // Air takes the place of tissue; less of it where the lung thins out.
        let air = smoothstep(0.0, 0.07, -lung_edge);
        density = mix(density, self.lung + 0.10 * (1.0 - air) + mottle, lung);
        let heart = join(self.heart.distance(u, v), self.atrium.distance(u, v), 0.06);
        let heart = join(heart, self.arch.distance(u, v), 0.10) + 0.008 * self.outline.at(8.0 * u, 8.0 * v);
        density += self.heart_value * lung * smoothstep(0.012, -0.045, heart);
        density += 0.06 * cover(heart, 0.02) * (1.0 - lung);
        let side = usize::from(u > 0.0);
        let (height, bulge) = self.domes[side];
        let off = (u.abs() - 0.19) / 0.15;
        let belly = cover(height + bulge * off * off - v, 0.012) * cover(u.abs() - 0.36, 0.06);
        let organs = 0.06 * self.outline.octaves(3.5 * u + 5.0, 3.5 * v, 3) + 0.10 * smoothstep(0.5, 0.2, v);
        density = mix(density, density.max(self.belly + mottle + organs), belly);
        if let Some((at, radius)) = self.bubble {
            let shape = Ellipse::new((at, height + 0.05), (1.5 * radius, radius), 0.2);
            density -= 0.22 * belly * cover(shape.distance(u, v), 0.015);
        }
        if let Some((height, strength)) = self.breasts {
            for side in [-1.0, 1.0] {
                let shape = Ellipse::new((side * 0.21, height), (0.15, 0.14), 0.0);
                let near = shape.distance(u, v);
                density += strength * smoothstep(0.05, -0.03, near) * smoothstep(-0.25, 0.25, v);
            }
        }
        // Windpipe.
        let pipe = (u + 0.006).abs() - 0.016;
        density -= 0.10 * cover(pipe, 0.008) * smoothstep(0.0, -0.06, v + 0.06) * smoothstep(-0.48, -0.40, v);
        density += bones.density(u, v, lung_edge) * cover(skin, 0.01);
        (density, lung * cover(-heart - 0.005, 0.02))
    }
}

/// Draws the film.
pub(super) fn draw(streams: &mut Streams, side_px: usize) -> Phantom {
    let dice = &mut streams.anatomy;
    let thorax = Thorax::draw(dice);
    let bones = Bones::draw(dice);
    let mut lung = Field::flat(side_px, 0.0);
    let mut places = lung.values.iter_mut();
    let mut body = Field::from_fn(side_px, |x, y| {
        let (density, share) = thorax.density(x, y, &bones);
        if let Some(place) = places.next() {
            *place = share;
        }
        density
    });
    hila(dice, &thorax, &mut body);
    let devices = devices(dice, side_px);
    let exposure = dice.between(1.5, 2.3);
    let sensor = Sensor {
        blur_px: dice.between(0.4, 1.0),
        shading: dice.between(0.0, 0.10),
        noise: dice.log_between(0.006, 0.028),
        grain_px: dice.between(0.0, 0.8),
        kind: NoiseKind::Additive,
        gamma: dice.between(0.85, 1.2),
        gain: dice.between(0.95, 1.05),
        offset: 0.0,
    };
    let frame = if dice.chance(0.35) { dice.between(0.01, 0.05) } else { 0.0 };
    let mut region = Region::none(side_px);
    if let Some(dice) = &mut streams.lesion {
        region = lesion(dice, &thorax, &lung, &mut body);
    }
    for place in 0..body.values.len() {
        let (x, y) = body.point(place);
        let film = 1.0 - (-exposure * body.values[place].max(0.0)).exp();
        // Collimator leaves.
        let open = if x.min(1.0 - x).min(y).min(1.0 - y) < frame { 0.0 } else { 1.0 };
        body.values[place] = open * film.max(0.02).max(devices.values[place]);
    }
    grey(&sensor.expose(&mut streams.sensor, &body), region.mask())
}

/// Vessels that fan out from the hila.
fn hila(dice: &mut Dice, thorax: &Thorax, body: &mut Field) {
    let strength = dice.between(0.10, 0.20);
    let mut all = Field::flat(body.side_px, 0.0);
    for side in [-1.0_f32, 1.0] {
        for turn in [-0.9, -0.35, 0.25, 0.8, 1.25] {
            let turn: f32 = turn + dice.around(0.2);
            let direction = if side > 0.0 { turn } else { std::f32::consts::PI - turn };
            let root = Root {
                at: thorax.pose.to_picture(side * 0.055, 0.02 + dice.around(0.04)),
                direction,
                length: dice.between(0.07, 0.12),
                radius: dice.between(0.006, 0.012),
                forks: 4,
            };
            let tree = vessels(dice, body.side_px, root);
            all.values.iter_mut().zip(&tree.values).for_each(|(a, b)| *a = a.max(*b));
        }
    }
    let all = all.blurred(0.7 * body.side_px as f32 / 256.0);
    for (place, value) in body.values.iter_mut().enumerate() {
        let (x, y) =
            ((place % all.side_px) as f32 / all.side_px as f32, (place / all.side_px) as f32 / all.side_px as f32);
        let (u, v) = thorax.pose.to_body(x, y);
        let inside = smoothstep(0.0, 0.06, -thorax.lung_distance(u, v));
        *value += strength * all.values[place] * inside;
    }
}

/// What is not the patient: side markers, leads. Values of the film, 0 where there is nothing.
fn devices(dice: &mut Dice, side_px: usize) -> Field {
    let mut devices = Field::flat(side_px, 0.0);
    if dice.chance(0.5) {
        // A letter L, as on a lead marker.
        let (left, top) = (dice.between(0.82, 0.90), dice.between(0.04, 0.12));
        let size = dice.between(0.03, 0.05);
        devices.paint((left, top), (left + 0.2 * size, top + size), |_, _, v| *v = 0.95);
        devices.paint((left, top + 0.8 * size), (left + 0.6 * size, top + size), |_, _, v| *v = 0.95);
    }
    if dice.chance(0.25) {
        for _ in 0..1 + dice.below(3) {
            let root = Root {
                at: (dice.between(0.2, 0.8), dice.between(0.15, 0.4)),
                direction: dice.between(0.5, 2.6),
                length: dice.between(0.3, 0.6),
                radius: 0.0025,
                forks: 0,
            };
            let lead = vessels(dice, side_px, root);
            devices.values.iter_mut().zip(&lead.values).for_each(|(d, w)| *d = d.max(0.85 * w));
            let (x, y) = root.at;
            let disc = Ellipse::new((x, y), (0.010, 0.010), 0.0);
            devices.paint((x - 0.02, y - 0.02), (x + 0.02, y + 0.02), |x, y, v| {
                *v = v.max(0.9 * cover(disc.distance(x, y), 0.002));
            });
        }
    }
    devices
}

/// Adds density to the lungs and returns where.
fn lesion(dice: &mut Dice, thorax: &Thorax, lung: &Field, body: &mut Field) -> Region {
    let texture = dice.noise();
    let kind = dice.below(10);
    if kind < 2 {
        return effusion(dice, thorax, lung, body);
    }
    let mut outline = Outline::draw(dice);
    let is_nodule = kind < 5;
    if is_nodule {
        outline.area = outline.area.min(dice.log_between(0.012, 0.03));
        outline.wobble *= 0.5;
    } else {
        outline.softness = dice.between(0.010, 0.020);
        outline.wobble = dice.between(0.25, 0.45);
    }
    let region = Region::place(dice, lung, outline);
    let strength = dice.log_between(0.10, 0.36);
    let patchiness = if is_nodule { 0.1 } else { dice.between(0.2, 0.7) };
    let hollow = is_nodule && dice.chance(0.2);
    blend(body, &region.weight, |x, y, here, place| {
        let depth = region.depth.values[place];
        let wave = texture.octaves(16.0 * x, 16.0 * y, 4);
        let dense = (1.0 + patchiness * wave) * smoothstep(-0.1, 0.35, depth);
        let dense = dense.min(1.3);
        let dense = if hollow { dense * (1.0 - 0.8 * smoothstep(0.3, 0.45, depth)) } else { dense };
        here + strength * dense.max(0.0)
    });
    region
}

/// Fluid at the bottom of one lung, higher at the chest wall.
fn effusion(dice: &mut Dice, thorax: &Thorax, lung: &Field, body: &mut Field) -> Region {
    let side: f32 = if dice.chance(0.5) { -1.0 } else { 1.0 };
    let (bottom, _) = thorax.domes[usize::from(side > 0.0)];
    let strength = dice.between(0.22, 0.40);
    let climb = dice.between(0.04, 0.12);
    let mut level = bottom - dice.between(0.03, 0.12);
    let mut region = Region::none(body.side_px);
    // Up to where at least one percent of the picture is covered.
    for _ in 0..8 {
        region.weight = Field::from_fn(body.side_px, |x, y| {
            let (u, v) = thorax.pose.to_body(x, y);
            let meniscus = level - climb * smoothstep(0.10, 0.34, side * u);
            if side * u > 0.0 { smoothstep(-0.012, 0.012, v - meniscus) } else { 0.0 }
        });
        region.weight.values.iter_mut().zip(&lung.values).for_each(|(w, share)| *w *= share);
        if region.covered() >= 0.012 {
            break;
        }
        level -= 0.03;
    }
    blend(body, &region.weight, |_, _, here, _| here + strength);
    region
}
