//! How well a warning tells images that are unlike their references, with the default model on real slices.
//!
//! The first test holds what must not be missed; the second, which is asked for, measures any folder of data sets:
//! `MVFA_DATA_SETS=DIR cargo test --release --test likeness -- --ignored --nocapture` prints the rows of
//! docs/verification.md. Every folder in DIR that has `valid/good/img` and `test/good/img` counts as one set.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::path::{Path, PathBuf};
use std::time::Instant;

use common::{fixture, open_engine};
use mvfa_web::bundle::manifest::Augment;
use mvfa_web::image::{Limits, Rgb8, WindowChoice, decode};
use mvfa_web::mvfa::{Analysis, Cancelled, Engine, Mode, Pacer, Progress, Request, Warning};

/// Test images of a class that are measured, spread over it.
const OF_A_CLASS: usize = 40;
/// The same of each other set.
const OF_ANOTHER_SET: usize = 10;
const REFERENCES: [usize; 2] = [4, 16];

/// Lets every step pass, and has a clock.
struct Clocked(Instant);

impl Pacer for Clocked {
    async fn step(&mut self, _: Progress) -> Result<(), Cancelled> {
        Ok(())
    }

    fn now_ms(&self) -> f64 {
        self.0.elapsed().as_secs_f64() * 1000.0
    }
}

fn engine() -> Engine {
    open_engine(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default"))
}

fn read(path: &Path) -> Rgb8 {
    decode(&std::fs::read(path).unwrap(), &Limits::default()).unwrap().to_rgb8(WindowChoice::Auto)
}

fn slice(name: &str) -> Rgb8 {
    read(&fixture(&format!("bmad/{name}")))
}

fn inverted(mut picture: Rgb8) -> Rgb8 {
    picture.bytes.iter_mut().for_each(|byte| *byte = 255 - *byte);
    picture
}

fn black(mut picture: Rgb8) -> Rgb8 {
    picture.bytes.fill(0);
    picture
}

fn upside_down(mut picture: Rgb8) -> Rgb8 {
    let row_bytes = 3 * picture.width_px;
    picture.bytes = picture.bytes.rchunks_exact(row_bytes).flatten().copied().collect();
    picture
}

fn analyse(engine: &mut Engine, object: &str, picture: &Rgb8) -> Analysis {
    let request = Request { augment: Some(Augment::None), ..Request::new(object, Mode::Few) };
    pollster::block_on(engine.analyse(picture, &request, &mut Clocked(Instant::now()))).unwrap()
}

const NORMALS: [&str; 4] =
    ["test/good/img/brain2_014", "valid/good/img/brain2_015", "test/good/img/brain2_016", "test/good/img/brain2_017"];

#[test]
fn images_of_another_kind_are_warned_about_and_lesions_of_the_same_are_not() {
    let mut engine = engine();
    for name in NORMALS {
        engine.add_reference(&slice(&format!("Brain_AD/{name}.png")));
    }
    let brain = slice("Brain_AD/test/good/img/brain2_013.png");
    let lung = slice("Lung_AD/test/good/img/lung2_039.png");
    let others = [
        ("lung CT", lung.clone(), true),
        ("inverted", inverted(brain.clone()), true),
        ("black", black(brain.clone()), true),
        ("a slice of the same person", brain, false),
        ("another person", slice("Brain_AD/test/good/img/brain1_020.png"), false),
        ("a lesion", slice("Brain_AD/test/Ungood/img/brain1_016.png"), false),
    ];
    for (what, picture, is_unlike) in &others {
        // By the map's maximum and by its mean: the warning is the image's, not the rule's.
        for object in ["brain", "chest"] {
            let found = analyse(&mut engine, object, picture);
            let unlikeness = found.unlikeness.unwrap();
            println!("{what}: {unlikeness:.2}");
            let is_warned = found.warnings.iter().any(|w| matches!(w, Warning::Unlike | Warning::Inverted));
            assert_eq!(is_warned, *is_unlike, "{what}: {unlikeness}");
        }
    }
    // One that does not belong among the references is named, and does not widen what the others tolerate.
    let odd = engine.add_reference(&lung);
    let found = analyse(&mut engine, "brain", &others[1].1);
    assert_eq!(found.support_unlike, [odd]);
    let own = found.support_scores.unwrap();
    assert_eq!((own.len(), found.support_ids.unwrap()[4]), (5, odd));
    assert!(own[..4].iter().all(|score| *score < own[4]), "{own:?}");
}

/// One data set.
struct Set {
    name: String,
    references: Vec<PathBuf>,
    normal: Vec<PathBuf>,
    abnormal: Vec<PathBuf>,
}

fn sets(folder: &Path) -> Vec<Set> {
    let files = |folder: PathBuf| -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        found.sort();
        found
    };
    let of = |root: PathBuf| Set {
        name: root.file_name().unwrap().to_string_lossy().into_owned(),
        references: files(root.join("valid/good/img")),
        normal: files(root.join("test/good/img")),
        abnormal: files(root.join("test/Ungood/img")),
    };
    let found = files(folder.to_owned()).into_iter().filter(|path| path.is_dir()).map(of);
    found.filter(|set| set.references.len() >= REFERENCES[0] && !set.normal.is_empty()).collect()
}

/// So many of them, evenly spread.
fn spread(files: &[PathBuf], count: usize) -> Vec<&PathBuf> {
    let count = count.min(files.len());
    (0..count).map(|n| &files[n * files.len() / count]).collect()
}

/// Share of pairs in which the first is the larger.
fn auroc(positive: &[f32], negative: &[f32]) -> f64 {
    let order = |p: &f32, n: &f32| {
        if p > n {
            1.0
        } else if p == n {
            0.5
        } else {
            0.0
        }
    };
    let sum: f64 = positive.iter().flat_map(|p| negative.iter().map(move |n| order(p, n))).sum();
    sum / (positive.len() * negative.len()).max(1) as f64
}

#[test]
#[ignore = "measures the data sets in the folder that MVFA_DATA_SETS names"]
fn measure() {
    let Some(folder) = std::env::var_os("MVFA_DATA_SETS") else {
        println!("left out: MVFA_DATA_SETS names no folder of data sets");
        return;
    };
    let sets = sets(Path::new(&folder));
    let mut engine = engine();
    println!(
        "| references of | number | images | warned | AUROC to normal and abnormal test images | unlikeness, median |"
    );
    println!("|---|---|---|---|---|---|");
    for set in &sets {
        for count in REFERENCES {
            let references = spread(&set.references, count);
            engine.clear_references();
            references.iter().for_each(|path| _ = engine.add_reference(&read(path)));
            let mut measured = |images: Vec<Rgb8>| -> Vec<(f32, bool)> {
                let found = images.iter().map(|image| analyse(&mut engine, "brain", image));
                found.map(|found| (found.unlikeness.unwrap(), !found.warnings.is_empty())).collect()
            };
            let of = |files: &[PathBuf], count| -> Vec<Rgb8> { spread(files, count).iter().map(|p| read(p)).collect() };
            let changed = |change: fn(Rgb8) -> Rgb8| of(&set.normal, OF_ANOTHER_SET).into_iter().map(change).collect();
            let normal = measured(of(&set.normal, OF_A_CLASS));
            let abnormal = measured(of(&set.abnormal, OF_A_CLASS));
            let mut groups = vec![("normal".to_owned(), normal.clone()), ("abnormal".to_owned(), abnormal.clone())];
            for other in sets.iter().filter(|other| other.name != set.name) {
                groups.push((other.name.clone(), measured(of(&other.normal, OF_ANOTHER_SET))));
            }
            type Change = fn(Rgb8) -> Rgb8;
            let changes: [(&str, Change); 3] = [("inverted", inverted), ("black", black), ("upside down", upside_down)];
            for (name, change) in changes {
                groups.push((name.to_owned(), measured(changed(change))));
            }
            let own = [normal, abnormal].concat();
            let numbers = |found: &[(f32, bool)]| found.iter().map(|(unlikeness, _)| *unlikeness).collect::<Vec<f32>>();
            for (name, found) in groups {
                let warned = found.iter().filter(|(_, warned)| *warned).count();
                let mut values = numbers(&found);
                let area = auroc(&values, &numbers(&own));
                values.sort_unstable_by(f32::total_cmp);
                let (of, n, median) =
                    (&set.name, values.len(), values.get(values.len() / 2).copied().unwrap_or(f32::NAN));
                println!("| {of} | {} | {name} | {warned} of {n} | {area:.3} | {median:.2} |", references.len());
            }
        }
    }
}

/// What the checks cost beside an analysis.
#[test]
#[ignore = "a timing; run it alone on a quiet machine"]
fn the_checks_cost_little() {
    const ROUNDS: u32 = 20;
    let picture = slice("Lung_AD/test/good/img/lung2_039.png");
    let mut engine = engine();
    for name in NORMALS {
        engine.add_reference(&slice(&format!("Brain_AD/{name}.png")));
    }
    analyse(&mut engine, "brain", &picture);
    let start = Instant::now();
    for _ in 0..ROUNDS {
        assert!(Warning::of_image(&picture).is_empty());
    }
    let content_ms = start.elapsed().as_secs_f64() * 1000.0 / f64::from(ROUNDS);
    let mut whole_ms = f64::INFINITY;
    let mut checks_ms = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let found = analyse(&mut engine, "brain", &picture);
        whole_ms = whole_ms.min(start.elapsed().as_secs_f64() * 1000.0);
        checks_ms = checks_ms.min(found.timings.checks_ms);
    }
    println!("content {content_ms:.2} ms, duplicates and likeness {checks_ms:.2} ms, analysis {whole_ms:.1} ms");
    assert!(content_ms + checks_ms < 0.05 * whole_ms, "more than a twentieth");
}
