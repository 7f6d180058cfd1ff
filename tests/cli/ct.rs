//! CT-like slices as a scanner or a converter writes them: deep grey, with and without padding.

use std::fs::File;
use std::path::Path;

use tiff::encoder::TiffEncoder;
use tiff::encoder::colortype::{Gray16, Gray32Float, GrayI16};

/// Side of a slice.
pub const SIDE: usize = 192;

/// How the grey values are stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stored {
    /// Hounsfield units.
    Int16,
    /// The same counted from -1024, as scanners store them.
    UInt16,
    /// Hounsfield units over 1000.
    Float32,
}

/// A slice in Hounsfield units: a body with organs and bones in air, never twice the same.
pub fn slice(number: u64, lesion: bool) -> Vec<f32> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(number + 1);
    let mut noise = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    let shift = [noise() * 6.0, noise() * 6.0];
    let is_in = |x: f32, y: f32, [cx, cy, rx, ry]: [f32; 4]| {
        let [cx, cy] = [cx + shift[0], cy + shift[1]];
        ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2) < 1.0
    };
    (0..SIDE * SIDE)
        .map(|n| {
            let (x, y) = ((n % SIDE) as f32, (n / SIDE) as f32);
            let mut value = -1000.0;
            for (region, inside) in [
                ([96.0, 96.0, 78.0, 62.0], -90.0),
                ([96.0, 96.0, 72.0, 56.0], 50.0),
                ([70.0, 90.0, 34.0, 30.0], 110.0),
                ([128.0, 88.0, 18.0, 22.0], 30.0),
                ([96.0, 132.0, 14.0, 12.0], 700.0),
                ([96.0, 132.0, 7.0, 6.0], 1100.0),
            ] {
                if is_in(x, y, region) {
                    value = inside;
                }
            }
            if lesion && is_in(x, y, [66.0, 92.0, 14.0, 13.0]) {
                value = 800.0;
            }
            value + 24.0 * noise()
        })
        .collect()
}

/// The slice with everything outside the inscribed circle filled, as scanners mark what they did not see.
pub fn padded(values: &[f32], fill: f32) -> Vec<f32> {
    let middle = SIDE as f32 / 2.0;
    let is_seen = |n: usize| ((n % SIDE) as f32 + 0.5 - middle).hypot((n / SIDE) as f32 + 0.5 - middle) < middle;
    values.iter().enumerate().map(|(n, value)| if is_seen(n) { *value } else { fill }).collect()
}

/// Writes Hounsfield units, or the fill as it is, as a TIFF file.
pub fn write(path: &Path, values: &[f32], fill: Option<f32>, stored: Stored) -> String {
    let of = |value: f32, change: fn(f32) -> f32| if Some(value) == fill { value } else { change(value) };
    let mut encoder = TiffEncoder::new(File::create(path).unwrap()).unwrap();
    let side = SIDE as u32;
    match stored {
        Stored::Int16 => {
            let values: Vec<i16> = values.iter().map(|v| of(*v, f32::round) as i16).collect();
            encoder.write_image::<GrayI16>(side, side, &values).unwrap();
        }
        Stored::UInt16 => {
            let values: Vec<u16> = values.iter().map(|v| of(*v, |v| (v + 1024.0).round()) as u16).collect();
            encoder.write_image::<Gray16>(side, side, &values).unwrap();
        }
        Stored::Float32 => {
            let values: Vec<f32> = values.iter().map(|v| of(*v, |v| v / 1000.0)).collect();
            encoder.write_image::<Gray32Float>(side, side, &values).unwrap();
        }
    }
    path.to_str().unwrap().to_owned()
}
