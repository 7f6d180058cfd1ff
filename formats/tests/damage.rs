//! Damaged files end in an error, never in a panic: flipped bytes and prefixes of the sample files.
//!
//! The seed is fixed, so that a failure can be repeated. A decoder that panics inside is caught by the crate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use mvfa_formats::{Limits, open};

/// Larger samples repeat the kinds of the small ones.
const MAX_FILE_BYTES: u64 = 50_000;

/// Damaged copies of each file.
const FLIPPED_COPIES: usize = 24;
const PREFIXES: usize = 24;

fn samples() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if entry.metadata().unwrap().len() <= MAX_FILE_BYTES
                && path.extension().is_some_and(|ending| ending == "dcm" || ending == "gz" || ending == "nii")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Numbers that are the same every time (Knuth's linear congruence).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

/// Opens and decodes the first and the last frame; what comes out does not matter.
fn try_file(bytes: Vec<u8>) -> bool {
    // What is damaged may ask for more than a test should take.
    let limits = Limits { max_file_bytes: 64 << 20, max_frame_pixels: 4 << 20, ..Limits::default() };
    let Ok(series) = open(bytes, &limits) else { return false };
    let last = series.frame(series.len() - 1).is_ok();
    series.frame(0).is_ok() && last
}

#[test]
fn damaged_files_do_not_panic() {
    let files = samples();
    assert!(files.len() > 30, "only {} samples were found", files.len());
    let mut numbers = Numbers(15);
    let (mut read, mut refused) = (0, 0);
    for path in &files {
        let whole = std::fs::read(path).unwrap();
        let mut copies = Vec::new();
        for copy in 0..FLIPPED_COPIES {
            let mut bytes = whole.clone();
            // Half of them in the header.
            let end = if copy % 2 == 0 { bytes.len().min(2048) } else { bytes.len() };
            for _ in 0..=numbers.below(6) {
                let at = numbers.below(end);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << numbers.below(8);
                }
            }
            copies.push(bytes);
        }
        for _ in 0..PREFIXES {
            copies.push(whole[..numbers.below(whole.len())].to_vec());
        }
        for (n, bytes) in copies.into_iter().enumerate() {
            let outcome = std::panic::catch_unwind(|| try_file(bytes));
            match outcome {
                Ok(true) => read += 1,
                Ok(false) => refused += 1,
                Err(_) => panic!("copy {n} of {} made it panic", path.display()),
            }
        }
    }
    println!("{read} damaged copies were read, {refused} refused");
    assert!(refused > files.len() * 10, "too few were refused: {refused}");
}

#[test]
fn a_header_alone_costs_no_memory() {
    // A DICOM element, a NIfTI header and an NRRD header that ask for terabytes.
    let mut dicom = vec![0; 128];
    dicom.extend(b"DICM\x28\x00\x10\x00US\x02\x00\xff\xff\x28\x00\x11\x00US\x02\x00\xff\xff\xe0\x7f\x10\x00OW\0\0\xfe\xff\xff\xff");
    let mut nifti = vec![0; 400];
    nifti[..4].copy_from_slice(&348u32.to_le_bytes());
    for (i, n) in [4u16, 8000, 8000, 30000, 1].into_iter().enumerate() {
        nifti[40 + i * 2..42 + i * 2].copy_from_slice(&n.to_le_bytes());
    }
    nifti[70..72].copy_from_slice(&64u16.to_le_bytes());
    nifti[344..348].copy_from_slice(b"n+1\0");
    let nrrd = b"NRRD0004\ntype: double\ndimension: 3\nsizes: 60000 60000 60000\nencoding: raw\n\n".to_vec();
    for bytes in [dicom, nifti, nrrd] {
        let error = open(bytes, &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("cut off") || error.contains("too large") || error.contains("does not say"), "{error}");
    }
}
