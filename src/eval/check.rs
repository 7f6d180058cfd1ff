//! What lies in the files of a data set: sizes, depths, values of masks, equal pictures.
//!
//! Comes in: labelled pictures. Goes out: [`Contents`] with [`Finding`]s. Each file is decoded once, on all cores. A file
//! that cannot be read is a finding, no failure.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::dataset::{Finding, Part, counted};
use crate::disk::picture_file;
use crate::eval::dataset::DatasetError;
use crate::eval::mask::Mask;
use crate::eval::mask_values::Coding;
use crate::image::{PixelHash, Pixels};

/// Share of the pixels above which the middle one of the masks looks inverted.
const INVERTED_FROM: f64 = 0.5;

/// A labelled picture to look at.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What it is called in findings.
    pub name: String,
    /// The picture.
    pub image: PathBuf,
    /// Its mask; that of a normal picture too.
    pub mask: Option<PathBuf>,
    /// The part.
    pub part: Part,
    /// The label; `None` if it is not known.
    pub abnormal: Option<bool>,
}

/// What a picture file holds.
#[derive(Clone, Debug)]
struct PictureFacts {
    width_px: usize,
    height_px: usize,
    depth: &'static str,
    hash: PixelHash,
    notes: Vec<String>,
}

/// What a mask file holds.
#[derive(Clone, Debug)]
struct MaskFacts {
    coding: Coding,
    coverage: f64,
    is_alpha: bool,
    is_turned_along: bool,
    is_by_area: bool,
    lost_regions: usize,
}

#[derive(Debug)]
struct Facts {
    picture: Result<PictureFacts, String>,
    mask: Option<Result<MaskFacts, DatasetError>>,
}

/// What the files of a set hold.
#[derive(Debug)]
pub struct Contents {
    all: Vec<(Subject, Facts)>,
    side_px: usize,
}

impl Contents {
    /// Reads all files; masks are also looked at in the size of a model, `side_px`.
    pub fn read(subjects: Vec<Subject>, side_px: usize) -> Self {
        let next = AtomicUsize::new(0);
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(subjects.len().max(1));
        let work = || {
            let mut found = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let Some(subject) = subjects.get(n) else { return found };
                found.push((n, facts(subject, side_px)));
            }
        };
        let mut found: BTreeMap<usize, Facts> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let own = work();
            own.into_iter().chain(others.into_iter().filter_map(|thread| thread.join().ok()).flatten()).collect()
        });
        // A decoder that panics takes its thread along, and what that had found.
        let lost = || Facts { picture: Err("its decoder stopped; save the picture again".to_owned()), mask: None };
        let all = subjects.into_iter().enumerate().map(|(n, subject)| (subject, found.remove(&n).unwrap_or_else(lost)));
        Self { all: all.collect(), side_px }
    }

    /// The pixels of each picture; `None` if it cannot be read.
    pub fn hashes(&self) -> Vec<Option<PixelHash>> {
        self.all.iter().map(|(_, facts)| facts.picture.as_ref().ok().map(|picture| picture.hash)).collect()
    }

    /// The same without some of the pictures, by their numbers.
    #[must_use]
    pub fn without(self, is_out: impl Fn(usize) -> bool) -> Self {
        let all = self.all.into_iter().enumerate().filter(|(n, _)| !is_out(*n)).map(|(_, one)| one).collect();
        Self { all, ..self }
    }

    fn pairs(&self) -> impl Iterator<Item = (&Subject, &Facts)> {
        self.all.iter().map(|(subject, facts)| (subject, facts))
    }

    /// Names of the subjects whose facts are so.
    fn names(&self, is: impl Fn(&Subject, &Facts) -> bool) -> Vec<String> {
        self.pairs().filter(|(subject, facts)| is(subject, facts)).map(|(subject, _)| subject.name.clone()).collect()
    }

    /// Names of the abnormal pictures whose masks are so.
    fn masked(&self, is: impl Fn(&MaskFacts) -> bool) -> Vec<String> {
        self.names(|subject, facts| {
            subject.abnormal == Some(true) && facts.mask.as_ref().is_some_and(|mask| mask.as_ref().is_ok_and(&is))
        })
    }

    /// How many pictures cannot be read.
    pub fn unreadable(&self) -> usize {
        self.pairs().filter(|(_, facts)| facts.picture.is_err()).count()
    }

    /// What is odd about the files.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.of_unreadable();
        findings.extend(self.of_masks());
        findings.extend(self.of_equal_pictures());
        let mut notes = BTreeMap::<&str, Vec<String>>::new();
        for (subject, facts) in self.pairs() {
            for note in facts.picture.iter().flat_map(|picture| &picture.notes) {
                notes.entry(note).or_default().push(subject.name.clone());
            }
        }
        findings.extend(notes.into_iter().map(|(note, names)| {
            Finding::about("read-note", &counted(names.len(), "picture"), names, &format!(": {note}"))
        }));
        findings
    }

    fn of_unreadable(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let names = self.names(|_, facts| facts.picture.is_err());
        if let Some(reason) = self.pairs().find_map(|(_, facts)| facts.picture.as_ref().err()) {
            let subject = format!("{} cannot be read", counted(names.len(), "picture"));
            findings.push(Finding::about("unreadable-picture", &subject, names, &format!("; the first: {reason}")));
        }
        let mut of = |code, words: &str, is: &dyn Fn(&DatasetError) -> bool| {
            let of_mask = |facts: &Facts| {
                facts.mask.as_ref().and_then(|mask| mask.as_ref().err()).filter(|e| is(e)).map(ToString::to_string)
            };
            let names = self.names(|_, facts| of_mask(facts).is_some());
            if let Some(reason) = self.pairs().find_map(|(_, facts)| of_mask(facts)) {
                let subject = format!("{} {words}", counted(names.len(), "picture"));
                findings.push(Finding::about(code, &subject, names, &format!("; the first: {reason}")));
            }
        };
        let is_size = |error: &DatasetError| matches!(error, DatasetError::MaskSize { .. });
        let is_missing = |error: &DatasetError| matches!(error, DatasetError::MissingMask { .. });
        of("mask-size", "with a mask of another size", &is_size);
        of("unreadable-mask", "with a mask that cannot be used", &|error| !is_size(error) && !is_missing(error));
        findings
    }

    fn of_masks(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut about = |code, names: Vec<String>, words: &str, consequence: &str| {
            if !names.is_empty() {
                let subject = format!("{} {words}", counted(names.len(), "abnormal picture"));
                findings.push(Finding::about(code, &subject, names, consequence));
            }
        };
        let is_empty = |mask: &MaskFacts| mask.coding == Coding::Empty;
        about("empty-mask", self.masked(is_empty), "with an empty mask", "; all pixels of it count as normal");
        let few = self.masked(|mask| matches!(mask.coding, Coding::Few { .. }));
        let values = self.values(|coding| matches!(coding, Coding::Few { .. }));
        about(
            "few-values",
            few,
            &format!("with masks of a few values ({values})"),
            "; everything above 0 counts as abnormal",
        );
        let ramps = self.masked(|mask| matches!(mask.coding, Coding::Ramp { .. }));
        about("grey-mask", ramps, "with masks of many grey values", "; above half of white counts as abnormal");
        about(
            "alpha-mask",
            self.masked(|mask| mask.is_alpha),
            "with masks of one colour",
            "; their alpha channel is used",
        );
        let turned = self.masked(|mask| mask.is_turned_along);
        let words = "turned by an EXIF note that the mask has not";
        about(
            "turned-mask",
            turned,
            words,
            "; the mask is turned like the picture, check that it was drawn on the picture as stored",
        );
        let at = format!(" at {0} x {0} pixels", self.side_px);
        let by_area = self.masked(|mask| mask.is_by_area);
        about("small-mask", by_area, &format!("with masks that would vanish{at}"), "; kept by their area");
        let lost = self.masked(|mask| mask.lost_regions > 0);
        about(
            "small-region",
            lost,
            &format!("with regions that vanish{at}"),
            "; these are not counted, the others are",
        );
        if let Some((_, median, _)) = self.coverage().filter(|(_, median, _)| *median > INVERTED_FROM) {
            let text = format!(
                "half of the masks cover more than {:.0} % of their pictures: they look inverted (abnormal must be the higher value)",
                median * 100.0
            );
            findings.push(Finding::warning("inverted-masks", text));
        }
        let normal = self.names(|subject, facts| {
            let shows = |mask: &Result<MaskFacts, DatasetError>| mask.as_ref().is_ok_and(|mask| mask.coverage > 0.0);
            subject.abnormal == Some(false) && facts.mask.as_ref().is_some_and(shows)
        });
        if !normal.is_empty() {
            let subject = format!("{} with a mask that is not empty", counted(normal.len(), "normal picture"));
            findings.push(Finding::about("normal-with-mask", &subject, normal, "; the mask is not used"));
        }
        findings
    }

    /// Distinct values of the masks that are coded so.
    fn values(&self, is: impl Fn(&Coding) -> bool) -> String {
        let mut all: Vec<f32> = Vec::new();
        for mask in
            self.pairs().filter_map(|(_, facts)| facts.mask.as_ref()?.as_ref().ok()).filter(|mask| is(&mask.coding))
        {
            if let Coding::Two { values } | Coding::Few { values } = &mask.coding {
                values.iter().for_each(|value| {
                    if !all.contains(value) {
                        all.push(*value)
                    }
                });
            }
        }
        all.sort_by(f32::total_cmp);
        all.iter().map(f32::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Lowest, middle and highest share that masks of abnormal pictures cover.
    fn coverage(&self) -> Option<(f64, f64, f64)> {
        let masks = self.pairs().filter(|(subject, _)| subject.abnormal == Some(true));
        let mut shares: Vec<f64> =
            masks.filter_map(|(_, facts)| Some(facts.mask.as_ref()?.as_ref().ok()?.coverage)).collect();
        shares.sort_by(f64::total_cmp);
        Some((*shares.first()?, *shares.get(shares.len() / 2)?, *shares.last()?))
    }

    fn of_equal_pictures(&self) -> Vec<Finding> {
        let mut equal = BTreeMap::<PixelHash, Vec<&Subject>>::new();
        for (subject, facts) in self.pairs() {
            if let Ok(picture) = &facts.picture {
                equal.entry(picture.hash).or_default().push(subject);
            }
        }
        let mut kinds: [Vec<String>; 3] = Default::default();
        let mut groups: Vec<Vec<&Subject>> = equal.into_values().filter(|group| group.len() > 1).collect();
        groups.sort_by(|a, b| a.first().map(|s| &s.name).cmp(&b.first().map(|s| &s.name)));
        for group in &groups {
            let differ = |by: &dyn Fn(&Subject) -> u8| group.iter().any(|one| by(one) != by(group[0]));
            let kind = if differ(&|one| one.abnormal.map_or(2, u8::from)) {
                0
            } else if differ(&|one| one.part as u8) {
                1
            } else {
                2
            };
            kinds[kind].push(group.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(" = "));
        }
        let says = [
            ("equal-labels-differ", "equal pictures with different labels", "; one of the labels is wrong"),
            (
                "equal-between-parts",
                "equal pictures in different parts",
                "; what was learned or compared with is measured on",
            ),
            ("equal-pictures", "equal pictures in one part", "; each is counted as if it were another"),
        ];
        let found = kinds.into_iter().zip(says).filter(|(names, _)| !names.is_empty());
        found.map(|(names, (code, subject, consequence))| Finding::about(code, subject, names, consequence)).collect()
    }

    /// Sizes, depths, values and coverage, in lines.
    pub fn lines(&self) -> Vec<String> {
        let list = |counts: BTreeMap<String, usize>| {
            let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
            counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            counts.iter().map(|(what, count)| format!("{what} ({count})")).collect::<Vec<_>>().join(", ")
        };
        let mut lines = Vec::new();
        if self.unreadable() < self.all.len() {
            lines.push(format!("sizes: {}", list(self.count(|p| format!("{} x {}", p.width_px, p.height_px)))));
            lines.push(format!("depths: {}", list(self.count(|p| p.depth.to_owned()))));
        }
        if let Some((low, median, high)) = self.coverage() {
            let values = self.values(|_| true);
            let values = if values.is_empty() { String::new() } else { format!("values {values}; ") };
            let [low, median, high] = [low, median, high].map(|share| share * 100.0);
            lines.push(format!(
                "masks: {values}they cover {low:.1} to {high:.1} % of their pictures, the middle one {median:.1} %"
            ));
        }
        lines
    }

    fn count(&self, of: impl Fn(&PictureFacts) -> String) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        self.pairs()
            .filter_map(|(_, facts)| facts.picture.as_ref().ok())
            .for_each(|picture| *counts.entry(of(picture)).or_default() += 1);
        counts
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let coverage = self
            .coverage()
            .map(|(lowest, median, highest)| json!({ "lowest": lowest, "median": median, "highest": highest }));
        json!({
            "pictures": self.all.len(),
            "unreadable": self.unreadable(),
            "sizes": self.count(|p| format!("{}x{}", p.width_px, p.height_px)),
            "depths": self.count(|p| p.depth.to_owned()),
            "mask_values": self.values(|_| true),
            "mask_coverage": coverage,
        })
    }
}

fn facts(subject: &Subject, side_px: usize) -> Facts {
    let picture = picture_file::whole(&subject.image).map_err(|e| e.to_string()).map(|picture| PictureFacts {
        width_px: picture.width_px,
        height_px: picture.height_px,
        depth: match picture.pixels {
            Pixels::Rgb8(_) => "8-bit colour",
            Pixels::Gray8(_) => "8-bit grey",
            Pixels::DeepGray { .. } => "deep grey",
            Pixels::DeepRgb { .. } => "deep colour",
        },
        hash: PixelHash::of_picture(&picture),
        notes: picture.notes.iter().map(ToString::to_string).collect(),
    });
    let mask = subject.mask.as_ref().map(|path| {
        let mask = Mask::of(path, &subject.image)?;
        // Masks of normal pictures are not used, whatever their size.
        if let Ok(picture) = picture.as_ref()
            && subject.abnormal != Some(false)
        {
            mask.check_size(path, picture.width_px, picture.height_px)?;
        }
        let small = mask.at(side_px);
        Ok(MaskFacts {
            coverage: mask.coverage(),
            is_alpha: mask.is_alpha,
            is_turned_along: mask.is_turned_along,
            is_by_area: small.is_by_area,
            lost_regions: small.lost_regions,
            coding: mask.coding,
        })
    });
    Facts { picture, mask }
}
