//! Whether black and white of an image are exchanged, compared with the references.
//!
//! Comes in: planes at the model's size. Goes out: yes or no. Features tell an inverted head from a head, but hardly an
//! inverted chest film from a film; bright and dark places themselves do, because references show the same view. Each image
//! is compared as 16 × 16 mean grey values, by correlation. Plain arithmetic, cannot fail. Measured on real slices
//! (docs/verification.md, "Images unlike the references").

use crate::image::Planes;

const CELLS: usize = 16;
/// One reference at least must be so much the opposite.
const OPPOSITE: f32 = -0.3;

/// Where an image is bright and where dark: mean 0, length 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Brightness(Vec<f32>);

impl Brightness {
    pub(crate) fn of(planes: &Planes) -> Self {
        let side_px = planes.side_px.max(1);
        let cell_of: Vec<usize> = (0..side_px).map(|px| px * CELLS / side_px).collect();
        let mut cells = vec![0.0; CELLS * CELLS];
        let mut pixels = vec![0.0; CELLS * CELLS];
        // All channels go into one.
        for (n, row) in planes.values.chunks_exact(side_px).enumerate() {
            let first = cell_of[n % side_px] * CELLS;
            for (value, across) in row.iter().zip(&cell_of) {
                cells[first + across] += value;
                pixels[first + across] += 1.0;
            }
        }
        cells.iter_mut().zip(&pixels).for_each(|(cell, count)| *cell /= f32::max(*count, 1.0));
        let mean = cells.iter().sum::<f32>() / cells.len() as f32;
        cells.iter_mut().for_each(|cell| *cell -= mean);
        let length = cells.iter().map(|cell| cell * cell).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        cells.iter_mut().for_each(|cell| *cell /= length);
        Self(cells)
    }

    /// 16 × 16 values.
    pub(crate) fn values(&self) -> &[f32] {
        &self.0
    }

    /// The same from [`Brightness::values`]; `None` if they are not as many, or not all numbers.
    pub(crate) fn of_values(values: Vec<f32>) -> Option<Self> {
        (values.len() == CELLS * CELLS && values.iter().all(|value| value.is_finite())).then_some(Self(values))
    }

    /// Whether it is the opposite of some references and like none.
    pub(crate) fn is_inverted<'a>(&self, references: impl Iterator<Item = &'a Self>) -> bool {
        let correlation = |other: &Self| self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum::<f32>();
        let found = references
            .map(correlation)
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), c| (low.min(c), high.max(c)));
        found.0 < OPPOSITE && found.1 < 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ramp of side 40 that lies `turned` or not, from `low` upwards.
    fn ramp(turned: bool, value: impl Fn(f32) -> f32) -> Brightness {
        let plane = (0..1600).map(|n| value(if turned { n % 40 } else { n / 40 } as f32 / 40.0));
        let plane: Vec<f32> = plane.collect();
        Brightness::of(&Planes { side_px: 40, values: plane.repeat(3) })
    }

    #[test]
    fn the_opposite_of_all_references_is_inverted() {
        let (image, turned) = (ramp(false, |v| v), ramp(true, |v| v));
        let inverted = ramp(false, |v| 1.0 - v);
        assert!(inverted.is_inverted([&image].into_iter()));
        assert!(!image.is_inverted([&image, &inverted].into_iter()), "like one of them");
        assert!(!turned.is_inverted([&image].into_iter()), "another view is no opposite");
        assert!(
            !ramp(false, |v| 0.2 + 0.5 * v).is_inverted([&image].into_iter()),
            "contrast and brightness are nothing"
        );
        assert!(!ramp(false, |_| 0.5).is_inverted([&image].into_iter()), "an empty image has no polarity");
        assert!(!image.is_inverted([].into_iter()));
    }
}
