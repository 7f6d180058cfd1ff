//! The zero-shot protocol: leave one data set out.
//!
//! Comes in: folders of data sets, perhaps normal pictures of more objects, and the object that is
//! left out. Goes out: a [`Plan`]. Fails where nothing is left to train on. Source: spec §7; as
//! there, the test folders are trained on and nothing is augmented. The epoch is chosen on the valid
//! folders of the same sets, not on the target's test set.

use std::path::{Path, PathBuf};

use crate::bundle::manifest::{Manifest, MemoryFeatures, ObjectSpec};
use crate::eval::{Dataset, Sample, Split};
use crate::train::error::TrainError;
use crate::train::few::{Selection, of_class, synthetic};
use crate::train::random::{Purpose, order};
use crate::train::run::{DataRecord, Plan};
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
    /// Most pictures of each class and set to choose by.
    pub validation_limit: usize,
    /// Seed of the draws.
    pub seed: u64,
}

/// The data sets in a folder, with the objects they show: sub-folders `<Name>_AD`, sorted by name.
///
/// # Errors
/// [`TrainError::Io`]; [`TrainError::Settings`] where there is none.
pub fn find_datasets(root: &Path) -> Result<Vec<(String, PathBuf)>, TrainError> {
    let io = |e| TrainError::io(root, e);
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
/// [`TrainError::Settings`] where nothing is left to train on or an object is unknown,
/// [`TrainError::Data`].
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
        selected_on: match options.selection {
            Selection::Last => "nothing; it is the last".to_owned(),
            Selection::Valid => "the valid folders of the sets trained on".to_owned(),
            Selection::Test => "the target's test set, as the released code does: figures on it are no test".to_owned(),
        },
        data: Vec::new(),
    };
    for (object, root) in datasets {
        let spec = manifest.object(&object)?;
        let is_target = options.target.as_deref() == Some(object.as_str());
        if is_target && options.selection != Selection::Test {
            continue;
        }
        let dataset = Dataset::open(&root)?;
        let number = number_of(&mut plan.objects, spec);
        let test = some(&dataset.split(Split::Test)?, options.limit, options.seed);
        if is_target {
            plan.validation.extend(sources(&some(&test, options.validation_limit, options.seed), number));
            continue;
        }
        plan.train.extend(sources(&test, number));
        plan.data.push(DataRecord {
            object: object.clone(),
            folder: root.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            used: format!(
                "{} normal and {} abnormal pictures of the test folder",
                of_class(&test, false).len(),
                of_class(&test, true).len()
            ),
            files: Vec::new(),
        });
        if options.selection == Selection::Valid {
            // A set without a valid folder is trained on all the same.
            let valid = dataset.split(Split::Valid).unwrap_or_default();
            plan.validation.extend(sources(&some(&valid, options.validation_limit, options.seed), number));
        }
    }
    for normals in &options.normals {
        let number = number_of(&mut plan.objects, manifest.object(&normals.object)?);
        let samples: Vec<Sample> =
            normals.files.iter().map(|image| Sample { image: image.clone(), mask: None, abnormal: false }).collect();
        plan.train.extend(sources(&samples, number));
        plan.train.extend(synthetic(&samples, number, options.synthetic_each));
        plan.data.push(DataRecord {
            object: normals.object.clone(),
            folder: "normal pictures".to_owned(),
            used: format!("{} pictures, each also with {} synthetic anomalies", samples.len(), options.synthetic_each),
            files: samples.iter().filter_map(|s| Some(s.image.file_name()?.to_string_lossy().into_owned())).collect(),
        });
    }
    if plan.train.is_empty() {
        return Err(TrainError::Settings(
            "nothing is left to train on; give data sets of other objects than the one left out".to_owned(),
        ));
    }
    Ok(plan)
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

fn sources(samples: &[Sample], object: usize) -> Vec<Source> {
    samples.iter().map(|sample| Source { sample: sample.clone(), object, change: Change::View(0) }).collect()
}
