//! Data sets as people have them: other names, other masks, persons, copies. Made from the fixtures' brain slices.

use std::fs;
use std::path::{Path, PathBuf};

use image::{GrayImage, Luma, Rgb, Rgba};
use serde_json::Value;
use tempfile::TempDir;

use crate::tools::{Answer, bundle, mvfa, text};

const FIGURES: [&str; 5] = ["image_auroc", "pixel_auroc", "pixel_ap", "pro", "f1_max"];

fn slices(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bmad/Brain_AD").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.truncate(3);
    files
}

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

/// How a set differs from BMAD's.
struct Recipe<'a> {
    good: &'a str,
    bad: &'a str,
    img: &'a str,
    masks: &'a str,
    /// File name of a mask from the name of its picture.
    mask_name: &'a dyn Fn(&str) -> String,
    ending: &'a str,
    save_mask: &'a dyn Fn(&GrayImage, &Path),
}

impl Default for Recipe<'_> {
    fn default() -> Self {
        Self {
            good: "good",
            bad: "Ungood",
            img: "img",
            masks: "anomaly_mask",
            mask_name: &|stem| format!("{stem}.png"),
            ending: "png",
            save_mask: &|mask, path| mask.save(path).unwrap(),
        }
    }
}

/// Three normal and three abnormal slices in valid and in test.
fn set(recipe: &Recipe<'_>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["valid", "test"] {
        for (class, from) in [(recipe.good, "good"), (recipe.bad, "Ungood")] {
            let to = folder.path().join(part).join(class).join(recipe.img);
            fs::create_dir_all(&to).unwrap();
            for slice in slices(&format!("{part}/{from}/img")) {
                fs::copy(&slice, to.join(format!("{}.{}", stem(&slice), recipe.ending))).unwrap();
            }
        }
        if recipe.masks.is_empty() {
            continue;
        }
        let to = folder.path().join(part).join(recipe.bad).join(recipe.masks);
        fs::create_dir_all(&to).unwrap();
        for slice in slices(&format!("{part}/Ungood/img")) {
            let mask = mask_of(&slice);
            (recipe.save_mask)(&mask, &to.join((recipe.mask_name)(stem(&slice))));
        }
    }
    folder
}

fn mask_of(slice: &Path) -> GrayImage {
    let masks = slice.parent().unwrap().parent().unwrap().join("anomaly_mask");
    image::open(masks.join(slice.file_name().unwrap())).unwrap().to_luma8()
}

fn eval(data: &Path, more: &[&str]) -> Answer {
    let (bundle, data) = (bundle(), text(data));
    let fixed = ["eval", "--bundle", &bundle, "--data", &data, "--object", "brain", "--augment", "none", "--json"];
    let shots: &[&str] = if more.contains(&"--shots") { &[] } else { &["--shots", "2"] };
    mvfa(fixed.iter().chain(shots).chain(more))
}

fn last(answer: &Answer) -> Value {
    answer.json_lines().pop().unwrap()
}

fn codes(line: &Value, key: &str) -> Vec<String> {
    line[key].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

/// The figures of the set as BMAD has it.
fn usual() -> Value {
    static FIGURES: std::sync::LazyLock<Value> =
        std::sync::LazyLock::new(|| last(&eval(set(&Recipe::default()).path(), &[]).expect(0)));
    assert!(FIGURES["pixel_auroc"].is_number(), "{}", *FIGURES);
    FIGURES.clone()
}

/// Evaluates, and compares all figures with the usual ones; the codes of the warnings.
#[track_caller]
fn as_usual(folder: &TempDir, more: &[&str]) -> Vec<String> {
    let answer = eval(folder.path(), more).expect(0);
    let (found, usual) = (last(&answer), usual());
    for figure in FIGURES {
        assert_eq!(found[figure], usual[figure], "{figure}: {}", answer.stderr);
    }
    let warnings = codes(&found, "warnings");
    let told = answer.stderr.lines().filter(|line| line.starts_with("warning: ")).count();
    assert_eq!(told, warnings.len(), "each is told once: {}", answer.stderr);
    warnings
}

fn check(data: &Path, code: i32) -> Value {
    last(&mvfa(["check", "--json", &text(data)]).expect(code))
}

#[test]
fn masks_lie_in_folders_of_many_names() {
    let none: [&str; 0] = [];
    for masks in ["label", "labels", "mask", "masks", "ground_truth", "anomaly_mask", "Label", "GROUND_TRUTH"] {
        let folder = set(&Recipe { masks, ..Recipe::default() });
        assert_eq!(as_usual(&folder, &[]), none, "{masks}");
        let test = &check(folder.path(), 0)["parts"][0];
        assert_eq!(test["mask_folders"][0]["folder"], format!("test/Ungood/{masks}"));
        assert_eq!((&test["masks"], &test["normal"], &test["abnormal"]), (&3.into(), &3.into(), &3.into()));
    }
}

#[test]
fn the_official_set_has_black_masks_of_normal_pictures_and_a_train_part() {
    let folder = set(&Recipe { masks: "label", ..Recipe::default() });
    for part in ["valid", "test"] {
        let masks = folder.path().join(part).join("good/label");
        fs::create_dir(&masks).unwrap();
        for slice in slices(&format!("{part}/good/img")) {
            GrayImage::new(240, 240).save(masks.join(slice.file_name().unwrap())).unwrap();
        }
    }
    let train = folder.path().join("train/good");
    fs::create_dir_all(&train).unwrap();
    let normal = &slices("valid/good/img")[0];
    image::open(normal).unwrap().fliph().save(train.join("x.png")).unwrap();
    assert!(as_usual(&folder, &[]).is_empty());
    let checked = check(folder.path(), 0);
    assert_eq!((&checked["layout"], &checked["findings"]), (&"BMAD".into(), &serde_json::json!([])));
    assert_eq!(checked["parts"].as_array().unwrap().len(), 3);
}

#[test]
fn classes_have_many_names() {
    for (good, bad) in
        [("good", "ungood"), ("good", "abnormal"), ("Normal", "ANOMALY"), ("ok", "bad"), ("good", "defect")]
    {
        assert!(as_usual(&set(&Recipe { good, bad, ..Recipe::default() }), &[]).is_empty(), "{good}, {bad}");
    }
    let upper = Recipe { ending: "PNG", mask_name: &|stem| format!("{stem}.PNG"), ..Recipe::default() };
    assert!(as_usual(&set(&upper), &[]).is_empty());
}

#[test]
fn mvtec_and_anomalib_lay_sets_out_otherwise() {
    let folder = set(&Recipe { bad: "crack", img: "", masks: "", ..Recipe::default() });
    let truth = folder.path().join("ground_truth/crack");
    fs::create_dir_all(&truth).unwrap();
    for slice in slices("test/Ungood/img") {
        mask_of(&slice).save(truth.join(format!("{}_mask.png", stem(&slice)))).unwrap();
    }
    assert!(as_usual(&folder, &[]).is_empty());
    assert_eq!(check(folder.path(), 0)["layout"], "MVTec");
    // Normal pictures in train only, as MVTec has them.
    fs::create_dir(folder.path().join("train")).unwrap();
    fs::rename(folder.path().join("valid/good"), folder.path().join("train/good")).unwrap();
    fs::remove_dir_all(folder.path().join("valid")).unwrap();
    assert!(as_usual(&folder, &[]).is_empty());
}

#[test]
fn unknown_folders_are_named_and_nothing_is_measured() {
    let folder = set(&Recipe { bad: "krank", ..Recipe::default() });
    let answer = eval(folder.path(), &[]).expect(1);
    assert!(answer.stdout.is_empty() && answer.stderr.contains("test/krank"), "{}", answer.stderr);
    let checked = check(folder.path(), 1);
    assert_eq!(codes(&checked, "findings"), ["one-class", "unknown-folder"]);
    assert_eq!(checked["unknown_folders"][0]["folder"], "test/krank");

    let folder = set(&Recipe::default());
    let beside = folder.path().join("test/Ungood/overlays");
    fs::create_dir(&beside).unwrap();
    fs::copy(&slices("test/good/img")[0], beside.join("a.png")).unwrap();
    assert_eq!(as_usual(&folder, &[]), ["unknown-folder"]);
}

/// Moves the pictures of a class into folders of persons, two in the first.
fn into_persons(class: &Path, names: &[&str]) {
    let mut files: Vec<PathBuf> = fs::read_dir(class).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for (file, name) in files.iter().zip(names) {
        fs::create_dir_all(class.join(name)).unwrap();
        fs::rename(file, class.join(name).join(file.file_name().unwrap())).unwrap();
    }
}

#[test]
fn folders_of_persons_are_read_and_kept_together() {
    let folder = set(&Recipe::default());
    for class in ["good", "Ungood"] {
        into_persons(&folder.path().join(format!("test/{class}/img")), &["p0", "p0", "p1"]);
    }
    assert!(as_usual(&folder, &[]).is_empty());
    let report = folder.path().join("report.html");
    let lines = eval(folder.path(), &["--report", &text(&report)]).expect(0).json_lines();
    assert_eq!(
        (&lines[0]["person"], &lines[2]["person"], &lines[3]["person"]),
        (&"p0".into(), &"p1".into(), &"p0".into())
    );
    assert!(fs::read_to_string(report).unwrap().contains("drawn by person (2 in all)"));
    assert_eq!(check(folder.path(), 0)["parts"][0]["persons"], 2);
    // With one person there is one draw only: the intervals have no width.
    let folder = set(&Recipe::default());
    for class in ["good", "Ungood"] {
        into_persons(&folder.path().join(format!("test/{class}/img")), &["p0", "p0", "p0"]);
    }
    let found = last(&eval(folder.path(), &[]).expect(0));
    assert_eq!(found["intervals"]["image_auroc"]["lo"], found["intervals"]["image_auroc"]["hi"]);
    assert_eq!(found["intervals"]["pixel_auroc"]["lo"], found["intervals"]["pixel_auroc"]["hi"]);
}

#[test]
fn what_systems_put_there_is_passed_over() {
    let folder = set(&Recipe::default());
    for name in [
        "test/good/img/.DS_Store",
        "test/good/img/._a.png",
        "test/good/img/Thumbs.db",
        "test/Ungood/anomaly_mask/._b.png",
    ] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    assert!(as_usual(&folder, &[]).is_empty());
}

#[test]
fn names_of_masks_have_endings() {
    for ending in ["_mask", "_gt", "_seg", ".bm", "_Mask"] {
        let folder = set(&Recipe { mask_name: &|stem| format!("{stem}{ending}.png"), ..Recipe::default() });
        assert!(as_usual(&folder, &[]).is_empty(), "{ending}");
    }
}

#[test]
fn masks_are_coded_in_many_ways() {
    let binary = |mask: &GrayImage, values: [u8; 2]| {
        GrayImage::from_fn(mask.width(), mask.height(), |x, y| {
            Luma([values[usize::from(mask.get_pixel(x, y).0[0] > 127)]])
        })
    };
    let ones = |mask: &GrayImage, path: &Path| binary(mask, [0, 1]).save(path).unwrap();
    let red = |mask: &GrayImage, path: &Path| {
        let colour = |x, y| if mask.get_pixel(x, y).0[0] > 127 { Rgb([255, 0, 0]) } else { Rgb([0; 3]) };
        image::RgbImage::from_fn(mask.width(), mask.height(), colour).save(path).unwrap();
    };
    let palette = |mask: &GrayImage, path: &Path| {
        let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), mask.width(), mask.height());
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette([0, 0, 0, 128, 0, 0].as_slice());
        encoder.write_header().unwrap().write_image_data(binary(mask, [0, 1]).as_raw()).unwrap();
    };
    for save_mask in [&ones as &dyn Fn(&GrayImage, &Path), &red, &palette] {
        assert!(as_usual(&set(&Recipe { save_mask, ..Recipe::default() }), &[]).is_empty());
    }
    let alpha = |mask: &GrayImage, path: &Path| {
        let pixel = |x, y| Rgba([0, 0, 0, mask.get_pixel(x, y).0[0]]);
        image::RgbaImage::from_fn(mask.width(), mask.height(), pixel).save(path).unwrap();
    };
    assert_eq!(as_usual(&set(&Recipe { save_mask: &alpha, ..Recipe::default() }), &[]), ["alpha-mask"]);
    let classes = |mask: &GrayImage, path: &Path| {
        let value = |x, y: u32| Luma([if mask.get_pixel(x, y).0[0] > 127 { 85 * (1 + y as u8 % 2) } else { 0 }]);
        GrayImage::from_fn(mask.width(), mask.height(), value).save(path).unwrap();
    };
    assert_eq!(as_usual(&set(&Recipe { save_mask: &classes, ..Recipe::default() }), &[]), ["few-values"]);
}

#[test]
fn inverted_and_empty_masks_are_named() {
    let inverted = |mask: &GrayImage, path: &Path| {
        GrayImage::from_fn(mask.width(), mask.height(), |x, y| Luma([255 - mask.get_pixel(x, y).0[0]]))
            .save(path)
            .unwrap();
    };
    let folder = set(&Recipe { save_mask: &inverted, ..Recipe::default() });
    // Single dark pixels inside a lesion are small regions then.
    let warnings = codes(&last(&eval(folder.path(), &[]).expect(0)), "warnings");
    assert!(warnings.contains(&"inverted-masks".to_owned()), "{warnings:?}");

    let folder = set(&Recipe::default());
    let first = slices("test/Ungood/img")[0].file_name().unwrap().to_owned();
    GrayImage::new(256, 256).save(folder.path().join("test/Ungood/anomaly_mask").join(&first)).unwrap();
    let answer = eval(folder.path(), &[]).expect(0);
    assert_eq!(codes(&last(&answer), "warnings"), ["empty-mask"]);
    assert!(answer.stderr.contains(first.to_str().unwrap()), "{}", answer.stderr);
}

/// A PNG with an EXIF note that says: turn it by a quarter.
fn save_turned(picture: &GrayImage, path: &Path) {
    let info = {
        let mut info = png::Info::with_size(picture.width(), picture.height());
        info.color_type = png::ColorType::Grayscale;
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        info.exif_metadata = Some(exif.as_slice().into());
        info
    };
    let encoder = png::Encoder::with_info(fs::File::create(path).unwrap(), info).unwrap();
    encoder.write_header().unwrap().write_image_data(picture.as_raw()).unwrap();
}

/// Moves the EXIF note of a PNG behind its pixels, where the standard allows it too.
fn move_note_behind(path: &Path) {
    let bytes = fs::read(path).unwrap();
    let at = |kind: &[u8]| bytes.windows(4).position(|four| four == kind).unwrap() - 4;
    let (note, end) = (at(b"eXIf"), at(b"IEND"));
    let length = u32::from_be_bytes(bytes[note..note + 4].try_into().unwrap()) as usize + 12;
    let parts = [&bytes[..note], &bytes[note + length..end], &bytes[note..note + length], &bytes[end..]];
    fs::write(path, parts.concat()).unwrap();
}

#[test]
fn a_mask_is_turned_like_its_picture() {
    let folder = set(&Recipe::default());
    let first = slices("test/Ungood/img")[0].clone();
    let name = first.file_name().unwrap();
    // Stored lying on its side; mask drawn on what is stored.
    let lying = image::imageops::rotate270(&image::open(&first).unwrap().to_luma8());
    let turned = folder.path().join("test/Ungood/img").join(name);
    save_turned(&lying, &turned);
    let mask = image::imageops::rotate270(&mask_of(&first));
    mask.save(folder.path().join("test/Ungood/anomaly_mask").join(name)).unwrap();
    assert_eq!(as_usual(&folder, &[]), ["turned-mask"]);
    move_note_behind(&turned);
    assert_eq!(as_usual(&folder, &[]), ["turned-mask"]);
}

#[test]
fn copies_of_references_are_left_out() {
    let folder = set(&Recipe::default());
    for slice in slices("test/good/img") {
        let to =
            folder.path().join("valid/good/img").join(format!("copy_{}", slice.file_name().unwrap().to_str().unwrap()));
        fs::copy(slice, to).unwrap();
    }
    // All normal pictures are references then.
    let answer = eval(folder.path(), &["--shots", "6"]).expect(0);
    let found = last(&answer);
    assert_eq!((&found["n_normal"], &found["n_abnormal"]), (&0.into(), &3.into()));
    assert!(found["image_auroc"].is_null() && found["pixel_auroc"].is_number());
    assert!(codes(&found, "warnings").contains(&"equal-to-reference".to_owned()), "{found}");
    assert!(answer.stderr.contains(stem(&slices("test/good/img")[0])), "{}", answer.stderr);
    assert_eq!(codes(&check(folder.path(), 0), "findings"), ["equal-between-parts"]);

    let all = ["--support", &text(&folder.path().join("test/good/img")), &text(&folder.path().join("test/Ungood/img"))];
    let answer = eval(folder.path(), &all).expect(1);
    assert!(answer.stderr.contains("among the references") && answer.stdout.is_empty(), "{}", answer.stderr);
    assert!(eval(folder.path(), &["--limit", "0"]).expect(2).stderr.contains("--limit"));
}

#[test]
fn pictures_that_share_a_name_are_named() {
    let folder = set(&Recipe::default());
    let first = folder.path().join("test/Ungood/img").join(slices("test/Ungood/img")[0].file_name().unwrap());
    image::open(&first).unwrap().to_luma8().save(first.with_extension("jpg")).unwrap();
    let found = last(&eval(folder.path(), &[]).expect(0));
    assert_eq!(codes(&found, "warnings"), ["equal-names"]);
    assert_eq!(found["n_abnormal"], 4);
}

#[test]
fn a_small_lesion_is_kept_by_its_area() {
    // From 256 to 70 columns every third or fourth is sampled: a stripe between two of them vanishes.
    let step = 256.0 / 70.0;
    let sampled: Vec<u32> = (0..70).map(|n| (step * (f64::from(n) + 0.5)) as u32).collect();
    let free = (100..200).find(|x| !sampled.contains(x) && !sampled.contains(&(x + 1))).unwrap();
    let stripe = |_: &GrayImage, path: &Path| {
        let value =
            |x: u32, y: u32| Luma([if (free..free + 2).contains(&x) && (100..130).contains(&y) { 255 } else { 0 }]);
        GrayImage::from_fn(256, 256, value).save(path).unwrap();
    };
    let found = last(&eval(set(&Recipe { save_mask: &stripe, ..Recipe::default() }).path(), &[]).expect(0));
    assert_eq!(codes(&found, "warnings"), ["small-mask"]);
    assert!(FIGURES.iter().all(|figure| found[*figure].is_number()), "{found}");
}

#[test]
fn one_missing_mask_leaves_one_picture_out() {
    let folder = set(&Recipe::default());
    let first = slices("test/Ungood/img")[0].file_name().unwrap().to_owned();
    fs::remove_file(folder.path().join("test/Ungood/anomaly_mask").join(&first)).unwrap();
    let answer = eval(folder.path(), &[]).expect(1);
    let found = last(&answer);
    assert_eq!((&found["n_abnormal"], &found["details"]["left_out"]), (&2.into(), &1.into()));
    assert!(found["pixel_auroc"].is_number());
    assert_eq!(answer.stderr.matches(first.to_str().unwrap()).count(), 1, "{}", answer.stderr);
    assert!(eval(folder.path(), &["--strict"]).expect(1).stdout.is_empty());
}

#[test]
fn pictures_that_were_trained_on_are_named() {
    let folder = set(&Recipe::default());
    let out = folder.path().join("model");
    let (from, data, out) = (bundle(), text(folder.path()), text(&out));
    let train = ["train", "few", "--bundle", &from, "--data", &data, "--object", "brain", "--out", &out];
    mvfa(train.iter().chain(&["--shots", "1", "--epochs", "1", "--select", "last"])).expect(0);
    let fixed = ["eval", "--bundle", &out, "--data", &data, "--object", "brain", "--augment", "none", "--json"];
    let answer = mvfa(fixed.iter().chain(&["--mode", "zero", "--split", "valid", "--shots", "0"]));
    let found = last(&answer.expect(0));
    let trained = found["warnings"].as_array().unwrap().iter().find(|one| one["code"] == "trained-on").expect("named");
    assert_eq!(trained["files"].as_array().unwrap().len(), 2, "one of each class");
    let test = last(&mvfa(fixed.iter().chain(&["--mode", "zero", "--shots", "0"])).expect(0));
    assert!(!codes(&test, "warnings").contains(&"trained-on".to_owned()));
}

#[test]
fn pictures_without_a_set_are_checked_too() {
    let folder = tempfile::tempdir().unwrap();
    let slice = &slices("test/good/img")[0];
    fs::copy(slice, folder.path().join("a.png")).unwrap();
    fs::copy(slice, folder.path().join("b.png")).unwrap();
    fs::write(folder.path().join("c.png"), "no picture").unwrap();
    let found = check(folder.path(), 0);
    assert_eq!(codes(&found, "findings"), ["unreadable-picture", "equal-pictures"]);
    assert_eq!((&found["contents"]["pictures"], &found["contents"]["sizes"]["256x256"]), (&3.into(), &2.into()));
    assert_eq!(
        codes(&last(&mvfa(["check", "--json", &text(&folder.path().join("c.png"))]).expect(1)), "findings")[0],
        "nothing-readable"
    );
    mvfa(["check", "not-there"]).expect(2);
    let prose = mvfa(["check", &text(set(&Recipe::default()).path())]).expect(0);
    for words in [
        "layout: parts",
        "test: 3 normal (test/good/img), 3 abnormal (test/Ungood/img), 3 masks",
        "sizes: 256 x 256 (12)",
        "nothing odd",
    ] {
        assert!(prose.stdout.contains(words), "{words}: {}", prose.stdout);
    }
}

/// The slices as one MetaImage volume, none of them changed.
fn stacked(slices: &[GrayImage], file: &Path) {
    let (width, height) = slices[0].dimensions();
    let mut bytes = format!(
        "ObjectType = Image\nNDims = 3\nDimSize = {width} {height} {}\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n",
        slices.len()
    )
    .into_bytes();
    slices.iter().for_each(|slice| bytes.extend(slice.as_raw()));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

#[test]
fn volumes_have_the_figures_of_their_slices() {
    let [flat, stacks] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    for part in ["valid", "test"] {
        let load = |files: Vec<PathBuf>| -> Vec<GrayImage> {
            files.iter().map(|file| image::open(file).unwrap().to_luma8()).collect()
        };
        let normal = load(slices(&format!("{part}/good/img")));
        let abnormal = slices(&format!("{part}/Ungood/img"));
        let masks: Vec<GrayImage> = abnormal.iter().map(|file| mask_of(file)).collect();
        let abnormal = load(abnormal);
        // An abnormal volume has normal slices, too.
        let mixed = [normal[..1].to_vec(), abnormal.clone()].concat();
        let marks = [vec![GrayImage::new(masks[0].width(), masks[0].height())], masks.clone()].concat();
        let of = |folder: &TempDir, rest: &str| folder.path().join(part).join(rest);
        stacked(&normal[1..], &of(&stacks, "good/img/healthy.mha"));
        stacked(&mixed, &of(&stacks, "Ungood/img/ill.mha"));
        stacked(&marks, &of(&stacks, "Ungood/anomaly_mask/ill.mha"));
        for (rest, pictures) in [
            ("good/img/healthy", &normal[1..]),
            ("good/img/ill", &normal[..1]),
            ("Ungood/img/ill", &abnormal[..]),
            ("Ungood/anomaly_mask/ill", &masks[..]),
        ] {
            let folder = of(&flat, rest);
            fs::create_dir_all(&folder).unwrap();
            let first = if rest == "Ungood/img/ill" || rest == "Ungood/anomaly_mask/ill" { 2 } else { 1 };
            for (n, picture) in pictures.iter().enumerate() {
                picture
                    .save(folder.join(format!("{} slice {:04}.png", rest.rsplit('/').next().unwrap(), n + first)))
                    .unwrap();
            }
        }
    }
    let [flat_answer, stacked_answer] = [&flat, &stacks].map(|folder| eval(folder.path(), &["--shots", "1"]));
    let [expected, found] = [last(&flat_answer), last(&stacked_answer)];
    for figure in FIGURES {
        assert!(expected[figure].is_number(), "{figure}: {expected}");
        assert_eq!(found[figure], expected[figure], "{figure}");
    }
    let names: Vec<String> =
        stacked_answer.json_lines().iter().filter_map(|line| line["image"].as_str().map(str::to_owned)).collect();
    assert!(names.iter().any(|name| name.contains("ill slice 0002")), "{names:?}");
    assert!(found["warnings"].to_string().contains("4 volumes with 12 slices in all"), "{found}");

    fs::remove_file(stacks.path().join("test/Ungood/anomaly_mask/ill.mha")).unwrap();
    let without = eval(stacks.path(), &["--shots", "1"]);
    assert!(without.code == 1 && without.stderr.contains("an abnormal volume without a mask"), "{}", without.stderr);
    stacked(&[GrayImage::new(5, 5), GrayImage::new(5, 5)], &stacks.path().join("test/Ungood/anomaly_mask/ill.mha"));
    let other = eval(stacks.path(), &["--shots", "1"]);
    assert!(other.code == 1 && other.stderr.contains("5 × 5 × 2"), "{}", other.stderr);
}
