//! One phantom from its key.

use crate::image::Rgb8;

use super::dice::{Dice, Purpose};
use super::field::Field;
use super::{Object, brain, chest, histology, liver, oct};

/// A synthetic picture and where its lesions are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phantom {
    /// The picture; grey modalities have three equal channels.
    pub picture: Rgb8,
    /// [height, width]: 255 where there is a lesion, else 0.
    pub mask: Vec<u8>,
}

/// The independent streams of random numbers of one picture.
#[derive(Debug)]
pub(super) struct Streams {
    pub(super) anatomy: Dice,
    pub(super) sensor: Dice,
    /// Absent if the body is healthy.
    pub(super) lesion: Option<Dice>,
}

/// Draws one phantom.
///
/// The same arguments give the same bytes on the same machine; other machines may differ by a grey
/// level where their mathematical functions round differently. A normal and an abnormal picture of the
/// same object, seed, index and size show the same body with the same noise: they differ in the lesion
/// and a few pixels around it.
pub fn make(object: Object, seed: u64, index: u64, abnormal: bool, size_px: usize) -> Phantom {
    let dice = |purpose| Dice::new(object, seed, index, purpose);
    let mut streams = Streams {
        anatomy: dice(Purpose::Anatomy),
        sensor: dice(Purpose::Sensor),
        lesion: abnormal.then(|| dice(Purpose::Lesion)),
    };
    match object {
        Object::Brain => brain::draw(&mut streams, size_px),
        Object::Liver => liver::draw(&mut streams, size_px),
        Object::Resc => oct::draw(&mut streams, oct::Style::Wide, size_px),
        Object::Oct17 => oct::draw(&mut streams, oct::Style::Narrow, size_px),
        Object::Chest => chest::draw(&mut streams, size_px),
        Object::His => histology::draw(&mut streams, size_px),
    }
}

/// A grey picture of values in 0..1 with its mask.
pub(super) fn grey(picture: &Field, mask: Vec<u8>) -> Phantom {
    let bytes = picture.values.iter().map(|v| to_byte(*v)).flat_map(|v| [v, v, v]).collect();
    Phantom { picture: Rgb8 { width_px: picture.side_px, height_px: picture.side_px, bytes }, mask }
}

/// 0..1 to 0..255, rounded.
pub(super) fn to_byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE_PX: usize = 96;

    fn share(mask: &[u8]) -> f32 {
        mask.iter().filter(|m| **m == 255).count() as f32 / mask.len() as f32
    }

    #[test]
    fn the_same_key_gives_the_same_bytes_and_another_seed_others() {
        for object in Object::ALL {
            for abnormal in [false, true] {
                let one = make(object, 3, 7, abnormal, SIDE_PX);
                assert_eq!(one, make(object, 3, 7, abnormal, SIDE_PX), "{object:?}");
                assert_ne!(one.picture, make(object, 4, 7, abnormal, SIDE_PX).picture, "{object:?}");
                assert_ne!(one.picture, make(object, 3, 8, abnormal, SIDE_PX).picture, "{object:?}");
            }
        }
    }

    #[test]
    fn masks_are_empty_or_of_the_size_of_lesions() {
        for object in Object::ALL {
            for index in 0..12 {
                let normal = make(object, 5, index, false, SIDE_PX);
                assert_eq!(normal.picture.bytes.len(), 3 * SIDE_PX * SIDE_PX);
                assert_eq!(normal.mask, vec![0; SIDE_PX * SIDE_PX], "{object:?} {index}");
                let abnormal = make(object, 5, index, true, SIDE_PX);
                assert!(abnormal.mask.iter().all(|m| *m == 0 || *m == 255));
                let covered = share(&abnormal.mask);
                assert!((0.01..0.16).contains(&covered), "{object:?} {index}: {covered}");
            }
        }
    }

    #[test]
    fn an_abnormal_picture_is_the_normal_one_but_for_the_lesion() {
        // Soft edges, blur and nuclei that reach over the edge.
        const MARGIN_PX: i32 = 8;
        for object in Object::ALL {
            for index in 0..8 {
                let normal = make(object, 6, index, false, SIDE_PX).picture.bytes;
                let Phantom { picture, mask } = make(object, 6, index, true, SIDE_PX);
                let change = |place: usize| {
                    let channels = 3 * place..3 * place + 3;
                    channels.map(|c| picture.bytes[c].abs_diff(normal[c])).max().unwrap_or(0)
                };
                let inside: Vec<usize> = (0..mask.len()).filter(|i| mask[*i] > 0).collect();
                let changed = inside.iter().filter(|i| change(**i) > 0).count();
                assert!(changed * 2 > inside.len(), "{object:?} {index}: {changed} of {}", inside.len());
                let is_near = |place: usize| {
                    let (x, y) = ((place % SIDE_PX) as i32, (place / SIDE_PX) as i32);
                    inside.iter().any(|i| {
                        let (u, v) = ((i % SIDE_PX) as i32, (i / SIDE_PX) as i32);
                        (u - x).abs().max((v - y).abs()) <= MARGIN_PX
                    })
                };
                // The tail of a soft edge may round to another grey level further away.
                let strays = (0..mask.len()).filter(|i| change(*i) > 3 && !is_near(*i)).count();
                assert_eq!(strays, 0, "{object:?} {index}");
                let far = (0..mask.len()).filter(|i| change(*i) > 0 && !is_near(*i)).count();
                assert!(far < mask.len() / 200, "{object:?} {index}: {far}");
            }
        }
    }

    #[test]
    fn brightness_alone_does_not_find_lesions() {
        for object in Object::ALL {
            let mut counts = [[0_u64; 256]; 2];
            for index in 0..10 {
                for abnormal in [false, true] {
                    let one = make(object, 8, index, abnormal, SIDE_PX);
                    for (pixel, mask) in one.picture.bytes.chunks_exact(3).zip(&one.mask) {
                        let mean = pixel.iter().map(|v| usize::from(*v)).sum::<usize>() / 3;
                        counts[usize::from(*mask > 0)][mean] += 1;
                    }
                }
            }
            let (mut below, mut won) = (0, 0.0);
            for (normal, lesion) in counts[0].iter().zip(&counts[1]) {
                won += *lesion as f64 * (below as f64 + 0.5 * *normal as f64);
                below += normal;
            }
            let auroc = won / (below as f64 * counts[1].iter().sum::<u64>() as f64);
            assert!((0.1..0.93).contains(&auroc), "{object:?}: {auroc}");
        }
    }

    #[test]
    fn grey_modalities_are_grey_and_histology_is_not() {
        for object in Object::ALL {
            let bytes = make(object, 1, 0, true, SIDE_PX).picture.bytes;
            let is_grey = bytes.chunks_exact(3).all(|p| p[0] == p[1] && p[1] == p[2]);
            assert_eq!(is_grey, object != Object::His, "{object:?}");
            let (low, high) = (bytes.iter().min().unwrap(), bytes.iter().max().unwrap());
            assert!(high - low > 100, "{object:?}: {low}..{high}");
        }
    }
}
