//! The map of one picture as files in the picture's own pixels: 16-bit PNG, outlines.
//!
//! Comes in: an analysis and the size of its picture. Goes out: files beside the overlay. Fails with the disk's reason.

use std::path::Path;

use anyhow::{Context, Result};
use mvfa_formats::write::{Outlines, contours, png16, regions};

use super::outputs;
use crate::disk::write_whole;
use crate::mvfa::Analysis;
use crate::render;

/// What is said about a picture.
pub(super) struct Place {
    pub(super) width_px: usize,
    pub(super) height_px: usize,
    /// Slice of its series, from 1.
    pub(super) slice: Option<usize>,
    pub(super) spacing_mm: Option<[f64; 2]>,
}

/// Writes the map as grey of 16 bits.
///
/// # Errors
/// The disk's reason, with the file's name.
pub(super) fn write_map(out: &Path, stem: &str, place: &Place, analysis: &Analysis) -> Result<()> {
    let path = outputs::map_picture_path(out, stem);
    let map = render::sampled(&analysis.overlay, analysis.side_px, place.width_px, place.height_px);
    let bytes = png16(&map, place.width_px, place.height_px)?;
    write_whole(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes outlines and regions of what lies at a value or above.
///
/// # Errors
/// The disk's reason, with the file's name.
pub(super) fn write_contours(out: &Path, stem: &str, place: &Place, analysis: &Analysis, threshold: f32) -> Result<()> {
    let path = outputs::contours_path(out, stem);
    let &Place { width_px, height_px, slice, spacing_mm } = place;
    let side = analysis.side_px;
    let share = |n: usize| n as f32 / side.max(1) as f32;
    let mut lines = render::contours(&analysis.overlay, side, threshold);
    for [x, y] in lines.iter_mut().flatten() {
        (*x, *y) = (*x * share(width_px), *y * share(height_px));
    }
    let map = render::sampled(&analysis.overlay, side, width_px, height_px);
    let regions = regions(&map, width_px, threshold);
    let outlines = Outlines { width_px, height_px, slice, threshold, spacing_mm, lines: &lines, regions: &regions };
    write_whole(&path, contours(&outlines).as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}
