//! Odd files give the bytes that Pillow gives, bad files give the right error, and no file ends the program.
//!
//! The cases are made by `make_corpus.py`; a new odd file is one line there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use mvfa_web::image::{ImageError, Limits, Picture, WindowChoice, decode};
use safetensors::SafeTensors;
use serde_json::Value;

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(corpus().join("files").join(name)).unwrap()
}

fn cases() -> Vec<Value> {
    serde_json::from_slice(&std::fs::read(corpus().join("cases.json")).unwrap()).unwrap()
}

fn try_decode(bytes: &[u8]) -> Result<Picture, ImageError> {
    decode(bytes, &Limits::default())
}

/// Variant of an error, as `cases.json` names it.
fn kind(error: &ImageError) -> String {
    format!("{error:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// What the picture tells a person.
fn texts(picture: &Picture) -> Vec<String> {
    picture.notes.iter().map(ToString::to_string).collect()
}

fn largest_difference(found: &[u8], expected: &[u8]) -> u8 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn odd_files_give_the_bytes_of_pillow() {
    let expected = std::fs::read(corpus().join("expected.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&expected).unwrap();
    let mut seen = 0;
    for case in cases().iter().filter(|case| case["error"].is_null()) {
        let name = case["file"].as_str().unwrap();
        let picture = try_decode(&file(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(serde_json::json!([picture.width_px, picture.height_px]), case["size"], "{name}");
        assert_eq!(picture.is_deep(), case["deep"], "{name}");
        assert_eq!(serde_json::json!(texts(&picture)), case["notes"], "{name}");
        let tolerance = case["tolerance"].as_u64().unwrap();
        let pil = expected.tensor(&format!("{name}.pil")).unwrap();
        let off = largest_difference(&picture.to_rgb8(WindowChoice::Pil).bytes, pil.data());
        assert!(u64::from(off) <= tolerance, "{name}: off by {off}, allowed {tolerance}");
        if picture.is_deep() {
            let auto = expected.tensor(&format!("{name}.auto")).unwrap();
            let off = largest_difference(&picture.to_rgb8(WindowChoice::Auto).bytes, auto.data());
            assert_eq!(off, 0, "{name}, window auto");
        }
        seen += 1;
    }
    assert!(seen >= 85, "only {seen} files were tried");
}

#[test]
fn bad_files_say_what_is_wrong() {
    let mut seen = 0;
    for case in cases().iter().filter(|case| !case["error"].is_null()) {
        let name = case["file"].as_str().unwrap();
        let error = match try_decode(&file(name)) {
            Err(error) => error,
            Ok(picture) => panic!("{name} was read as {} x {}", picture.width_px, picture.height_px),
        };
        assert_eq!(kind(&error), case["error"], "{name}: {error}");
        let message = error.to_string();
        assert!(message.contains(case["says"].as_str().unwrap()), "{name}: {message}");
        // The next step is a clause or a sentence of its own.
        assert!(message.contains("; ") || message.contains(". "), "{name}: no next step in {message:?}");
        seen += 1;
    }
    assert!(seen >= 38, "only {seen} files were tried");
}

/// Every beginning of every file: an error or the whole picture, never a part of it.
#[test]
fn every_prefix_is_an_error_or_the_whole_picture() {
    for case in cases().iter().filter(|case| case["error"].is_null()) {
        let name = case["file"].as_str().unwrap();
        let bytes = file(name);
        let whole = try_decode(&bytes).unwrap();
        let mut read = 0;
        for end in 0..bytes.len() {
            if let Ok(mut part) = try_decode(&bytes[..end]) {
                // Behind the pixels of a PNG may stand how it is turned; a note tells that its end is missing.
                if name == "exif_after_idat.png" && texts(&part).concat().contains("end is missing") {
                    continue;
                }
                // Whether more pages follow cannot be known from a beginning, and the end may be missing.
                part.notes.clone_from(&whole.notes);
                // Bits are compared, since NaN is not equal to itself.
                assert_eq!(format!("{part:?}"), format!("{whole:?}"), "{name}, first {end} bytes");
                read += 1;
            }
        }
        // Checksums, padding, notes and further frames after the last pixel may be missing, nothing more.
        assert!(
            whole.notes.iter().any(|note| note.code() == "part") || read < bytes.len() / 2,
            "{name}: {read} of {} beginnings were read",
            bytes.len()
        );
    }
}

/// Single bits turned and bytes overwritten at places drawn by a fixed generator: no panic.
#[test]
fn damage_never_ends_the_program() {
    let limits = Limits { max_side_px: 4096, max_pixels: 1 << 20, max_file_bytes: 1 << 20 };
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for case in cases() {
        let bytes = file(case["file"].as_str().unwrap());
        for _ in 0..if bytes.is_empty() { 0 } else { 300 } {
            let mut damaged = bytes.clone();
            for _ in 0..=draw(3) {
                let at = draw(damaged.len());
                damaged[at] = if draw(2) == 0 { damaged[at] ^ (1 << draw(8)) } else { draw(256) as u8 };
            }
            if let Ok(picture) = decode(&damaged, &limits) {
                let rgb = picture.to_rgb8(WindowChoice::Auto);
                assert_eq!(rgb.bytes.len(), rgb.width_px * rgb.height_px * 3);
            }
        }
    }
}

#[test]
fn limits_hold_for_files_and_pictures() {
    let bytes = file("rgb8.png");
    let whole = Limits::default();
    for (limits, fits) in [
        (Limits { max_file_bytes: bytes.len(), max_side_px: 19, max_pixels: 19 * 13 }, true),
        (Limits { max_file_bytes: bytes.len() - 1, ..whole }, false),
        (Limits { max_side_px: 18, ..whole }, false),
        (Limits { max_pixels: 19 * 13 - 1, ..whole }, false),
    ] {
        match decode(&bytes, &limits) {
            Ok(_) => assert!(fits, "{limits:?}"),
            Err(error) => assert!(!fits && kind(&error) == "TooLarge", "{limits:?}: {error}"),
        }
    }
}
