//! Where a file lies in a data set: part, class, person, picture or mask.
//!
//! Comes in: the folders above a file, from the set's own folder on, and what else lies in them. Goes out: a [`Place`],
//! or the folder at which nothing is known any more.

use std::collections::HashSet;

use super::words::{Part, Word, word};

/// A class of pictures.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Class {
    /// Name of its folder in lower case.
    pub(super) name: String,
    /// Whether it is abnormal; `None` if its name does not say.
    pub(super) abnormal: Option<bool>,
}

/// Where a file lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) part: Option<Part>,
    pub(super) class: Option<Class>,
    pub(super) is_mask: bool,
    /// A folder of masks that has the classes in it, and not the other way round.
    pub(super) masks_hold_classes: bool,
    /// Folders that belong to one person.
    pub(super) person: Vec<String>,
    /// How many of the folders are the set's own; persons' folders are below.
    pub(super) own_folders: usize,
}

/// Facts about all folders of a set, by their path in it.
#[derive(Debug, Default)]
pub(super) struct Folders {
    /// Those with a folder like `img` in them.
    with_pictures_folder: HashSet<String>,
    /// Those with pictures in them, without the ones in deeper folders.
    with_pictures: HashSet<String>,
}

impl Folders {
    /// Of the folders above each picture.
    pub(super) fn new<'a>(pictures: impl Iterator<Item = &'a [&'a str]>) -> Self {
        let mut this = Self::default();
        for folders in pictures {
            for (n, _) in folders.iter().enumerate().filter(|(_, name)| word(name) == Word::Pictures) {
                this.with_pictures_folder.insert(folders[..n].join("/"));
            }
            this.with_pictures.insert(folders.join("/"));
        }
        this
    }

    /// Where a file in such folders lies.
    ///
    /// # Errors
    /// How many of the folders lead to the one that says nothing, itself included.
    pub(super) fn place(&self, folders: &[&str]) -> Result<Place, usize> {
        let words: Vec<Word> = folders.iter().map(|name| word(name)).collect();
        let class_at = words.iter().position(|w| matches!(w, Word::Class(_)));
        let mut place = Place {
            part: None,
            class: None,
            is_mask: false,
            masks_hold_classes: false,
            person: Vec::new(),
            own_folders: folders.len(),
        };
        for (n, (name, word)) in folders.iter().zip(&words).enumerate() {
            let knows_class = place.class.is_some();
            match word {
                Word::Part(part) if !knows_class && place.part.is_none() => place.part = Some(*part),
                Word::Masks => {
                    place.is_mask = true;
                    place.masks_hold_classes |= !knows_class;
                }
                Word::Class(abnormal) if !knows_class => {
                    place.class = Some(Class { name: name.to_lowercase(), abnormal: Some(*abnormal) });
                }
                Word::Pictures | Word::Class(_) => {}
                // A person's folder may have the classes in it.
                _ if !knows_class && class_at.is_some_and(|at| at > n) && (place.part.is_some() || place.is_mask) => {
                    place.person.push((*name).to_owned());
                }
                _ if !knows_class && (place.part.is_some() || place.is_mask) => {
                    place.class = Some(Class { name: name.to_lowercase(), abnormal: None });
                }
                _ if knows_class => {
                    if !place.is_mask && self.is_beside_pictures(&folders[..n]) {
                        return Err(n + 1);
                    }
                    place.own_folders = place.own_folders.min(n);
                    place.person.push((*name).to_owned());
                }
                _ => return Err(n + 1),
            }
        }
        let has_better = !place.is_mask && self.with_pictures_folder.contains(&folders.join("/"));
        if (place.class.is_none() && !place.is_mask) || has_better {
            return Err(folders.len());
        }
        Ok(place)
    }

    /// Whether the pictures of this folder lie in it or in its `img`, so that its other folders hold something else.
    fn is_beside_pictures(&self, folders: &[&str]) -> bool {
        let path = folders.join("/");
        self.with_pictures_folder.contains(&path) || self.with_pictures.contains(&path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Place of a file in the last of these folders, where pictures lie in all of them.
    fn place(all: &[&str]) -> Result<Place, usize> {
        let split: Vec<Vec<&str>> = all.iter().map(|path| path.split('/').collect()).collect();
        let folders = Folders::new(split.iter().map(Vec::as_slice));
        folders.place(split.last().unwrap())
    }

    /// Part, class with its label, whether it holds masks, person.
    type Summary<'a> = (Option<Part>, Option<(&'a str, Option<bool>)>, bool, String);

    fn summary(place: &Place) -> Summary<'_> {
        let class = place.class.as_ref().map(|class| (class.name.as_str(), class.abnormal));
        (place.part, class, place.is_mask, place.person.join("/"))
    }

    #[test]
    fn layouts_people_have_are_understood() {
        let (test, valid) = (Some(Part::Test), Some(Part::Valid));
        for (path, expected) in [
            ("test/good/img", (test, Some(("good", Some(false))), false, "")),
            ("val/Ungood/anomaly_mask", (valid, Some(("ungood", Some(true))), true, "")),
            ("test/crack", (test, Some(("crack", None)), false, "")),
            ("ground_truth/crack", (None, Some(("crack", None)), true, "")),
            ("test/ground_truth/bad", (test, Some(("bad", Some(true))), true, "")),
            ("test/abnormal/p1/s2", (test, Some(("abnormal", Some(true))), false, "p1/s2")),
            ("test/Ungood/p1/img", (test, Some(("ungood", Some(true))), false, "p1")),
            ("test/p1/good/img", (test, Some(("good", Some(false))), false, "p1")),
            ("masks", (None, None, true, "")),
        ] {
            let found = place(&[path]).unwrap();
            let (part, class, is_mask, person) = summary(&found);
            assert_eq!((part, class, is_mask, person.as_str()), expected, "{path}");
        }
    }

    #[test]
    fn the_first_folder_that_says_nothing_is_told() {
        assert_eq!(place(&["elsewhere/a"]), Err(1));
        assert_eq!(place(&["test"]), Err(1));
        assert_eq!(place(&["test/good/img", "test/good/overlays"]), Err(3));
        assert_eq!(place(&["test/good/img", "test/good"]), Err(2));
        assert_eq!(place(&["test/good", "test/good/p1"]), Err(3), "pictures lie beside it");
        assert!(place(&["test/good/img", "test/good/label"]).unwrap().is_mask);
    }
}
