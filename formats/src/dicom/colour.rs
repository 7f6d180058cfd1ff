//! Palettes and YBR to RGB.

use super::FORMAT;
use super::header::Palette;
use crate::limits::reserved;
use crate::{FormatError, Samples};

/// Indices to interleaved RGB.
pub(super) fn from_palette(indices: &Samples, palette: &Palette) -> Result<Samples, FormatError> {
    let mut rgb = reserved(indices.len() * 3)?;
    for index in indices.iter() {
        rgb.extend((0..3).map(|channel| palette.look_up(channel, index)));
    }
    if palette.bits == 8 {
        let mut bytes = reserved(rgb.len())?;
        bytes.extend(rgb.iter().map(|&v| v as u8));
        return Ok(Samples::U8(bytes));
    }
    Ok(Samples::U16(rgb))
}

/// Interleaved YBR of full range (PS3.3, C.7.6.3.1.2: ITU-R BT.601) to RGB.
pub(super) fn from_ybr(samples: Samples, bits: u32) -> Result<Samples, FormatError> {
    let middle = f64::from(bits.clamp(1, 16) - 1).exp2();
    let top = middle * 2.0 - 1.0;
    let rgb = |y: f64, cb: f64, cr: f64| {
        let (cb, cr) = (cb - middle, cr - middle);
        let (r, b) = (y + 1.402 * cr, y + 1.772 * cb);
        let g = y - (0.114 * 1.772 * cb + 0.299 * 1.402 * cr) / 0.587;
        [r, g, b].map(|v| (v + 0.5).floor().clamp(0.0, top))
    };
    match samples {
        Samples::U8(mut bytes) => {
            for pixel in bytes.chunks_exact_mut(3) {
                let [y, cb, cr] = [0, 1, 2].map(|i| f64::from(pixel[i]));
                for (to, from) in pixel.iter_mut().zip(rgb(y, cb, cr)) {
                    *to = from as u8;
                }
            }
            Ok(Samples::U8(bytes))
        }
        Samples::U16(mut words) => {
            for pixel in words.chunks_exact_mut(3) {
                let [y, cb, cr] = [0, 1, 2].map(|i| f64::from(pixel[i]));
                for (to, from) in pixel.iter_mut().zip(rgb(y, cb, cr)) {
                    *to = from as u16;
                }
            }
            Ok(Samples::U16(words))
        }
        _ => Err(FormatError::Unsupported {
            format: FORMAT,
            found: "YBR colour with signed samples or more than 16 bits".into(),
            instead: "export the picture as RGB",
        }),
    }
}
