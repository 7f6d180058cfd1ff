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
    /// Absent where the body is healthy.
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
