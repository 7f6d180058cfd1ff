//! The systems around MVFA as choices, and the normal slices that lie nearest.

use std::fs;
use std::path::Path;

use image::GrayImage;
use serde_json::Value;

use crate::tools::{bundle, mvfa, text, tiny};

fn predict(more: &[&str], images: &[&str]) -> crate::tools::Answer {
    let bundle = bundle();
    let arguments = [&["predict", "--bundle", &bundle, "--object", "brain", "--json"], more, &["--"], images].concat();
    mvfa(&arguments)
}

fn scores(answer: &crate::tools::Answer) -> Vec<f64> {
    answer.json_lines().iter().map(|line| line["score"].as_f64().unwrap()).collect()
}

#[test]
fn each_method_scores_and_says_so() {
    let [image, one, two] = ["input_rgb.png", "support_0.png", "support_1.png"].map(tiny);
    let mut all: Vec<f64> = Vec::new();
    for (method, mode) in [("mvfa", "few"), ("memory", "few"), ("components", "few"), ("self", "self")] {
        let mut more = vec!["--method", method];
        if method != "self" {
            more.extend(["--support", one.as_str(), two.as_str()]);
        }
        let answer = predict(&more, &[&image]).expect(0);
        let line = &answer.json_lines()[0];
        let named = Some(method).filter(|name| *name != "mvfa");
        assert_eq!((line["method"].as_str(), line["mode"].as_str()), (named, Some(mode)));
        assert!(line["score_zero"].is_null() || method == "mvfa", "raw tokens know no words: {line}");
        all.push(line["score"].as_f64().unwrap());
    }
    let answer = predict(&["--method", "batch"], &[&image, &one, &two]).expect(0);
    assert!(answer.json_lines().iter().all(|line| line["method"] == "batch" && line["normal_pictures"].is_null()));
    assert!(!answer.stderr.contains("one of the normal"), "{}", answer.stderr);
    let distinct = all.iter().enumerate().all(|(n, a)| all[..n].iter().all(|b| a != b));
    assert!(distinct, "each looks at other patches: {all:?}");
    // The two others judge a picture as two normal ones would whose nearer one counts: one of two is three tenths.
    let memory = predict(&["--method", "memory", "--support", &one, &two], &[&image]).expect(0);
    assert_eq!(scores(&answer)[0], scores(&memory)[0]);
}

#[test]
fn what_a_method_lacks_is_said_before_anything_is_analysed() {
    let [image, one] = ["input_rgb.png", "support_0.png"].map(tiny);
    let cases: [(&[&str], &str); 5] = [
        (&["--method", "components"], "--method components needs normal pictures"),
        (&["--method", "memory", "--mode", "zero", "--support", &one], "has a mode of its own; leave out --mode zero"),
        (&["--method", "batch"], "needs two pictures at least"),
        (&["--method", "self", "--mode", "few"], "leave out --mode few"),
        (&["--nearest", "2", "--support", &one], "is no slice of one"),
    ];
    for (more, words) in cases {
        let answer = predict(more, &[&image]).expect(2);
        assert!(answer.stderr.contains(words), "{more:?}: {}", answer.stderr);
    }
    let told = predict(&["--method", "self", "--support", &one], &[&image]).expect(0);
    assert!(told.stderr.contains("--support is not used by --method self"), "{}", told.stderr);
}

/// Grey slices as one MetaImage volume of 4 mm.
fn stacked(slices: &[GrayImage], file: &Path) {
    let spacing_mm = 4.0 / (slices.len() - 1) as f64;
    let (width, height) = slices[0].dimensions();
    let mut bytes = format!(
        "ObjectType = Image\nNDims = 3\nDimSize = {width} {height} {}\nElementSpacing = 1 1 {spacing_mm}\n\
         ElementType = MET_UCHAR\nElementDataFile = LOCAL\n",
        slices.len()
    )
    .into_bytes();
    slices.iter().for_each(|slice| bytes.extend(slice.as_raw()));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

/// The fixtures' slices in a folder of the brain set, at most so many.
fn slices(folder: &str, count: usize) -> Vec<GrayImage> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bmad/Brain_AD").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().take(count).map(|file| image::open(file).unwrap().to_luma8()).collect()
}

#[test]
fn a_slice_is_compared_with_the_normal_slices_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let [scan, normal] = ["scan.mha", "normal.mha"].map(|name| folder.path().join(name));
    stacked(&slices("test/good/img", 3), &scan);
    stacked(&slices("valid/good/img", 5), &normal);
    let [scan, normal] = [&scan, &normal].map(|path| text(path));
    let nearest = predict(&["--slices", "all", "--support", &normal, "--nearest", "1"], &[&scan]).expect(0);
    // The first, the middle and the last of three beside those of five.
    for (n, (slice, place)) in [("1", "1"), ("2", "3"), ("3", "5")].into_iter().enumerate() {
        let more = ["--slices", slice, "--support", &normal, "--support-slices", place];
        let alone = predict(&more, &[&scan]).expect(0);
        assert_eq!(scores(&nearest)[n], scores(&alone)[0], "slice {slice}");
    }
    let all = predict(&["--slices", "all", "--support", &normal, "--support-slices", "all"], &[&scan]).expect(0);
    let five = predict(&["--slices", "all", "--support", &normal, "--nearest", "5"], &[&scan]).expect(0);
    assert_eq!(scores(&five), scores(&all), "all of them");
    assert_ne!(scores(&nearest), scores(&all));
}

fn eval(data: &Path, more: &[&str]) -> crate::tools::Answer {
    let (bundle, data) = (bundle(), text(data));
    mvfa([&["eval", "--bundle", &bundle, "--object", "brain", "--json", "--data", data.as_str()], more].concat())
}

fn last(answer: &crate::tools::Answer) -> Value {
    answer.json_lines().pop().unwrap()
}

#[test]
fn one_table_has_all_methods_and_each_has_the_figures_that_it_has_alone() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["valid", "test"] {
        for rest in ["good/img", "Ungood/img", "Ungood/anomaly_mask"] {
            let to = folder.path().join(part).join(rest);
            fs::create_dir_all(&to).unwrap();
            for (n, slice) in slices(&format!("{part}/{rest}"), 3).iter().enumerate() {
                slice.save(to.join(format!("{n}.png"))).unwrap();
            }
        }
    }
    let all = last(&eval(folder.path(), &["--method", "all", "--shots", "2"]).expect(0));
    let methods: Vec<&String> = all["methods"].as_object().unwrap().keys().collect();
    assert_eq!(methods, ["batch", "components", "memory", "mvfa", "mvfa, words", "self"]);
    for (method, more) in
        [("batch", ["--method", "batch"]), ("mvfa, words", ["--mode", "zero"]), ("self", ["--method", "self"])]
    {
        let alone = last(&eval(folder.path(), &[&more[..], &["--shots", "2"]].concat()).expect(0));
        for figure in ["pixel_auroc", "pixel_ap", "pro", "image_auroc", "image_ap"] {
            assert!(alone[figure].is_number());
            assert_eq!(all["methods"][method][figure], alone[figure], "{method}: {figure}");
        }
    }
    assert!(all["baselines"]["memory_raw"]["pixel_auroc"].is_number());
    let table = {
        let (bundle, data) = (bundle(), text(folder.path()));
        mvfa(["eval", "--bundle", &bundle, "--object", "brain", "--data", &data, "--method", "all", "--shots", "2"])
    };
    let lines: Vec<&str> = table.expect(0).stdout.leak().lines().collect();
    for name in ["mvfa, words", "components", "batch", "self", "grey value"] {
        assert_eq!(lines.iter().filter(|line| line.starts_with(name)).count(), 1, "{name}: {lines:?}");
    }
    for more in
        [&["--method", "all", "--mode", "zero"][..], &["--method", "batch", "--mode", "zero"], &["--nearest", "2"]]
    {
        eval(folder.path(), more).expect(2);
    }
}

#[test]
fn slices_of_a_set_of_volumes_are_compared_with_the_nearest_normal_ones() {
    let folder = tempfile::tempdir().unwrap();
    let at = |rest: &str| folder.path().join(rest);
    let normal = slices("valid/good/img", 4);
    stacked(&normal, &at("valid/good/img/healthy.mha"));
    stacked(&slices("test/good/img", 3), &at("test/good/img/well.mha"));
    stacked(&slices("test/Ungood/img", 3), &at("test/Ungood/img/ill.mha"));
    stacked(&slices("test/Ungood/anomaly_mask", 3), &at("test/Ungood/anomaly_mask/ill.mha"));
    let figure = |more: &[&str]| last(&eval(folder.path(), more).expect(0));
    let [all, four, one] = [&["--shots", "4"][..], &["--nearest", "4"], &["--nearest", "1"]].map(figure);
    assert_eq!(all["details"]["references"], 4);
    assert_eq!((&four["pixel_auroc"], &four["details"]["references"]), (&all["pixel_auroc"], &4.into()));
    assert_ne!(one["pixel_auroc"], all["pixel_auroc"]);
}
