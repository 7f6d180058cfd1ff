//! Folders as they come on a disc or from a scanner: directories, reports, series in folders, files twice, odd headers.

use std::fs;
use std::path::{Path, PathBuf};

use crate::exports::{predict, slice};
use crate::tools::{mvfa, text};

const DIRECTORY: &str = "1.2.840.10008.1.3.10";
const REPORT: &str = "1.2.840.10008.5.1.4.1.1.88.11";

/// A DICOM file without pixels.
fn without_pixels(class: &str) -> Vec<u8> {
    let class = format!("{class}{}", if class.len() % 2 == 1 { "\0" } else { "" });
    let mut bytes = vec![0; 128];
    bytes.extend(b"DICM\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0\x08\x00\x16\x00UI");
    bytes.extend((class.len() as u16).to_le_bytes());
    bytes.extend(class.as_bytes());
    bytes.extend(b"\x08\x00\x60\x00CS\x02\x00SR");
    bytes
}

/// Slices in a folder.
fn slices(folder: PathBuf, count: usize, more: &[(u32, &str, &str)]) -> String {
    fs::create_dir_all(&folder).unwrap();
    (0..count).for_each(|n| fs::write(folder.join(format!("IM{n}")), slice(n, more)).unwrap());
    text(&folder)
}

fn disc(folder: &Path) -> String {
    let media = folder.join("media");
    slices(media.join("PT000000/ST000000/SE000000"), 5, &[]);
    fs::write(media.join("DICOMDIR"), without_pixels(DIRECTORY)).unwrap();
    fs::write(media.join("REPORT"), without_pixels(REPORT)).unwrap();
    text(&media)
}

#[test]
fn a_disc_with_a_directory_and_a_report_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let media = disc(folder.path());
    let answer = predict(&["--mode", "zero", "--slices", "all", &media]).expect(0);
    assert_eq!(answer.json_lines().len(), 5);
    assert!(answer.stderr.contains("note: 2 DICOM files without pixels are passed over"), "{}", answer.stderr);
    let info = mvfa(["info", &media]).expect(0);
    assert!(info.stdout.starts_with("DICOM, 5 frames\n"), "{}", info.stdout);
    assert!(info.stderr.contains("2 DICOM files without pixels are passed over"), "{}", info.stderr);
}

#[test]
fn a_folder_without_pictures_says_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("DICOMDIR"), without_pixels(DIRECTORY)).unwrap();
    fs::write(folder.path().join("REPORT"), without_pixels(REPORT)).unwrap();
    let path = text(folder.path());
    for answer in [predict(&["--mode", "zero", &path]).expect(2), mvfa(["info", &path]).expect(2)] {
        let said = &answer.stderr;
        assert!(said.contains("2 DICOM files without pixels") && said.contains("directory (DICOMDIR)"), "{said}");
        assert!(said.contains("structured report") && !said.contains("overlays"), "{said}");
    }
    let plain = folder.path().join("plain");
    fs::create_dir(&plain).unwrap();
    let answer = mvfa(["info", &text(&plain)]).expect(2);
    assert!(answer.stderr.contains("there is no DICOM, NIfTI, NRRD or MetaImage file in"), "{}", answer.stderr);
}

#[test]
fn series_in_folders_inside_are_described_or_named() {
    let folder = tempfile::tempdir().unwrap();
    let top = slices(folder.path().join("study"), 3, &[]);
    slices(folder.path().join("study/older/SE1"), 2, &[(0x0020_000e, "UI", "1.2.3.9")]);
    let info = mvfa(["info", &top]).expect(0);
    assert!(info.stdout.contains("DICOM, 3 frames") && info.stdout.contains("DICOM, 2 frames"), "{}", info.stdout);
    let answer = predict(&["--mode", "zero", &top]).expect(0);
    assert_eq!(answer.json_lines().len(), 1);
    assert!(answer.stderr.contains("there are medical files in folders inside it, too"), "{}", answer.stderr);
}

#[test]
fn info_goes_on_after_a_file_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let scan = slices(folder.path().join("scan"), 3, &[]);
    for options in [&[][..], &["--json"]] {
        let answer = mvfa(["info"].iter().chain(options).chain(&[scan.as_str(), "/nonexistent"])).expect(1);
        assert!(answer.stdout.contains("DICOM"), "{}", answer.stdout);
        assert!(answer.stderr.contains("mvfa: /nonexistent: "), "{}", answer.stderr);
    }
}

#[test]
fn the_same_files_under_other_names_count_once() {
    let folder = tempfile::tempdir().unwrap();
    let scan = slices(folder.path().join("scan"), 5, &[]);
    let again = slices(folder.path().join("again"), 5, &[]);
    let answer = predict(&["--mode", "zero", "--slices", "all", &scan, &again]).expect(0);
    assert_eq!(answer.json_lines().len(), 5);
    assert!(answer.stderr.contains("5 files are copies of others and were left out"), "{}", answer.stderr);
    let info = mvfa(["info", &scan, &again]).expect(0);
    assert!(info.stdout.contains("DICOM, 5 frames") && !info.stdout.contains("place of another"), "{}", info.stdout);
}

#[test]
fn millimetres_that_are_not_known_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let scan = slices(folder.path().join("scan"), 3, &[(0x0028_0030, "DS", "")]);
    let map = text(&folder.path().join("map.nii.gz"));
    let answer = predict(&["--mode", "zero", "--slices", "all", "--map-out", &map, &scan]).expect(0);
    assert!(answer.stderr.contains("does not give its pixel spacing, so 1 mm is written"), "{}", answer.stderr);
    assert!(answer.stderr.contains("pixel spacing is not given: lengths in mm are not known"), "{}", answer.stderr);
    let known = slices(folder.path().join("known"), 3, &[]);
    let map = text(&folder.path().join("known.nii.gz"));
    let answer = predict(&["--mode", "zero", "--slices", "all", "--map-out", &map, &known]).expect(0);
    assert!(!answer.stderr.contains("spacing"), "{}", answer.stderr);
}

#[test]
fn spacing_at_the_detector_is_marked() {
    let folder = tempfile::tempdir().unwrap();
    let film = [(0x0028_0030, "DS", ""), (0x0018_1164, "DS", "0.2\\0.2"), (0x0008_0060, "CS", "DX")];
    let film = slices(folder.path().join("film"), 1, &film);
    let scan = slices(folder.path().join("scan"), 1, &[]);
    for (path, expected) in [(film, true), (scan, false)] {
        let series = &mvfa(["info", "--json", &path]).expect(0).json_lines()[0];
        assert_eq!(series["is_detector_spacing"], expected, "{series}");
    }
}

#[test]
fn a_segmentation_is_told_to_be_none_of_the_images() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("formats/tests/files/dicom/pydicom/liver_1frame.dcm");
    let sample = text(&sample);
    let next = "this is a segmentation, not an image: open the series that it refers to";
    let info = mvfa(["info", &sample]).expect(0);
    assert!(info.stdout.contains(next), "{}", info.stdout);
    let answer = predict(&["--mode", "zero", &sample]).expect(0);
    assert!(answer.stderr.contains(next), "{}", answer.stderr);
}

#[test]
fn what_is_asked_for_is_refused_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let picture = crate::tools::tiny("input_rgb.png");
    let seg = text(&folder.path().join("seg.dcm"));
    let answer = predict(&["--mode", "zero", "--seg-out", &seg, &picture]).expect(2);
    let expected = "--seg-out writes a file about one medical series, but no medical file was named; name a DICOM";
    assert!(answer.stderr.contains(expected), "{}", answer.stderr);
    let answer = predict(&["--mode", "zero", "--slices", "5-2", &picture]).expect(2);
    assert!(answer.stderr.contains("the range \"5-2\" runs backwards"), "{}", answer.stderr);
    let help = mvfa(["predict", "--help"]).expect(0).stdout;
    assert!(help.contains("LOW..HIGH"), "{help}");
}
