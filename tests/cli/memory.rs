//! How much memory a volume takes.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::tools::{mvfa, text};

/// Zeros of one member of a gzip file.
const MEMBER_BYTES: usize = 32 << 20;

/// A NIfTI header of 16-bit voxels.
fn header(size: &[i16]) -> Vec<u8> {
    let mut header = vec![0; 352];
    header[..4].copy_from_slice(&348_i32.to_le_bytes());
    header[40..42].copy_from_slice(&(size.len() as i16).to_le_bytes());
    for (at, n) in size.iter().enumerate() {
        header[42 + at * 2..44 + at * 2].copy_from_slice(&n.to_le_bytes());
    }
    header[70..74].copy_from_slice(&[4, 0, 16, 0]);
    (0..4).for_each(|at| header[76 + at * 4..80 + at * 4].copy_from_slice(&1.2_f32.to_le_bytes()));
    header[108..112].copy_from_slice(&352_f32.to_le_bytes());
    header[254] = 1;
    for (at, value) in [1.2_f32, 0.0, 0.0, 0.0, 0.0, 1.2, 0.0, 0.0, 0.0, 0.0, 1.2, 0.0].into_iter().enumerate() {
        header[280 + at * 4..284 + at * 4].copy_from_slice(&value.to_le_bytes());
    }
    header[344..348].copy_from_slice(b"n+1\0");
    header
}

/// A packed file: the header, and so many members of zeros.
fn packed(path: &Path, header: &[u8], members: usize) -> String {
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let mut file = File::create(path).unwrap();
    file.write_all(&gzip(header)).unwrap();
    let zeros = gzip(&vec![0; MEMBER_BYTES]);
    (0..members).for_each(|_| file.write_all(&zeros).unwrap());
    text(path)
}

#[cfg(target_os = "linux")]
#[test]
fn info_unpacks_no_voxel() {
    let folder = tempfile::tempdir().unwrap();
    // 1.8 GB in less than 2 MB.
    let bomb = packed(&folder.path().join("bomb.nii.gz"), &header(&[960, 960, 960]), 53);
    assert!(std::fs::metadata(&bomb).unwrap().len() < 2_000_000);
    let limited = "ulimit -v 1000000; exec \"$0\" info \"$1\"";
    let output =
        std::process::Command::new("sh").args(["-c", limited, env!("CARGO_BIN_EXE_mvfa"), &bomb]).output().unwrap();
    let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("NIfTI, 960 frames"), "{said}{told}");
    assert!(said.contains("1.2 x 1.2 mm"), "{said}");
}

#[test]
fn a_header_that_asks_for_more_than_follows_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = packed(&folder.path().join("cut.nii.gz"), &header(&[960, 960, 960]), 1);
    let bundle = crate::tools::bundle();
    let answer = mvfa(["predict", "--bundle", &bundle, "--object", "brain", "--mode", "zero", &path]).expect(1);
    let expected = format!("the volume needs 1769472000 bytes, found {MEMBER_BYTES}");
    assert!(answer.stderr.contains(&expected), "{}", answer.stderr);
}

#[test]
fn volumes_of_one_file_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.nii");
    std::fs::write(&path, [header(&[6, 5, 24, 2]), vec![7; 6 * 5 * 24 * 2 * 2]].concat()).unwrap();
    let answer = mvfa(["info", &text(&path)]).expect(0);
    assert!(answer.stdout.starts_with("NIfTI, 2 volumes of 24 slices\n"), "{}", answer.stdout);
    assert!(answer.stdout.contains("1.2 mm apart") && !answer.stdout.contains("1.19"), "{}", answer.stdout);
    let series = &mvfa(["info", "--json", &text(&path)]).expect(0).json_lines()[0];
    assert_eq!((&series["frames"], &series["volumes"]), (&48.into(), &2.into()));
}
