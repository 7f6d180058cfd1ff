//! Regions of a picture that are left out of its scores: burnt-in text, rulers, what lies outside the field of view.
//!
//! Comes in: boxes in pixels of the picture. Goes out: the same as shares of its sides ([`Regions`]), which hold for every
//! picture that is made the same way, and the patches and map pixels that stay (`Kept`). A patch that a box touches is left
//! out whole, because its one value holds what the box covers; neighbours are not mixed with it. The memory of the
//! references keeps all its rows; their own scores, which make the scale, are made by the same rule as the picture's.
//! Fails with [`RegionError`] for a box outside the picture, or if nothing stays.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::mvfa::map_rule::MapRule;
use crate::mvfa::upsample::{Geometry, nearest};
use crate::mvfa::zero_shot::abnormal_probability;

/// A box in pixels of a picture, counted from its left upper corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelBox {
    /// Pixels left of it.
    pub x: u32,
    /// Pixels above it.
    pub y: u32,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
}

/// Regions that cannot be left out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RegionError {
    /// It is no box.
    #[error(
        "the region {found:?} is not valid; use X,Y,WIDTH,HEIGHT in whole pixels with a width and a height above 0, for example 10,10,120,24"
    )]
    Text {
        /// What was typed.
        found: String,
    },
    /// It reaches outside the picture.
    #[error(
        "the region {found} to leave out reaches outside the picture, which has {width_px} x {height_px} pixels; give X,Y,WIDTH,HEIGHT inside it"
    )]
    Outside {
        /// The box.
        found: PixelBox,
        /// Width of the picture.
        width_px: usize,
        /// Height of the picture.
        height_px: usize,
    },
    /// Every patch is touched.
    #[error("the regions to leave out touch every part of the picture that the model looks at; make them smaller")]
    Everything,
}

impl fmt::Display for PixelBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.x, self.y, self.width, self.height)
    }
}

impl FromStr for PixelBox {
    type Err = RegionError;

    /// Reads `X,Y,WIDTH,HEIGHT`.
    fn from_str(text: &str) -> Result<Self, RegionError> {
        let numbers: Result<Vec<u32>, _> = text.split(',').map(|part| part.trim().parse()).collect();
        match numbers.as_deref() {
            Ok(&[x, y, width, height]) if width > 0 && height > 0 => Ok(Self { x, y, width, height }),
            _ => Err(RegionError::Text { found: text.to_owned() }),
        }
    }
}

/// Boxes as shares of a picture's sides.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Regions {
    /// Left, top, right, bottom, each in 0..=1.
    shares: Vec<[f64; 4]>,
}

impl Regions {
    /// Boxes in a picture of this size.
    ///
    /// # Errors
    /// [`RegionError::Outside`].
    pub fn new(boxes: &[PixelBox], width_px: usize, height_px: usize) -> Result<Self, RegionError> {
        let (width, height) = (width_px as f64, height_px as f64);
        let share = |found: &PixelBox| {
            let [x, y, w, h] = [found.x, found.y, found.width, found.height].map(f64::from);
            let is_inside = w > 0.0 && h > 0.0 && x + w <= width && y + h <= height;
            let share = [x / width, y / height, (x + w) / width, (y + h) / height];
            is_inside.then_some(share).ok_or(RegionError::Outside { found: *found, width_px, height_px })
        };
        Ok(Self { shares: boxes.iter().map(share).collect::<Result<_, _>>()? })
    }

    /// What stays of a model's patches, and of the pixels of maps that are made by `rules`; `None` if all does.
    ///
    /// # Errors
    /// [`RegionError::Everything`].
    pub(crate) fn kept(
        &self,
        grid: usize,
        side_px: usize,
        patch_px: usize,
        rules: &[MapRule],
    ) -> Result<Option<Kept>, RegionError> {
        if self.shares.is_empty() {
            return Ok(None);
        }
        // From here to there in shares of the side; pixels that fill no further patch are the last one's.
        let ends = |n: usize| {
            let end = if n + 1 == grid { side_px } else { (n + 1) * patch_px };
            [n * patch_px, end].map(|px| px as f64 / side_px.max(1) as f64)
        };
        let touches = |[from, to]: [f64; 2], low: f64, high: f64| from < high - TOLERANCE && low < to - TOLERANCE;
        let is_kept = |patch: usize| {
            let (x, y) = (ends(patch % grid), ends(patch / grid));
            !self.shares.iter().any(|[left, top, right, bottom]| touches(x, *left, *right) && touches(y, *top, *bottom))
        };
        let patches: Vec<bool> = (0..grid * grid).map(is_kept).collect();
        if !patches.contains(&true) {
            return Err(RegionError::Everything);
        }
        let layers = rules.iter().map(|rule| (*rule, Layer::new(&patches, grid, side_px, *rule))).collect();
        Ok(Some(Kept { grid, side_px, patches, layers }))
    }
}

/// Sides that meet at the same place do not overlap, whatever rounding makes of them.
const TOLERANCE: f64 = 1e-9;

/// What stays when regions are left out.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    grid: usize,
    side_px: usize,
    patches: Vec<bool>,
    /// One for each rule that maps are made by.
    layers: Vec<(MapRule, Layer)>,
}

/// Map pixels of one rule.
#[derive(Debug, Clone)]
struct Layer {
    /// Whether the patch that is nearest to the pixel stays.
    pixels: Vec<bool>,
    /// Share of the patches that stay in the pixel's value.
    weights: Vec<f32>,
}

impl Layer {
    fn new(patches: &[bool], grid: usize, side_px: usize, rule: MapRule) -> Self {
        let ones: Vec<f32> = patches.iter().map(|kept| f32::from(u8::from(*kept))).collect();
        let near = nearest(grid, side_px, rule.geometry);
        let pixels = near.iter().flat_map(|y| near.iter().map(move |x| y * grid + x));
        Self {
            pixels: pixels.map(|patch| patches.get(patch).copied().unwrap_or(false)).collect(),
            // Where all patches of a pixel stay its value is not divided, so that it is the same to the last bit.
            weights: rule
                .spread(&ones, grid, side_px)
                .into_iter()
                .map(|share| if (share - 1.0).abs() < 1e-6 { 1.0 } else { share })
                .collect(),
        }
    }
}

impl Kept {
    fn layer(&self, rule: MapRule) -> Cow<'_, Layer> {
        match self.layers.iter().find(|(of, _)| *of == rule) {
            Some((_, layer)) => Cow::Borrowed(layer),
            None => Cow::Owned(Layer::new(&self.patches, self.grid, self.side_px, rule)),
        }
    }

    /// Pixels of a map made by `rule` that are left out, `[side_px, side_px]`.
    pub(crate) fn left_out(&self, rule: MapRule) -> Vec<bool> {
        self.layer(rule).pixels.iter().map(|kept| !kept).collect()
    }

    /// The values of a map made by `rule` that stay.
    pub(crate) fn pixels(&self, map: &[f32], rule: MapRule) -> Vec<f32> {
        map.iter().zip(&self.layer(rule).pixels).filter(|(_, kept)| **kept).map(|(value, _)| *value).collect()
    }

    /// Per patch `values` numbers: those of the patches that stay.
    pub(crate) fn rows(&self, level: &[f32], values: usize) -> Vec<f32> {
        level
            .chunks_exact(values)
            .zip(&self.patches)
            .filter(|(_, kept)| **kept)
            .flat_map(|(row, _)| row)
            .copied()
            .collect()
    }

    /// Patch values with what is left out as no number.
    pub(crate) fn patches(&self, level: &[f32]) -> Vec<f32> {
        level.iter().zip(&self.patches).map(|(value, kept)| if *kept { *value } else { f32::NAN }).collect()
    }

    /// As [`MapRule::spread`], from the patches that stay; elsewhere no number.
    fn spread(&self, values: &[f32], rule: MapRule) -> Vec<f32> {
        let layer = self.layer(rule);
        let zeroed: Vec<f32> = values.iter().zip(&self.patches).map(|(v, kept)| if *kept { *v } else { 0.0 }).collect();
        let sums = rule.spread(&zeroed, self.grid, self.side_px);
        let mean = |((sum, weight), kept): ((f32, &f32), &bool)| if *kept { sum / weight } else { f32::NAN };
        sums.into_iter().zip(&layer.weights).zip(&layer.pixels).map(mean).collect()
    }

    /// As [`sum_up`](crate::mvfa::maps::sum_up).
    pub(crate) fn sum_up(&self, levels: &[Vec<f32>], rule: MapRule) -> Vec<f32> {
        self.total(levels.iter().map(|level| self.spread(level, rule)))
    }

    /// As [`zero_shot_map`](crate::mvfa::zero_shot_map).
    pub(crate) fn zero_shot_map(&self, levels: &[Vec<f32>], geometry: Geometry) -> Vec<f32> {
        let rule = MapRule { geometry, smoothing_px: 0.0 };
        self.total(levels.iter().map(|logits| {
            let channel = |c: usize| -> Vec<f32> { logits.iter().skip(c).step_by(2).copied().collect() };
            let [normal, abnormal] = [0, 1].map(|c| self.spread(&channel(c), rule));
            normal.into_iter().zip(abnormal).map(|(n, a)| abnormal_probability(n, a)).collect()
        }))
    }

    fn total(&self, maps: impl Iterator<Item = Vec<f32>>) -> Vec<f32> {
        let mut sum = vec![0.0; self.side_px * self.side_px];
        for map in maps {
            sum.iter_mut().zip(map).for_each(|(s, v)| *s += v);
        }
        sum
    }
}

/// The values of a map made by `rule` that count.
pub(crate) fn counted<'a>(kept: Option<&Kept>, map: &'a [f32], rule: MapRule) -> Cow<'a, [f32]> {
    kept.map_or(Cow::Borrowed(map), |kept| Cow::Owned(kept.pixels(map, rule)))
}

/// A map to show, with the lowest of its values where it has none: nothing is drawn there.
pub(crate) fn filled(mut map: Vec<f32>) -> Vec<f32> {
    let lowest = map.iter().copied().fold(f32::INFINITY, f32::min);
    map.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = lowest);
    map
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mvfa::maps::sum_up;

    const GRID: usize = 4;
    const PATCH_PX: usize = 10;
    const SIDE_PX: usize = 43;

    const RULES: [MapRule; 3] = [MapRule::PAPER, SHOWN, SMOOTH];
    const SHOWN: MapRule = MapRule { geometry: Geometry::PatchCentres { patch_px: PATCH_PX }, smoothing_px: 0.0 };
    const SMOOTH: MapRule = MapRule { smoothing_px: 3.0, ..SHOWN };

    fn kept(boxes: &[PixelBox]) -> Kept {
        Regions::new(boxes, 86, 86).unwrap().kept(GRID, SIDE_PX, PATCH_PX, &RULES).unwrap().unwrap()
    }

    fn boxed(x: u32, y: u32, width: u32, height: u32) -> PixelBox {
        PixelBox { x, y, width, height }
    }

    #[test]
    fn boxes_are_read_from_text() {
        assert_eq!(" 1,2, 30,40".parse(), Ok(boxed(1, 2, 30, 40)));
        for text in ["", "1,2,3", "1,2,3,4,5", "1,2,0,4", "1,2,3,0", "-1,2,3,4", "1.5,2,3,4", "a,b,c,d"] {
            assert!(matches!(text.parse::<PixelBox>(), Err(RegionError::Text { .. })), "{text:?}");
        }
    }

    #[test]
    fn a_box_outside_the_picture_is_an_error_that_tells_both() {
        assert!(Regions::new(&[boxed(0, 0, 86, 43)], 86, 43).is_ok());
        for outside in [boxed(0, 0, 87, 1), boxed(80, 0, 7, 1), boxed(0, 43, 1, 1), boxed(u32::MAX, 0, u32::MAX, 1)] {
            let message = Regions::new(&[boxed(0, 0, 1, 1), outside], 86, 43).unwrap_err().to_string();
            assert!(message.contains(&outside.to_string()) && message.contains("86 x 43"), "{message}");
        }
    }

    #[test]
    fn every_patch_that_a_box_touches_is_left_out() {
        let left_out = |boxes: &[PixelBox]| -> Vec<usize> {
            let kept = kept(boxes);
            (0..GRID * GRID).filter(|patch| !kept.patches[*patch]).collect()
        };
        // Two pixels of the picture are one of the model's; patches are 20 wide, the last 26.
        assert_eq!(left_out(&[boxed(0, 0, 20, 20)]), [0], "sides that meet do not overlap");
        assert_eq!(left_out(&[boxed(0, 0, 21, 20)]), [0, 1]);
        assert_eq!(left_out(&[boxed(84, 84, 2, 2)]), [15], "past the last whole patch");
        assert_eq!(left_out(&[boxed(0, 0, 1, 1), boxed(40, 25, 5, 5)]), [0, 6]);
        let all = Regions::new(&[boxed(0, 0, 86, 86)], 86, 86).unwrap().kept(GRID, SIDE_PX, PATCH_PX, &RULES);
        assert_eq!(all.unwrap_err(), RegionError::Everything);
        assert!(Regions::new(&[], 86, 86).unwrap().kept(GRID, SIDE_PX, PATCH_PX, &RULES).unwrap().is_none());
    }

    #[test]
    fn a_left_out_value_reaches_no_pixel() {
        let kept = kept(&[boxed(20, 20, 20, 20)]);
        let mut level = vec![1.0; GRID * GRID];
        level[5] = 1000.0;
        // The last one was not announced.
        for rule in RULES.into_iter().chain([MapRule { smoothing_px: 8.0, ..MapRule::PAPER }]) {
            let map = kept.sum_up(&[level.clone(), level.clone()], rule);
            assert!(map.iter().all(|v| v.is_nan() || (v - 2.0).abs() < 1e-5), "{rule:?}");
            let share = map.iter().filter(|v| v.is_nan()).count() as f64 / map.len() as f64;
            assert!((0.04..0.14).contains(&share), "{rule:?}: {share}");
        }
        let shown = kept.sum_up(std::slice::from_ref(&level), SHOWN);
        for (y, x) in (10..20).flat_map(|y| (10..20).map(move |x| (y, x))) {
            assert!(shown[y * SIDE_PX + x].is_nan(), "inside the box: {x}, {y}");
        }
        assert!(filled(shown).iter().all(|v| (v - 1.0).abs() < 1e-5));
        assert!(RULES.iter().all(|rule| {
            let map = kept.sum_up(std::slice::from_ref(&level), *rule);
            kept.pixels(&map, *rule).iter().all(|v| v.is_finite())
        }));
        assert_eq!(kept.rows(&level, 1), vec![1.0; 15]);
        assert_eq!(kept.patches(&level).iter().filter(|v| v.is_nan()).count(), 1);
    }

    #[test]
    fn pixels_far_from_a_box_keep_their_values() {
        let kept = kept(&[boxed(0, 0, 10, 10)]);
        let level: Vec<f32> = (0..GRID * GRID).map(|n| (n * 7 % 11) as f32).collect();
        let plain = sum_up(std::slice::from_ref(&level), GRID, SIDE_PX, MapRule::PAPER);
        let found = kept.sum_up(&[level], MapRule::PAPER);
        let far = |n: usize| n % SIDE_PX > 15 || n / SIDE_PX > 15;
        assert!((0..plain.len()).filter(|n| far(*n)).all(|n| plain[n] == found[n]));
        let logits: Vec<f32> = (0..2 * GRID * GRID).map(|n| (n * 5 % 13) as f32 / 4.0).collect();
        let plain = crate::mvfa::zero_shot_map(std::slice::from_ref(&logits), GRID, SIDE_PX, Geometry::Reference);
        let found = kept.zero_shot_map(&[logits], Geometry::Reference);
        assert!((0..plain.len()).filter(|n| far(*n)).all(|n| plain[n] == found[n]));
    }
}
