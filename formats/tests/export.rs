//! What is written about real files, read back by programs that are not ours: pydicom, nibabel, dcmtk and dicom3tools.
//!
//! `cargo xtask test` installs them. A pixel belongs to the mask where the source's value lies above a threshold; the other
//! programs read the source themselves, so that a pixel in the wrong place is seen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use mvfa_formats::write::{
    Segment, Stamp, WriteError, check_dicom, check_nifti, nifti_labels, nifti_map, png16, secondary_capture,
    segmentation,
};
use mvfa_formats::{Limits, Series, dicom, open};

const STAMP: Stamp = Stamp { unix_seconds: 1_800_000_000, random: [u128::MAX - 1, 1 << 100, 12_345] };
const SEGMENT: Segment<'_> = Segment { description: "anomaly map at 0.5 or above", algorithm: "a test" };

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files")
}

/// The Python that `cargo xtask test` makes.
fn python() -> PathBuf {
    let from_home = || {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
        cache.map(|cache| cache.join("mvfa-web/tools/medical-python/bin/python"))
    };
    let python = std::env::var_os("MVFA_MEDICAL_PYTHON").map(PathBuf::from).or_else(from_home).unwrap();
    assert!(
        python.is_file(),
        "there is no {}: `cargo xtask test rust` installs it, or name a Python with pydicom and nibabel in MVFA_MEDICAL_PYTHON",
        python.display()
    );
    python
}

/// Runs another program, which must agree; what it said.
fn run(mut command: Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}; `cargo xtask test rust` installs it"));
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{said}");
    said
}

fn oracle(words: &[&str], sources: &[PathBuf]) {
    let mut command = Command::new(python());
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle.py")).args(words).args(sources);
    run(command);
}

/// dicom3tools finds no error, and dcmtk the same pixel bytes.
fn valid(path: &Path, pixels: &[u8]) {
    let mut command = Command::new("dciodvfy");
    let said = run({
        command.arg(path);
        command
    });
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("Error")).collect();
    assert!(errors.is_empty(), "{}: {said}", path.display());
    let folder = tempdir(&format!("{}.raw", path.file_name().unwrap().to_string_lossy()));
    let mut command = Command::new("dcmdump");
    command.arg("--write-pixel").arg(&folder).arg(path);
    run(command);
    let raw = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let found = std::fs::read(raw).unwrap();
    assert!(found == pixels, "dcmtk reads other pixels from {}", path.display());
}

fn tempdir(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("export").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A source: its series, its files in the order of the series, and a threshold within its values.
struct Source {
    name: &'static str,
    series: Series,
    files: Vec<PathBuf>,
    threshold: f32,
}

fn opened(path: &Path) -> Series {
    open(std::fs::read(path).unwrap(), &Limits::default()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn sample(name: &'static str) -> Source {
    let path = samples().join(name);
    let series = opened(&path);
    let mut values: Vec<f32> = (0..series.len()).flat_map(|n| series.frame(n).unwrap().values()).collect();
    values.sort_by(f32::total_cmp);
    let threshold = values.get(values.len() / 2).copied().unwrap_or(0.0);
    Source { name: name.rsplit('/').next().unwrap(), series, files: vec![path], threshold }
}

/// Files with planted names, in another order than that of their places.
fn made() -> Source {
    // Once for all tests.
    static MADE: LazyLock<PathBuf> = LazyLock::new(|| {
        let (folder, sample) = (tempdir("series"), samples().join("dicom/pydicom/CT_small.dcm"));
        oracle(&["series", sample.to_str().unwrap()], std::slice::from_ref(&folder));
        folder
    });
    let names = ["a.dcm", "b.dcm", "c.dcm", "d.dcm", "e.dcm"].map(|name| MADE.join(name));
    let mut series = dicom::group(names.iter().enumerate().map(|(n, path)| opened(path).of_file(n)).collect());
    assert_eq!(series.len(), 1);
    let series = series.remove(0);
    assert_eq!(series.notes, [""; 0]);
    let files = (0..series.len()).map(|n| names[series.place(n).unwrap().0].clone()).collect();
    Source { name: "made series", series, files, threshold: -200.0 }
}

/// A frame without a place.
fn film() -> Source {
    static MADE: LazyLock<PathBuf> = LazyLock::new(|| {
        let (path, sample) = (tempdir("film").join("film.dcm"), samples().join("dicom/pydicom/CT_small.dcm"));
        oracle(&["film", sample.to_str().unwrap()], std::slice::from_ref(&path));
        path
    });
    let path = MADE.clone();
    Source { name: "film", series: opened(&path), files: vec![path], threshold: -200.0 }
}

fn values(series: &Series) -> Vec<Vec<f32>> {
    (0..series.len()).map(|n| series.frame(n).unwrap().values()).collect()
}

fn dicom_sources() -> Vec<Source> {
    let names = ["CT_small.dcm", "MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_RLE.dcm"];
    let named = names.map(|name| -> &'static str { String::leak(format!("dicom/pydicom/{name}")) });
    let mut sources: Vec<Source> = named.into_iter().map(sample).collect();
    sources.push(sample("dicom/dcm_qa_enh/6_1.dcm"));
    sources.push(made());
    sources.push(film());
    sources
}

#[test]
fn segmentations_are_valid_and_lie_on_their_source() {
    for source in dicom_sources() {
        let Source { name, series, files, threshold } = source;
        let values = values(&series);
        let frames: Vec<usize> = (0..series.len()).collect();
        let mask = |n: usize| Ok(values[n].iter().map(|v| *v > threshold).collect());
        let bytes = segmentation(&series, &frames, &SEGMENT, &STAMP, mask).unwrap_or_else(|e| panic!("{name}: {e}"));
        let path = tempdir(&format!("seg {name}")).join("seg.dcm");
        std::fs::write(&path, &bytes).unwrap();
        let packed = (series.width_px * series.height_px * series.len()).div_ceil(8).next_multiple_of(2);
        valid(&path, &bytes[bytes.len() - packed..]);
        oracle(&["seg", path.to_str().unwrap(), &threshold.to_string()], &files);
        // And by ourselves.
        let again = opened(&path);
        for (n, expected) in values.iter().enumerate() {
            let found = again.frame(n).unwrap().samples;
            let expected = expected.iter().map(|v| f64::from(u8::from(*v > threshold)));
            assert!(found.iter().eq(expected), "{name}, frame {n}");
            let close = |a: Option<[f64; 3]>, b: Option<[f64; 3]>| match (a, b) {
                (Some(a), Some(b)) => a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9),
                (a, b) => a == b,
            };
            let (own, theirs) = (again.info(n).unwrap().geometry, series.info(n).unwrap().geometry);
            if own.position_mm.is_some() {
                assert!(close(own.position_mm, theirs.position_mm), "{name}, frame {n}");
            }
        }
    }
}

#[test]
fn secondary_captures_are_valid_and_name_their_source() {
    for Source { name, series, files, threshold } in dicom_sources() {
        let values = values(&series);
        let picture = |n: usize| -> Vec<u8> {
            values[n].iter().flat_map(|v| if *v > threshold { [255, n as u8, 7] } else { [1, 2, 3] }).collect()
        };
        let frames: Vec<usize> = (0..series.len()).collect();
        let mut bytes = Vec::new();
        secondary_capture(&series, &frames, "a test", &STAMP, &mut bytes, |n| Ok(picture(n))).unwrap();
        let folder = tempdir(&format!("capture {name}"));
        let (path, raw) = (folder.join("capture.dcm"), folder.join("pixels"));
        std::fs::write(&path, &bytes).unwrap();
        let pixels = frames.iter().flat_map(|&n| picture(n)).collect::<Vec<u8>>();
        std::fs::write(&raw, &pixels).unwrap();
        valid(&path, &[pixels.as_slice(), &vec![0; pixels.len() % 2]].concat());
        oracle(&["capture", path.to_str().unwrap(), raw.to_str().unwrap()], &files);
    }
}

#[test]
fn volumes_lie_in_the_space_of_their_source() {
    let folder = samples().join("nifti");
    let mut sources: Vec<Source> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".nii") || name.ends_with(".nii.gz"))
        .map(|name| sample(String::leak(format!("nifti/{name}"))))
        .filter(|source| source.series.frame(0).unwrap().rgb8().is_none())
        .collect();
    assert!(sources.len() >= 3, "samples are missing");
    sources.extend([made(), sample("dicom/pydicom/CT_small.dcm"), sample("dicom/dcm_qa_enh/6_1.dcm")]);
    for Source { name, series, files, threshold } in sources {
        let values = values(&series);
        let at = |n: usize, y: usize, x: usize| values[n][y * series.width_px + x];
        let folder = tempdir(&format!("nifti {name}"));
        let (map, labels) = (folder.join("map.nii.gz"), folder.join("labels.nii.gz"));
        nifti_map(&series, std::fs::File::create(&map).unwrap(), at).unwrap_or_else(|e| panic!("{name}: {e}"));
        let label = |n, y, x| u8::from(at(n, y, x) > threshold);
        nifti_labels(&series, std::fs::File::create(&labels).unwrap(), label).unwrap();
        oracle(&["map", map.to_str().unwrap(), "-"], &files);
        oracle(&["labels", labels.to_str().unwrap(), &threshold.to_string()], &files);
        // Loaded again, every slice has the same pixels.
        let again = opened(&map);
        if series.volume().is_some() {
            for (n, expected) in values.iter().enumerate() {
                assert_eq!(&again.frame(n).unwrap().values(), expected, "{name}, slice {n}");
            }
        }
    }
}

#[test]
fn a_volume_of_another_format_keeps_its_axes() {
    // Slices across the first axis of the array, oblique, in the order from head to feet.
    let header = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 3 4\nencoding: raw\nspace: left-posterior-superior\n\
                  space directions: (0,0.3,-2) (0.8,0.6,0) (-0.6,0.8,0.1)\nspace origin: (10,-20,30.5)\n\n";
    let series = open([header.as_bytes(), &(1..=24).collect::<Vec<u8>>()].concat(), &Limits::default()).unwrap();
    let values = values(&series);
    let mut bytes = Vec::new();
    nifti_map(&series, &mut bytes, |n, y, x| values[n][y * series.width_px + x]).unwrap();
    let again = open(bytes, &Limits::default()).unwrap();
    let (source, found) = (series.volume().unwrap(), again.volume().unwrap());
    assert_eq!((found.size(), found.orientation()), (source.size(), source.orientation()));
    for (found, expected) in found.affine_ras().iter().flatten().zip(source.affine_ras().iter().flatten()) {
        assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
    }
    for at in (0..24).map(|i| [i % 2, i / 2 % 3, i / 6]) {
        assert_eq!(found.value(at, 0), source.value(at, 0), "{at:?}");
    }
}

#[test]
fn what_cannot_be_written_is_told() {
    let volume = sample("nifti/anatomical.nii").series;
    assert!(matches!(check_dicom(&volume), Err(WriteError::NotDicom { format: "NIfTI" })));
    let Source { series, files, .. } = made();
    let gap = |keep: &[usize]| dicom::group(keep.iter().map(|&n| opened(&files[n])).collect()).remove(0);
    assert!(check_nifti(&gap(&[0, 1, 2])).is_ok());
    let error = check_nifti(&gap(&[0, 1, 3])).unwrap_err();
    assert!(error.to_string().contains("off its even place"), "{error}");
    let none = segmentation(&series, &[], &SEGMENT, &STAMP, |_| Ok(Vec::new()));
    assert!(matches!(none, Err(WriteError::Nothing)));
    let short = segmentation(&series, &[0], &SEGMENT, &STAMP, |_| Ok(vec![true]));
    assert!(matches!(short, Err(WriteError::Size { found: 1, .. })));
}

#[test]
fn nothing_planted_is_in_what_is_written() {
    let Source { series, .. } = made();
    let frames: Vec<usize> = (0..series.len()).collect();
    let pixels = series.width_px * series.height_px;
    let mut all = segmentation(&series, &frames, &SEGMENT, &STAMP, |_| Ok(vec![false; pixels])).unwrap();
    secondary_capture(&series, &frames, "a test", &STAMP, &mut all, |_| Ok(vec![0; pixels * 3])).unwrap();
    let mut packed = Vec::new();
    nifti_map(&series, &mut packed, |_, _, _| 0.0).unwrap();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut all).unwrap();
    all.extend(png16(&vec![0.0; pixels], series.width_px, series.height_px).unwrap());
    all.extend(format!("{series:?} {:?}", series.dicom()).into_bytes());
    let text = String::from_utf8_lossy(&all).to_lowercase();
    for word in ["zzyxx", "plant", "1901020", "190203", "1902030", "jfk imaging", "4711", "0815"] {
        assert!(!text.contains(word), "{word} is in what was written");
    }
}
