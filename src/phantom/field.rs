//! A square field of values: a grey picture, a weight, a distance.
//!
//! Points are in units of the picture's side: (0, 0) is the top left corner, (1, 1) the bottom right.

/// Square values, rows from the top.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    /// Side in pixels.
    pub(super) side_px: usize,
    /// [side, side]
    pub(super) values: Vec<f32>,
}

impl Field {
    /// The value of `f` at the centre of every pixel, row by row.
    pub(super) fn from_fn(side_px: usize, mut f: impl FnMut(f32, f32) -> f32) -> Self {
        let centre = |i: usize| (i as f32 + 0.5) / side_px as f32;
        let mut values = Vec::with_capacity(side_px * side_px);
        for y in 0..side_px {
            values.extend((0..side_px).map(|x| f(centre(x), centre(y))));
        }
        Self { side_px, values }
    }

    /// The same value everywhere.
    pub(super) fn flat(side_px: usize, value: f32) -> Self {
        Self { side_px, values: vec![value; side_px * side_px] }
    }

    /// Point of a pixel by its place in `values`.
    pub(super) fn point(&self, place: usize) -> (f32, f32) {
        let side = self.side_px as f32;
        let (x, y) = (place % self.side_px, place / self.side_px);
        ((x as f32 + 0.5) / side, (y as f32 + 0.5) / side)
    }

    /// Changes every pixel of a box (clipped to the picture) by `f(x, y, value)`.
    pub(super) fn paint(&mut self, low: (f32, f32), high: (f32, f32), mut f: impl FnMut(f32, f32, &mut f32)) {
        let side = self.side_px as f32;
        let range = |low: f32, high: f32| {
            let first = (low * side).floor().max(0.0) as usize;
            let end = (high * side).ceil().clamp(0.0, side) as usize;
            first..end
        };
        for y in range(low.1, high.1) {
            for x in range(low.0, high.0) {
                if let Some(value) = self.values.get_mut(y * self.side_px + x) {
                    f((x as f32 + 0.5) / side, (y as f32 + 0.5) / side, value);
                }
            }
        }
    }

    /// Gaussian blur, cut at three deviations, border pixels repeated.
    pub(super) fn blurred(&self, sigma_px: f32) -> Self {
        if sigma_px < 0.05 || self.side_px == 0 {
            return self.clone();
        }
        let reach = (3.0 * sigma_px).ceil() as usize;
        let raw: Vec<f32> =
            (0..=2 * reach).map(|i| (-0.5 * ((i as f32 - reach as f32) / sigma_px).powi(2)).exp()).collect();
        let sum: f32 = raw.iter().sum();
        let kernel: Vec<f32> = raw.iter().map(|w| w / sum).collect();
        let rows = self.along(&kernel, reach, |line, i| line * self.side_px + i);
        rows.along(&kernel, reach, |line, i| i * self.side_px + line)
    }

    fn along(&self, kernel: &[f32], reach: usize, place: impl Fn(usize, usize) -> usize) -> Self {
        let last = self.side_px - 1;
        let mut values = vec![0.0; self.values.len()];
        let mut padded = vec![0.0; self.side_px + 2 * reach];
        for line in 0..self.side_px {
            for (i, value) in padded.iter_mut().enumerate() {
                *value = self.values[place(line, i.saturating_sub(reach).min(last))];
            }
            for (i, window) in padded.windows(kernel.len()).enumerate() {
                values[place(line, i)] = window.iter().zip(kernel).map(|(v, w)| v * w).sum();
            }
        }
        Self { side_px: self.side_px, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_keeps_the_sum_and_stays_near() {
        let mut field = Field::flat(31, 0.0);
        field.values[15 * 31 + 15] = 1.0;
        let blurred = field.blurred(1.5);
        assert!((blurred.values.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        assert!(blurred.values[15 * 31 + 15] < 0.2 && blurred.values[15 * 31 + 21] == 0.0);
        let flat = Field::flat(9, 0.3).blurred(2.0);
        assert!(flat.values.iter().all(|v| (v - 0.3).abs() < 1e-5));
    }

    #[test]
    fn painting_outside_is_nothing() {
        let mut field = Field::flat(8, 0.0);
        field.paint((-3.0, -2.0), (0.25, 0.125), |_, _, v| *v += 1.0);
        assert_eq!(field.values.iter().sum::<f32>(), 2.0);
        field.paint((2.0, 2.0), (3.0, 3.0), |_, _, v| *v += 1.0);
        assert_eq!(field.values.iter().sum::<f32>(), 2.0);
    }
}
