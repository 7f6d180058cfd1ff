//! What is told of a file before it is read, plain pictures as series, and frames on their way to another module.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Cursor;
use std::path::{Path, PathBuf};

use mvfa_formats::picture::{ImageError, RawPicture, WindowChoice};
use mvfa_formats::{Axis, FormatError, Head, Limits, Part, Series, companion_names, open, open_head};
use tiff::encoder::TiffEncoder;
use tiff::encoder::colortype::{Gray8, Gray16};

/// Bytes of a file that are looked at first.
const HEAD_BYTES: usize = 1 << 16;

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn samples() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    files(&folder).into_iter().map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
}

/// Everything but the pixels.
fn described(series: &Series) -> String {
    let infos: Vec<_> = (0..series.len()).map(|n| (series.info(n).unwrap().clone(), series.place(n))).collect();
    format!("{series:?} {infos:?} {:?}", series.volume())
}

#[test]
fn a_beginning_tells_the_same_as_the_whole_file() {
    let limits = Limits::default();
    let (mut told, mut needed) = (0, 0);
    for (name, bytes) in samples() {
        let whole = open(bytes.as_slice(), &limits);
        // Of a file of 30 kB, too, so that small samples take part.
        for length in [HEAD_BYTES, 4096, 30_000].into_iter().filter(|length| *length < bytes.len()) {
            match open_head(&bytes[..length], bytes.len() as u64, &limits) {
                Ok(Head::Series(head)) => {
                    let whole = whole.as_ref().unwrap_or_else(|error| panic!("{name}: {error}"));
                    assert_eq!(described(&head), described(whole), "{name}");
                    assert!(head.frame(0).is_err(), "{name}: its pixels are not there");
                    told += 1;
                }
                Ok(Head::Whole) => needed += 1,
                Err(error) => assert!(whole.is_err(), "{name} is read, its beginning is refused: {error}"),
            }
        }
        if let Ok(series) = whole {
            let empty = series.clone().without_bytes();
            assert_eq!(described(&empty), described(&series), "{name}");
            assert!(empty.frame(0).is_err(), "{name}");
        }
    }
    assert!(told > 20 && needed > 5, "{told} told, {needed} needed whole");
}

/// The runs of bytes that a part names.
fn gathered(bytes: &[u8], part: &Part) -> Vec<u8> {
    let run = |at: u64| bytes[at as usize..(at + part.run_bytes) as usize].iter().copied();
    let line = |line: u64| (0..part.runs).map(move |n| part.start + line * part.line_step + n * part.run_step);
    (0..part.lines).flat_map(line).flat_map(run).collect()
}

#[test]
fn a_slice_is_made_of_its_own_bytes() {
    let limits = Limits::default();
    let mut seen = (0, 0);
    for (name, bytes) in samples() {
        let Ok(whole) = open(bytes.as_slice(), &limits) else { continue };
        let Ok(Head::Series(head)) = open_head(&bytes[..bytes.len() - 1], bytes.len() as u64, &limits) else {
            continue;
        };
        for axis in [Axis::Axial, Axis::Coronal, Axis::Sagittal] {
            let slices = whole.volume().map_or(whole.len(), |volume| volume.slices(axis) * volume.volumes());
            for n in [0, slices / 3, slices - 1] {
                let Some(part) = head.part(axis, n) else { continue };
                let expected = whole.volume().map_or_else(|| whole.frame(n), |volume| volume.slice(axis, n));
                let found = head.frame_of_part(axis, n, gathered(&bytes, &part).into());
                assert_eq!(found.unwrap(), expected.unwrap(), "{name}: {axis:?} {n}");
                assert!(head.frame_of_part(axis, n, Vec::new().into()).is_err(), "{name}: without its bytes");
                *if whole.volume().is_some() { &mut seen.0 } else { &mut seen.1 } += 1;
            }
        }
        assert!(head.part(Axis::Axial, 1 << 30).is_none());
    }
    assert!(seen.0 > 10 && seen.1 > 20, "{seen:?} slices of volumes and of DICOM files");
}

#[test]
fn sizes_are_judged_from_headers() {
    let limits = Limits { max_file_bytes: 1 << 30, ..Limits::default() };
    let mut nifti = vec![0; 352];
    nifti[..4].copy_from_slice(&348_i32.to_le_bytes());
    for (at, value) in [3_i16, 2048, 2048, 1024, 1].into_iter().enumerate() {
        nifti[40 + at * 2..42 + at * 2].copy_from_slice(&value.to_le_bytes());
    }
    nifti[70..74].copy_from_slice(&[4, 0, 16, 0]);
    (0..4).for_each(|at| nifti[76 + at * 4..80 + at * 4].copy_from_slice(&1_f32.to_le_bytes()));
    nifti[108..112].copy_from_slice(&352_f32.to_le_bytes());
    nifti[344..348].copy_from_slice(b"n+1\0");
    let too_large = |outcome: Result<Head, FormatError>| matches!(outcome, Err(FormatError::TooLarge { .. }));
    assert!(too_large(open_head(&nifti, 352, &limits)), "8 GB, said by its header");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &nifti).unwrap();
    assert!(too_large(open_head(&packed.finish().unwrap(), 352, &limits)), "packed");
    let nrrd = b"NRRD0004\ntype: float\ndimension: 3\nsizes: 2000 2000 2000\nencoding: raw\n\n";
    assert!(too_large(open_head(nrrd, 5000, &limits)));
    let dicom = [&[0; 128][..], b"DICM"].concat();
    assert!(too_large(open_head(&dicom, 3 << 30, &limits)));
    let png = open_head(b"\x89PNG\r\n\x1a\n", 3 << 30, &limits);
    assert!(matches!(png, Err(FormatError::Picture(ImageError::TooLarge { .. }))), "{png:?}");
}

#[test]
fn the_file_of_the_pixels_is_found_by_name() {
    let usual = ["brain.img", "brain.img.gz", "brain.raw", "brain.raw.gz", "brain.zraw"];
    assert_eq!(companion_names("brain.hdr", b""), usual);
    let named = companion_names("brain.mhd", b"NDims = 3\nElementDataFile = ../far/Voxels.raw\n");
    assert_eq!(named[0], "Voxels.raw");
    assert_eq!(companion_names("brain.nhdr", b"data file: ./v.raw\n")[0], "v.raw");
}

#[test]
fn frames_come_through_as_bytes() {
    let mut seen = 0;
    for (name, bytes) in samples() {
        let Ok(series) = open(bytes, &Limits::default()) else { continue };
        let Ok(picture) = series.picture(series.len() / 2) else { continue };
        let sent = picture.to_bytes();
        let read = RawPicture::from_bytes(&sent).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.to_bytes(), sent, "{name}");
        for window in [WindowChoice::Auto, WindowChoice::Pil] {
            assert_eq!(read.shown(window), picture.shown(window), "{name}");
        }
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn pages_of_a_tiff_are_frames_and_those_of_another_size_are_named() {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    encoder.write_image::<Gray16>(3, 2, &[1, 2, 3, 4, 5, 600]).unwrap();
    encoder.write_image::<Gray8>(1, 1, &[9]).unwrap();
    encoder.write_image::<Gray8>(3, 2, &[7; 6]).unwrap();
    let series = open(bytes.into_inner(), &Limits::default()).unwrap();
    assert_eq!((series.len(), series.width_px, series.height_px, series.format), (2, 3, 2, "TIFF"));
    assert!(series.is_picture());
    assert_eq!(series.notes, ["1 page of another size is left out"]);
    assert_eq!(series.frame(0).unwrap().value(5), Some(600.0));
    assert_eq!(series.frame(1).unwrap().gray8(), Some([7; 6].as_slice()));
    assert!(series.picture(0).unwrap().notes.is_empty());
    assert!(series.frame(2).is_err());
}

#[test]
fn a_picture_is_a_series_of_one_frame() {
    let mut bytes = Cursor::new(Vec::new());
    TiffEncoder::new(&mut bytes).unwrap().write_image::<Gray8>(2, 2, &[1, 2, 3, 4]).unwrap();
    let bytes = bytes.into_inner();
    let series = open(bytes.as_slice(), &Limits::default()).unwrap();
    assert_eq!((series.len(), series.slice_spacing_mm(), series.info(0).unwrap().geometry.spacing_mm), (1, None, None));
    let cut = open(&bytes[..bytes.len() / 2], &Limits::default()).and_then(|series| series.frame(0).map(|_| ()));
    assert!(matches!(cut, Err(FormatError::Picture(_))), "{cut:?}");
}

#[test]
fn a_header_asks_for_the_file_of_its_pixels() {
    let header =
        b"ObjectType = Image\nNDims = 3\nDimSize = 3 2 2\nElementType = MET_UCHAR\nElementDataFile = pixels.raw\n";
    let limits = Limits::default();
    let alone = open(header.as_slice(), &limits);
    assert!(matches!(&alone, Err(FormatError::Companion { file, .. }) if file.contains("pixels.raw")), "{alone:?}");
    assert!(matches!(open_head(header, 1 << 20, &limits), Err(FormatError::Companion { .. })));
    let pair = mvfa_formats::open_pair(header.as_slice(), (0..12).collect::<Vec<u8>>(), &limits).unwrap();
    assert_eq!((pair.format, pair.len()), ("MetaImage", 2));
}

#[test]
fn frames_of_one_file_keep_their_order() {
    for (name, bytes) in samples() {
        let Ok(series) = open(bytes, &Limits::default()) else { continue };
        let grouped = mvfa_formats::dicom::group(vec![series.clone()]);
        let places = |series: &Series| (0..series.len()).map(|n| series.place(n)).collect::<Vec<_>>();
        assert_eq!(places(&grouped[0]), places(&series), "{name}");
    }
}
