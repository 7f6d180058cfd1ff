//! Which mask belongs to which picture.
//!
//! Comes in: pictures and masks with their places. Goes out: the mask of each picture, and the masks that belong to none.
//! Names count without their endings; `_mask`, `_gt`, `_seg` and `.bm` behind a picture's name mark a mask. A mask in
//! the same person's folder comes first, then one without a person, if only one picture has that name.

use std::collections::{HashMap, HashSet};

use super::finding::{Finding, counted};
use super::layout::Item;
use super::words::{Part, without_mask_ending};

/// How well a mask's name fits: the same, the same with a mask's ending, in other letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Same,
    WithEnding,
    OtherLetters,
}

/// The mask of each picture, by the number of its path.
pub(super) struct Pairing {
    pub(super) of: Vec<Option<usize>>,
    pub(super) findings: Vec<Finding>,
}

fn stem(name: &str) -> &str {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    // Both endings of a packed volume.
    stem.strip_suffix(".nii").unwrap_or(stem)
}

fn ending(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, ending)| ending)
}

/// Names under which a mask may be looked for, in lower case.
fn keys(mask: &Item) -> Vec<String> {
    let stem = stem(mask.name);
    [Some(stem), without_mask_ending(stem)].into_iter().flatten().map(str::to_lowercase).collect()
}

/// Masks that lie in the same folder as their pictures, and the pictures without them.
pub(super) fn masks_beside(items: Vec<Item>) -> (Vec<Item>, Vec<Item>) {
    let place = |item: &Item| (item.place.part, item.place.class.clone(), item.place.person.clone());
    let known: HashSet<_> = items.iter().map(|item| (place(item), stem(item.name).to_owned())).collect();
    items.into_iter().partition(|item| {
        without_mask_ending(stem(item.name)).is_some_and(|of| known.contains(&(place(item), of.to_owned())))
    })
}

/// Finds the mask of each picture.
pub(super) fn pair(pictures: &[Item], masks: &[Item], paths: &[&str]) -> Pairing {
    let abnormal_parts: HashSet<Option<Part>> =
        pictures.iter().filter(|item| item.abnormal() == Some(true)).map(|item| item.place.part).collect();
    // Masks beside all parts are those of what is measured on.
    let measured = if abnormal_parts.contains(&Some(Part::Test)) { Some(Part::Test) } else { Some(Part::Valid) };
    let part_of = |item: &Item| match item.place.part {
        None if pictures.iter().any(|picture| picture.place.part.is_some()) => measured,
        part => part,
    };
    type Key = (Option<Part>, Option<String>, String, String);
    let mut by_key: HashMap<Key, Vec<usize>> = HashMap::new();
    for (n, mask) in masks.iter().enumerate() {
        let class = mask.place.class.as_ref().map(|class| class.name.clone());
        for name in keys(mask) {
            by_key.entry((part_of(mask), class.clone(), mask.place.person.join("/"), name)).or_default().push(n);
        }
    }
    let mut names: HashMap<(Option<Part>, Option<String>, String), HashSet<String>> = HashMap::new();
    let name_key = |item: &Item| {
        let class = item.place.class.as_ref().map(|class| class.name.clone());
        (item.place.part, class, stem(item.name).to_lowercase())
    };
    for picture in pictures {
        names.entry(name_key(picture)).or_default().insert(picture.place.person.join("/"));
    }

    let mut used = HashSet::new();
    let mut several = Vec::new();
    let of: Vec<Option<usize>> = pictures
        .iter()
        .map(|picture| {
            let (part, class, name) = name_key(picture);
            let person = picture.place.person.join("/");
            let is_only = names.get(&name_key(picture)).is_none_or(|persons| persons.len() == 1);
            let is_abnormal = picture.abnormal() == Some(true);
            let mut places = vec![(class.clone(), person.clone())];
            places.extend((is_only && !person.is_empty()).then(|| (class, String::new())));
            places.extend(is_abnormal.then(|| (None, person.clone())));
            places.extend((is_abnormal && is_only && !person.is_empty()).then(|| (None, String::new())));
            let found =
                places.into_iter().find_map(|(class, person)| by_key.get(&(part, class, person, name.clone())))?;
            let fit = |n: &usize| -> Option<(Fit, bool, usize)> {
                let mask = masks.get(*n)?;
                let (own, mask_stem) = (stem(picture.name), stem(mask.name));
                let fit = if mask_stem == own {
                    Fit::Same
                } else if without_mask_ending(mask_stem) == Some(own) {
                    Fit::WithEnding
                } else {
                    Fit::OtherLetters
                };
                Some((fit, ending(mask.name) != ending(picture.name), *n))
            };
            let best = found.iter().filter_map(fit).min()?.2;
            if found.len() > 1 {
                several.push(path(paths, picture.file));
            }
            used.extend(found.iter().copied());
            masks.get(best).map(|mask| mask.file)
        })
        .collect();
    let surplus: Vec<String> =
        masks.iter().enumerate().filter(|(n, _)| !used.contains(n)).map(|(_, mask)| path(paths, mask.file)).collect();
    let mut findings = Vec::new();
    if !surplus.is_empty() {
        let subject = format!("{} without a picture", counted(surplus.len(), "mask"));
        findings.push(Finding::about("surplus-mask", &subject, surplus, "; not used"));
    }
    if !several.is_empty() {
        let subject = format!("{} with more than one mask", counted(several.len(), "picture"));
        findings.push(Finding::about(
            "several-masks",
            &subject,
            several,
            "; the one with the most similar name is used",
        ));
    }
    Pairing { of, findings }
}

fn path(paths: &[&str], file: usize) -> String {
    paths.get(file).map(|path| (*path).to_owned()).unwrap_or_default()
}
