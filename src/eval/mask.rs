//! Masks of abnormal pictures.
//!
//! Comes in: a mask file. Goes out: 0 and 1 at the model's size, and the connected regions in it.
//! Fails with [`DatasetError`] that names the file. Source: spec §1; every pixel is Pillow's.

use std::path::Path;

use crate::disk::picture_file;
use crate::eval::dataset::DatasetError;
use crate::image::{Rgb8, WindowChoice};

/// Smallest grey value that counts as abnormal: above half of 255.
const ABNORMAL_FROM: u8 = 128;

/// Reads a mask: grey, nearest neighbour to `side_px`, 1 above half of white.
///
/// # Errors
/// [`DatasetError::Mask`] if it cannot be read; [`DatasetError::DarkMask`] if it has content
/// that would vanish, such as masks coded in 0 and 1.
pub fn read_mask(path: &Path, side_px: usize) -> Result<Vec<u8>, DatasetError> {
    let picture = open(path)?;
    let grey: Vec<u8> = picture.bytes.chunks_exact(3).map(|p| grey([p[0], p[1], p[2]])).collect();
    let largest = grey.iter().copied().max().unwrap_or(0);
    if (1..ABNORMAL_FROM).contains(&largest) {
        return Err(DatasetError::DarkMask { path: path.display().to_string(), largest });
    }
    let columns = nearest(picture.width_px, side_px);
    let mut mask = Vec::with_capacity(side_px * side_px);
    for y in nearest(picture.height_px, side_px) {
        let value = |x: &usize| grey.get(y * picture.width_px + x).copied().unwrap_or(0);
        mask.extend(columns.iter().map(|x| u8::from(value(x) >= ABNORMAL_FROM)));
    }
    Ok(mask)
}

/// Checks that a mask has its picture's size.
///
/// # Errors
/// [`DatasetError::MaskSize`], [`DatasetError::Mask`].
pub fn check_size(path: &Path, picture: &Rgb8) -> Result<(), DatasetError> {
    let mask = open(path)?;
    if (mask.width_px, mask.height_px) == (picture.width_px, picture.height_px) {
        return Ok(());
    }
    let size = |p: &Rgb8| format!("{} x {}", p.width_px, p.height_px);
    Err(DatasetError::MaskSize { path: path.display().to_string(), expected: size(picture), found: size(&mask) })
}

/// The source pixel of each of `side_px` pixels. Pillow adds up its steps, and where a sum should be
/// whole the rounding errors decide: the pixels before and after differ (every 20th from 512 to 240).
fn nearest(length_px: usize, side_px: usize) -> Vec<usize> {
    let step = length_px as f64 / side_px as f64;
    let mut place = step * 0.5;
    let mut taken = Vec::with_capacity(side_px);
    for _ in 0..side_px {
        taken.push((place as usize).min(length_px.saturating_sub(1)));
        place += step;
    }
    taken
}

/// Pillow's `convert('L')`: the luma of ITU-R 601-2, in 16 bits after the point.
fn grey([red, green, blue]: [u8; 3]) -> u8 {
    let sum = u32::from(red) * 19_595 + u32::from(green) * 38_470 + u32::from(blue) * 7_471;
    ((sum + 0x8000) >> 16) as u8
}

fn open(path: &Path) -> Result<Rgb8, DatasetError> {
    // Labels deeper than 8 bits are no shades to find a window for: 255 and above is white.
    picture_file::open(path, WindowChoice::Pil)
        .map_err(|e| DatasetError::Mask { path: path.display().to_string(), reason: e.to_string() })
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

    fn golden() -> serde_json::Value {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/figures/golden.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn takes_the_pixels_that_pillow_takes() {
        for case in golden()["nearest"].as_array().unwrap() {
            let length = case["length"].as_u64().unwrap() as usize;
            assert_eq!(serde_json::json!(nearest(length, 240)), case["taken"], "{length}");
        }
    }

    #[test]
    fn grey_is_pillows() {
        let golden = golden();
        let colours: Vec<[u8; 3]> = serde_json::from_value(golden["grey"]["rgb"].clone()).unwrap();
        let found: Vec<u8> = colours.into_iter().map(grey).collect();
        assert_eq!(serde_json::json!(found), golden["grey"]["grey"]);
    }

    #[test]
    fn sixteen_bits_are_read_as_pillow_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.png");
        let save = |values: Vec<u16>| {
            let deep = image::ImageBuffer::<image::Luma<u16>, _>::from_raw(2, 2, values).unwrap();
            deep.save(&path).unwrap();
        };
        save(vec![0, 65535, 255, 0]);
        assert_eq!(read_mask(&path, 2).unwrap(), [0, 1, 1, 0]);
        save(vec![0, 1, 1, 0]);
        assert!(matches!(read_mask(&path, 2), Err(DatasetError::DarkMask { largest: 1, .. })));
    }

    #[test]
    fn another_size_is_told_with_both() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.png");
        image::GrayImage::from_raw(4, 1, vec![0, 255, 0, 0]).unwrap().save(&path).unwrap();
        assert_eq!(read_mask(&path, 2).unwrap(), [1, 0, 1, 0]);
        let picture = |width_px, height_px| Rgb8 { width_px, height_px, bytes: vec![0; 12] };
        assert!(check_size(&path, &picture(4, 1)).is_ok());
        let message = check_size(&path, &picture(1, 4)).unwrap_err().to_string();
        assert!(message.contains("4 x 1") && message.contains("1 x 4"), "{message}");
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
