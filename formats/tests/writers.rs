//! What other encoders and writers make, as public collections of files have it: the samples here, changed in the same way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Cursor, Write};
use std::path::Path;

use image::ImageEncoder;
use image::codecs::webp::WebPEncoder;
use mvfa_formats::picture::{Limits as PictureLimits, Stored, decode};
use mvfa_formats::{FormatError, Frame, Limits, open};

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)).unwrap()
}

fn frame(bytes: Vec<u8>) -> Frame {
    open(bytes, &Limits::default()).unwrap().frame(0).unwrap()
}

fn error(bytes: &[u8]) -> String {
    open(bytes, &Limits::default()).unwrap_err().to_string()
}

/// Place of the only match.
fn place(bytes: &[u8], part: &[u8]) -> usize {
    let places: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(part)).collect();
    assert_eq!(places.len(), 1, "{part:x?} is at {places:?}");
    places[0]
}

/// The same with `from` replaced, which is there once.
fn changed(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = place(bytes, from);
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

/// An element in explicit little endian.
fn element(group: u16, number: u16, vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
    let mut bytes = [&group.to_le_bytes()[..], &number.to_le_bytes(), vr].concat();
    if matches!(vr, b"OB" | b"OW" | b"SQ") {
        bytes.extend([0, 0]);
        bytes.extend((value.len() as u32).to_le_bytes());
    } else {
        bytes.extend((value.len() as u16).to_le_bytes());
    }
    bytes.extend(value);
    bytes
}

fn us(group: u16, number: u16, value: u16) -> Vec<u8> {
    element(group, number, b"US", &value.to_le_bytes())
}

/// A file in explicit little endian.
fn dicom(elements: &[Vec<u8>]) -> Vec<u8> {
    let syntax = element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1\0");
    [vec![0; 128], b"DICM".to_vec(), syntax, elements.concat()].concat()
}

/// Two pixels of 8 bits with so many samples.
fn two_pixels(photometric: &[u8], channels: u16, more: &[Vec<u8>], pixels: &[u8]) -> Vec<u8> {
    let mut elements = vec![
        us(0x28, 2, channels),
        element(0x28, 4, b"CS", photometric),
        us(0x28, 0x10, 1),
        us(0x28, 0x11, 2),
        us(0x28, 0x100, 8),
    ];
    elements.extend_from_slice(more);
    elements.push(element(0x7fe0, 0x10, b"OB", pixels));
    dicom(&elements)
}

#[test]
fn a_tile_without_length_goes_to_the_end_marker() {
    let whole = sample("dicom/pydicom/MR_small_jp2klossless.dcm");
    let tile = place(&whole, b"\xff\x90\0\x0a\0\0");
    let length = u32::from_be_bytes(whole[tile + 6..tile + 10].try_into().unwrap()) as usize;
    assert!(whole[tile + length..].starts_with(b"\xff\xd9"), "one tile-part");
    let mut endless = whole.clone();
    endless[tile + 6..tile + 10].fill(0);
    assert_eq!(frame(endless).samples, frame(whole).samples);
}

#[test]
fn colours_of_jpeg_2000_are_rgb_after_it() {
    let pixels = [200, 10, 20, 30, 40, 250];
    for photometric in [b"RGB ", b"YBR_RCT ".as_slice(), b"YBR_ICT "] {
        let decoded = frame(two_pixels(photometric, 3, &[], &pixels));
        assert_eq!(decoded.rgb8().unwrap(), pixels, "{}", photometric.escape_ascii());
    }
    assert_ne!(frame(two_pixels(b"YBR_FULL", 3, &[], &pixels)).rgb8().unwrap(), pixels);
}

#[test]
fn codes_in_small_letters_are_read() {
    let series = open(two_pixels(b"monochrome1 ", 1, &[], &[7, 9]), &Limits::default()).unwrap();
    assert_eq!(series.dicom().unwrap().photometric(), "MONOCHROME1");
    assert_eq!(series.frame(0).unwrap().gray8(), Some([7, 9].as_slice()));
    assert!(error(&two_pixels(b"hsv ", 1, &[], &[7, 9])).contains("photometric interpretation HSV"));
}

#[test]
fn a_modality_table_goes_before_slope_and_intercept() {
    let words = |values: [u16; 3]| values.map(u16::to_le_bytes).concat();
    let item =
        [element(0x28, 0x3002, b"US", &words([3, 0, 16])), element(0x28, 0x3006, b"OW", &words([500, 600, 700]))];
    let item = item.concat();
    let item = [b"\xfe\xff\x00\xe0".to_vec(), (item.len() as u32).to_le_bytes().to_vec(), item].concat();
    let both =
        [element(0x28, 0x1052, b"DS", b"-5"), element(0x28, 0x1053, b"DS", b"2 "), element(0x28, 0x3000, b"SQ", &item)];
    assert_eq!(frame(two_pixels(b"MONOCHROME2 ", 1, &both, &[0, 2])).values(), [500.0, 700.0]);
    assert_eq!(frame(two_pixels(b"MONOCHROME2 ", 1, &both[..2], &[0, 2])).values(), [-5.0, -1.0]);
}

#[test]
fn the_byte_order_that_is_written_counts() {
    let little = sample("dicom/pydicom/MR_small.dcm");
    let says_big = changed(&little, b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0");
    assert_eq!(frame(says_big).samples, frame(little).samples);
    let big = sample("dicom/pydicom/MR_small_bigendian.dcm");
    let says_little = changed(&big, b"1.2.840.10008.1.2.2\0", b"1.2.840.10008.1.2.1\0");
    assert_eq!(frame(says_little).samples, frame(big).samples);
}

#[test]
fn files_without_pixels_are_named() {
    let directory = dicom(&[element(4, 0x1220, b"SQ", &[])]);
    assert!(error(&directory).contains("a directory (DICOMDIR)"), "{}", error(&directory));
    let of_class = |class: &[u8]| error(&dicom(&[element(8, 0x16, b"UI", class)]));
    let waveform = of_class(b"1.2.840.10008.5.1.4.1.1.9.1.1\0");
    assert!(waveform.contains("a waveform"), "{waveform}");
    let palette = of_class(b"1.2.840.10008.5.1.4.39.1");
    assert!(palette.contains("a colour palette"), "{palette}");
    // A header of Analyze 7.5: NIfTI's without its signature.
    for swap in [false, true] {
        let mut analyze = vec![0; 348];
        analyze[..4].copy_from_slice(&if swap { 348u32.to_be_bytes() } else { 348u32.to_le_bytes() });
        analyze[40..42].copy_from_slice(&if swap { 4u16.to_be_bytes() } else { 4u16.to_le_bytes() });
        assert!(error(&analyze).contains("Analyze 7.5"), "{}", error(&analyze));
    }
    let jpeg_ls =
        b"\xff\xd8\xff\xf7\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\0\0\0\0\0\0\xff\xd9";
    assert!(error(jpeg_ls).contains("JPEG-LS compression"), "{}", error(jpeg_ls));
    // Three samples of a row for two of the other channel.
    let uneven = b"\xff\xd8\xff\xc0\0\x0e\x08\0\x08\0\x08\x02\x01\x31\0\x02\x21\0\xff\xda\0\x0a\x02\x01\0\x02\0\0\x3f\0\0\xff\xd9";
    assert!(error(uneven).contains("do not divide evenly"), "{}", error(uneven));
}

#[test]
fn bytes_of_a_packed_nrrd_are_skipped_after_it_is_unpacked() {
    let volume = |skip: i32, content: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(content).unwrap();
        let header =
            format!("NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 2 1\nencoding: gzip\nbyte skip: {skip}\n\n");
        open([header.into_bytes(), packed.finish().unwrap()].concat(), &Limits::default())
    };
    for (skip, content) in [(0, &[1, 2, 3, 4, 9][..]), (2, &[8, 8, 1, 2, 3, 4]), (-1, &[8, 8, 8, 1, 2, 3, 4])] {
        let values = volume(skip, content).unwrap().frame(0).unwrap().values();
        assert_eq!(values, [1.0, 2.0, 3.0, 4.0], "byte skip {skip}");
    }
    let wrong = volume(-5, &[1, 2, 3, 4]).unwrap_err();
    assert!(matches!(&wrong, FormatError::Damaged { reason, .. } if reason.contains("-5")), "{wrong}");
    assert!(matches!(volume(2, &[1, 2, 3, 4]).unwrap_err(), FormatError::Truncated { .. }));
}

#[test]
fn a_webp_is_turned_by_exif_with_and_without_its_signature() {
    // One entry: the camera was turned to the right.
    let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    for exif in [exif.clone(), [b"Exif\0\0".to_vec(), exif].concat()] {
        let mut bytes = Cursor::new(Vec::new());
        let mut encoder = WebPEncoder::new_lossless(&mut bytes);
        encoder.set_exif_metadata(exif).unwrap();
        encoder.write_image(&[10, 10, 10, 90, 90, 90], 2, 1, image::ExtendedColorType::Rgb8).unwrap();
        let bytes = bytes.into_inner();
        let picture = decode(&bytes, &PictureLimits::default()).unwrap();
        assert_eq!((picture.width_px, picture.height_px), (1, 2));
        assert_eq!(Stored::of_file(&bytes).unwrap().upright_px(), (1, 2));
    }
}
