//! Masks of abnormal pictures.
//!
//! Comes in: a mask file. Goes out: 0 and 1 at the model's size, and the connected regions in it.
//! Fails with [`DatasetError`] that names the file. Source: spec §1.

use std::path::Path;

use crate::eval::dataset::DatasetError;
use crate::image::{Limits, Rgb8, WindowChoice, decode};

/// Reads a mask: grey, nearest neighbour to `side_px`, 1 above half of white.
///
/// # Errors
/// [`DatasetError::Mask`] where it cannot be read; [`DatasetError::DarkMask`] where it has content
/// that would vanish, such as masks coded in 0 and 1.
pub fn read_mask(path: &Path, side_px: usize) -> Result<Vec<u8>, DatasetError> {
    let picture = open(path)?;
    let largest = picture.bytes.iter().copied().max().unwrap_or(0);
    if (1..128).contains(&largest) {
        return Err(DatasetError::DarkMask { path: path.display().to_string(), largest });
    }
    let source =
        |i: usize, length: usize| (((i as f64 + 0.5) * length as f64 / side_px as f64) as usize).min(length - 1);
    let mut mask = Vec::with_capacity(side_px * side_px);
    for y in 0..side_px {
        let row = picture.row(source(y, picture.height_px));
        for x in 0..side_px {
            let at = 3 * source(x, picture.width_px);
            mask.push(u8::from(row.get(at).is_some_and(|value| *value >= 128)));
        }
    }
    Ok(mask)
}

/// Checks that a mask has its picture's size.
///
/// # Errors
/// [`DatasetError::MaskSize`], [`DatasetError::Mask`].
pub(crate) fn check_size(path: &Path, picture: &Rgb8) -> Result<(), DatasetError> {
    let mask = open(path)?;
    if (mask.width_px, mask.height_px) == (picture.width_px, picture.height_px) {
        return Ok(());
    }
    let size = |p: &Rgb8| format!("{} x {}", p.width_px, p.height_px);
    Err(DatasetError::MaskSize { path: path.display().to_string(), expected: size(picture), found: size(&mask) })
}

fn open(path: &Path) -> Result<Rgb8, DatasetError> {
    let wrong = |reason: String| DatasetError::Mask { path: path.display().to_string(), reason };
    let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
    Ok(decode(&bytes, &Limits::default()).map_err(|e| wrong(e.to_string()))?.to_rgb8(WindowChoice::Auto))
}

/// Sizes of the 8-connected regions, and of each pixel its region (0 is none, else its number from 1).
pub fn regions(mask: &[u8], side_px: usize) -> (Vec<usize>, Vec<u32>) {
    let mut labels = vec![0_u32; mask.len()];
    let mut sizes = Vec::new();
    let mut open = Vec::new();
    for start in 0..mask.len() {
        if mask[start] == 0 || labels[start] != 0 {
            continue;
        }
        let number = sizes.len() as u32 + 1;
        let mut size = 0;
        labels[start] = number;
        open.push(start);
        while let Some(at) = open.pop() {
            size += 1;
            let (x, y) = (at % side_px, at / side_px);
            for ny in y.saturating_sub(1)..=(y + 1).min(side_px - 1) {
                for nx in x.saturating_sub(1)..=(x + 1).min(side_px - 1) {
                    let next = ny * side_px + nx;
                    if mask.get(next) == Some(&1) && labels[next] == 0 {
                        labels[next] = number;
                        open.push(next);
                    }
                }
            }
        }
        sizes.push(size);
    }
    (sizes, labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_connect() {
        let mask = [1, 0, 0, 0, /**/ 0, 1, 0, 1, /**/ 0, 0, 0, 1, /**/ 1, 0, 0, 0];
        let (sizes, labels) = regions(&mask, 4);
        assert_eq!(sizes, [2, 2, 1]);
        assert_eq!(labels, [1, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 2, 3, 0, 0, 0]);
    }

    #[test]
    fn a_mask_of_ones_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.png");
        let save = |values: [u8; 4]| {
            let picture = image::GrayImage::from_raw(2, 2, values.to_vec()).unwrap();
            picture.save(&path).unwrap();
        };
        save([0, 1, 1, 0]);
        assert!(matches!(read_mask(&path, 4), Err(DatasetError::DarkMask { largest: 1, .. })));
        save([0, 255, 0, 0]);
        assert_eq!(read_mask(&path, 4).unwrap(), [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        save([0, 0, 0, 0]);
        assert_eq!(read_mask(&path, 1).unwrap(), [0]);
        std::fs::write(&path, "no picture").unwrap();
        assert!(matches!(read_mask(&path, 4), Err(DatasetError::Mask { .. })));
    }
}
