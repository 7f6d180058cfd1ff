//! Lesions of the retina for OCT: what they do to the heights of a column and what they are filled with.

use super::dice::Dice;
use super::noise::{Noise, mix};
use super::oct::{Column, Eye, Style};
use super::region::AREA;
use super::shape::{Ellipse, cover, smoothstep};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Clear fluid between photoreceptors and epithelium.
    FluidUnderRetina,
    /// The epithelium is lifted over fluid or scar.
    Detachment,
    /// Small lumps under the epithelium.
    Drusen,
    /// The retina is swollen and holds dark cysts.
    Cysts,
}

/// One lesion over a range of columns.
#[derive(Debug)]
struct Lesion {
    kind: Kind,
    at: f32,
    half_width: f32,
    /// How far things are lifted, in sides of the picture.
    height: f32,
    /// Share of the lift that reaches the inner surface.
    carried: f32,
    lumps: Noise,
    lumpiness: f32,
    value: f32,
    cysts: Vec<Ellipse>,
}

/// All lesions of one scan.
#[derive(Debug)]
pub(super) struct Lesions {
    all: Vec<Lesion>,
    texture: Option<Noise>,
}

/// What lesions do to one column.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bend {
    /// Lift of the inner surface, the photoreceptors and the epithelium, upwards.
    inner: f32,
    outer: f32,
    epithelium: f32,
    /// Grey value under a lifted epithelium.
    value: f32,
    /// Between two drusen that belong together.
    is_among_drusen: bool,
}

impl Lesions {
    /// A healthy scan.
    pub(super) fn none() -> Self {
        Self { all: Vec::new(), texture: None }
    }

    /// Draws lesions until they cover enough.
    pub(super) fn draw(dice: &mut Dice, eye: &Eye, style: Style, side_px: usize) -> Self {
        let mut lesions = Self { all: Vec::new(), texture: Some(dice.noise()) };
        let enough = dice.log_between(AREA.0, 0.06);
        for _ in 0..8 {
            let kind = match (style, dice.below(10)) {
                (Style::Wide, 0..=4) | (Style::Narrow, 0..=1) => Kind::FluidUnderRetina,
                (Style::Wide, 5..=6) | (Style::Narrow, 2..=3) => Kind::Detachment,
                (Style::Wide, 7..=9) | (Style::Narrow, 4..=6) => Kind::Cysts,
                _ => Kind::Drusen,
            };
            lesions.all.push(Lesion::draw(dice, eye, kind));
            if lesions.covered(eye, side_px) > AREA.1 && lesions.all.len() > 1 {
                lesions.all.pop();
            }
            if lesions.covered(eye, side_px) >= enough {
                break;
            }
        }
        lesions
    }

    /// About how much of the picture the mask covers.
    fn covered(&self, eye: &Eye, side_px: usize) -> f32 {
        let sum: f32 = (0..side_px)
            .map(|x| {
                let x = (x as f32 + 0.5) / side_px as f32;
                let (column, bend) = self.bend(x, eye.column(x));
                self.range(&column, &bend).map_or(0.0, |(top, bottom)| (bottom.min(1.0) - top.max(0.0)).max(0.0))
            })
            .sum();
        sum / side_px as f32
    }

    /// The column as the lesions leave it.
    pub(super) fn bend(&self, x: f32, column: Column) -> (Column, Bend) {
        let mut bend = Bend::default();
        for lesion in &self.all {
            let (lift, strongest) = (lesion.lift(x), bend.epithelium);
            match lesion.kind {
                Kind::Cysts => bend.inner += lift,
                Kind::FluidUnderRetina => {
                    bend.outer += lift;
                    bend.inner += lesion.carried * lift;
                }
                Kind::Detachment | Kind::Drusen => {
                    bend.is_among_drusen |= lesion.kind == Kind::Drusen && lesion.reaches(x);
                    bend.epithelium = strongest.max(lift);
                    if lift > strongest {
                        bend.value = lesion.value;
                    }
                    bend.inner += lesion.carried * (lift - strongest).max(0.0);
                }
            }
        }
        bend.outer += bend.epithelium;
        let bent = Column {
            inner: column.inner - bend.inner,
            // Compressed layers stay layers.
            outer: (column.outer - bend.outer).max(column.inner - bend.inner + 0.03),
            epithelium: column.epithelium - bend.epithelium,
            floor: column.floor,
        };
        (bent, bend)
    }

    /// Top and bottom of what is changed in a column.
    fn range(&self, column: &Column, bend: &Bend) -> Option<(f32, f32)> {
        let lifted = [bend.inner, bend.outer, bend.epithelium].into_iter().fold(0.0, f32::max);
        if lifted <= 0.0 && !bend.is_among_drusen {
            return None;
        }
        let bottom = if bend.epithelium > 0.0 || bend.is_among_drusen {
            column.floor
        } else if bend.outer > 0.0 {
            column.epithelium
        } else {
            column.outer
        };
        // Every layer moves with the one that is lifted.
        Some((column.inner, bottom))
    }

    /// Fills what opened; the grey value and whether the point belongs to a lesion.
    pub(super) fn fill(&self, x: f32, y: f32, value: f32, column: &Column, bend: &Bend, soft: f32) -> (f32, bool) {
        let Some(texture) = self.texture else { return (value, false) };
        let Some((top, bottom)) = self.range(column, bend) else { return (value, false) };
        let mut value = value;
        if bend.epithelium > 0.0 {
            // Under the lifted band, above where the floor was.
            let band = 0.015;
            let open = cover(column.epithelium + band - y, soft) * cover(y - column.floor - 0.5 * band, soft);
            let filling = bend.value * (1.0 + 0.3 * texture.octaves(25.0 * x, 25.0 * y, 2));
            value = mix(value, filling, open * smoothstep(0.0, 0.008, bend.epithelium - 0.004));
        }
        let t = (y - column.inner) / (column.outer - column.inner).max(1e-3);
        let inside = smoothstep(0.10, 0.16, t) * (1.0 - smoothstep(0.84, 0.90, t));
        if inside > 0.0 {
            for cyst in self.all.iter().flat_map(|lesion| &lesion.cysts) {
                let weight = cover(cyst.distance(x, t), 0.03);
                value = mix(value, 0.07, 0.9 * inside * weight);
            }
        }
        (value, y >= top && y <= bottom)
    }
}

impl Lesion {
    fn draw(dice: &mut Dice, eye: &Eye, kind: Kind) -> Self {
        let at = dice.between(0.15, 0.85);
        let (half_width, height) = match kind {
            Kind::FluidUnderRetina => (dice.between(0.08, 0.28), dice.log_between(0.025, 0.11)),
            Kind::Detachment => (dice.between(0.06, 0.18), dice.log_between(0.03, 0.13)),
            Kind::Drusen => (dice.between(0.10, 0.26), dice.log_between(0.022, 0.055)),
            Kind::Cysts => (dice.between(0.07, 0.22), dice.log_between(0.02, 0.14)),
        };
        // Steeper flanks would be folds.
        let height = height.min(half_width * if kind == Kind::Cysts { 0.45 } else { 0.8 });
        let count = if kind == Kind::Cysts { 2 + dice.below(9) } else { 0 };
        let tall = eye.thickness + height;
        let cysts = (0..count)
            .map(|_| {
                let x = at + 0.7 * half_width * dice.around(1.0);
                let wide = dice.between(0.008, 0.035);
                // Heights are relative to the retina's thickness.
                let high = (dice.between(0.7, 1.6) * wide / tall).min(0.24);
                Ellipse::new((x, dice.between(0.35, 0.75)), (wide, high), 0.0)
            })
            .collect();
        Self {
            kind,
            at,
            half_width,
            height,
            carried: match kind {
                Kind::Drusen => dice.between(0.2, 0.6),
                _ => dice.between(0.6, 1.0),
            },
            lumps: dice.noise(),
            lumpiness: if kind == Kind::Drusen { 1.0 } else { dice.between(0.0, 0.35) },
            value: match kind {
                Kind::Drusen => dice.between(0.40, 0.62),
                _ if dice.chance(0.5) => dice.between(0.06, 0.16),
                _ => dice.between(0.25, 0.55),
            },
            cysts,
        }
    }

    /// Whether a column lies within the lesion.
    fn reaches(&self, x: f32) -> bool {
        (x - self.at).abs() < self.half_width
    }

    /// How far this lesion lifts its layer at a column.
    fn lift(&self, x: f32) -> f32 {
        let off = (x - self.at) / self.half_width;
        if off.abs() >= 1.0 {
            return 0.0;
        }
        let dome = (1.0 - off * off).powf(1.5);
        let lumps = if self.kind == Kind::Drusen {
            0.2 + 0.8 * smoothstep(-0.2, 0.5, self.lumps.at(20.0 * x, 0.5))
        } else {
            1.0 + self.lumpiness * self.lumps.at(9.0 * x, 0.5)
        };
        self.height * dome * lumps
    }
}
