//! The figures of the model card: the default model beside its baselines.
//!
//! Comes in: `models/default`, the real slices of `tests/fixtures/bmad`. Goes out: a table in Markdown for each
//! figure (AUROC and average precision over pixels and over pictures, PRO), a row a real set and a row a kind of phantom
//! of a seed the model was not trained on. Fails with the program's error.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::command::{program, run};
use crate::layout::Layout;
use crate::wasm;

/// Another seed than the one trained on.
const PHANTOM_SEED: &str = "2";
/// Phantoms a class and object; a fifth of them are references, the others are measured.
const PHANTOMS: &str = "20";
const PHANTOM_SHOTS: usize = 4;
const PHANTOM_SETS: [(&str, &str); 6] = [
    ("brain", "Brain_AD"),
    ("liver", "Liver_AD"),
    ("resc", "Retina_RESC_AD"),
    ("oct17", "Retina_OCT2017_AD"),
    ("chest", "Chest_AD"),
    ("his", "Histopathology_AD"),
];
/// Folds of `split.json` whose references come from another volume, with the object they show.
const FOLDS: [(&str, &str); 4] = [
    ("Brain_cross_brain2_to_brain1", "brain"),
    ("Brain_cross_brain1_to_brain2", "brain"),
    ("Lung_cross_lung1_to_lung2", "lung"),
    ("Lung_cross_lung2_to_lung1", "lung"),
];
/// Larger real sets with the object they show; references are drawn from valid/good, these many and all of them.
const LARGER: [(&str, &str, &str, [usize; 2]); 3] = [
    ("stroke FLAIR", "brain", "StrokeFLAIR_AD", [4, 24]),
    ("MS FLAIR", "brain", "MSFLAIR_AD", [4, 31]),
    ("chest X-ray", "chest", "ChestKermany_AD", [4, 30]),
];
/// A set whose files begin with their person, up to an underline: intervals are drawn by person.
const OF_PERSONS: &str = "MSFLAIR_AD";
/// Objects whose sides look alike, so that pictures can be compared with themselves.
const BILATERAL: [&str; 3] = ["brain", "chest", "lung"];
/// Draws of random adapters: one may find the lesions, or everything else, by chance.
const RANDOM_SEEDS: [&str; 3] = ["1", "2", "3"];

/// One data set: what it shows, where it lies, how many references it has.
struct Set {
    title: String,
    object: &'static str,
    folder: PathBuf,
    shots: usize,
    /// Hundreds of pictures: random adapters are not measured on it.
    is_large: bool,
    /// It was measured with other references before; what uses none would be the same.
    is_again: bool,
}

/// Measures and prints.
pub fn run_all(layout: &Layout) -> Result<()> {
    run(wasm::cargo(layout).args(["build", "--release", "--bin", "mvfa"]))?;
    let work = layout.target.join("xtask/measure");
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| format!("{} cannot be replaced", work.display()))?;
    }
    let mvfa = || program(layout.target.join("release/mvfa"), &layout.root);
    let phantoms = work.join("phantoms");
    let mut draw = mvfa();
    draw.args(["phantom", "--object", "all", "--normal", PHANTOMS, "--abnormal", PHANTOMS, "--valid-share", "0.2"]);
    run(draw.args(["--seed", PHANTOM_SEED, "--out"]).arg(&phantoms))?;
    let bmad = layout.root.join("tests/fixtures/bmad");
    let mut sets = real_sets(&bmad, &work)?;
    sets.extend(larger_sets(&bmad, &work)?);
    sets.extend(PHANTOM_SETS.map(|(object, folder)| Set {
        title: format!("{object}, phantoms"),
        object,
        folder: phantoms.join(folder),
        shots: PHANTOM_SHOTS,
        is_large: false,
        is_again: false,
    }));

    let model = layout.root.join("models/default");
    let mut random = Vec::new();
    for seed in RANDOM_SEEDS {
        // So small a learning rate leaves the adapters as they were drawn.
        let out = work.join(format!("random-{seed}"));
        let mut train = mvfa();
        train.args(["train", "zero", "--object", "none", "--epochs", "1", "--lr", "1e-12", "--limit", "1"]);
        train.args(["--select", "last", "--seed", seed, "--bundle"]).arg(&model).arg("--data").arg(&phantoms);
        run(train.arg("--out").arg(&out))?;
        random.push(out);
    }

    let mut rows = Vec::new();
    for set in &sets {
        let eval = |bundle: &Path, mode: &[&str]| -> Result<Value> {
            let mut eval = mvfa();
            eval.args(["eval", "--json", "--object", set.object, "--shots", &set.shots.to_string(), "--mode"])
                .args(mode);
            let done = eval.arg("--bundle").arg(bundle).arg("--data").arg(&set.folder).output()?;
            if !done.status.success() {
                bail!("mvfa eval of {}: {}", set.title, String::from_utf8_lossy(&done.stderr));
            }
            let last = String::from_utf8_lossy(&done.stdout).lines().last().unwrap_or_default().to_owned();
            serde_json::from_str(&last).context("mvfa eval gave no figures")
        };
        eprintln!("measuring {}", set.title);
        let few = eval(&model, &["few"])?;
        let paper = eval(&model, &["few", "--scoring", "paper"])?;
        let alone = |mode: &[&str]| if set.is_again { Ok(Value::Null) } else { eval(&model, mode) };
        let itself = if BILATERAL.contains(&set.object) { alone(&["self"])? } else { Value::Null };
        let zero = alone(&["zero"])?;
        let random = if set.is_large { &[] } else { random.as_slice() };
        let random = random.iter().map(|bundle| eval(bundle, &["zero"])).collect::<Result<Vec<_>>>()?;
        rows.push(Row { set, few, paper, itself, zero, random });
    }
    for (figure, what) in [
        ("pixel_auroc", "Pixel AUROC"),
        ("pixel_ap", "Pixel AP"),
        ("pro", "PRO"),
        ("image_auroc", "Image AUROC"),
        ("image_ap", "Image AP"),
    ] {
        println!("\n{what}\n");
        println!(
            "| set | pictures | few-shot | by the paper's rules | itself | zero-shot | grey value | difference to the mean | random adapters |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
        rows.iter().filter(|row| !row.few[figure].is_null()).for_each(|row| println!("{}", row.of(figure)));
    }
    Ok(())
}

/// What was measured on one set.
struct Row<'a> {
    set: &'a Set,
    few: Value,
    paper: Value,
    itself: Value,
    zero: Value,
    random: Vec<Value>,
}

impl Row<'_> {
    /// A line of a table.
    fn of(&self, figure: &str) -> String {
        let sure = |of: &Value| {
            let interval = &of["intervals"][figure];
            match interval.is_null() {
                true => number(&of[figure]),
                false => {
                    format!("{} ({} to {})", number(&of[figure]), number(&interval["lo"]), number(&interval["hi"]))
                }
            }
        };
        let baseline = |name: &str| number(&self.few["baselines"][name][figure]);
        let draws: Vec<String> = self.random.iter().map(|draw| number(&draw[figure])).collect();
        let cells = [
            self.set.title.clone(),
            format!("{} + {}", self.few["n_normal"], self.few["n_abnormal"]),
            sure(&self.few),
            sure(&self.paper),
            sure(&self.itself),
            sure(&self.zero),
            baseline("raw_intensity"),
            baseline("mean_difference"),
            draws.join(", "),
        ];
        format!("| {} |", cells.join(" | "))
    }
}

/// One set a fold: its references as the valid folder, its test slices as the test folder.
fn real_sets(bmad: &Path, work: &Path) -> Result<Vec<Set>> {
    let text = fs::read(bmad.join("split.json")).context("tests/fixtures/bmad/split.json is not readable")?;
    let split: Value = serde_json::from_slice(&text).context("split.json is not what it should be")?;
    let files: Vec<&Value> = split["files"].as_array().into_iter().flatten().collect();
    let mut sets = Vec::new();
    for (fold, object) in FOLDS {
        let paths = |part: &str| split["folds"][fold][part].as_array().into_iter().flatten().filter_map(Value::as_str);
        let folder = work.join(fold);
        let mut shots = 0;
        for path in paths("reference") {
            copy(&bmad.join(path), &folder.join("valid/good/img"))?;
            shots += 1;
        }
        for path in paths("test") {
            let Some(file) = files.iter().find(|file| file["path"] == path) else { bail!("split.json lacks {path}") };
            let class = folder.join("test").join(file["label"].as_str().unwrap_or_default());
            copy(&bmad.join(path), &class.join("img"))?;
            if let Some(mask) = file["mask"].as_str() {
                copy(&bmad.join(mask), &class.join("anomaly_mask"))?;
            }
        }
        let title = fold.rsplit('_').next().unwrap_or(fold).to_owned();
        sets.push(Set { title, object, folder, shots, is_large: false, is_again: false });
    }
    Ok(sets)
}

/// The larger sets, with few references and with all.
fn larger_sets(bmad: &Path, work: &Path) -> Result<Vec<Set>> {
    let mut sets = Vec::new();
    for (title, object, name, shots) in LARGER {
        let folder = work.join(name);
        for part in ["valid/good/img", "test/good/img", "test/Ungood/img", "test/Ungood/anomaly_mask"] {
            let from = bmad.join(name).join(part);
            if !from.exists() {
                continue;
            }
            for entry in fs::read_dir(&from).with_context(|| format!("{} is not readable", from.display()))? {
                let file = entry?.path();
                let person = file.file_name().and_then(|name| name.to_str()?.split('_').next()).unwrap_or_default();
                let person = if name == OF_PERSONS { person } else { "" };
                copy(&file, &folder.join(part).join(person))?;
            }
        }
        sets.extend(shots.map(|references| Set {
            title: format!("{title}, {references} references"),
            object,
            folder: folder.clone(),
            shots: references,
            is_large: true,
            is_again: references != shots[0],
        }));
    }
    Ok(sets)
}

fn copy(file: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let name = file.file_name().unwrap_or_default();
    fs::copy(file, folder.join(name)).with_context(|| format!("{} cannot be copied", file.display()))?;
    Ok(())
}

/// Three digits, as the card writes them.
fn number(value: &Value) -> String {
    value.as_f64().map_or_else(|| "–".to_owned(), |v| format!("{v:.3}"))
}
