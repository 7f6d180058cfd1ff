//! What a run was trained on and chosen by, for its record.
//!
//! Comes in: the plan and what could be used of it. Goes out: [`DataRecord`]s and words. No paths: the
//! record is published with the model.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::bundle::manifest::ObjectKind;
use crate::image::PixelHash;
use crate::train::few::Selection;
use crate::train::items::Item;
use crate::train::run::Plan;
use crate::train::sample::{Change, Source};

/// A data set of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSet {
    /// Object id.
    pub object: String,
    /// Name of the folder.
    pub folder: String,
    /// What of it is planned to be used, such as `the valid folder`; empty for pictures given by themselves.
    pub part: String,
    /// Whether the record lists the file names.
    pub lists_files: bool,
}

/// A data set as the finished bundle's record names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DataRecord {
    /// Object id.
    pub object: String,
    /// Name of the folder.
    pub folder: String,
    /// What of it was used, and how.
    pub used: String,
    /// File names of the pictures; empty if a whole folder was used.
    pub files: Vec<String>,
    /// Hashes of the pictures' pixels, so that `eval` knows them again.
    pub pixels: Vec<String>,
}

/// What the best epoch was chosen by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chooser {
    /// Whether there is anything to choose by; otherwise the last epoch is taken.
    pub chooses: bool,
    /// In words.
    pub words: String,
}

/// One record a data set, of the pictures that could be used.
pub fn records(
    sets: &[DataSet],
    sources: &[Source],
    items: &[Item],
    hashes: &HashMap<PathBuf, PixelHash>,
) -> Vec<DataRecord> {
    sets.iter().enumerate().map(|(n, set)| record(set, n, sources, items, hashes)).collect()
}

fn record(
    set: &DataSet,
    number: usize,
    sources: &[Source],
    items: &[Item],
    hashes: &HashMap<PathBuf, PixelHash>,
) -> DataRecord {
    let (mut normal, mut abnormal, mut synthetic) = (BTreeSet::new(), BTreeSet::new(), 0);
    let mut files = Vec::new();
    let mut pixels = BTreeSet::new();
    for source in items.iter().filter_map(|i| sources.get(i.source)).filter(|s| s.set == number) {
        let image = source.sample.image.as_path();
        pixels.extend(hashes.get(image).map(PixelHash::short));
        match source.change {
            Change::Synthetic { .. } => synthetic += 1,
            Change::View(_) => {
                let class = if source.sample.abnormal { &mut abnormal } else { &mut normal };
                if class.insert(image) && set.lists_files {
                    files.push(name(image));
                }
            }
        }
    }
    let mut used = format!("{} normal", normal.len());
    if !abnormal.is_empty() {
        used += &format!(" and {} abnormal", abnormal.len());
    }
    used += " pictures";
    if !set.part.is_empty() {
        used += &format!(" of {}", set.part);
    }
    if synthetic > 0 {
        used += &format!(", and {synthetic} more with synthetic anomalies");
    }
    DataRecord {
        object: set.object.clone(),
        folder: set.folder.clone(),
        used,
        files,
        pixels: pixels.into_iter().collect(),
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether the pictures kept for it can rank epochs, and the sentence for it.
pub fn chooser(plan: &Plan, items: &[Item]) -> Chooser {
    let Plan { objects, kept, .. } = plan;
    if plan.selection == Selection::Last {
        return Chooser { chooses: false, words: "nothing; it is the last".to_owned() };
    }
    if items.is_empty() {
        let words = format!("nothing, for there is no picture of {kept}; it is the last");
        return Chooser { chooses: false, words };
    }
    let chooses = objects.iter().enumerate().any(|(n, object)| {
        let of_object = || items.iter().filter(|i| i.object == n);
        let both = of_object().any(|i| i.abnormal) && of_object().any(|i| !i.abnormal);
        both || object.kind == ObjectKind::Segmentation && has_both(of_object())
    });
    let abnormal = items.iter().filter(|i| i.abnormal).count();
    let counts = format!("{} normal and {abnormal} abnormal pictures of {kept}", items.len() - abnormal);
    let words = match (chooses, plan.selection) {
        (false, _) => format!("nothing, for it takes both classes of an object and there are {counts}; it is the last"),
        (true, Selection::Test) => format!("{counts}, as the released code does: figures on them are no test"),
        (true, _) => counts,
    };
    Chooser { chooses, words }
}

/// Whether there are abnormal pixels and others.
fn has_both<'a>(items: impl Iterator<Item = &'a Item>) -> bool {
    let (mut ones, mut zeros) = (false, false);
    for item in items {
        let mask = item.mask();
        ones |= mask.contains(&1);
        zeros |= mask.contains(&0);
    }
    ones && zeros
}
