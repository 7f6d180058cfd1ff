//! The few-shot protocol: K normal and K abnormal pictures of one data set.
//!
//! Comes in: a data set and numbers. Goes out: a [`Plan`]. Fails if there are not enough
//! pictures. Source: spec §6; three things differ: the epoch is chosen on pictures kept
//! aside and not on the test set, which pictures are the shots follows from the seed, and with
//! normal pictures alone anomalies are put in by [`crate::train::synthesis`].

use std::collections::HashSet;

use crate::bundle::manifest::{MemoryFeatures, ObjectSpec};
use crate::eval::{Dataset, Sample, Split};
use crate::image::AUGMENTATION_NAMES;
use crate::train::error::TrainError;
use crate::train::random::{Purpose, order};
use crate::train::record::DataSet;
use crate::train::run::Plan;
use crate::train::sample::{Change, Source};

/// Which pictures the best epoch is chosen by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// Pictures that are neither trained nor tested on.
    #[default]
    Valid,
    /// The test set, as the released code does: the test result is then no test any more.
    Test,
    /// None; the last epoch is taken.
    Last,
}

/// Choices of the protocol.
#[derive(Clone, Debug)]
pub struct FewOptions {
    /// Normal pictures, and as many abnormal ones.
    pub shots: usize,
    /// Train with synthetic anomalies in the normal pictures, not with abnormal pictures.
    pub normal_only: bool,
    /// Which pictures the best epoch is chosen by.
    pub selection: Selection,
    /// Most pictures of each class to choose by; all of them without a number.
    pub validation_limit: Option<usize>,
    /// Seed of the draws.
    pub seed: u64,
}

/// Plans a run on one data set.
///
/// # Errors
/// [`TrainError::Settings`] if the set has too few pictures, [`TrainError::Data`].
pub fn plan_few(dataset: &Dataset, object: &ObjectSpec, options: &FewOptions) -> Result<Plan, TrainError> {
    let pool = dataset.split_unchecked(Split::Valid)?;
    let (normal, rest_normal) = draw(&pool, false, options)?;
    let (abnormal, rest_abnormal) =
        if options.normal_only { (Vec::new(), of_class(&pool, true)) } else { draw(&pool, true, options)? };

    // Other pictures of a person that is trained on are no test of anything.
    let trained = persons(normal.iter().chain(&abnormal));
    let apart = |rest: Vec<Sample>| -> Vec<Sample> { rest.into_iter().filter(|s| !is_of(s, &trained)).collect() };
    let (rest_normal, rest_abnormal) = (apart(rest_normal), apart(rest_abnormal));

    let views = |sample: &Sample| -> Vec<Source> {
        let view = |n| Source { sample: sample.clone(), object: 0, set: 0, change: Change::View(n) };
        (0..AUGMENTATION_NAMES.len()).map(view).collect()
    };
    let references: Vec<Source> = normal.iter().flat_map(views).collect();
    let mut train = references.clone();
    if options.normal_only {
        train.extend(synthetic(&normal, 0, 0, AUGMENTATION_NAMES.len()));
    } else {
        train.extend(abnormal.iter().flat_map(views));
    }

    let some = |samples: Vec<Sample>| samples.into_iter().take(options.validation_limit.unwrap_or(usize::MAX));
    let (kept, from) = match options.selection {
        Selection::Last => (Vec::new(), "nothing"),
        Selection::Valid => {
            (some(rest_normal).chain(some(rest_abnormal)).collect(), "the valid folder beside the shots")
        }
        Selection::Test => {
            let test = dataset.split_unchecked(Split::Test)?;
            (some(of_class(&test, false)).chain(some(of_class(&test, true))).collect(), "the test folder")
        }
    };
    let plain = |sample| Source { sample, object: 0, set: 0, change: Change::View(0) };
    Ok(Plan {
        protocol: "few",
        objects: vec![object.clone()],
        published: vec![object.clone()],
        memory: MemoryFeatures::Adapted,
        train,
        references,
        validation: kept.into_iter().map(plain).collect(),
        selection: options.selection,
        kept: from.to_owned(),
        sets: vec![DataSet {
            object: object.id.clone(),
            folder: dataset.named().file_name().unwrap_or_default().to_string_lossy().into_owned(),
            part: "the valid folder".to_owned(),
            lists_files: true,
        }],
        opened: vec![dataset.clone()],
    })
}

/// `count` synthetic anomalies in each picture, with material of the others in turn. A single picture
/// lends to itself.
pub(crate) fn synthetic(normal: &[Sample], object: usize, set: usize, count: usize) -> Vec<Source> {
    let mut sources = Vec::with_capacity(normal.len() * count);
    let others = normal.len().saturating_sub(1).max(1);
    for (n, sample) in normal.iter().enumerate() {
        for copy in 0..count {
            let other = normal.get((n + 1 + copy % others) % normal.len()).unwrap_or(sample).image.clone();
            let number = ((object * 1_000_003 + n) * 1009 + copy) as u64;
            sources.push(Source { sample: sample.clone(), object, set, change: Change::Synthetic { other, number } });
        }
    }
    sources
}

/// The persons that samples show, as far as they are known.
pub(crate) fn persons<'a>(samples: impl Iterator<Item = &'a Sample>) -> HashSet<String> {
    samples.filter_map(|sample| sample.person.clone()).collect()
}

/// Whether a sample shows one of these persons.
pub(crate) fn is_of(sample: &Sample, persons: &HashSet<String>) -> bool {
    sample.person.as_ref().is_some_and(|person| persons.contains(person))
}

pub(crate) fn of_class(samples: &[Sample], abnormal: bool) -> Vec<Sample> {
    samples.iter().filter(|s| s.abnormal == abnormal).cloned().collect()
}

/// The shots of one class, and the others.
fn draw(pool: &[Sample], abnormal: bool, options: &FewOptions) -> Result<(Vec<Sample>, Vec<Sample>), TrainError> {
    let class = of_class(pool, abnormal);
    let name = if abnormal { "abnormal" } else { "normal" };
    if class.len() < options.shots || options.shots == 0 {
        let next = if abnormal { "pass fewer --shots, or --normal-only" } else { "pass fewer --shots" };
        return Err(TrainError::Settings(format!(
            "{} shots need as many {name} pictures in the valid folder, found {}; {next}",
            options.shots,
            class.len()
        )));
    }
    let order = order(options.seed, Purpose::Shots, u64::from(abnormal), class.len());
    let mut drawn: Vec<Sample> = order.into_iter().filter_map(|n| class.get(n).cloned()).collect();
    let rest = drawn.split_off(options.shots);
    Ok((drawn, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pictures 0, 1, 2... and for each copy of each the one that lends.
    fn lenders(pictures: usize, count: usize) -> Vec<(String, String)> {
        let sample = |n: usize| Sample { image: n.to_string().into(), mask: None, abnormal: false, person: None };
        let normal: Vec<Sample> = (0..pictures).map(sample).collect();
        let pair = |source: Source| match source.change {
            Change::Synthetic { other, .. } => (source.sample.image.display().to_string(), other.display().to_string()),
            Change::View(_) => panic!("no view is asked for"),
        };
        synthetic(&normal, 0, 0, count).into_iter().map(pair).collect()
    }

    #[test]
    fn every_other_picture_lends_in_turn_and_none_to_itself() {
        for pictures in 2..5 {
            let all = lenders(pictures, 11);
            assert!(all.iter().all(|(picture, other)| picture != other), "{all:?}");
            let lent = |other: usize| all.iter().filter(|(p, o)| p == "0" && *o == other.to_string()).count();
            let counts: Vec<usize> = (1..pictures).map(lent).collect();
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
        }
        assert_eq!(lenders(1, 2), [("0".to_owned(), "0".to_owned()), ("0".to_owned(), "0".to_owned())]);
    }
}
