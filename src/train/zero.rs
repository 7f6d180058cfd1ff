//! The zero-shot protocol: leave one data set out.
//!
//! Comes in: folders of data sets, perhaps normal pictures of more objects, and the object that is
//! left out. Goes out: a [`Plan`]. Fails if nothing is left to train on. Source: spec §7; as
//! there, the test folders are trained on and nothing is augmented. The epoch is chosen on the valid
//! folders of the same sets, not on the target's test set.

use std::path::{Path, PathBuf};

use crate::bundle::manifest::{Manifest, MemoryFeatures, ObjectSpec};
use crate::eval::{Dataset, DatasetError, Sample, Split};
use crate::train::error::TrainError;
use crate::train::few::{Selection, is_of, of_class, persons, synthetic};
use crate::train::random::{Purpose, order};
use crate::train::record::DataSet;
use crate::train::run::Plan;
use crate::train::sample::{Change, Source};

/// Folder names of MVFA's data sets, without `_AD`, and the objects they show (spec §10). Any other
/// `<Name>_AD` shows the object `<name>`.
const KNOWN: [(&str, &str); 3] = [("Retina_RESC", "resc"), ("Retina_OCT2017", "oct17"), ("Histopathology", "his")];

/// Normal pictures of one object, to be given synthetic anomalies.
#[derive(Clone, Debug)]
pub struct Normals {
    /// Object id.
    pub object: String,
    /// The pictures.
    pub files: Vec<PathBuf>,
}

/// Choices of the protocol.
#[derive(Clone, Debug)]
pub struct ZeroOptions {
    /// The object whose data set is left out; with `None` nothing is.
    pub target: Option<String>,
    /// Normal pictures beside the data sets.
    pub normals: Vec<Normals>,
    /// Synthetic anomalies in each of them.
    pub synthetic_each: usize,
    /// Most pictures of each class and set to train on.
    pub limit: usize,
    /// Which pictures the best epoch is chosen by.
    pub selection: Selection,
    /// Most pictures of each class and set to choose by; all of them without a number.
    pub validation_limit: Option<usize>,
    /// Seed of the draws.
    pub seed: u64,
}

/// The data sets in a folder, with the objects they show: sub-folders `<Name>_AD`, sorted by name.
///
/// # Errors
/// [`TrainError::Settings`] if the folder cannot be read or there is none.
pub fn find_datasets(root: &Path) -> Result<Vec<(String, PathBuf)>, TrainError> {
    let io =
        |e| TrainError::Settings(format!("cannot read {}: {e}; name a folder with data sets in it", root.display()));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix("_AD").filter(|_| path.is_dir()) {
            let known = KNOWN.iter().find(|(folder, _)| *folder == name);
            found.push((known.map_or_else(|| name.to_ascii_lowercase(), |k| k.1.to_owned()), path));
        }
    }
    found.sort_by(|a, b| a.1.cmp(&b.1));
    if found.is_empty() {
        return Err(TrainError::Settings(format!(
            "there is no data set in {}; expected folders like Brain_AD with valid and test in them",
            root.display()
        )));
    }
    Ok(found)
}

/// Plans a run over several data sets.
///
/// # Errors
/// [`TrainError::Settings`] if nothing is left to train on, an object is unknown or pictures of the
/// one left out are given; [`TrainError::Data`].
pub fn plan_zero(manifest: &Manifest, roots: &[PathBuf], options: &ZeroOptions) -> Result<Plan, TrainError> {
    let mut datasets = Vec::new();
    for root in roots {
        datasets.extend(find_datasets(root)?);
    }
    let mut plan = Plan {
        protocol: "zero",
        objects: Vec::new(),
        published: manifest.objects.clone(),
        memory: MemoryFeatures::Raw,
        train: Vec::new(),
        references: Vec::new(),
        validation: Vec::new(),
        selection: options.selection,
        kept: match options.selection {
            Selection::Last => "nothing".to_owned(),
            Selection::Valid => "the valid folders of the sets trained on".to_owned(),
            Selection::Test => "the test folder of the object left out".to_owned(),
        },
        sets: Vec::new(),
        opened: Vec::new(),
    };
    let limit = options.validation_limit.unwrap_or(usize::MAX);
    for (object, root) in datasets {
        let spec = manifest.object(&object)?;
        let is_target = options.target.as_deref() == Some(object.as_str());
        if is_target && options.selection != Selection::Test {
            continue;
        }
        let dataset = Dataset::open(&root)?;
        let number = number_of(&mut plan.objects, spec);
        let test = dataset.split_unchecked(Split::Test)?;
        plan.opened.push(dataset.clone());
        if is_target {
            plan.validation.extend(sources(&some(&test, limit, options.seed), number, 0));
            continue;
        }
        let set = plan.sets.len();
        plan.sets.push(DataSet {
            object: object.clone(),
            folder: root.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            part: "the test folder".to_owned(),
            lists_files: false,
        });
        let trained = some(&test, options.limit, options.seed);
        plan.train.extend(sources(&trained, number, set));
        if options.selection == Selection::Valid {
            let mut valid = or_none(dataset.split_unchecked(Split::Valid))?;
            let trained = persons(trained.iter());
            valid.retain(|sample| !is_of(sample, &trained));
            plan.validation.extend(sources(&some(&valid, limit, options.seed), number, set));
        }
    }
    for normals in &options.normals {
        if options.target.as_deref() == Some(normals.object.as_str()) {
            return Err(TrainError::Settings(format!(
                "pictures of {} are given to train on, and it is the object to leave out; take its --normals away",
                normals.object
            )));
        }
        let number = number_of(&mut plan.objects, manifest.object(&normals.object)?);
        let normal: Vec<Sample> = normals
            .files
            .iter()
            .map(|image| Sample { image: image.clone(), mask: None, abnormal: false, person: None })
            .collect();
        let set = plan.sets.len();
        plan.sets.push(DataSet {
            object: normals.object.clone(),
            folder: "normal pictures".to_owned(),
            part: String::new(),
            lists_files: true,
        });
        plan.train.extend(sources(&normal, number, set));
        plan.train.extend(synthetic(&normal, number, set, options.synthetic_each));
    }
    if plan.train.is_empty() {
        return Err(TrainError::Settings(
            "nothing is left to train on; give data sets of other objects than the one left out".to_owned(),
        ));
    }
    Ok(plan)
}

/// No pictures if there is no valid folder or nothing in it: such a set is trained on all the same.
fn or_none(valid: Result<Vec<Sample>, DatasetError>) -> Result<Vec<Sample>, DatasetError> {
    match valid {
        Err(DatasetError::Layout { .. } | DatasetError::Empty { .. }) => Ok(Vec::new()),
        other => other,
    }
}

fn number_of(objects: &mut Vec<ObjectSpec>, spec: &ObjectSpec) -> usize {
    objects.iter().position(|o| o.id == spec.id).unwrap_or_else(|| {
        objects.push(spec.clone());
        objects.len() - 1
    })
}

/// At most `limit` pictures of each class, drawn by seed, in the order of the set.
fn some(samples: &[Sample], limit: usize, seed: u64) -> Vec<Sample> {
    let mut chosen = Vec::new();
    for abnormal in [false, true] {
        let class = of_class(samples, abnormal);
        let mut numbers = order(seed, Purpose::Validation, u64::from(abnormal), class.len());
        numbers.truncate(limit);
        numbers.sort_unstable();
        chosen.extend(numbers.into_iter().filter_map(|n| class.get(n).cloned()));
    }
    chosen
}

fn sources(samples: &[Sample], object: usize, set: usize) -> Vec<Source> {
    samples.iter().map(|sample| Source { sample: sample.clone(), object, set, change: Change::View(0) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_folder_that_is_not_there_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("test/good/img")).unwrap();
        let valid = || or_none(Dataset::open(folder.path()).unwrap().split_unchecked(Split::Valid));
        assert!(valid().unwrap().is_empty());
        std::fs::create_dir_all(folder.path().join("valid/good/img")).unwrap();
        assert!(valid().unwrap().is_empty());
        std::fs::write(folder.path().join("valid/good/img/a.png"), "").unwrap();
        assert_eq!(valid().unwrap().len(), 1);
        let source = std::io::Error::other("the disk stopped");
        let error = DatasetError::Io { path: "valid".to_owned(), source };
        assert!(or_none(Err(error)).is_err());
    }
}
