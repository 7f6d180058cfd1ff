//! Histology look-alike, haematoxylin and eosin: lymphoid tissue or glands in stroma.
//!
//! Two dyes are laid down as amounts, and the colour follows from how each absorbs light. Lesions are
//! tumour areas: large, crowded, irregular, uneven nuclei in more cytoplasm.

use crate::image::Rgb8;

use super::cells::{Cells, Nuclei, Scene};
use super::dice::Dice;
use super::field::Field;
use super::make::{Phantom, Streams, to_byte};
use super::noise::{Noise, mix};
use super::region::{AREA, Outline, Region};
use super::sensor::grain;
use super::shape::smoothstep;

/// Absorption of haematoxylin and eosin in red, green and blue: after Ruifrok and Johnston (2001), with
/// more blue taken by eosin, which makes it pink instead of magenta.
const DYES: [[f32; 3]; 2] = [[0.65, 0.70, 0.29], [0.08, 0.92, 0.34]];

/// Staining and scanning of one slide.
struct Slide {
    dyes: [[f32; 3]; 2],
    strength: [f32; 2],
    light: [f32; 3],
    fibres: Noise,
    patches: Noise,
    fibre_angle: f32,
    fibre_strength: f32,
    eosin: f32,
    blue: f32,
    noise: f32,
    blur_px: f32,
}

impl Slide {
    fn draw(dice: &mut Dice) -> Self {
        let mut dyes = DYES;
        dyes.iter_mut().flatten().for_each(|part| *part = (*part + dice.around(0.05)).max(0.02));
        Self {
            dyes,
            strength: [dice.between(0.8, 1.35), dice.between(0.6, 1.15)],
            light: [dice.between(0.94, 1.0), dice.between(0.93, 0.99), dice.between(0.94, 1.0)],
            fibres: dice.noise(),
            patches: dice.noise(),
            fibre_angle: dice.between(0.0, std::f32::consts::PI),
            fibre_strength: dice.between(0.10, 0.35),
            eosin: dice.between(0.22, 0.42),
            blue: dice.between(0.03, 0.14),
            noise: dice.between(0.006, 0.022),
            blur_px: dice.between(0.35, 0.8),
        }
    }

    /// Amounts of both dyes in the ground between the nuclei.
    fn ground(&self, x: f32, y: f32) -> [f32; 2] {
        let angle = self.fibre_angle + 0.9 * self.patches.at(2.5 * x, 2.5 * y);
        let (sin, cos) = angle.sin_cos();
        let (along, across) = (x * cos + y * sin, y * cos - x * sin);
        let fibre = self.fibres.octaves(7.0 * along, 42.0 * across, 3);
        let patch = self.patches.octaves(4.0 * x + 9.0, 4.0 * y, 3);
        let grainy = self.fibres.octaves(45.0 * x + 3.0, 45.0 * y, 2);
        let eosin = self.eosin * (1.0 + self.fibre_strength * fibre + 0.25 * patch + 0.12 * grainy);
        // Clefts where fibres part.
        let cleft = smoothstep(0.75, 1.05, fibre + 0.4 * patch) * smoothstep(0.15, 0.35, self.fibre_strength);
        [self.blue * (1.0 + 0.4 * patch).max(0.0), (eosin * (1.0 - 0.85 * cleft)).max(0.01)]
    }
}

/// Draws the field of view.
pub(super) fn draw(streams: &mut Streams, side_px: usize) -> Phantom {
    let dice = &mut streams.anatomy;
    let slide = Slide::draw(dice);
    let scene = Scene::draw(dice);
    let normal = Nuclei::normal(dice, &scene);
    let lining = Nuclei::lining(&normal);
    let mut blue = Field::flat(side_px, 0.0);
    let mut pink = Field::from_fn(side_px, |x, y| slide.ground(x, y)[1]);
    blue.paint((0.0, 0.0), (1.0, 1.0), |x, y, amount| *amount = slide.ground(x, y)[0]);
    scene.lay(&mut blue, &mut pink);
    let mut region = Region::none(side_px);
    let mut tumour = None;
    if let Some(dice) = &mut streams.lesion {
        region = place(dice, &scene, side_px);
        tumour = Some(Nuclei::tumour(dice, &normal));
        cytoplasm(dice, &region, &slide, &mut blue, &mut pink);
    }
    // Benign cells keep their places whether or not others are taken by a tumour.
    Cells::sow(dice, &normal, |x, y| scene.density(x, y)).draw(&mut blue, &mut pink, |x, y| !inside(&region, x, y));
    Cells::sow(dice, &lining, |x, y| scene.lining(x, y)).draw(&mut blue, &mut pink, |x, y| !inside(&region, x, y));
    if let (Some(dice), Some(nuclei)) = (&mut streams.lesion, &tumour) {
        Cells::sow(dice, nuclei, |_, _| 1.0).draw(&mut blue, &mut pink, |x, y| inside(&region, x, y));
    }
    Phantom { picture: develop(&mut streams.sensor, &slide, &blue, &pink), mask: region.mask() }
}

/// Where a tumour may grow: anywhere but in fat and empty space.
fn place(dice: &mut Dice, scene: &Scene, side_px: usize) -> Region {
    let room = Field::from_fn(side_px, |x, y| if scene.is_tissue(x, y) { 1.0 } else { 0.0 });
    let outline = Outline {
        // A tumour of a few cells is not one that a reader would outline.
        area: dice.log_between(0.03, AREA.1),
        count: 1 + dice.below(2),
        wobble: dice.between(0.2, 0.5),
        softness: 0.004,
    };
    Region::place(dice, &room, outline)
}

fn inside(region: &Region, x: f32, y: f32) -> bool {
    if !(0.0..1.0).contains(&x) || !(0.0..1.0).contains(&y) {
        return false;
    }
    let side = region.weight.side_px as f32;
    let place = (y * side) as usize * region.weight.side_px + (x * side) as usize;
    region.weight.values.get(place).is_some_and(|w| *w > 0.5)
}

/// The tumour's ground: more cytoplasm, fewer fibres.
fn cytoplasm(dice: &mut Dice, region: &Region, slide: &Slide, blue: &mut Field, pink: &mut Field) {
    let texture = dice.noise();
    let (more_blue, more_pink) = (dice.between(0.0, 0.10), dice.between(-0.25, 0.30));
    for place in 0..blue.values.len() {
        let weight = region.weight.values[place];
        if weight > 0.0 {
            let (x, y) = blue.point(place);
            let wave = texture.octaves(14.0 * x, 14.0 * y, 3);
            let to_blue = slide.blue + more_blue + 0.03 * wave;
            let to_pink = slide.eosin * (1.0 + more_pink + 0.2 * wave);
            blue.values[place] = mix(blue.values[place], to_blue.max(0.0), 0.85 * weight);
            pink.values[place] = mix(pink.values[place], to_pink.max(0.02), 0.85 * weight);
        }
    }
}

/// Light through the dyes onto the camera.
fn develop(sensor: &mut Dice, slide: &Slide, blue: &Field, pink: &Field) -> Rgb8 {
    let side_px = blue.side_px;
    let blur_px = slide.blur_px * side_px as f32 / 256.0;
    let (blue, pink) = (blue.blurred(blur_px), pink.blurred(blur_px));
    let noise = [(); 3].map(|()| grain(sensor, side_px, 0.0));
    let mut bytes = Vec::with_capacity(3 * side_px * side_px);
    for place in 0..blue.values.len() {
        let amounts = [slide.strength[0] * blue.values[place], slide.strength[1] * pink.values[place]];
        for (channel, grain) in noise.iter().enumerate() {
            let absorbed = amounts[0] * slide.dyes[0][channel] + amounts[1] * slide.dyes[1][channel];
            let light = slide.light[channel] * (-1.6 * absorbed).exp();
            bytes.push(to_byte(light + slide.noise * grain.values[place]));
        }
    }
    Rgb8 { width_px: side_px, height_px: side_px, bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_beyond_the_picture_belong_to_no_tumour() {
        let mut region = Region::none(8);
        region.weight.values.fill(1.0);
        assert!(inside(&region, 0.01, 0.99));
        // Their place in the field would be one of the next row, or of the first.
        for (x, y) in [(1.1, 0.5), (-0.1, 0.5), (0.5, -0.1), (0.5, 1.0)] {
            assert!(!inside(&region, x, y), "{x} {y}");
        }
    }
}
