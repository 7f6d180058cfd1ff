//! The few-shot protocol: K normal and K abnormal pictures of one data set.
//!
//! Comes in: a data set and numbers. Goes out: a [`Plan`]. Fails where there are not enough
//! pictures. Source: spec §6; three things differ and say so: the epoch is chosen on pictures kept
//! aside and not on the test set, which pictures are the shots follows from the seed, and with
//! normal pictures alone anomalies are put in by [`crate::train::synthesis`].

use crate::bundle::manifest::{MemoryFeatures, ObjectSpec};
use crate::eval::{Dataset, Sample, Split};
use crate::image::AUGMENTATION_NAMES;
use crate::train::error::TrainError;
use crate::train::random::{Purpose, order};
use crate::train::run::{DataRecord, Plan};
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
    /// Most pictures of each class to choose by.
    pub validation_limit: usize,
    /// Seed of the draws.
    pub seed: u64,
}

/// Plans a run on one data set.
///
/// # Errors
/// [`TrainError::Settings`] where the set has too few pictures, [`TrainError::Data`].
pub fn plan_few(dataset: &Dataset, object: &ObjectSpec, options: &FewOptions) -> Result<Plan, TrainError> {
    let pool = dataset.split(Split::Valid)?;
    let (normal, rest_normal) = draw(&pool, false, options)?;
    let (abnormal, rest_abnormal) =
        if options.normal_only { (Vec::new(), of_class(&pool, true)) } else { draw(&pool, true, options)? };

    let views = |sample: &Sample| -> Vec<Source> {
        let view = |n| Source { sample: sample.clone(), object: 0, change: Change::View(n) };
        (0..AUGMENTATION_NAMES.len()).map(view).collect()
    };
    let references: Vec<Source> = normal.iter().flat_map(views).collect();
    let mut train = references.clone();
    if options.normal_only {
        train.extend(synthetic(&normal, 0, AUGMENTATION_NAMES.len()));
    } else {
        train.extend(abnormal.iter().flat_map(views));
    }

    let plain = |samples: Vec<Sample>| -> Vec<Source> {
        let source = |sample| Source { sample, object: 0, change: Change::View(0) };
        samples.into_iter().take(options.validation_limit).map(source).collect()
    };
    let (validation, selected_on) = match options.selection {
        Selection::Last => (Vec::new(), "nothing; it is the last".to_owned()),
        Selection::Valid => {
            let mut kept = plain(rest_normal);
            kept.extend(plain(rest_abnormal));
            let words = format!("{} pictures of the valid folder that were not shots", kept.len());
            (kept, words)
        }
        Selection::Test => {
            let test = dataset.split(Split::Test)?;
            let mut all = plain(of_class(&test, false));
            all.extend(plain(of_class(&test, true)));
            (all, "the test set, as the released code does: figures on it are no test".to_owned())
        }
    };
    let name = |sample: &Sample| sample.image.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let used = match options.normal_only {
        true => format!("{} normal pictures, with synthetic anomalies", normal.len()),
        false => format!("{} normal and {} abnormal pictures", normal.len(), abnormal.len()),
    };
    let folder = dataset.root().file_name().unwrap_or_default().to_string_lossy().into_owned();
    let files = normal.iter().chain(&abnormal).map(name).collect();
    Ok(Plan {
        protocol: "few",
        objects: vec![object.clone()],
        published: vec![object.clone()],
        memory: MemoryFeatures::Adapted,
        train,
        references,
        validation,
        selected_on,
        data: vec![DataRecord { object: object.id.clone(), folder, used, files }],
    })
}

/// `count` synthetic anomalies in each picture, with material of the next one.
pub(crate) fn synthetic(normal: &[Sample], object: usize, count: usize) -> Vec<Source> {
    let mut sources = Vec::with_capacity(normal.len() * count);
    for (n, sample) in normal.iter().enumerate() {
        for copy in 0..count {
            // Every other picture gets its turn; a single one lends to itself.
            let other = normal.get((n + 1 + copy) % normal.len()).unwrap_or(sample).image.clone();
            let number = ((object * 1_000_003 + n) * 1009 + copy) as u64;
            sources.push(Source { sample: sample.clone(), object, change: Change::Synthetic { other, number } });
        }
    }
    sources
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
