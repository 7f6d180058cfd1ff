//! Volumes in the source's space, as NIfTI packed with gzip.
//!
//! Comes in: a series and a value for each pixel of each frame. Goes out: an array of the source's size and affine: for a
//! NIfTI source sform and qform are the source's own, number for number; for others the sform is the source's affine and
//! there is no qform. Maps hold NaN and labels 0 where no frame was analysed. Fails with [`WriteError`].

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::WriteError;
use super::grid::Grid;
use crate::Series;
use crate::geometry::length;

/// The header's description, by which such a file is known again. Nothing of the source's is kept.
pub const DESCRIPTION: &str = "mvfa: an anomaly map in the space of its source";

/// Codes of NIfTI (nifti1.h).
const U8: i16 = 2;
const F32: i16 = 16;
const MILLIMETRES: u8 = 2;
const SCANNER: u32 = 1;

/// Whether the series fills one array.
///
/// # Errors
/// [`WriteError::Uneven`].
pub fn check_nifti(series: &Series) -> Result<(), WriteError> {
    Grid::of(series).map(drop)
}

/// Writes a map. `value` gives the value at frame, row and column; NaN where the frame was not analysed.
///
/// # Errors
/// [`WriteError::Uneven`], [`WriteError::Io`].
pub fn nifti_map(
    series: &Series,
    out: impl Write,
    value: impl Fn(usize, usize, usize) -> f32,
) -> Result<(), WriteError> {
    let voxel = |at: Option<[usize; 3]>| at.map_or(f32::NAN, |[n, row, column]| value(n, row, column)).to_le_bytes();
    write(series, out, F32, voxel)
}

/// Writes labels. `label` gives the label at frame, row and column; 0 where the frame was not analysed.
///
/// # Errors
/// [`WriteError::Uneven`], [`WriteError::Io`].
pub fn nifti_labels(
    series: &Series,
    out: impl Write,
    label: impl Fn(usize, usize, usize) -> u8,
) -> Result<(), WriteError> {
    write(series, out, U8, |at: Option<[usize; 3]>| [at.map_or(0, |[n, row, column]| label(n, row, column))])
}

fn write<const BYTES: usize>(
    series: &Series,
    out: impl Write,
    datatype: i16,
    voxel: impl Fn(Option<[usize; 3]>) -> [u8; BYTES],
) -> Result<(), WriteError> {
    let grid = Grid::of(series)?;
    let mut packed = GzEncoder::new(out, Compression::fast());
    packed.write_all(&header(&grid, datatype, BYTES))?;
    let [width, height, depth] = grid.size;
    let mut row = Vec::with_capacity(width * BYTES);
    for volume in 0..grid.volumes {
        for (k, j) in (0..depth).flat_map(|k| (0..height).map(move |j| (k, j))) {
            row.clear();
            row.extend((0..width).flat_map(|i| voxel(grid.pixel([i, j, k], volume))));
            packed.write_all(&row)?;
        }
    }
    packed.finish()?.flush()?;
    Ok(())
}

/// A header whose fields are written in either version: places are those of NIfTI-1 and of NIfTI-2.
struct Header {
    bytes: Vec<u8>,
    is_second: bool,
}

impl Header {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn at(&self, first: usize, second: usize) -> usize {
        if self.is_second { second } else { first }
    }

    fn floats(&mut self, first: usize, second: usize, values: &[f64]) {
        for (i, value) in values.iter().enumerate() {
            if self.is_second {
                self.put(second + i * 8, &value.to_le_bytes());
            } else {
                self.put(first + i * 4, &(*value as f32).to_le_bytes());
            }
        }
    }

    fn code(&mut self, first: usize, second: usize, value: u32) {
        if self.is_second {
            self.put(second, &value.to_le_bytes())
        } else {
            self.put(first, &(value as u16).to_le_bytes())
        }
    }
}

fn header(grid: &Grid, datatype: i16, bytes: usize) -> Vec<u8> {
    let is_second = grid.placement.as_ref().is_some_and(|placement| placement.is_second);
    // The header, and four bytes that say that no extension follows.
    let length_bytes: u16 = if is_second { 544 } else { 352 };
    let mut header = Header { bytes: vec![0; length_bytes.into()], is_second };
    header.put(0, &u32::from(length_bytes - 4).to_le_bytes());
    header.put(if is_second { 4 } else { 344 }, if is_second { b"n+2\0\r\n\x1a\n" } else { b"n+1\0" });
    let axes = if grid.volumes > 1 { 4 } else { 3 };
    let sizes = [axes, grid.size[0], grid.size[1], grid.size[2], grid.volumes, 1, 1, 1];
    for (i, n) in sizes.into_iter().enumerate() {
        if is_second {
            header.put(16 + i * 8, &(n as i64).to_le_bytes());
        } else {
            header.put(40 + i * 2, &(n as i16).to_le_bytes());
        }
    }
    let at = header.at(70, 12);
    header.put(at, &datatype.to_le_bytes());
    header.put(at + 2, &(bytes as i16 * 8).to_le_bytes());
    if is_second {
        header.put(168, &u64::from(length_bytes).to_le_bytes());
    } else {
        header.put(108, &f32::from(length_bytes).to_le_bytes());
    }
    header.floats(112, 176, &[1.0, 0.0]);
    let at = header.at(123, 500);
    header.put(at, &[MILLIMETRES]);
    let at = header.at(148, 240);
    header.put(at, DESCRIPTION.as_bytes());
    let mut pixdim = [1.0; 8];
    if let Some(placement) = &grid.placement {
        pixdim[..4].copy_from_slice(&placement.pixdim);
        header.code(252, 344, placement.qform_code);
        header.code(254, 348, placement.sform_code);
        header.floats(256, 352, &placement.quaternion);
        header.floats(280, 400, &placement.rows);
    } else {
        pixdim[1..4].copy_from_slice(&grid.axes.map(length));
        header.code(254, 348, if grid.is_placed { SCANNER } else { 0 });
        // NIfTI's x goes to the right and y to the front.
        let part = |row: usize, v: f64| if row < 2 { 0.0 - v } else { v };
        let [a, b, c] = grid.axes;
        let rows = [0, 1, 2].map(|r| [a[r], b[r], c[r], grid.origin[r]].map(|v| part(r, v)));
        header.floats(280, 400, &rows.concat());
    }
    header.floats(76, 104, &pixdim);
    header.bytes
}
