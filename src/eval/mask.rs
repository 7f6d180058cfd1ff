//! Masks of abnormal pictures.
//!
//! Comes in: the files of a mask and of its picture. Goes out: 0 and 1, upright like the picture, at any size. A picture
//! that is turned by its EXIF note turns a mask without one along. Fails with [`DatasetError`] that names the file.
//! Source: spec §1; every pixel at the model's size is Pillow's.

use std::path::Path;

use crate::disk::picture_file;
use crate::eval::dataset::DatasetError;
use crate::eval::mask_values::{Coding, abnormal, is_constant};
use crate::eval::regions::regions;
use crate::image::{Rgb8, Stored, alpha_of};

/// A mask at its own size.
#[derive(Clone, Debug)]
pub struct Mask {
    /// Columns.
    pub width_px: usize,
    /// Rows.
    pub height_px: usize,
    /// 0 and 1, `[height, width]`.
    pub abnormal: Vec<u8>,
    /// How the file's values were read.
    pub coding: Coding,
    /// The colours are all the same, so the alpha channel was read.
    pub is_alpha: bool,
    /// It has no EXIF note, its picture has one, and it was turned like the picture.
    pub is_turned_along: bool,
}

/// A mask at the model's size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmallMask {
    /// 0 and 1, `[side, side]`.
    pub abnormal: Vec<u8>,
    /// No abnormal pixel is among those that are sampled: the ones with most of the area are abnormal instead.
    pub is_by_area: bool,
    /// Regions of which no pixel is sampled, beside others of which some are; they do not count, as in the reference.
    pub lost_regions: usize,
}

impl Mask {
    /// Reads the mask of a picture.
    ///
    /// # Errors
    /// [`DatasetError::MissingMask`], [`DatasetError::Mask`]; [`DatasetError::DarkMask`] if it has content that would
    /// vanish.
    pub fn of(path: &Path, image: &Path) -> Result<Self, DatasetError> {
        let wrong = |reason: String| DatasetError::Mask { path: path.display().to_string(), reason };
        if !path.exists() {
            let folder = path.parent().unwrap_or(path).display().to_string();
            return Err(DatasetError::MissingMask { image: image.display().to_string(), folder });
        }
        let bytes = picture_file::read(path).map_err(|e| wrong(e.to_string()))?;
        let picture = picture_file::picture(&bytes).map_err(|e| wrong(e.to_string()))?;
        let (mut found, mut coding) = abnormal(&picture);
        let alpha = if is_constant(&picture) { alpha_of(&bytes).filter(|a| a.len() == found.len()) } else { None };
        let alpha = alpha.filter(|alpha| alpha.iter().any(|v| Some(v) != alpha.first()));
        let is_alpha = alpha.is_some();
        if let Some(alpha) = alpha {
            let pixels = crate::image::Pixels::Gray8(alpha);
            (found, coding) = abnormal(&crate::image::Picture { pixels, ..picture.clone() });
        }
        if let Coding::Ramp { largest } = coding
            && !found.contains(&1)
        {
            return Err(DatasetError::DarkMask { path: path.display().to_string(), largest });
        }
        let (width_px, height_px) = (picture.width_px, picture.height_px);
        let mut mask = Self { width_px, height_px, abnormal: found, coding, is_alpha, is_turned_along: false };
        if !Stored::of_file(&bytes).is_some_and(|own| own.is_turned())
            && let Ok(of_image) = picture_file::read(image)
            && let Some(image) = Stored::of_file(&of_image).filter(Stored::is_turned)
        {
            mask.turn_along(&image);
        }
        Ok(mask)
    }

    /// Turns the mask like its picture, unless its size shows that it is upright already.
    fn turn_along(&mut self, image: &Stored) {
        if (self.width_px, self.height_px) == (image.width_px, image.height_px) {
            self.abnormal = image.turn(&self.abnormal);
            (self.width_px, self.height_px) = image.upright_px();
            self.is_turned_along = true;
        }
    }

    /// Checks that a mask has its picture's size.
    ///
    /// # Errors
    /// [`DatasetError::MaskSize`], which names `path`.
    pub fn check_size(&self, path: &Path, width_px: usize, height_px: usize) -> Result<(), DatasetError> {
        if (self.width_px, self.height_px) == (width_px, height_px) {
            return Ok(());
        }
        Err(DatasetError::MaskSize {
            path: path.display().to_string(),
            expected: format!("{width_px} x {height_px}"),
            found: format!("{} x {}", self.width_px, self.height_px),
        })
    }

    /// Share of the pixels that are abnormal.
    pub fn coverage(&self) -> f64 {
        let count = self.abnormal.iter().filter(|v| **v == 1).count();
        count as f64 / self.abnormal.len().max(1) as f64
    }

    /// Nearest neighbour to `side_px`; by area where that would leave nothing.
    pub fn at(&self, side_px: usize) -> SmallMask {
        let (columns, rows) = (nearest(self.width_px, side_px), nearest(self.height_px, side_px));
        let value = |x: &usize, y: &usize| self.abnormal.get(y * self.width_px + x).copied().unwrap_or(0);
        let abnormal: Vec<u8> = rows.iter().flat_map(|y| columns.iter().map(move |x| value(x, y))).collect();
        if !abnormal.contains(&1) && self.abnormal.contains(&1) {
            return SmallMask { abnormal: self.by_area(side_px), is_by_area: true, lost_regions: 0 };
        }
        SmallMask { abnormal, is_by_area: false, lost_regions: self.lost_regions(&columns, &rows) }
    }

    /// Regions of which no sampled pixel is a part. Where every pixel is sampled none is lost.
    fn lost_regions(&self, columns: &[usize], rows: &[usize]) -> usize {
        if (columns.len() >= self.width_px && rows.len() >= self.height_px) || !self.abnormal.contains(&1) {
            return 0;
        }
        let (sizes, labels) = regions(&self.abnormal, self.width_px);
        let mut is_seen = vec![false; sizes.len() + 1];
        for y in rows {
            for x in columns {
                let label = labels.get(y * self.width_px + x).copied().unwrap_or(0);
                is_seen[label as usize] = true;
            }
        }
        is_seen.iter().skip(1).filter(|seen| !**seen).count()
    }

    /// The small pixels that hold most of the abnormal area, as many as have the same area together.
    fn by_area(&self, side_px: usize) -> Vec<u8> {
        let mut shares = vec![0.0_f64; side_px * side_px];
        let small = |n: usize, length: usize| (n * side_px / length.max(1)).min(side_px.saturating_sub(1));
        let of_one = (side_px * side_px) as f64 / (self.width_px * self.height_px).max(1) as f64;
        for (n, _) in self.abnormal.iter().enumerate().filter(|(_, v)| **v == 1) {
            let (x, y) = (n % self.width_px, n / self.width_px);
            shares[small(y, self.height_px) * side_px + small(x, self.width_px)] += of_one;
        }
        let count = (shares.iter().sum::<f64>().round() as usize).max(1);
        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by(|a, b| shares[*b].total_cmp(&shares[*a]).then(a.cmp(b)));
        let mut kept = vec![0; shares.len()];
        order.into_iter().take(count).filter(|n| shares[*n] > 0.0).for_each(|n| kept[n] = 1);
        kept
    }
}

/// Reads the mask of a picture for a model of `side_px` pixels.
///
/// # Errors
/// As [`Mask::of`] and, if `picture` is given, [`Mask::check_size`].
pub fn read_mask(path: &Path, image: &Path, picture: Option<&Rgb8>, side_px: usize) -> Result<Vec<u8>, DatasetError> {
    let mask = Mask::of(path, image)?;
    if let Some(picture) = picture {
        mask.check_size(path, picture.width_px, picture.height_px)?;
    }
    Ok(mask.at(side_px).abnormal)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::mask_values::grey;

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

    /// A mask in a file, read beside a picture that is not there.
    fn read(save: impl FnOnce(&Path)) -> Result<Mask, DatasetError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.png");
        save(&path);
        Mask::of(&path, &folder.path().join("no picture.png"))
    }

    fn grey_mask(width: u32, height: u32, values: Vec<u8>) -> Mask {
        read(|path| image::GrayImage::from_raw(width, height, values).unwrap().save(path).unwrap()).unwrap()
    }

    #[test]
    fn alpha_counts_where_the_colours_say_nothing() {
        let save = |colour: u8| {
            move |path: &Path| {
                let pixels = [0, 255, 255, 0].into_iter().flat_map(|alpha| [colour, colour, colour, alpha]).collect();
                image::RgbaImage::from_raw(2, 2, pixels).unwrap().save(path).unwrap();
            }
        };
        let save_tiff = |colour: u16| {
            move |path: &Path| {
                let pixels: Vec<u16> =
                    [0, 65_535, 65_535, 0].into_iter().flat_map(|alpha| [colour, colour, colour, alpha]).collect();
                let mut encoder = tiff::encoder::TiffEncoder::new(std::fs::File::create(path).unwrap()).unwrap();
                let mut page = encoder.new_image::<tiff::encoder::colortype::RGBA16>(2, 2).unwrap();
                // The fourth channel is alpha, and the colours are not multiplied by it.
                page.encoder().write_tag(tiff::tags::Tag::ExtraSamples, 2_u16).unwrap();
                page.write_data(&pixels).unwrap();
            }
        };
        for colour in [0, 255] {
            for mask in [read(save(colour)).unwrap(), read(save_tiff(u16::from(colour))).unwrap()] {
                assert_eq!((mask.abnormal, mask.is_alpha), (vec![0, 1, 1, 0], true), "{colour}");
            }
        }
        assert!(!grey_mask(2, 2, vec![0; 4]).is_alpha);
    }

    #[test]
    fn size_and_content_are_checked() {
        let mask = grey_mask(4, 1, vec![0, 255, 0, 0]);
        assert_eq!(mask.at(2).abnormal, [1, 0, 1, 0]);
        assert!(mask.check_size(Path::new("m"), 4, 1).is_ok());
        let message = mask.check_size(Path::new("m"), 1, 4).unwrap_err().to_string();
        assert!(message.contains("4 x 1") && message.contains("1 x 4"), "{message}");
        let dark = read(|path| image::GrayImage::from_fn(10, 1, |x, _| image::Luma([x as u8])).save(path).unwrap());
        assert!(matches!(dark, Err(DatasetError::DarkMask { .. })));
        assert!(matches!(read(|path| std::fs::write(path, "no picture").unwrap()), Err(DatasetError::Mask { .. })));
        assert!(matches!(read(|_| ()), Err(DatasetError::MissingMask { .. })));
    }

    #[test]
    fn what_would_vanish_is_kept_by_area() {
        // From 12 to 3 columns those of 2, 6 and 10 are sampled; the stripe is at 3 and 4, of 12 x 12 pixels.
        let stripe = |columns: &[u32]| {
            let columns = columns.to_vec();
            let value = move |x: u32, y: u32| image::Luma([if columns.contains(&x) && y < 8 { 255 } else { 0 }]);
            read(|path| image::GrayImage::from_fn(12, 12, value).save(path).unwrap()).unwrap()
        };
        let small = stripe(&[3, 4]).at(3);
        assert!(small.is_by_area);
        // 16 of 144 pixels are one of nine.
        assert_eq!(small.abnormal.iter().filter(|v| **v == 1).count(), 1);
        assert_eq!(small.abnormal[0], 1);
        let beside = stripe(&[4, 10]).at(3);
        assert_eq!((beside.is_by_area, beside.lost_regions), (false, 1));
        assert_eq!(
            stripe(&[2]).at(3),
            SmallMask { abnormal: vec![1, 0, 0, 1, 0, 0, 0, 0, 0], is_by_area: false, lost_regions: 0 }
        );
    }
}
