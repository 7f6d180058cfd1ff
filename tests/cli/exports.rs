//! Whole series: which slices are taken, what is written about them, and that nobody is named in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use mvfa_formats::{Limits, Series, open};
use serde_json::json;

use crate::tools::{Answer, bundle, mvfa, names, text};

/// Names, numbers and dates that nothing may hold that is said or written.
const PLANTED: [(u32, &str, &str); 12] = [
    (0x0008_0020, "DA", "19020304"),
    (0x0008_0050, "SH", "ACCPLANTED9"),
    (0x0008_0080, "LO", "Plantedhospital"),
    (0x0008_0090, "PN", "Qqplantdoctor^A"),
    (0x0008_1030, "LO", "Plantedstudy"),
    (0x0008_103e, "LO", "Plantedseries"),
    (0x0010_0010, "PN", "Zzyxx^Planted"),
    (0x0010_0020, "LO", "PLANTED-4711"),
    (0x0010_0030, "DA", "19010203"),
    (0x0010_1040, "LO", "Plantedstreet 1"),
    (0x0010_4000, "LT", "Plantedcomment"),
    (0x0020_0010, "SH", "STPLANTED"),
];

/// One slice of 24 x 20 pixels with a bright spot, `n` x 2.5 mm up. `more` replaces elements, or takes them out where they are
/// empty.
pub fn slice(n: usize, more: &[(u32, &str, &str)]) -> Vec<u8> {
    let mut set = BTreeMap::new();
    let mut put = |tag: u32, vr: &'static str, value: &[u8]| {
        let mut value = value.to_vec();
        if value.len() % 2 == 1 {
            value.push(if vr == "UI" { 0 } else { b' ' });
        }
        set.insert(tag, (vr, value));
    };
    for (tag, vr, value) in PLANTED {
        put(tag, vr, value.as_bytes());
    }
    put(0x0008_0016, "UI", b"1.2.840.10008.5.1.4.1.1.4");
    put(0x0008_0018, "UI", format!("1.2.3.4.{n}").as_bytes());
    put(0x0008_0060, "CS", b"MR");
    put(0x0018_0015, "CS", b"HEAD");
    put(0x0020_000d, "UI", b"1.2.3.1");
    put(0x0020_000e, "UI", b"1.2.3.2");
    put(0x0020_0052, "UI", b"1.2.3.3");
    // The last is numbered first: the place counts.
    put(0x0020_0013, "IS", (9 - n).to_string().as_bytes());
    put(0x0020_0032, "DS", format!("-12\\-10\\{}", 5.0 + 2.5 * n as f64).as_bytes());
    put(0x0020_0037, "DS", b"1\\0\\0\\0\\1\\0");
    put(0x0028_0002, "US", &[1, 0]);
    put(0x0028_0004, "CS", b"MONOCHROME2");
    put(0x0028_0010, "US", &[20, 0]);
    put(0x0028_0011, "US", &[24, 0]);
    put(0x0028_0030, "DS", b"0.75\\0.5");
    put(0x0028_0100, "US", &[16, 0]);
    put(0x0028_0101, "US", &[12, 0]);
    put(0x0028_0102, "US", &[11, 0]);
    put(0x0028_0103, "US", &[0, 0]);
    for (tag, vr, value) in more {
        put(*tag, String::leak((*vr).to_owned()), value.as_bytes());
    }
    let pixel = |i: usize| {
        let (x, y) = (i % 24, i / 24);
        let spot = if n > 1 && x.abs_diff(8 + n) < 4 && y.abs_diff(9) < 3 { 1500 } else { 0 };
        (300 + spot + (i * 37 + n * 11) % 90) as u16
    };
    put(0x7fe0_0010, "OW", &(0..480).flat_map(|i| pixel(i).to_le_bytes()).collect::<Vec<u8>>());
    set.retain(|_, (_, value)| !value.is_empty());
    let mut bytes = vec![0; 128];
    bytes.extend(b"DICM\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0");
    for (tag, (vr, value)) in set {
        bytes.extend(((tag >> 16) as u16).to_le_bytes());
        bytes.extend((tag as u16).to_le_bytes());
        bytes.extend(vr.as_bytes());
        if vr == "OW" {
            bytes.extend([0, 0]);
            bytes.extend((value.len() as u32).to_le_bytes());
        } else {
            bytes.extend((value.len() as u16).to_le_bytes());
        }
        bytes.extend(value);
    }
    bytes
}

/// A folder with five slices, named against their order.
fn series(folder: &Path) -> String {
    let scan = folder.join("scan");
    fs::create_dir_all(&scan).unwrap();
    for n in 0..5 {
        fs::write(scan.join(format!("{}.dcm", ["d", "b", "e", "a", "c"][n])), slice(n, &[])).unwrap();
    }
    text(&scan)
}

pub fn predict(more: &[&str]) -> Answer {
    let bundle = bundle();
    mvfa(["predict", "--bundle", &bundle, "--object", "brain", "--json"].iter().chain(more))
}

fn opened(path: &Path) -> Series {
    open(fs::read(path).unwrap(), &Limits::default()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn a_folder_is_a_series_and_slices_are_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let scan = series(folder.path());
    let middle = predict(&["--mode", "zero", &scan]).expect(0);
    assert!(middle.stderr.contains("a series (MR, 5 slices); the middle one is taken"), "{}", middle.stderr);
    let lines = middle.json_lines();
    assert_eq!((lines.len(), &lines[0]["slice"], &lines[0]["slices"]), (1, &json!(3), &json!(5)));
    assert_eq!((&lines[0]["position_mm"], &lines[0]["width"]), (&json!(10.0), &json!(24)));
    assert!(lines[0]["image"].as_str().unwrap().ends_with("e.dcm"), "{}", lines[0]["image"]);

    let all = predict(&["--mode", "zero", "--slices", "all", &scan]).expect(0).json_lines();
    assert_eq!(all.iter().map(|l| l["slice"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(
        all.iter().map(|l| l["position_mm"].as_f64().unwrap()).collect::<Vec<_>>(),
        [5.0, 7.5, 10.0, 12.5, 15.0]
    );
    assert_eq!((&all[0]["window"]["from"], &all[0]["window"]), (&json!("slices"), &all[4]["window"]));
    let some = predict(&["--mode", "zero", "--slices", "2,4-5", &scan]).expect(0).json_lines();
    assert_eq!(some.iter().map(|l| l["slice"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 4, 5]);
    let one = predict(&["--mode", "zero", "--frame", "3", &scan]).expect(0).json_lines();
    assert_eq!(one[0]["score"], lines[0]["score"]);
    let none = predict(&["--mode", "zero", "--slices", "9", &scan]).expect(1);
    assert!(none.stderr.contains("there is no frame 9: the series has 5; choose 1 to 5"), "{}", none.stderr);
    for wrong in ["0", "5-3", "first"] {
        predict(&["--slices", wrong, &scan]).expect(2);
    }
    // Files that are named are all meant; deeper folders are looked into where there is nothing else.
    let named = predict(&["--mode", "zero", &format!("{scan}/a.dcm"), &format!("{scan}/b.dcm")]).expect(0);
    assert_eq!(named.json_lines().len(), 2);
    let above = predict(&["--mode", "zero", &text(folder.path())]).expect(0).json_lines();
    assert_eq!(above[0]["score"], lines[0]["score"]);
}

#[test]
fn normal_pictures_are_slices_too() {
    let folder = tempfile::tempdir().unwrap();
    let scan = series(folder.path());
    let slices = ["--slices", "4", "--support", &scan, "--support-slices", "1-2", "--", &scan];
    let lines = predict(&slices).expect(0).json_lines();
    assert_eq!((&lines[0]["mode"], &lines[0]["slice"]), (&json!("few"), &json!(4)));
    assert_eq!(lines[0]["window"]["from"], "references");
    let normals: Vec<&str> =
        lines[0]["normal_pictures"].as_array().unwrap().iter().map(|n| n["image"].as_str().unwrap()).collect();
    assert!(normals.len() == 2 && normals.iter().all(|name| name.contains(", slice ")), "{normals:?}");
}

#[test]
fn files_about_a_series_agree_with_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let scan = series(folder.path());
    let path = |name: &str| folder.path().join(name);
    let [seg, labels, map, overlay] = ["seg.dcm", "seg.nii.gz", "map.nii.gz", "overlay.dcm"].map(path);
    let out = path("out");
    let (out_text, seg_text, map_text, overlay_text) = (text(&out), text(&seg), text(&map), text(&overlay));
    let run = |threshold: &str, seg: &str| {
        let more = [
            "--mode",
            "zero",
            "--slices",
            "2-5",
            "--out",
            &out_text,
            "--map-png",
            "--contours",
            "--npy",
            "--seg-out",
            seg,
            "--map-out",
            &map_text,
            "--overlay-out",
            &overlay_text,
            "--threshold",
            threshold,
            &scan,
        ];
        predict(&more).expect(0)
    };
    // The first run shows where the values lie, the second replaces what the first one wrote.
    run("0", &seg_text);
    let mut values: Vec<f32> = (1..5).flat_map(|n| opened(&map).frame(n).unwrap().values()).collect();
    values.sort_by(f32::total_cmp);
    let threshold = values[values.len() * 3 / 4];
    run(&threshold.to_string(), &seg_text);
    run(&threshold.to_string(), &text(&labels));
    let [seg, labels, map, overlay] = [&seg, &labels, &map, &overlay].map(|path| opened(path));
    assert_eq!((seg.len(), labels.len(), map.len(), overlay.len()), (4, 5, 5, 4));
    let mut inside = 0;
    for n in 1..5 {
        let values = map.frame(n).unwrap().values();
        let expected: Vec<f32> = values.iter().map(|v| f32::from(u8::from(*v >= threshold))).collect();
        assert_eq!(seg.frame(n - 1).unwrap().values(), expected, "slice {n}");
        assert_eq!(labels.frame(n).unwrap().values(), expected, "slice {n}");
        inside += expected.iter().filter(|v| **v == 1.0).count();
        let place = |series: &Series, n: usize| series.info(n).unwrap().geometry.position_mm.unwrap();
        assert_eq!(place(&seg, n - 1), [-12.0, -10.0, 5.0 + 2.5 * n as f64]);
        assert_eq!(place(&map, n), [-12.0, -10.0, 5.0 + 2.5 * n as f64]);
    }
    assert!(inside > 400, "a quarter of the pixels");
    assert!(map.frame(0).unwrap().values().iter().all(|v| v.is_nan()), "not analysed");
    assert_eq!(map.info(0).unwrap().geometry.spacing_mm, Some([0.75, 0.5]));
    // Slices are in files of their own, so each has its own name.
    for end in [".overlay.png", ".map.png", ".contours.json", ".zero.npy"] {
        assert_eq!(names(&out).iter().filter(|name| name.ends_with(end)).count(), 4, "{end}: {:?}", names(&out));
    }
    let contours: serde_json::Value = serde_json::from_slice(&fs::read(out.join("a.contours.json")).unwrap()).unwrap();
    assert_eq!((&contours["width"], &contours["slice"]), (&json!(24), &json!(4)));
    let regions = contours["regions"].as_array().unwrap();
    let area: u64 = regions.iter().map(|region| region["area_px"].as_u64().unwrap()).sum();
    let expected = map.frame(3).unwrap().values().iter().filter(|v| **v >= threshold).count();
    assert_eq!(area, expected as u64);
    assert_eq!(regions[0]["area_mm2"].as_f64().unwrap(), regions[0]["area_px"].as_f64().unwrap() * 0.375);
    let (width_px, height_px, range, grey) = image(&out.join("a.map.png"));
    assert_eq!((width_px, height_px), (24, 20));
    for (grey, value) in grey.iter().zip(map.frame(3).unwrap().values()) {
        let found = range[0] + f64::from(*grey) / 65535.0 * (range[1] - range[0]);
        assert!((found - f64::from(value)).abs() <= (range[1] - range[0]) / 65535.0, "{found} instead of {value}");
    }

    // Results in the folder of the source are no slices, and other people's files stay.
    fs::copy(folder.path().join("seg.dcm"), Path::new(&scan).join("seg.dcm")).unwrap();
    assert_eq!(predict(&["--mode", "zero", "--slices", "all", &scan]).expect(0).json_lines().len(), 5);
    for (name, option) in [("theirs.dcm", "--seg-out"), ("theirs.nii.gz", "--map-out")] {
        fs::write(path(name), "a stranger's").unwrap();
        let refused = predict(&["--mode", "zero", option, &text(&path(name)), &scan]).expect(2);
        assert!(refused.stderr.contains("was not written by mvfa"), "{}", refused.stderr);
    }
    for (option, name) in [("--map-out", "x.dcm"), ("--seg-out", "x.png"), ("--overlay-out", "x.nii.gz")] {
        predict(&["--mode", "zero", option, &text(&path(name)), &scan]).expect(2);
    }
    let volume = Path::new(env!("CARGO_MANIFEST_DIR")).join("formats/tests/files/nifti/anatomical.nii");
    let refused = predict(&["--mode", "zero", "--seg-out", &text(&path("x.dcm")), &text(&volume)]).expect(2);
    assert!(refused.stderr.contains("write a NIfTI file (.nii.gz) instead"), "{}", refused.stderr);
}

/// Width, height, range and samples of a map as a 16-bit grey PNG.
fn image(path: &Path) -> (u32, u32, Vec<f64>, Vec<u16>) {
    let mut reader = png::Decoder::new(std::io::BufReader::new(fs::File::open(path).unwrap())).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Grayscale, png::BitDepth::Sixteen));
    let texts = &reader.info().uncompressed_latin1_text;
    let range = texts.iter().find(|text| text.keyword == "Range").unwrap();
    let range = range.text.split(' ').map(|number| number.parse().unwrap()).collect();
    (info.width, info.height, range, bytes.chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect())
}

#[test]
fn nobody_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let scan = series(folder.path());
    let path = |name: &str| text(&folder.path().join(name));
    let (out, seg, map, overlay) = (path("out"), path("seg.dcm"), path("map.nii.gz"), path("overlay.dcm"));
    // A file that ends early, and two that name a person where a code and an identifier belong.
    let cut = slice(1, &[]);
    fs::write(path("cut.dcm"), &cut[..cut.len() - 600]).unwrap();
    fs::write(path("odd.dcm"), slice(1, &[(0x0028_0004, "CS", "Zzyxx^Planted")])).unwrap();
    fs::write(path("named.dcm"), slice(1, &[(0x0020_000d, "UI", "Zzyxx^Planted")])).unwrap();
    let mut said = String::new();
    let mut keep = |answer: Answer| said.push_str(&format!("{}{}", answer.stdout, answer.stderr));
    let all = [
        "--mode",
        "zero",
        "--slices",
        "all",
        "--out",
        &out,
        "--map-png",
        "--contours",
        "--npy",
        "--seg-out",
        &seg,
        "--map-out",
        &map,
        "--overlay-out",
        &overlay,
        &scan,
    ];
    keep(predict(&all).expect(0));
    keep(mvfa(["info", &path("scan/a.dcm")]).expect(0));
    keep(mvfa(["info", "--json", &path("scan/a.dcm")]).expect(0));
    keep(mvfa(["check", &scan]));
    keep(mvfa(["check", "--json", &scan]));
    for name in ["cut.dcm", "odd.dcm", "named.dcm"] {
        keep(mvfa(["info", &path(name)]));
        keep(predict(&["--mode", "zero", &path(name)]));
        keep(predict(&["--mode", "zero", "--seg-out", &path("y.dcm"), &path(name)]));
    }
    keep(mvfa(["predict", "--bundle", &bundle(), &path("scan/a.dcm")]).expect(2));
    let mut written = vec![seg, map, overlay];
    written.extend(names(Path::new(&out)).iter().map(|name| format!("{out}/{name}")));
    assert!(written.len() > 15, "{written:?}");
    for file in written {
        let bytes = fs::read(&file).unwrap();
        let mut unpacked = Vec::new();
        let _ = flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked);
        said.push_str(&String::from_utf8_lossy(&bytes));
        said.push_str(&String::from_utf8_lossy(&unpacked));
    }
    assert_nobody(&said);
}

/// Nothing that was planted stands in a text.
#[track_caller]
fn assert_nobody(said: &str) {
    let said = said.to_lowercase();
    for (_, _, word) in PLANTED {
        assert!(!said.contains(&word.to_lowercase()), "{word}");
    }
    for word in ["zzyxx", "planted", "qqplant"] {
        assert!(!said.contains(word), "{word}");
    }
}

#[test]
fn an_object_is_suggested_and_a_foreign_modality_told() {
    let folder = tempfile::tempdir().unwrap();
    let scan = series(folder.path());
    let answer = mvfa(["predict", "--bundle", &bundle(), &scan]).expect(2);
    assert!(
        answer.stderr.contains("is MR of HEAD: try --object brain; this model has: brain, chest"),
        "{}",
        answer.stderr
    );
    let answer = mvfa(["predict", "--bundle", &bundle(), "x.png"]).expect(2);
    assert!(answer.stderr.contains("--object is missing; this model has: brain, chest"), "{}", answer.stderr);
    let quiet = predict(&["--mode", "zero", &scan]).expect(0);
    assert!(!quiet.stderr.contains("models for"), "{}", quiet.stderr);
    let ct = folder.path().join("ct.dcm");
    fs::write(&ct, slice(1, &[(0x0008_0060, "CS", "CT")])).unwrap();
    let warned = predict(&["--mode", "zero", &text(&ct)]).expect(0);
    assert!(warned.stderr.contains("the modality is CT, models for brain are made from MR"), "{}", warned.stderr);
}

#[test]
fn data_sets_may_hold_medical_files_of_one_slice() {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("set");
    for (n, place) in
        ["valid/good/img", "test/good/img", "test/Ungood/img", "test/Ungood/anomaly_mask"].iter().enumerate()
    {
        fs::create_dir_all(set.join(place)).unwrap();
        for i in 0..3 {
            let path = set.join(place).join(format!("{i}.dcm"));
            match n {
                // A mask: the values of a label.
                3 => fs::write(set.join(place).join(format!("{i}.png")), mask_png()).unwrap(),
                _ => fs::write(path, slice(if n == 2 { 2 + i } else { n }, &[])).unwrap(),
            }
        }
    }
    let checked = mvfa(["check", &text(&set), "--json"]);
    let found = &checked.json_lines()[0];
    assert_eq!((&found["contents"]["pictures"], &found["contents"]["unreadable"]), (&json!(9), &json!(0)), "{found}");
    let report = text(&folder.path().join("report.html"));
    let measured = mvfa([
        "eval",
        "--bundle",
        &bundle(),
        "--data",
        &text(&set),
        "--object",
        "brain",
        "--shots",
        "1",
        "--json",
        "--report",
        &report,
    ]);
    let lines = measured.json_lines();
    let last = lines.last().unwrap_or_else(|| panic!("{}", measured.stderr));
    assert!(last["pixel_auroc"].is_number(), "{last}\n{}", measured.stderr);
    let page = fs::read_to_string(&report).unwrap();
    assert!(page.contains("0.dcm"), "each picture is in the report");
    assert_nobody(&[page, checked.stdout, checked.stderr, measured.stdout, measured.stderr].concat());
    // A volume is its slices.
    let volume = Path::new(env!("CARGO_MANIFEST_DIR")).join("formats/tests/files/nifti/anatomical.nii");
    fs::copy(volume, set.join("test/good/img/v.nii")).unwrap();
    let told = mvfa(["check", &text(&set)]);
    assert!(told.stderr.contains("1 volume with 34 slices in all"), "{}", told.stderr);
}

/// A mask of 24 x 20 pixels with a box in it.
fn mask_png() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 24, 20);
    encoder.set_color(png::ColorType::Grayscale);
    let pixels: Vec<u8> =
        (0..480).map(|i| if (8..16).contains(&(i % 24)) && (6..13).contains(&(i / 24)) { 255 } else { 0 }).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    bytes
}

/// A NIfTI volume of so many slices of 90 x 90 voxels.
#[cfg(unix)]
fn volume(slices: i16) -> Vec<u8> {
    let mut bytes = vec![0; 352];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &348u32.to_le_bytes());
    for (i, n) in [3, 90, 90, slices, 1, 1, 1, 1].into_iter().enumerate() {
        put(40 + i * 2, &n.to_le_bytes());
        put(76 + i * 4, &1f32.to_le_bytes());
    }
    put(70, &[2, 0, 8, 0]);
    put(108, &352f32.to_le_bytes());
    put(344, b"n+1\0");
    bytes.extend((0..8100 * u32::from(slices.unsigned_abs())).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8));
    bytes
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_is_finished() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| text(&folder.path().join(name));
    let slices = 2000;
    fs::write(path("long.nii"), volume(slices)).unwrap();
    let bundle = bundle();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mvfa"))
        .args(["predict", "--bundle", &bundle, "--object", "brain", "--mode", "zero", "--slices", "all", "--json"])
        .args(["--map-out", &path("map.nii.gz"), &path("long.nii")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        lines.next().unwrap().unwrap();
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let said = 3 + lines.map_while(Result::ok).count();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130), "{status}");
    assert!(said < 2000, "it ended before it could be stopped");
    let map = opened(&folder.path().join("map.nii.gz"));
    let is_there = |n: usize| map.frame(n).unwrap().values().iter().all(|v| v.is_finite());
    assert_eq!((0..map.len()).filter(|&n| is_there(n)).count(), said);
    assert!(is_there(0) && !is_there(1999));
}
