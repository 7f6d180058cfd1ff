//! Where lesions are: irregular blobs inside the organ.

use super::dice::Dice;
use super::field::Field;
use super::shape::{Ellipse, cover};

/// Smallest and largest share of the picture that the lesions of one picture cover.
pub(super) const AREA: (f32, f32) = (0.013, 0.12);
/// A lesion takes at most this share of its organ.
const LARGEST_OF_ORGAN: f32 = 0.5;
/// Tries to find a place where enough of the lesion lies in the organ.
const TRIES: usize = 24;

/// Outline of lesions to place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outline {
    /// Share of the picture to cover together.
    pub(super) area: f32,
    /// Number of lesions.
    pub(super) count: usize,
    /// How irregular the edge is; 0 is an ellipse.
    pub(super) wobble: f32,
    /// Half width of the soft edge in sides of the picture.
    pub(super) softness: f32,
}

impl Outline {
    /// Any size, one to three lesions, any edge.
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let area = dice.log_between(AREA.0, AREA.1);
        let count = if area > 0.02 && dice.chance(0.35) { 2 + dice.below(2) } else { 1 };
        Self { area, count, wobble: dice.between(0.1, 0.45), softness: dice.between(0.004, 0.014) }
    }
}

/// Lesions in place.
#[derive(Debug, Clone)]
pub(super) struct Region {
    /// How much of a pixel is lesion: 1 inside, 0 outside, half on the edge.
    pub(super) weight: Field,
    /// 0 at the edge and outside, towards 1 in the middle of a lesion.
    pub(super) depth: Field,
}

impl Region {
    /// No lesion.
    pub(super) fn none(side_px: usize) -> Self {
        Self { weight: Field::flat(side_px, 0.0), depth: Field::flat(side_px, 0.0) }
    }

    /// Places lesions in `room`, a weight of the organ.
    pub(super) fn place(dice: &mut Dice, room: &Field, outline: Outline) -> Self {
        let free: Vec<usize> = (0..room.values.len()).filter(|&i| room.values[i] > 0.5).collect();
        let share = free.len() as f32 / room.values.len().max(1) as f32;
        let area = outline.area.min(LARGEST_OF_ORGAN * share) / outline.count as f32;
        let mut all = Self::none(room.side_px);
        for _ in 0..outline.count {
            let mut best: Option<(f32, Self)> = None;
            for tried in 0..TRIES {
                let Some(&centre) = free.get(dice.below(free.len())) else { break };
                let grown = area * (1.0 + 0.05 * tried as f32);
                let blob = blob(dice, room, room.point(centre), grown, outline);
                let covered = blob.covered();
                let enough = covered >= 0.95 * area;
                if best.as_ref().is_none_or(|(most, _)| covered > *most) {
                    best = Some((covered, blob));
                }
                if enough {
                    break;
                }
            }
            if let Some((_, blob)) = best {
                all.add(&blob);
            }
        }
        all
    }

    /// Adds other lesions.
    pub(super) fn add(&mut self, other: &Self) {
        for (mine, theirs) in [(&mut self.weight, &other.weight), (&mut self.depth, &other.depth)] {
            for (a, b) in mine.values.iter_mut().zip(&theirs.values) {
                *a = a.max(*b);
            }
        }
    }

    /// Share of the picture that is more lesion than not.
    pub(super) fn covered(&self) -> f32 {
        let inside = self.weight.values.iter().filter(|w| **w > 0.5).count();
        inside as f32 / self.weight.values.len().max(1) as f32
    }

    /// 255 where a pixel is more lesion than not, else 0.
    pub(super) fn mask(&self) -> Vec<u8> {
        self.weight.values.iter().map(|w| if *w > 0.5 { 255 } else { 0 }).collect()
    }
}

fn blob(dice: &mut Dice, room: &Field, centre: (f32, f32), area: f32, outline: Outline) -> Region {
    let aspect = dice.between(0.65, 1.0);
    let radius = (area / std::f32::consts::PI).sqrt();
    let radii = (radius / aspect.sqrt(), radius * aspect.sqrt());
    let ellipse = Ellipse::new(centre, radii, dice.between(0.0, std::f32::consts::PI));
    let noise = dice.noise();
    let mut region = Region::none(room.side_px);
    let reach = radii.0 * (1.0 + 1.5 * outline.wobble) + 2.0 * outline.softness;
    let (low, high) = ((centre.0 - reach, centre.1 - reach), (centre.0 + reach, centre.1 + reach));
    let frequency = 1.3 / radius;
    let distance = |x: f32, y: f32| {
        let wave = noise.octaves(x * frequency, y * frequency, 3);
        ellipse.distance(x, y) + outline.wobble * radius * wave
    };
    // Over its slope, a flat place of the uneven distance does not make the soft edge wide.
    const STEP: f32 = 0.004;
    let even = |x: f32, y: f32| {
        let here = distance(x, y);
        let slope = (distance(x + STEP, y) - here).hypot(distance(x, y + STEP) - here) / STEP;
        here / slope.max(0.3)
    };
    region.weight.paint(low, high, |x, y, w| *w = cover(even(x, y), outline.softness));
    region.depth.paint(low, high, |x, y, d| *d = (-distance(x, y) / radius).clamp(0.0, 1.0));
    for (place, &inside) in room.values.iter().enumerate() {
        region.weight.values[place] *= inside;
        region.depth.values[place] *= inside;
    }
    region
}
