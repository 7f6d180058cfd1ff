//! Turns a decoded picture upright.
//!
//! Cameras and phones store the sensor's rows and a note on how they were held (EXIF orientation 1..8).
//! Pillow's `convert('RGB')` ignores the note; people see the upright picture everywhere else, and a map
//! must fit what they see.

use ::image::ImageDecoder;
use ::image::metadata::Orientation;

use super::{Picture, Pixels};

/// What a file's EXIF says, with or without the signature that some writers of WebP and PNG put before it.
pub(super) fn of_exif(decoder: &mut impl ImageDecoder) -> Option<Orientation> {
    let exif = decoder.exif_metadata().ok()??;
    Orientation::from_exif_chunk(exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif))
}

/// Applies an orientation to pixels and size.
pub(super) fn upright(picture: Picture, orientation: Orientation) -> Picture {
    if orientation == Orientation::NoTransforms {
        return picture;
    }
    let (width, height) = (picture.width_px, picture.height_px);
    let pixels = match picture.pixels {
        Pixels::Rgb8(bytes) => Pixels::Rgb8(turned::<u8, 3>(&bytes, width, height, orientation)),
        Pixels::Gray8(grey) => Pixels::Gray8(turned::<u8, 1>(&grey, width, height, orientation)),
        Pixels::DeepGray { values, window } => {
            Pixels::DeepGray { values: turned::<f32, 1>(&values, width, height, orientation), window }
        }
        Pixels::DeepRgb { values } => Pixels::DeepRgb { values: turned::<f32, 3>(&values, width, height, orientation) },
    };
    let (width_px, height_px) = if swaps_axes(orientation) { (height, width) } else { (width, height) };
    Picture { width_px, height_px, pixels, ..picture }
}

pub(super) fn swaps_axes(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// Pixels of `C` channels in their new order.
pub(super) fn turned<T: Copy + Default, const C: usize>(
    from: &[T],
    width: usize,
    height: usize,
    orientation: Orientation,
) -> Vec<T> {
    let (new_width, new_height) = if swaps_axes(orientation) { (height, width) } else { (width, height) };
    let mut to = Vec::with_capacity(from.len());
    for y in 0..new_height {
        for x in 0..new_width {
            let (right, down) = (new_width - 1 - x, new_height - 1 - y);
            // (column, row) of the stored picture that is seen at (x, y).
            let (column, row) = match orientation {
                Orientation::NoTransforms => (x, y),
                Orientation::FlipHorizontal => (right, y),
                Orientation::Rotate180 => (right, down),
                Orientation::FlipVertical => (x, down),
                Orientation::Rotate90FlipH => (y, x),
                Orientation::Rotate90 => (y, right),
                Orientation::Rotate270FlipH => (down, right),
                Orientation::Rotate270 => (down, x),
            };
            let start = (row * width + column) * C;
            match from.get(start..start + C) {
                Some(pixel) => to.extend_from_slice(pixel),
                None => to.extend([T::default(); C]),
            }
        }
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exif_value_turns_its_own_way() {
        // Stored:  1 2 3
        //          4 5 6
        for (exif, expected_size, expected) in [
            (1, (3, 2), [1, 2, 3, 4, 5, 6]),
            (2, (3, 2), [3, 2, 1, 6, 5, 4]),
            (3, (3, 2), [6, 5, 4, 3, 2, 1]),
            (4, (3, 2), [4, 5, 6, 1, 2, 3]),
            (5, (2, 3), [1, 4, 2, 5, 3, 6]),
            (6, (2, 3), [4, 1, 5, 2, 6, 3]),
            (7, (2, 3), [6, 3, 5, 2, 4, 1]),
            (8, (2, 3), [3, 6, 2, 5, 1, 4]),
        ] {
            let picture = Picture {
                width_px: 3,
                height_px: 2,
                pixels: Pixels::Gray8(vec![1, 2, 3, 4, 5, 6]),
                format: "PNG",
                pil_takes_high_byte: false,
                notes: Vec::new(),
            };
            let found = upright(picture, Orientation::from_exif(exif).unwrap());
            assert_eq!((found.width_px, found.height_px), expected_size, "EXIF {exif}");
            assert_eq!(found.pixels, Pixels::Gray8(expected.to_vec()), "EXIF {exif}");
        }
    }
}
