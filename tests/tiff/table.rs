//! TIFF files in every combination of layout and kind of samples: equal to tifffile, or refused by name.
//!
//! `make_table.py` makes the files, and `table.txt` records what becomes of each.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read;
use std::path::PathBuf;

use flate2::read::ZlibDecoder;
use mvfa_web::image::{Limits, Pixels, decode};
use safetensors::{SafeTensors, tensor::TensorView};

/// Steps of 255 that two JPEG decoders may be apart, with the colours made from three of their values.
const JPEG_TOLERANCE: u8 = 4;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tiff")
}

/// One line of the table.
struct Case {
    name: String,
    bytes: Vec<u8>,
    /// '=' and a key of the expected pictures, or '!' and words of the refusal.
    outcome: (char, String),
}

fn cases() -> Vec<Case> {
    let table = std::fs::read_to_string(folder().join("table.txt")).unwrap();
    let mut files = ZlibDecoder::new(std::fs::File::open(folder().join("files.zlib")).unwrap());
    let mut case = |line: &str| {
        let (length, rest) = line.trim_start().split_once(' ').unwrap();
        let at = rest.find(['=', '!']).unwrap();
        let mut bytes = vec![0; length.parse().unwrap()];
        files.read_exact(&mut bytes).unwrap();
        let mark = rest.as_bytes()[at] as char;
        Case { name: rest[..at].trim().to_owned(), bytes, outcome: (mark, rest[at + 2..].to_owned()) }
    };
    table.lines().map(&mut case).collect()
}

/// How far the picture is from what is expected, or why the two cannot be compared.
fn difference(pixels: &Pixels, expected: &TensorView<'_>) -> Result<u8, String> {
    let (found, kind): (Vec<u8>, _) = match pixels {
        Pixels::Gray8(bytes) | Pixels::Rgb8(bytes) => (bytes.clone(), safetensors::Dtype::U8),
        Pixels::DeepGray { values, .. } | Pixels::DeepRgb { values } => {
            (values.iter().flat_map(|value| value.to_le_bytes()).collect(), safetensors::Dtype::F32)
        }
    };
    if kind != expected.dtype() || found.len() != expected.data().len() {
        let expected = (expected.dtype(), expected.data().len());
        return Err(format!("{} bytes of {kind:?}, expected {expected:?}", found.len()));
    }
    if kind == safetensors::Dtype::F32 {
        return if found == expected.data() { Ok(0) } else { Err("deep values differ".to_owned()) };
    }
    Ok(found.iter().zip(expected.data()).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0))
}

#[test]
fn every_combination_is_tifffiles_or_refused_by_name() {
    let expected = std::fs::read(folder().join("expected.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&expected).unwrap();
    let (mut read, mut refused, mut wrong) = (0, 0, Vec::new());
    for Case { name, bytes, outcome: (mark, what) } in cases() {
        let verdict = match (mark, decode(&bytes, &Limits::default())) {
            ('=', Ok(picture)) => {
                read += 1;
                let tolerance = if what.ends_with(".near") { JPEG_TOLERANCE } else { 0 };
                match difference(&picture.pixels, &expected.tensor(&what).unwrap()) {
                    Ok(off) if off <= tolerance => Ok(()),
                    Ok(off) => Err(format!("off by {off}")),
                    Err(reason) => Err(reason),
                }
            }
            ('=', Err(error)) => Err(format!("refused: {error}")),
            (_, Ok(_)) => Err(format!("read, though {what:?} should be refused")),
            (_, Err(error)) => {
                refused += 1;
                let message = error.to_string();
                let is_named = message.contains(&what) && message.contains("; ") && !message.contains("Unknown");
                if is_named { Ok(()) } else { Err(format!("{what:?} is not in {message:?}")) }
            }
        };
        if let Err(reason) = verdict {
            wrong.push(format!("{name}: {reason}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), read + refused, wrong.join("\n"));
    assert!(read >= 1300 && refused >= 25, "only {read} were read and {refused} refused");
}

/// A cut file is refused or whole, for one file of each kind of compression and layout.
#[test]
fn beginnings_are_errors_or_the_whole_picture() {
    let mut kinds = std::collections::BTreeSet::new();
    for Case { name, bytes, outcome: (mark, _) } in cases() {
        let kind: Vec<&str> = name.split(' ').skip(2).take(4).collect();
        if mark != '=' || !kinds.insert(kind.join(" ")) {
            continue;
        }
        let whole = decode(&bytes, &Limits::default()).unwrap();
        for end in 0..bytes.len() {
            if let Ok(part) = decode(&bytes[..end], &Limits::default()) {
                assert_eq!(format!("{:?}", part.pixels), format!("{:?}", whole.pixels), "{name}, first {end} bytes");
            }
        }
    }
    assert!(kinds.len() >= 30, "only {} kinds were tried", kinds.len());
}

/// Bits turned at places drawn by a fixed generator: no panic, whatever is inside.
#[test]
fn damage_never_ends_the_program() {
    let limits = Limits { max_side_px: 1024, max_pixels: 1 << 18, max_file_bytes: 1 << 20 };
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for Case { bytes, .. } in cases() {
        for _ in 0..20 {
            let mut damaged = bytes.clone();
            for _ in 0..=draw(3) {
                let at = draw(damaged.len());
                damaged[at] = if draw(2) == 0 { damaged[at] ^ (1 << draw(8)) } else { draw(256) as u8 };
            }
            let _ = decode(&damaged, &limits);
        }
    }
}
