//! Cells and the larger structures of histology: nuclei, glands, fat, vessels' empty spaces.
//!
//! Amounts of the two dyes are added to or replaced in two fields, in units of the picture's side.

use super::dice::Dice;
use super::field::Field;
use super::noise::{Noise, mix};
use super::shape::{Ellipse, cover, smoothstep};

/// What nuclei of one kind look like.
#[derive(Debug, Clone)]
pub(super) struct Nuclei {
    /// Mean radius in sides of the picture, and its relative spread.
    radius: f32,
    spread: f32,
    /// Distance between the cells of the grid they are sown on.
    pitch: f32,
    /// Most elongated: short radius over long.
    slim: f32,
    /// Unevenness of the outline.
    wobble: f32,
    /// Amount of haematoxylin and its spread from nucleus to nucleus.
    dark: f32,
    dark_spread: f32,
    /// Mottling of the chromatin, and a nucleolus in some.
    mottle: f32,
    nucleoli: f32,
}

impl Nuclei {
    /// Benign ones.
    pub(super) fn normal(dice: &mut Dice, scene: &Scene) -> Self {
        let radius = dice.between(0.0090, 0.0125);
        Self {
            radius,
            spread: 0.15,
            pitch: radius * dice.between(2.5, 3.1) * if scene.is_dense { 1.0 } else { 1.25 },
            slim: if scene.is_dense { 0.75 } else { 0.40 },
            wobble: 0.06,
            dark: dice.between(0.75, 1.15),
            dark_spread: 0.15,
            mottle: 0.15,
            nucleoli: 0.0,
        }
    }

    /// Those of a gland's wall: tall and side by side.
    pub(super) fn lining(normal: &Self) -> Self {
        Self { pitch: 1.9 * normal.radius, slim: 0.55, ..normal.clone() }
    }

    /// Malignant ones, next to the benign ones of the same slide.
    pub(super) fn tumour(dice: &mut Dice, normal: &Self) -> Self {
        let radius = normal.radius * dice.between(1.45, 2.2);
        Self {
            radius,
            spread: dice.between(0.25, 0.40),
            pitch: radius * dice.between(2.1, 2.8),
            slim: 0.6,
            wobble: dice.between(0.12, 0.28),
            dark: normal.dark * dice.between(0.45, 0.90),
            dark_spread: 0.30,
            mottle: dice.between(0.3, 0.5),
            nucleoli: dice.between(0.2, 0.8),
        }
    }
}

/// One nucleus.
#[derive(Debug)]
struct Cell {
    at: (f32, f32),
    shape: Ellipse,
    radius: f32,
    dark: f32,
    noise: Noise,
    nucleolus: Option<Ellipse>,
}

/// All nuclei of one kind over the whole picture.
#[derive(Debug)]
pub(super) struct Cells<'a> {
    nuclei: &'a Nuclei,
    all: Vec<Cell>,
}

impl<'a> Cells<'a> {
    /// One cell for each place of a shaken grid, with a probability that depends on the place.
    pub(super) fn sow(dice: &mut Dice, nuclei: &'a Nuclei, density: impl Fn(f32, f32) -> f32) -> Self {
        let rows = (1.0 / nuclei.pitch).ceil() as usize + 1;
        let mut all = Vec::new();
        for i in 0..rows * rows {
            let (column, row) = (i % rows, i / rows);
            let shift = if row % 2 == 0 { 0.0 } else { 0.5 };
            let at = (
                nuclei.pitch * (column as f32 - 0.5 + shift + dice.around(0.38)),
                nuclei.pitch * (row as f32 - 0.5 + dice.around(0.38)),
            );
            // Everything is drawn for every place, so that no cell depends on the one before.
            let radius = nuclei.radius * (nuclei.spread * dice.normal()).exp().clamp(0.5, 1.5);
            let slim = dice.between(nuclei.slim, 1.0).sqrt();
            let shape = Ellipse::new(at, (radius / slim, radius * slim), dice.between(0.0, std::f32::consts::PI));
            let dark = nuclei.dark * (1.0 + nuclei.dark_spread * dice.normal()).clamp(0.35, 1.6);
            let noise = dice.noise();
            let dot = (at.0 + 0.3 * radius * dice.around(1.0), at.1 + 0.3 * radius * dice.around(1.0));
            let has_nucleolus = dice.chance(nuclei.nucleoli);
            let nucleolus = has_nucleolus.then(|| Ellipse::new(dot, (0.22 * radius, 0.22 * radius), 0.0));
            if dice.chance(density(at.0, at.1)) {
                all.push(Cell { at, shape, radius, dark, noise, nucleolus });
            }
        }
        Self { nuclei, all }
    }

    /// Lays the dyes of the cells whose middle is allowed.
    pub(super) fn draw(&self, blue: &mut Field, pink: &mut Field, allowed: impl Fn(f32, f32) -> bool) {
        let soft = 0.5 / blue.side_px as f32;
        for cell in self.all.iter().filter(|cell| allowed(cell.at.0, cell.at.1)) {
            let reach = cell.radius * 2.0;
            let (low, high) = ((cell.at.0 - reach, cell.at.1 - reach), (cell.at.0 + reach, cell.at.1 + reach));
            let scale = 1.4 / cell.radius;
            let weight = |x: f32, y: f32| {
                let wave = cell.noise.at(x * scale, y * scale);
                cover(cell.shape.distance(x, y) + self.nuclei.wobble * cell.radius * wave, soft)
            };
            blue.paint(low, high, |x, y, amount| {
                let inside = weight(x, y);
                if inside > 0.0 {
                    let rim = smoothstep(-0.45 * cell.radius, -0.05 * cell.radius, cell.shape.distance(x, y));
                    let clumps = cell.noise.octaves(3.0 * x * scale + 5.0, 3.0 * y * scale, 2);
                    let mut dark = cell.dark * (0.75 + 0.40 * rim + self.nuclei.mottle * clumps).max(0.2);
                    if let Some(dot) = &cell.nucleolus {
                        dark = mix(dark, 1.5 * self.nuclei.dark, cover(dot.distance(x, y), soft));
                    }
                    *amount = mix(*amount, dark, inside);
                }
            });
            pink.paint(low, high, |x, y, amount| *amount = mix(*amount, 0.30, 0.6 * weight(x, y)));
        }
    }
}

/// A gland: an empty middle in a ring of tall cells.
#[derive(Debug)]
struct Gland {
    shape: Ellipse,
    wall: f32,
    wobble: Noise,
}

impl Gland {
    fn distance(&self, x: f32, y: f32) -> f32 {
        self.shape.distance(x, y) + 0.012 * self.wobble.octaves(11.0 * x, 11.0 * y, 2)
    }
}

/// What lies between the cells.
#[derive(Debug)]
pub(super) struct Scene {
    /// Lymphoid tissue, as opposed to stroma with glands.
    pub(super) is_dense: bool,
    glands: Vec<Gland>,
    /// Fat cells and vessels.
    spaces: Vec<Ellipse>,
    crowding: Noise,
    mean: f32,
    contrast: f32,
}

impl Scene {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let is_dense = dice.chance(0.55);
        let gland_count = if is_dense { 0 } else { 1 + dice.below(6) };
        let glands = (0..gland_count)
            .map(|_| {
                let radius = dice.between(0.05, 0.13);
                let aspect = dice.between(0.5, 1.0);
                let at = (dice.unit(), dice.unit());
                let shape = Ellipse::new(at, (radius, radius * aspect), dice.between(0.0, 3.0));
                Gland { shape, wall: dice.between(0.022, 0.036), wobble: dice.noise() }
            })
            .collect();
        let mut spaces = Vec::new();
        if dice.chance(0.35) {
            // A lobule of fat: cells pressed together.
            let middle = (dice.between(-0.1, 1.1), dice.between(-0.1, 1.1));
            for _ in 0..3 + dice.below(10) {
                let at = (middle.0 + dice.around(0.22), middle.1 + dice.around(0.22));
                let radius = dice.between(0.03, 0.06);
                spaces.push(Ellipse::new(at, (radius, radius * dice.between(0.75, 1.0)), dice.around(1.5)));
            }
        }
        for _ in 0..dice.below(4) {
            let at = (dice.unit(), dice.unit());
            let radius = dice.between(0.008, 0.035);
            spaces.push(Ellipse::new(at, (radius, radius * dice.between(0.3, 0.9)), dice.around(1.5)));
        }
        Self {
            is_dense,
            glands,
            spaces,
            crowding: dice.noise(),
            mean: if is_dense { dice.between(0.6, 0.95) } else { dice.between(0.22, 0.5) },
            contrast: dice.between(0.15, 0.55),
        }
    }

    fn space(&self, x: f32, y: f32) -> f32 {
        let wave = 0.006 * self.crowding.at(30.0 * x, 30.0 * y);
        self.spaces.iter().map(|space| space.distance(x, y) + wave).fold(1.0, f32::min)
    }

    /// Whether cells can be at a point.
    pub(super) fn is_tissue(&self, x: f32, y: f32) -> bool {
        self.space(x, y) > 0.004
    }

    /// Share of the places of the grid that hold a nucleus.
    pub(super) fn density(&self, x: f32, y: f32) -> f32 {
        if self.space(x, y) < 0.006 {
            return 0.0;
        }
        if self.glands.iter().any(|gland| gland.distance(x, y) < 0.0) {
            return 0.0;
        }
        // Nests of inflammation and pale germinal centres are normal.
        (self.mean + self.contrast * 1.6 * self.crowding.octaves(3.0 * x, 3.0 * y, 2)).clamp(0.04, 1.0)
    }

    /// The same for the cells of the glands' walls: their nuclei stand at the outer end.
    pub(super) fn lining(&self, x: f32, y: f32) -> f32 {
        let in_wall = |gland: &Gland| (0.15 * gland.wall..0.55 * gland.wall).contains(&-gland.distance(x, y));
        if self.space(x, y) > 0.006 && self.glands.iter().any(in_wall) { 1.0 } else { 0.0 }
    }

    /// Lays glands and empties spaces.
    pub(super) fn lay(&self, blue: &mut Field, pink: &mut Field) {
        for place in 0..blue.values.len() {
            let (x, y) = blue.point(place);
            let mut ground = [blue.values[place], pink.values[place]];
            for gland in &self.glands {
                let inside = -gland.distance(x, y);
                let wall = smoothstep(-0.003, 0.003, inside);
                let lumen = smoothstep(gland.wall - 0.003, gland.wall + 0.004, inside);
                ground = [mix(ground[0], 0.18, 0.7 * wall), mix(ground[1], 0.38, 0.7 * wall)];
                ground = [mix(ground[0], 0.01, lumen), mix(ground[1], 0.03, lumen)];
            }
            let space = self.space(x, y);
            let empty = cover(space, 0.003);
            // A membrane around each empty space.
            let membrane = cover((space - 0.003).abs() - 0.002, 0.003);
            ground[1] = mix(mix(ground[1], 0.5, 0.6 * membrane), 0.01, empty);
            ground[0] = mix(ground[0], 0.0, empty);
            (blue.values[place], pink.values[place]) = (ground[0], ground[1]);
        }
    }
}
