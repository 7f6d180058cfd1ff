//! What an evaluation measures: a data set's pictures without those that say nothing, and where slices lie.
//!
//! Comes in: a folder, pictures and references. Goes out: samples and what is odd about them. Fails with a folder that is no
//! data set, or where nothing is left to measure.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::paths;
use super::terminal::tell;
use super::usage::BadUsage;
use crate::dataset::{Finding, Level, Part, counted};
use crate::eval::{Contents, Dataset, ImageResult, Nearest, Sample, Split, Subject, Trained};

/// Where the pictures and references of a set lie in their volumes.
///
/// # Errors
/// [`BadUsage`] with the first that is no slice of a volume.
pub(super) fn nearest(count: usize, dataset: &Dataset, samples: &[Sample], references: &[PathBuf]) -> Result<Nearest> {
    let place = |path: &Path| {
        let place = dataset.place(path).cloned().map(|place| (path.to_owned(), place));
        place.ok_or_else(|| {
            BadUsage(format!(
                "--nearest compares slices of volumes by their place, and {} is no slice of one; take a data set of \
                 volumes, or leave out --nearest",
                path.strip_prefix(dataset.root()).unwrap_or(path).display()
            ))
        })
    };
    let paths = samples.iter().map(|sample| sample.image.as_path()).chain(references.iter().map(PathBuf::as_path));
    Ok(Nearest { count, places: paths.map(place).collect::<Result<_, _>>()? })
}

/// The data set named, or the one of the object in the folder named.
pub(super) fn dataset(folder: &Path, object: &str) -> Result<Dataset> {
    if Dataset::is_at(folder) {
        return Ok(Dataset::open(folder)?);
    }
    let found = crate::train::find_datasets(folder)?;
    let (_, path) = found.iter().find(|(id, _)| id == object).ok_or_else(|| {
        BadUsage(format!("there is no data set of {object} in {}; name its folder", folder.display()))
    })?;
    Ok(Dataset::open(path)?)
}

/// A picture compared with itself says nothing: references are not measured.
pub(super) fn without_references(samples: Vec<Sample>, references: &[PathBuf]) -> Vec<Sample> {
    let known: Vec<PathBuf> = references.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let is_reference = |sample: &Sample| sample.image.canonicalize().is_ok_and(|path| known.contains(&path));
    let before = samples.len();
    let left: Vec<Sample> = samples.into_iter().filter(|sample| !is_reference(sample)).collect();
    if left.is_empty() && before > 0 {
        // Said as an error by whoever measures nothing.
        return left;
    }
    if left.len() < before {
        tell(&format!("note: {} pictures are references and are not measured", before - left.len()));
    }
    left
}

/// What is measured after all, and what is to be known about it.
pub(super) struct Checked {
    pub(super) samples: Vec<Sample>,
    pub(super) warnings: Vec<Finding>,
}

/// Looks at the pictures and masks before they are measured; takes out those that are equal to a reference.
///
/// # Errors
/// Nothing is left.
pub(super) fn checked(
    dataset: &Dataset,
    split: Split,
    samples: Vec<Sample>,
    references: &[PathBuf],
    trained: &Trained,
    side_px: usize,
) -> Result<Checked> {
    let part = dataset.part(split);
    let root = dataset.root();
    let subjects: Vec<Subject> = samples
        .iter()
        .map(|sample| Subject {
            name: paths::distinct(sample.image.strip_prefix(root).unwrap_or(&sample.image)),
            image: sample.image.clone(),
            mask: sample.mask.clone(),
            part,
            abnormal: Some(sample.abnormal),
        })
        .collect();
    let of_reference = |image: &PathBuf| Subject {
        name: paths::distinct(image.strip_prefix(root).unwrap_or(image)),
        image: image.clone(),
        mask: None,
        part: Part::Train,
        abnormal: Some(false),
    };
    let of_references: Vec<Subject> = references.iter().map(of_reference).collect();
    let known: Vec<_> = Contents::read(of_references, side_px).hashes().into_iter().flatten().collect();
    let contents = Contents::read(subjects.clone(), side_px);
    let hashes = contents.hashes();
    let is_reference: Vec<bool> = hashes.iter().map(|hash| hash.is_some_and(|hash| known.contains(&hash))).collect();
    let mut warnings: Vec<Finding> =
        dataset.layout().findings.iter().filter(|finding| finding.part.is_none_or(|of| of == part)).cloned().collect();
    // What is measured decides whether that is an error, not what else is there.
    warnings.retain(|finding| finding.level == Level::Warning);
    let equal: Vec<String> =
        subjects.iter().zip(&is_reference).filter(|(_, is)| **is).map(|(one, _)| one.name.clone()).collect();
    if equal.len() == samples.len() {
        bail!(
            "nothing is left to measure: all pictures of {} in {} are among the references; name others with --support, or fewer with --shots",
            part.name(),
            root.display()
        );
    }
    if !equal.is_empty() {
        let subject = format!("{} equal to a reference", counted(equal.len(), "picture"));
        warnings.push(Finding::about("equal-to-reference", &subject, equal, "; left out of the figures"));
    }
    let set = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let known: Vec<String> = subjects
        .iter()
        .zip(&hashes)
        .filter(|(one, hash)| trained.knows(&set, &one.image.file_name().unwrap_or_default().to_string_lossy(), **hash))
        .map(|(one, _)| one.name.clone())
        .collect();
    if !known.is_empty() {
        let subject = format!("{} that this model was trained on", counted(known.len(), "picture"));
        warnings.push(Finding::about("trained-on", &subject, known, "; figures on them are no test"));
    }
    let is_out = |n: usize| is_reference.get(n).copied().unwrap_or(false);
    warnings.extend(contents.without(is_out).findings());
    let samples = samples.into_iter().enumerate().filter(|(n, _)| !is_out(*n)).map(|(_, sample)| sample).collect();
    Ok(Checked { samples, warnings })
}

pub(super) fn name(samples: &[Sample], image: &ImageResult, root: &Path) -> String {
    let path = samples.get(image.sample).map(|s| s.image.as_path()).unwrap_or_else(|| Path::new(""));
    paths::distinct(path.strip_prefix(root).unwrap_or(path))
}
