//! Branching vessels, drawn as tapered tubes.

use std::f32::consts::PI;

use super::dice::Dice;
use super::field::Field;
use super::shape::cover;

/// A straight, tapered piece of a vessel, in units of the picture's side.
#[derive(Debug, Clone, Copy)]
struct Piece {
    from: (f32, f32),
    to: (f32, f32),
    from_radius: f32,
    to_radius: f32,
}

/// Where a tree begins and how it grows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Root {
    /// Start of the trunk.
    pub(super) at: (f32, f32),
    /// Direction in radians from x towards y.
    pub(super) direction: f32,
    /// Length of the trunk.
    pub(super) length: f32,
    /// Radius at the start of the trunk.
    pub(super) radius: f32,
    /// How often it forks.
    pub(super) forks: u32,
}

/// Weight of a tree of vessels: 1 on their axes, 0 beside them.
pub(super) fn vessels(dice: &mut Dice, side_px: usize, root: Root) -> Field {
    let mut pieces = Vec::new();
    grow(dice, root, &mut pieces);
    let mut weight = Field::flat(side_px, 0.0);
    let soft = 0.7 / side_px as f32;
    for piece in &pieces {
        draw(piece, soft, &mut weight);
    }
    weight
}

fn grow(dice: &mut Dice, root: Root, pieces: &mut Vec<Piece>) {
    const STEPS: usize = 4;
    let (mut at, mut direction) = (root.at, root.direction);
    let step = root.length / STEPS as f32;
    let radius = |i: usize| root.radius * (1.0 - 0.3 * i as f32 / STEPS as f32);
    for i in 0..STEPS {
        direction += dice.around(0.25);
        let to = (at.0 + step * direction.cos(), at.1 + step * direction.sin());
        pieces.push(Piece { from: at, to, from_radius: radius(i), to_radius: radius(i + 1) });
        at = to;
    }
    if root.forks == 0 {
        return;
    }
    let spread = dice.between(0.12, 0.22) * PI;
    for turn in [-spread, spread] {
        let shrink = dice.between(0.62, 0.85);
        let child = Root {
            at,
            direction: direction + turn + dice.around(0.2),
            length: root.length * dice.between(0.6, 0.9),
            radius: root.radius * 0.7 * shrink.max(0.7),
            forks: root.forks - 1,
        };
        grow(dice, child, pieces);
    }
}

fn draw(piece: &Piece, soft: f32, weight: &mut Field) {
    let reach = piece.from_radius + soft;
    let low = (piece.from.0.min(piece.to.0) - reach, piece.from.1.min(piece.to.1) - reach);
    let high = (piece.from.0.max(piece.to.0) + reach, piece.from.1.max(piece.to.1) + reach);
    let (dx, dy) = (piece.to.0 - piece.from.0, piece.to.1 - piece.from.1);
    let length2 = (dx * dx + dy * dy).max(1e-12);
    weight.paint(low, high, |x, y, value| {
        let (px, py) = (x - piece.from.0, y - piece.from.1);
        let along = ((px * dx + py * dy) / length2).clamp(0.0, 1.0);
        let radius = piece.from_radius + (piece.to_radius - piece.from_radius) * along;
        let off = (px - along * dx).hypot(py - along * dy);
        // A tube thinner than a pixel is drawn faint instead of broken.
        let strength = (radius / soft).min(1.0);
        *value = value.max(strength * cover(off - radius, soft));
    });
}
