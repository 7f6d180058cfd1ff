//! Which files of a folder are which pictures of a data set.
//!
//! Comes in: paths of files, relative to a folder, in their order. Goes out: a [`Layout`] for each data set in it, with
//! what was taken for what and the folders that say nothing. The page and the command line read the same words from it.
//! Cannot fail; a folder that is no data set gives none. Source: BMAD as published (`Ungood/label`), as MVFA reads it
//! (`Ungood/anomaly_mask`), MVTec AD and anomalib (`test/<defect>`, `ground_truth/<defect>`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;

use super::finding::{Finding, counted, listed};
use super::pairing::{self, Pairing};
use super::place::{Class, Folders, Place};
use super::words::{Part, Word, is_document, is_noise, word};
use crate::image::FILE_ENDINGS;

/// How a set is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Style {
    /// Parts, in them classes, in them pictures and masks.
    #[serde(rename = "BMAD")]
    Bmad,
    /// Masks in a folder of their own, kinds of defects as classes.
    #[serde(rename = "MVTec")]
    Mvtec,
    /// Classes without parts.
    #[serde(rename = "classes")]
    Classes,
}

/// One labelled picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number among the paths.
    pub file: usize,
    /// Where it belongs.
    pub part: Part,
    /// The label.
    pub abnormal: bool,
    /// Name of its class' folder.
    pub class: String,
    /// Folder of the person it shows, if the set has such folders.
    pub person: Option<String>,
    /// The number of its mask's path.
    pub mask: Option<usize>,
}

/// A folder, and how many pictures in it are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// Its path in the set.
    pub folder: String,
    /// Pictures or masks.
    pub files: usize,
}

/// What was taken for what in one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartSummary {
    /// The part.
    pub part: Part,
    /// Normal pictures.
    pub normal: usize,
    /// Abnormal pictures.
    pub abnormal: usize,
    /// Masks of abnormal pictures.
    pub masks: usize,
    /// Folders with a person's pictures.
    pub persons: usize,
    /// Where the normal ones lie.
    pub normal_folders: Vec<Taken>,
    /// Where the abnormal ones lie.
    pub abnormal_folders: Vec<Taken>,
    /// Where the masks lie.
    pub mask_folders: Vec<Taken>,
}

/// A data set, by the paths of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The folder of the set among the paths; empty for the one they are relative to.
    pub root: String,
    /// How it is laid out.
    pub style: Style,
    /// Labelled pictures: test, valid, train; in each the normal ones first, then in the order of the paths.
    pub entries: Vec<Entry>,
    /// What was taken for what.
    pub parts: Vec<PartSummary>,
    /// Folders with pictures that are not read.
    pub unknown: Vec<Taken>,
    /// What is to be known about it.
    pub findings: Vec<Finding>,
}

/// A picture or mask file of a set.
pub(super) struct Item<'a> {
    pub(super) file: usize,
    /// The file's name with its ending.
    pub(super) name: &'a str,
    /// Folder as it is told: the set's own ones only.
    folder: String,
    pub(super) place: Place,
}

impl Item<'_> {
    /// The folder of the class, without those for pictures and masks in it.
    fn class_folder(&self) -> String {
        let names: Vec<&str> = self.folder.split('/').collect();
        let is_class = |name: &&str| self.place.class.as_ref().is_some_and(|class| class.name == name.to_lowercase());
        names[..names.iter().position(is_class).map_or(names.len(), |at| at + 1)].join("/")
    }

    pub(super) fn abnormal(&self) -> Option<bool> {
        self.place.class.as_ref().map(|class| class.abnormal != Some(false))
    }
}

impl Layout {
    /// The data sets among files, sorted by their folders.
    pub fn find(paths: &[&str]) -> Vec<Self> {
        roots(paths).iter().map(|root| Self::at(root, paths)).collect()
    }

    /// The set in the folder `root` of the paths, which may be empty.
    pub fn at(root: &str, paths: &[&str]) -> Self {
        let inside: Vec<(usize, Vec<&str>)> = paths
            .iter()
            .enumerate()
            .filter_map(|(n, path)| {
                let rest = if root.is_empty() { path } else { path.strip_prefix(root)?.strip_prefix('/')? };
                Some((n, rest.split('/').collect::<Vec<_>>()))
            })
            .filter(|(_, parts)| !parts.iter().any(|name| is_noise(name)))
            .collect();
        let (pictures, others): (Vec<_>, Vec<_>) =
            inside.into_iter().partition(|(_, parts)| parts.last().is_some_and(|name| is_picture(name)));
        let folders = Folders::new(pictures.iter().map(|(_, parts)| &parts[..parts.len() - 1]));

        let mut unknown = BTreeMap::<String, usize>::new();
        let mut items = Vec::new();
        for (file, parts) in &pictures {
            let Some((name, above)) = parts.split_last() else { continue };
            match folders.place(above) {
                Ok(place) => {
                    items.push(Item { file: *file, name, folder: above[..place.own_folders].join("/"), place });
                }
                Err(depth) => *unknown.entry(above[..depth].join("/")).or_default() += 1,
            }
        }
        let style = style(&items);
        let takes_defects = takes_defects(&items, style);
        items.retain(|item| {
            let says = item.place.class.as_ref().is_none_or(|class| class.abnormal.is_some());
            let is_taken = says || (takes_defects && item.place.part != Some(Part::Train));
            if !is_taken {
                *unknown.entry(item.class_folder()).or_default() += usize::from(!item.place.is_mask);
            }
            is_taken
        });
        let (masks, pictures): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| item.place.is_mask);
        let (beside, pictures) = pairing::masks_beside(pictures);
        let persons = persons(&pictures);
        let all_masks: Vec<Item> = masks.into_iter().chain(beside).collect();
        let Pairing { of, findings: mut paired } = pairing::pair(&pictures, &all_masks, paths);

        let mut entries: Vec<(Entry, &Item)> = pictures
            .iter()
            .zip(persons)
            .zip(of)
            .map(|((item, person), mask)| {
                let class = item.place.class.as_ref().map_or_else(String::new, |class| class.name.clone());
                let (part, abnormal) = (item.place.part.unwrap_or(Part::Test), item.abnormal().unwrap_or(true));
                (Entry { file: item.file, part, abnormal, class, person, mask }, item)
            })
            .collect();
        entries.sort_by_key(|(entry, _)| (entry.part, entry.abnormal, entry.file));
        let parts = part_summaries(&entries, &all_masks);
        let entries: Vec<Entry> = entries.into_iter().map(|(entry, _)| entry).collect();
        let unknown: Vec<Taken> = unknown.into_iter().map(|(folder, files)| Taken { folder, files }).collect();

        let mut findings: Vec<Finding> = of_classes(&entries).into_iter().collect();
        findings.extend(of_unknown(&unknown));
        findings.append(&mut paired);
        findings.extend(of_missing_masks(&entries, paths));
        findings.extend(of_persons(&entries));
        findings.extend(of_names(&entries, paths));
        findings.extend(of_other_files(&others));
        Self { root: root.to_owned(), style, entries, parts, unknown, findings }
    }

    /// The labelled pictures of a part.
    pub fn of_part(&self, part: Part) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.part == part)
    }
}

/// Whether a file counts as a picture: by its ending.
fn is_picture(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| FILE_ENDINGS.contains(&ending.as_str())) || is_medical_name(name)
}

/// Whether a file is one with a medical picture, by its ending. Those whose pixels are in another file are left out.
pub fn is_medical_name(name: &str) -> bool {
    const ENDINGS: [&str; 5] = [".dcm", ".nii", ".nii.gz", ".nrrd", ".mha"];
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Folders with parts in them; without any, folders with both classes in them.
fn roots(paths: &[&str]) -> BTreeSet<String> {
    let before = |path: &str, is: &dyn Fn(Word) -> bool| {
        let mut folders: Vec<&str> = path.split('/').collect();
        let name = folders.pop()?;
        let at = folders.iter().position(|name| is(word(name)))?;
        let is_meant = is_picture(name) && !folders.iter().any(|name| is_noise(name));
        is_meant.then(|| (folders[..at].join("/"), word(folders[at])))
    };
    let mut found: BTreeSet<String> = paths
        .iter()
        .filter_map(|path| before(path, &|word| matches!(word, Word::Part(_))))
        .map(|(root, _)| root)
        .collect();
    if found.is_empty() {
        let classes: Vec<(String, Word)> =
            paths.iter().filter_map(|path| before(path, &|word| matches!(word, Word::Class(_)))).collect();
        let has = |root: &String, abnormal| classes.contains(&(root.clone(), Word::Class(abnormal)));
        found =
            classes.iter().map(|(root, _)| root.clone()).filter(|root| has(root, false) && has(root, true)).collect();
        // Masks may lie in a folder of their own above the classes.
        found.retain(|root| !root.split('/').any(|name| word(name) == Word::Masks));
    }
    let all = found.clone();
    let is_inside =
        |root: &str, other: &String| root != other && (other.is_empty() || root.starts_with(&format!("{other}/")));
    found.retain(|root| !all.iter().any(|other| is_inside(root, other)));
    found
}

fn style(items: &[Item]) -> Style {
    let any = |is: &dyn Fn(&Place) -> bool| items.iter().any(|item| is(&item.place));
    if any(&|place| place.is_mask && place.masks_hold_classes && place.class.is_some()) {
        Style::Mvtec
    } else if any(&|place| place.part.is_some()) {
        Style::Bmad
    } else {
        Style::Classes
    }
}

/// Whether a class whose name says nothing is a kind of defect: beside masks laid out as MVTec has them, or where
/// train has normal pictures and nothing else in test is abnormal.
fn takes_defects(items: &[Item], style: Style) -> bool {
    let has = |part: Part, abnormal: bool| {
        items.iter().any(|item| {
            let class = item.place.class.as_ref().and_then(|class: &Class| class.abnormal);
            !item.place.is_mask && item.place.part == Some(part) && class == Some(abnormal)
        })
    };
    style == Style::Mvtec || (has(Part::Train, false) && has(Part::Test, false) && !has(Part::Test, true))
}

/// Of each picture the person it shows. What all pictures of a class have in common is no person's folder.
fn persons(pictures: &[Item]) -> Vec<Option<String>> {
    let mut classes = HashMap::<_, Vec<&[String]>>::new();
    let key = |item: &Item| (item.place.part, item.place.class.clone());
    for item in pictures {
        classes.entry(key(item)).or_default().push(&item.place.person);
    }
    let common: HashMap<_, usize> = classes.into_iter().map(|(key, all)| (key, shared(&all))).collect();
    let of = |item: &Item| item.place.person.get(common.get(&key(item)).copied().unwrap_or(0)).cloned();
    pictures.iter().map(of).collect()
}

/// How many leading folders all have in common, where each has one more.
fn shared(all: &[&[String]]) -> usize {
    let Some(first) = all.first() else { return 0 };
    (0..first.len()).take_while(|n| all.iter().all(|one| one.len() > n + 1 && one[*n] == first[*n])).count()
}

fn part_summaries(entries: &[(Entry, &Item)], masks: &[Item]) -> Vec<PartSummary> {
    let mut all = Vec::new();
    for part in [Part::Test, Part::Valid, Part::Train] {
        let of =
            |abnormal: bool| entries.iter().filter(move |(entry, _)| entry.part == part && entry.abnormal == abnormal);
        let folders = |names: Vec<String>| {
            let mut counts = BTreeMap::<String, usize>::new();
            names.into_iter().for_each(|name| *counts.entry(name).or_default() += 1);
            counts.into_iter().map(|(folder, files)| Taken { folder, files }).collect::<Vec<_>>()
        };
        let in_folders = |abnormal| folders(of(abnormal).map(|(_, item)| item.folder.clone()).collect());
        let used: HashSet<usize> = of(true).filter_map(|(entry, _)| entry.mask).collect();
        let mask_folders = masks.iter().filter(|mask| used.contains(&mask.file)).map(|mask| mask.folder.clone());
        let persons: BTreeSet<&String> =
            of(false).chain(of(true)).filter_map(|(entry, _)| entry.person.as_ref()).collect();
        let summary = PartSummary {
            part,
            normal: of(false).count(),
            abnormal: of(true).count(),
            masks: used.len(),
            persons: persons.len(),
            normal_folders: in_folders(false),
            abnormal_folders: in_folders(true),
            mask_folders: folders(mask_folders.collect()),
        };
        if summary.normal + summary.abnormal > 0 {
            all.push(summary);
        }
    }
    all
}

/// Whether there is something to tell apart.
fn of_classes(entries: &[Entry]) -> Option<Finding> {
    let measured = if entries.iter().any(|entry| entry.part == Part::Test) { Part::Test } else { Part::Valid };
    let of = |abnormal| entries.iter().filter(|entry| entry.part == measured && entry.abnormal == abnormal).count();
    let text = match (of(false), of(true)) {
        (0, 0) => {
            "no picture was found; expected parts like test and valid, in each classes like good and Ungood".to_owned()
        }
        (normal, 0) => {
            format!(
                "{} has {} and no abnormal ones; put those into a folder like Ungood",
                measured.name(),
                counted(normal, "normal picture")
            )
        }
        (0, abnormal) if entries.iter().all(|entry| entry.mask.is_none()) => {
            format!(
                "{} has {} and no normal ones; put those into a folder like good",
                measured.name(),
                counted(abnormal, "abnormal picture")
            )
        }
        (0, abnormal) => {
            let text = format!(
                "{} has {} and no normal ones: only pixels can be measured",
                measured.name(),
                counted(abnormal, "abnormal picture")
            );
            return Some(Finding::warning("one-class", text));
        }
        _ => return None,
    };
    Some(Finding::error("one-class", text))
}

fn of_unknown(unknown: &[Taken]) -> Option<Finding> {
    let names: Vec<String> = unknown
        .iter()
        .map(|taken| {
            let folder = if taken.folder.is_empty() { "the folder itself" } else { taken.folder.as_str() };
            format!("{folder} ({})", counted(taken.files, "picture"))
        })
        .collect();
    let text = format!("folders whose names say nothing here are not read: {}", listed(&names));
    let files = unknown.iter().map(|taken| taken.folder.clone()).collect::<Vec<_>>();
    (!unknown.is_empty()).then(|| Finding { text, files, ..Finding::warning("unknown-folder", String::new()) })
}

fn of_missing_masks(entries: &[Entry], paths: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for part in [Part::Test, Part::Valid] {
        let abnormal: Vec<&Entry> = entries.iter().filter(|e| e.part == part && e.abnormal).collect();
        let missing: Vec<String> = abnormal
            .iter()
            .filter(|entry| entry.mask.is_none())
            .filter_map(|entry| paths.get(entry.file).map(|path| (*path).to_owned()))
            .collect();
        if missing.is_empty() {
            continue;
        }
        if missing.len() == abnormal.len() {
            let text = format!("{} has no masks: pixels are not measured there, pictures are", part.name());
            findings.push(Finding::warning("no-masks", text).of_part(part));
        } else {
            let subject = format!("{} without a mask", counted(missing.len(), "abnormal picture"));
            findings.push(
                Finding::about("missing-mask", &subject, missing, "; left out, for others there have one")
                    .of_part(part),
            );
        }
    }
    findings
}

/// Persons in two parts: what was learned of one helps with the same one.
fn of_persons(entries: &[Entry]) -> Option<Finding> {
    let of = |part: Part| -> BTreeSet<&String> {
        entries.iter().filter(|entry| entry.part == part).filter_map(|entry| entry.person.as_ref()).collect()
    };
    let test = of(Part::Test);
    let both: Vec<String> =
        of(Part::Valid).union(&of(Part::Train)).filter(|p| test.contains(*p)).map(|p| (*p).clone()).collect();
    let subject = format!("{} in test and in what shots are drawn from", counted(both.len(), "person"));
    (!both.is_empty())
        .then(|| Finding::about("person-in-two-parts", &subject, both, "; figures are better than on new persons"))
}

/// Pictures of one class with the same name but for the ending, in the same place.
fn of_names(entries: &[Entry], paths: &[&str]) -> Option<Finding> {
    let mut named = BTreeMap::<&str, Vec<usize>>::new();
    for entry in entries {
        if let Some(path) = paths.get(entry.file) {
            named.entry(path.rsplit_once('.').map_or(*path, |(stem, _)| stem)).or_default().push(entry.file);
        }
    }
    let twice: Vec<String> = named
        .into_values()
        .filter(|files| files.len() > 1)
        .flatten()
        .filter_map(|file| paths.get(file).map(|path| (*path).to_owned()))
        .collect();
    let subject = format!("{} share a name and differ in the ending only", counted(twice.len(), "picture"));
    (!twice.is_empty())
        .then(|| Finding::about("equal-names", &subject, twice, "; each is measured, with one mask for both"))
}

/// Files in the classes' folders that no picture format is known for.
fn of_other_files(others: &[(usize, Vec<&str>)]) -> Option<Finding> {
    let mut endings = BTreeMap::<String, usize>::new();
    for (_, parts) in others {
        let Some((name, above)) = parts.split_last() else { continue };
        let in_class = above.iter().any(|folder| matches!(word(folder), Word::Class(_) | Word::Masks));
        if in_class && !is_document(name) {
            let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
            *endings.entry(format!(".{ending}")).or_default() += 1;
        }
    }
    let names: Vec<String> = endings.iter().map(|(ending, count)| format!("{} {ending}", count)).collect();
    let text = format!("files of other formats are not read: {}", listed(&names));
    (!names.is_empty()).then(|| Finding { files: names, ..Finding::warning("other-files", text) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_part(layout: &Layout, part: Part) -> Vec<(usize, bool, Option<usize>)> {
        layout.of_part(part).map(|entry| (entry.file, entry.abnormal, entry.mask)).collect()
    }

    fn codes(layout: &Layout) -> Vec<&str> {
        layout.findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_set_is_found_where_its_parts_are() {
        let paths = [
            "Brain_AD/test/good/img/a.png",
            "Brain_AD/test/Ungood/img/b.png",
            "Brain_AD/test/Ungood/label/b.png",
            "Liver_AD/valid/good/c.png",
            "notes/d.png",
        ];
        let found = Layout::find(&paths);
        let roots: Vec<&str> = found.iter().map(|layout| layout.root.as_str()).collect();
        assert_eq!(roots, ["Brain_AD", "Liver_AD"]);
        assert_eq!(of_part(&found[0], Part::Test), [(0, false, None), (1, true, Some(2))]);
        assert_eq!(
            found[0].lines()[1],
            "test: 1 normal (test/good/img), 1 abnormal (test/Ungood/img), 1 mask (test/Ungood/label)"
        );
        assert!(Layout::find(&["patient A/series 1/a.png", "normal/b.png", "test.png"]).is_empty());
    }

    #[test]
    fn classes_without_parts_are_test() {
        let found = Layout::find(&["x/normal/a.png", "x/abnormal/b.png", "x/masks/abnormal/b_mask.png"]);
        assert_eq!((found.len(), found[0].style), (1, Style::Mvtec));
        assert_eq!(of_part(&found[0], Part::Test), [(0, false, None), (1, true, Some(2))]);
    }

    #[test]
    fn kinds_of_defects_are_classes_where_masks_or_train_say_so() {
        let mvtec = ["train/good/a.png", "test/good/b.png", "test/crack/c.png", "ground_truth/crack/c_mask.png"];
        let layout = Layout::at("", &mvtec);
        assert_eq!(of_part(&layout, Part::Test), [(1, false, None), (2, true, Some(3))]);
        assert_eq!(of_part(&Layout::at("", &mvtec[..3]), Part::Test), [(1, false, None), (2, true, None)]);
        let unknown = Layout::at("", &mvtec[1..3]);
        assert_eq!((of_part(&unknown, Part::Test).len(), codes(&unknown)), (1, vec!["one-class", "unknown-folder"]));
        let beside = Layout::at("", &["train/good/a.png", "test/good/b.png", "test/bad/c.png", "test/notes/d.png"]);
        assert_eq!(beside.unknown, [Taken { folder: "test/notes".to_owned(), files: 1 }]);
    }

    #[test]
    fn masks_are_paired_by_name_and_person() {
        let paths = [
            "test/good/n.png",
            "test/Ungood/img/p1/1.png",
            "test/Ungood/img/p2/1.png",
            "test/Ungood/img/p2/2.png",
            "test/Ungood/mask/p1/1_gt.png",
            "test/Ungood/mask/p2/1.png",
            "test/Ungood/mask/2.bm.png",
            "test/Ungood/mask/9.png",
        ];
        let layout = Layout::at("", &paths);
        let masks: Vec<Option<usize>> = of_part(&layout, Part::Test).iter().map(|(_, _, mask)| *mask).collect();
        assert_eq!(masks, [None, Some(4), Some(5), Some(6)]);
        assert_eq!(codes(&layout), ["surplus-mask"]);
        // One mask without a person, two pictures of its name: it could be of either.
        let unclear = Layout::at("", &[paths[0], paths[1], paths[2], "test/Ungood/mask/1.png"]);
        assert!(unclear.entries.iter().all(|entry| entry.mask.is_none()));
    }

    #[test]
    fn masks_may_lie_beside_their_pictures() {
        let layout =
            Layout::at("", &["test/good/n.png", "test/bad/a.png", "test/bad/a_mask.png", "test/bad/b_mask.png"]);
        assert_eq!(of_part(&layout, Part::Test), [(0, false, None), (1, true, Some(2)), (3, true, None)]);
        assert_eq!(codes(&layout), ["missing-mask"]);
    }

    #[test]
    fn persons_are_the_folders_that_differ() {
        let persons = |paths: &[&str]| -> Vec<Option<String>> {
            Layout::at("", paths).entries.into_iter().map(|entry| entry.person).collect()
        };
        let some = |names: &[&str]| names.iter().map(|name| Some((*name).to_owned())).collect::<Vec<_>>();
        let series = ["test/good/p1/s1/a.png", "test/good/p1/s2/a.png", "test/good/p2/s1/a.png"];
        assert_eq!(persons(&series), some(&["p1", "p1", "p2"]));
        assert_eq!(persons(&["test/good/all/p1/a.png", "test/good/all/p2/a.png"]), some(&["p1", "p2"]));
        assert_eq!(persons(&["test/good/p1/a.png", "test/good/p1/b.png"]), some(&["p1", "p1"]));
        let both = Layout::at("", &["test/good/p1/a.png", "test/bad/p2/b.png", "valid/good/p1/c.png"]);
        assert!(codes(&both).contains(&"person-in-two-parts"), "{:?}", both.findings);
    }

    #[test]
    fn names_and_formats_that_mislead_are_told() {
        let layout = Layout::at(
            "",
            &["test/good/a.png", "test/good/a.jpg", "test/bad/b.png", "test/bad/c.npy", "test/bad/d.txt"],
        );
        assert_eq!(codes(&layout), ["no-masks", "equal-names", "other-files"]);
    }
}
