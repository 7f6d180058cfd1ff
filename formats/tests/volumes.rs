//! NRRD, MetaImage and pairs of files: the same small volume in every form.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;

use mvfa_formats::{Axis, FormatError, Head, Limits, Series, describe_head, open, open_pair};

/// 3 x 2 x 2 voxels with the values 0 to 11, x fastest.
fn voxels(big: bool) -> Vec<u8> {
    (0..12i16).flat_map(|v| if big { v.to_be_bytes() } else { v.to_le_bytes() }).collect()
}

fn joined(header: &str, pixels: &[u8]) -> Vec<u8> {
    [header.as_bytes(), pixels].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const LIMITS: fn() -> Limits = Limits::default;

/// Axes as in DICOM, 0.5 x 1 x 2 mm, first voxel at 10, 20, 30.
fn check(name: &str, series: Result<Series, FormatError>) {
    let series = series.unwrap_or_else(|error| panic!("{name}: {error}"));
    let volume = series.volume().unwrap();
    assert_eq!(volume.size(), [3, 2, 2], "{name}");
    assert_eq!(volume.value([2, 0, 1], 0), Some(8.0), "{name}");
    assert_eq!(volume.orientation(), "LPS", "{name}");
    assert_eq!(volume.spacing_mm(), [0.5, 1.0, 2.0], "{name}");
    assert_eq!(series.len(), 2, "{name}");
    let geometry = series.info(1).unwrap().geometry;
    assert_eq!(geometry.position_mm, Some([10.0, 20.0, 32.0]), "{name}");
    assert_eq!((geometry.spacing_mm, geometry.plane()), (Some([1.0, 0.5]), Some("axial")), "{name}");
    assert_eq!(series.slice_spacing_mm(), Some(2.0), "{name}");
    assert_eq!(series.frame(1).unwrap().values(), [6.0, 7.0, 8.0, 9.0, 10.0, 11.0], "{name}");
    // Head at the top: rows of the other planes go down.
    assert_eq!(volume.slice(Axis::Coronal, 1).unwrap().values(), [9.0, 10.0, 11.0, 3.0, 4.0, 5.0], "{name}");
    assert_eq!(volume.slice(Axis::Sagittal, 2).unwrap().values(), [8.0, 11.0, 2.0, 5.0], "{name}");
    assert!(matches!(series.frame(2), Err(FormatError::NoSuchFrame { wanted: 2, frames: 2 })), "{name}");
}

#[test]
fn nrrd_in_every_form() {
    let space =
        "space: left-posterior-superior\nspace directions: (0.5,0,0) (0,1,0) (0,0,2)\nspace origin: (10,20,30)\n";
    let header = |rest: &str| format!("NRRD0004\n# a comment\ntype: short\ndimension: 3\nsizes: 3 2 2\n{space}{rest}");
    check("raw", open(joined(&header("endian: little\nencoding: raw\n\n"), &voxels(false)), &LIMITS()));
    check("big", open(joined(&header("endian: big\nencoding: raw\nkey:=value\n\n"), &voxels(true)), &LIMITS()));
    check("gzip", open(joined(&header("endian: little\nencoding: gzip\n\n"), &gzip(&voxels(false))), &LIMITS()));
    let detached = header("endian: little\nencoding: raw\ndata file: a/volume.raw\n");
    check("detached", open_pair(detached.clone().into_bytes(), voxels(false), &LIMITS()));
    let packed = header("endian: little\nencoding: gzip\ndata file: volume.raw.gz\n");
    check("detached gzip", open_pair(packed.into_bytes(), gzip(&voxels(false)), &LIMITS()));
    let alone = open(detached.into_bytes(), &LIMITS()).unwrap_err();
    assert!(alone.to_string().contains("\"volume.raw\""), "{alone}");
    // The same volume in NIfTI's axes: x and y turned.
    let turned = "space: RAS\nspace directions: (-0.5,0,0) (0,-1,0) (0,0,2)\nspace origin: (-10,-20,30)\n";
    let header = header("encoding: raw\n\n").replace(space, turned);
    check("RAS", open(joined(&header, &voxels(false)), &LIMITS()));
    let cut = open(joined(&header, &voxels(false)[..20]), &LIMITS()).unwrap_err();
    assert!(matches!(cut, FormatError::Truncated { expected_bytes: 24, found_bytes: 20, .. }), "{cut}");
    let error = open(joined(&header.replace("raw", "bzip2"), &[]), &LIMITS()).unwrap_err();
    assert!(error.to_string().contains("the encoding bzip2"), "{error}");
}

#[test]
fn nrrd_with_directions_first_is_several_volumes() {
    let header =
        "NRRD0005\ntype: uchar\ndimension: 4\nsizes: 2 2 1 1\nkinds: vector domain domain domain\nencoding: raw\n\n";
    let series = open(joined(header, &[1, 10, 2, 20]), &LIMITS()).unwrap();
    assert_eq!((series.len(), series.volume().unwrap().volumes()), (2, 2));
    assert_eq!(series.frame(1).unwrap().values(), [10.0, 20.0]);
    let colour = header.replace("sizes: 2 2 1 1", "sizes: 3 1 1 1").replace("vector", "RGB-color");
    let series = open(joined(&colour, &[1, 2, 3]), &LIMITS()).unwrap();
    assert_eq!((series.len(), series.frame(0).unwrap().rgb8()), (1, Some(vec![1, 2, 3])));
}

#[test]
fn meta_image_in_every_form() {
    let header = |rest: &str| {
        format!(
            "ObjectType = Image\nNDims = 3\nBinaryData = True\nTransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 10 20 30\n\
             ElementSpacing = 0.5 1 2\nDimSize = 3 2 2\nElementType = MET_SHORT\n{rest}"
        )
    };
    let local = "ElementDataFile = LOCAL\n";
    check("raw", open(joined(&header(local), &voxels(false)), &LIMITS()));
    let big = header(&format!("BinaryDataByteOrderMSB = True\n{local}"));
    check("big", open(joined(&big, &voxels(true)), &LIMITS()));
    let packed = header(&format!("CompressedData = True\n{local}"));
    check("zlib", open(joined(&packed, &zlib(&voxels(false))), &LIMITS()));
    let detached = header("ElementDataFile = volume.raw\n");
    check("detached", open_pair(detached.clone().into_bytes(), voxels(false), &LIMITS()));
    let alone = open(detached.into_bytes(), &LIMITS()).unwrap_err();
    assert!(matches!(alone, FormatError::Companion { .. }) && alone.to_string().contains("volume.raw"), "{alone}");
    let skipped = header("HeaderSize = -1\nElementDataFile = volume.raw\n");
    check("with a header", open_pair(skipped.into_bytes(), [b"head".to_vec(), voxels(false)].concat(), &LIMITS()));
}

/// A NIfTI-1 header with an sform that turns x and y.
fn nifti(magic: &[u8; 4]) -> Vec<u8> {
    let mut header = vec![0; 352];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &348u32.to_le_bytes());
    for (i, n) in [3i16, 3, 2, 2, 1, 1, 1, 1].into_iter().enumerate() {
        put(40 + i * 2, &n.to_le_bytes());
    }
    put(70, &4i16.to_le_bytes());
    put(108, &(if magic == b"n+1\0" { 352f32 } else { 0.0 }).to_le_bytes());
    put(254, &1i16.to_le_bytes());
    for (i, v) in [-0.5f32, 0.0, 0.0, -10.0, 0.0, -1.0, 0.0, -20.0, 0.0, 0.0, 2.0, 30.0].into_iter().enumerate() {
        put(280 + i * 4, &v.to_le_bytes());
    }
    put(344, magic);
    header
}

#[test]
fn nifti_in_one_file_and_two() {
    let whole = [nifti(b"n+1\0"), voxels(false)].concat();
    check("one file", open(whole.clone(), &LIMITS()));
    check("gzip", open(gzip(&whole), &LIMITS()));
    check("pair", open_pair(nifti(b"ni1\0"), voxels(false), &LIMITS()));
    check("packed pair", open_pair(gzip(&nifti(b"ni1\0")), gzip(&voxels(false)), &LIMITS()));
    let alone = open(nifti(b"ni1\0"), &LIMITS()).unwrap_err();
    assert!(matches!(alone, FormatError::Companion { .. }), "{alone}");
    // Slices that the array holds from left to right, back to front and head to feet come out turned.
    let mut turned = whole;
    for (i, v) in [0.5f32, 0.0, 0.0, -11.0, 0.0, 1.0, 0.0, -21.0, 0.0, 0.0, -2.0, 32.0].into_iter().enumerate() {
        turned[280 + i * 4..284 + i * 4].copy_from_slice(&v.to_le_bytes());
    }
    let series = open(turned, &LIMITS()).unwrap();
    assert_eq!(series.volume().unwrap().orientation(), "RAI");
    assert_eq!(series.frame(0).unwrap().values(), [11.0, 10.0, 9.0, 8.0, 7.0, 6.0]);
    assert_eq!(series.info(0).unwrap().geometry.position_mm, Some([10.0, 20.0, 30.0]));
}

#[test]
fn every_volume_has_its_places() {
    let mut header = nifti(b"n+1\0");
    header[40..42].copy_from_slice(&4i16.to_le_bytes());
    header[48..50].copy_from_slice(&2i16.to_le_bytes());
    let series = open([header, voxels(false), voxels(false)].concat(), &LIMITS()).unwrap();
    assert_eq!(series.in_volumes(), (vec![0, 1, 2, 3], 2));
    assert_eq!(series.positions_mm(), Some(vec![30.0, 32.0, 30.0, 32.0]));
    assert_eq!(series.slice_spacing_mm(), Some(2.0));
    let volume = series.volume().unwrap();
    assert_eq!(volume.positions_mm(Axis::Axial), Some(vec![30.0, 32.0]));
    // Along the normal, to the back and to the right; x is counted to the left.
    assert_eq!(volume.positions_mm(Axis::Coronal), Some(vec![20.0, 21.0]));
    assert_eq!(volume.positions_mm(Axis::Sagittal), Some(vec![-10.0, -10.5, -11.0]));
}

#[test]
fn a_packed_volume_is_judged_by_its_header() {
    // 2 MB, of which the header's beginning is unpacked first.
    let mut header = nifti(b"n+1\0");
    for (i, n) in [3i16, 100, 100, 100].into_iter().enumerate() {
        header[40 + i * 2..42 + i * 2].copy_from_slice(&n.to_le_bytes());
    }
    let pixels: Vec<u8> = (0..1_000_000i32).flat_map(|v| ((v % 1999) as i16).to_le_bytes()).collect();
    let whole = [header.clone(), pixels.clone(), vec![9; 100]].concat();
    let series = open(gzip(&whole), &LIMITS()).unwrap();
    let expected = open(whole, &LIMITS()).unwrap();
    for n in [0, 57, 99] {
        assert_eq!(series.frame(n).unwrap(), expected.frame(n).unwrap(), "{n}");
    }
    let cut = open(gzip(&[header.clone(), pixels[..1_500_000].to_vec()].concat()), &LIMITS()).unwrap_err();
    let is_cut = |expected, found| matches!(cut, FormatError::Truncated { expected_bytes, found_bytes, .. } if (expected_bytes, found_bytes) == (expected, found));
    assert!(is_cut(2_000_000, 1_500_000), "{cut}");
    let small = Limits { max_file_bytes: 1 << 20, ..Limits::default() };
    let large = open(gzip(&[header.clone(), pixels].concat()), &small).unwrap_err();
    assert!(matches!(large, FormatError::TooLarge { .. }), "{large}");
    // What nobody reads the pixels of is known by the header alone.
    let packed = gzip(&[header, vec![0; 400]].concat());
    let Head::Series(series) = describe_head(&packed, packed.len() as u64, &LIMITS()).unwrap() else { panic!("whole") };
    assert_eq!(series.len(), 100);
    assert!(series.frame(0).is_err());
    assert!(matches!(mvfa_formats::open_head(&packed, packed.len() as u64, &LIMITS()), Ok(Head::Whole)));
}
