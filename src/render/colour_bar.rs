//! The bar that shows the value of each colour.

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
}
