//! Resize and augmentation against values of independent programs: Pillow for bytes, torch for f32.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

use std::path::PathBuf;

use common::max_difference;
use mvfa_web::image::{
    AUGMENTATION_NAMES, Limits, Planes, Rgb8, WindowChoice, augment_mvfa, decode, resize_bicubic, to_planes,
};
use safetensors::SafeTensors;
use serde_json::Value;

fn fixture(path: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reference").join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// As the reference opens a picture: grey above 255 is cut, not windowed.
fn open(path: &str) -> Rgb8 {
    decode(&fixture(path), &Limits::default()).unwrap().to_rgb8(WindowChoice::Pil)
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
}

#[test]
fn resized_bytes_are_pillows() {
    let golden: Value = serde_json::from_slice(&fixture("resize/golden.json")).unwrap();
    let side = golden["side"].as_u64().unwrap() as usize;
    let pairs = golden["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 5);
    for pair in pairs {
        let name = pair["input"].as_str().unwrap();
        let input = open(&format!("resize/{name}"));
        assert_eq!(serde_json::json!([input.width_px, input.height_px]), pair["input_size"], "{name}");
        let expected = open(&format!("resize/{}", pair["expected"].as_str().unwrap()));
        let found = resize_bicubic(&input, side);
        let wrong = found.bytes.iter().zip(&expected.bytes).filter(|(a, b)| a != b).count();
        assert_eq!((found.width_px, found.height_px, wrong), (side, side, 0), "{name}");
        assert_eq!(found.bytes.len(), expected.bytes.len());
    }
}

#[test]
fn the_second_axis_is_resized_second() {
    // Turned by a quarter, the passes change places: the same bytes would mean that the order is lost.
    let input = open("resize/rgb_100x300.in.png");
    let transposed = |p: &Rgb8| Rgb8 {
        width_px: p.height_px,
        height_px: p.width_px,
        bytes: (0..p.width_px)
            .flat_map(|x| (0..p.height_px).map(move |y| (y * p.width_px + x) * 3))
            .flat_map(|at| p.bytes[at..at + 3].to_vec())
            .collect(),
    };
    let other_order = transposed(&resize_bicubic(&transposed(&input), 240));
    assert_ne!(other_order.bytes, resize_bicubic(&input, 240).bytes);
}

/// A greyscale file as one plane.
fn one_plane(picture: &Rgb8) -> Planes {
    let planes = to_planes(picture);
    Planes { side_px: planes.side_px, values: planes.values[..planes.side_px * planes.side_px].to_vec() }
}

#[test]
fn augmented_pictures_and_masks_agree() {
    let bytes = fixture("augment/golden.safetensors");
    let golden = SafeTensors::deserialize(&bytes).unwrap();
    let order: Value = serde_json::from_slice(&fixture("augment/golden.json")).unwrap();
    assert_eq!(serde_json::json!(AUGMENTATION_NAMES), order["order"]);
    // Ten times the agreement of two independent programs; a mask has steps of 1, so it moves more.
    for (name, planes, limit) in [
        ("image", to_planes(&open("augment/image.png")), 1.6e-5),
        ("mask", one_plane(&open("augment/mask.png")), 7.6e-5),
    ] {
        let expected = floats(golden.tensor(name).unwrap().data());
        let found = augment_mvfa(&planes);
        assert_eq!(expected.len(), found.len() * planes.values.len(), "{name}");
        for ((version, expected), kind) in
            found.iter().zip(expected.chunks(planes.values.len())).zip(AUGMENTATION_NAMES)
        {
            let off = max_difference(&version.values, expected);
            assert!(off <= limit, "{name}, {kind}: off by {off:e}, allowed {limit:e}");
        }
    }
}

#[test]
fn augmented_masks_have_the_same_inside() {
    // Some warped values are 0.5 up to rounding; there the side of the threshold is open.
    const TIE: f32 = 1e-4;
    let bytes = fixture("augment/golden.safetensors");
    let golden = SafeTensors::deserialize(&bytes).unwrap();
    let expected = floats(golden.tensor("mask_binary").unwrap().data());
    let found: Vec<f32> =
        augment_mvfa(&one_plane(&open("augment/mask.png"))).into_iter().flat_map(|v| v.values).collect();
    assert_eq!(found.len(), expected.len());
    let clear: Vec<_> = found.iter().zip(&expected).filter(|(value, _)| (*value - 0.5).abs() > TIE).collect();
    assert!(clear.len() > found.len() * 99 / 100);
    assert!(clear.iter().all(|(value, inside)| (**value > 0.5) == (**inside > 0.5)));
}
