//! What folders of data sets are called, and which files systems put there by themselves.
//!
//! Comes in: the name of one folder or file, in any letter case. Goes out: what it says. The names are those of BMAD,
//! MVTec AD, anomalib, BTAD, VisA and their readers. Cannot fail: a name may say nothing.

use serde::Serialize;

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// What is measured on.
    Test,
    /// What shots are drawn from.
    Valid,
    /// Normal pictures; shots are drawn from them where there is no valid part.
    Train,
}

impl Part {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Valid => "valid",
            Self::Train => "train",
        }
    }
}

/// What the name of a folder says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Part(Part),
    /// Pictures of one class; whether they are abnormal.
    Class(bool),
    /// Pictures inside a class.
    Pictures,
    Masks,
    /// Nothing known: a kind of defect, a person, or anything.
    Other,
}

const PARTS: [(Part, &[&str]); 3] = [
    (Part::Test, &["test", "testing", "test_public", "test_set"]),
    (Part::Valid, &["valid", "val", "validation", "valid_set"]),
    (Part::Train, &["train", "training", "train_set"]),
];
const NORMAL: &[&str] =
    &["good", "normal", "normals", "ok", "healthy", "negative", "no_anomaly", "non_defective", "nondefective"];
const ABNORMAL: &[&str] = &[
    "ungood",
    "not_good",
    "notgood",
    "abnormal",
    "abnormals",
    "anomaly",
    "anomalies",
    "anomalous",
    "bad",
    "defect",
    "defects",
    "defective",
    "ng",
    "ko",
    "nok",
    "positive",
    "lesion",
    "lesions",
    "tumor",
    "tumour",
    "tumors",
    "tumours",
    "disease",
    "diseased",
    "pathology",
    "pathological",
    "unhealthy",
];
const PICTURES: &[&str] = &["img", "imgs", "image", "images", "picture", "pictures", "scan", "scans", "slices"];
const MASKS: &[&str] = &[
    "label",
    "labels",
    "mask",
    "masks",
    "ground_truth",
    "ground_truths",
    "groundtruth",
    "gt",
    "anomaly_mask",
    "anomaly_masks",
    "seg",
    "segmentation",
    "segmentations",
    "annotation",
    "annotations",
];

/// Endings of a mask's name behind the name of its picture.
const MASK_ENDINGS: &[&str] = &[
    "_anomaly_mask",
    "_ground_truth",
    "_segmentation",
    "_masks",
    "_mask",
    "-mask",
    ".mask",
    "_label",
    "_gt",
    "-gt",
    ".gt",
    "_seg",
    "-seg",
    ".seg",
    ".bm",
];

/// Reads the name of a folder.
pub(super) fn word(name: &str) -> Word {
    let name: String = name.trim().to_lowercase().chars().map(|c| if c == '-' || c == ' ' { '_' } else { c }).collect();
    let is_in = |list: &[&str]| list.contains(&name.as_str());
    if let Some((part, _)) = PARTS.iter().find(|(_, names)| is_in(names)) {
        Word::Part(*part)
    } else if is_in(NORMAL) || is_in(ABNORMAL) {
        Word::Class(is_in(ABNORMAL))
    } else if is_in(PICTURES) {
        Word::Pictures
    } else if is_in(MASKS) {
        Word::Masks
    } else {
        Word::Other
    }
}

/// The part that a folder's name says.
pub fn part_of(name: &str) -> Option<Part> {
    match word(name) {
        Word::Part(part) => Some(part),
        _ => None,
    }
}

/// Whether folders of such names make a data set: parts, or both classes.
pub fn is_set_folder(names: &[String]) -> bool {
    let has = |wanted: Word| names.iter().any(|name| word(name) == wanted);
    names.iter().any(|name| part_of(name).is_some()) || (has(Word::Class(false)) && has(Word::Class(true)))
}

/// A mask's name without what marks it as one; `None` if nothing does.
pub(super) fn without_mask_ending(stem: &str) -> Option<&str> {
    MASK_ENDINGS.iter().find_map(|ending| {
        let cut = stem.len().checked_sub(ending.len()).filter(|cut| *cut > 0)?;
        let (name, rest) = stem.split_at_checked(cut)?;
        rest.eq_ignore_ascii_case(ending).then_some(name)
    })
}

/// Whether systems put such files and folders there by themselves: nobody means them.
pub(super) fn is_noise(name: &str) -> bool {
    const NOISE: [&str; 5] = ["thumbs.db", "desktop.ini", "dicomdir", "__macosx", "__pycache__"];
    name.starts_with('.') || NOISE.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether a file is beside the pictures for people or programs to read.
pub(super) fn is_document(name: &str) -> bool {
    const DOCUMENTS: [&str; 12] =
        ["txt", "md", "json", "csv", "tsv", "xml", "yaml", "yml", "html", "pdf", "log", "xlsx"];
    name.rsplit_once('.').is_none_or(|(_, ending)| DOCUMENTS.contains(&ending.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_letter_case() {
        for (name, expected) in [
            ("Test", Word::Part(Part::Test)),
            ("VAL", Word::Part(Part::Valid)),
            ("training", Word::Part(Part::Train)),
            ("Good", Word::Class(false)),
            ("Ungood", Word::Class(true)),
            ("not-good", Word::Class(true)),
            ("Anomaly", Word::Class(true)),
            ("IMG", Word::Pictures),
            ("Ground Truth", Word::Masks),
            ("anomaly_mask", Word::Masks),
            ("Labels", Word::Masks),
            ("patient 7", Word::Other),
            ("", Word::Other),
        ] {
            assert_eq!(word(name), expected, "{name}");
        }
    }

    #[test]
    fn endings_of_masks_are_cut() {
        for (stem, expected) in [
            ("a_mask", Some("a")),
            ("a_GT", Some("a")),
            ("0001.bm", Some("0001")),
            ("a_seg", Some("a")),
            ("ä_anomaly_mask", Some("ä")),
            ("_mask", None),
            ("a", None),
            ("ü", None),
        ] {
            assert_eq!(without_mask_ending(stem), expected, "{stem}");
        }
    }

    #[test]
    fn what_systems_add_is_noise() {
        assert!([".DS_Store", "._a.png", "Thumbs.db", "desktop.INI", "__MACOSX"].into_iter().all(is_noise));
        assert!(!is_noise("a.png") && is_document("notes.txt") && !is_document("a.nii.gz"));
    }
}
