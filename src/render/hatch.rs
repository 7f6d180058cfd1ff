//! Regions that are left out, drawn on a picture.
//!
//! Comes in: a picture and boxes in its pixels. Goes out: the picture, greyed and hatched within the boxes, so that nobody
//! takes the missing overlay there for "nothing found". Cannot fail; what lies outside the picture is not drawn.

use crate::image::Rgb8;
use crate::mvfa::PixelBox;

/// Grey of the lines.
const LINE: u8 = 150;
/// From line to line along a row, and their width, as shares of the picture's longer side.
const STEP_SHARE: usize = 48;
const LINE_SHARE: usize = 240;

/// Draws the boxes.
pub(crate) fn hatch(picture: &mut Rgb8, boxes: &[PixelBox]) {
    let longer = picture.width_px.max(picture.height_px);
    let (step, line) = ((longer / STEP_SHARE).max(4), (longer / LINE_SHARE).max(1));
    let width = picture.width_px;
    let end = |from: u32, length: u32, limit: usize| (from as usize).saturating_add(length as usize).min(limit);
    for region in boxes {
        for y in region.y as usize..end(region.y, region.height, picture.height_px) {
            for x in region.x as usize..end(region.x, region.width, width) {
                let Some(pixel) = picture.bytes.get_mut((y * width + x) * 3..).and_then(|rest| rest.first_chunk_mut())
                else {
                    continue;
                };
                let [red, green, blue]: [u8; 3] = *pixel;
                let dimmed = ((u16::from(red) + u16::from(green) + u16::from(blue)) / 6) as u8;
                *pixel = [if (x + y) % step < line { LINE } else { dimmed }; 3];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_greyed_and_hatched_and_nothing_else() {
        let mut picture = Rgb8 { width_px: 10, height_px: 8, bytes: vec![200; 10 * 8 * 3] };
        hatch(&mut picture, &[PixelBox { x: 2, y: 3, width: 4, height: 50 }]);
        for (n, pixel) in picture.bytes.chunks_exact(3).enumerate() {
            let (x, y) = (n % 10, n / 10);
            let is_inside = (2..6).contains(&x) && y >= 3;
            assert_eq!(pixel == [200, 200, 200], !is_inside, "{x}, {y}");
        }
        assert!(picture.bytes.contains(&LINE) && picture.bytes.contains(&100));
    }
}
