//! The bar that says which colour is which value, and round numbers to write beside it.

use super::OverlayStyle;
use super::overlay::position;

/// A horizontal bar of one row, [width, 4], from `style.lo` to `style.hi`.
/// Colours below the threshold are shown at a third of the alpha: the map does not draw them.
pub fn colour_bar(style: &OverlayStyle, width_px: usize) -> Vec<u8> {
    const DRAWN: u8 = 255;
    const NOT_DRAWN: u8 = 85;
    let last = width_px.saturating_sub(1).max(1) as f32;
    let cut = position(style.threshold, style.lo, style.hi);
    let pixel = |x: usize| {
        let share = x as f32 / last;
        let [r, g, b] = style.colour_map.colour(share);
        [r, g, b, if share >= cut { DRAWN } else { NOT_DRAWN }]
    };
    (0..width_px).flat_map(pixel).collect()
}

/// Round values between `lo` and `hi`, at most `max_count` and at least one where there is room: steps
/// of 1, 2 or 5 times a power of ten. Empty where the range is empty or not finite.
pub fn ticks(lo: f32, hi: f32, max_count: usize) -> Vec<f32> {
    let (lo, hi) = (f64::from(lo), f64::from(hi));
    if !(lo.is_finite() && hi.is_finite() && lo < hi) || max_count == 0 {
        return Vec::new();
    }
    let power = 10_f64.powf(((hi - lo) / max_count as f64).log10().floor());
    // Rounding may hide a value that lies on an end.
    let slack = 1e-6;
    for factor in [1.0, 2.0, 5.0, 10.0, 20.0] {
        let step = power * factor;
        let first = (lo / step - slack).ceil();
        let last = (hi / step + slack).floor();
        if last - first < max_count as f64 {
            let count = if last < first { 0 } else { (last - first) as usize + 1 };
            return (0..count).map(|i| ((first + i as f64) * step) as f32).collect();
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::super::ColourMap;
    use super::*;

    #[test]
    fn the_bar_ends_where_the_map_does() {
        let style = OverlayStyle { lo: 2.0, hi: 4.0, threshold: 3.0, opacity: 0.5, colour_map: ColourMap::Grey };
        assert_eq!(colour_bar(&style, 3), [0, 0, 0, 85, 128, 128, 128, 255, 255, 255, 255, 255]);
        assert_eq!(colour_bar(&style, 1), [0, 0, 0, 85]);
        assert!(colour_bar(&style, 0).is_empty());
        assert_eq!(colour_bar(&style, 256).len(), 1024);
    }

    #[test]
    fn ticks_are_round_numbers_inside() {
        for (lo, hi, count, expected) in [
            (0.0, 1.0, 6, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0][..]),
            (2.52, 2.65, 4, &[2.55, 2.6, 2.65]),
            (0.13, 3.9, 5, &[1.0, 2.0, 3.0]),
            (-150.0, 250.0, 5, &[-100.0, 0.0, 100.0, 200.0]),
            (1.0, 1.0, 5, &[]),
            (2.0, 1.0, 5, &[]),
            (f32::NAN, 1.0, 5, &[]),
            (0.0, 1.0, 0, &[]),
        ] {
            let found = ticks(lo, hi, count);
            assert_eq!(found.len(), expected.len(), "{lo}..{hi}: {found:?}");
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{lo}..{hi}: {found:?}");
        }
    }
}
