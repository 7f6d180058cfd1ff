//! Which object a medical file may show, and whether a model was made for such files.
//!
//! Comes in: modality and body part as DICOM has them, and the objects of a model. Goes out: an object's id, or a warning.
//! Cannot fail: what is not known has no hint. The table names what the data sets of the model cards show; it is the page's
//! (`web/ui/objects.js`), which follows the same rules (`web/ui/hints.js`).

use std::sync::LazyLock;

use mvfa_formats::Series;
use serde::Deserialize;

use crate::bundle::manifest::Manifest;

/// An object of the published data sets (BMAD): modalities, and parts of the body; none: any part.
#[derive(Deserialize)]
struct Known {
    id: String,
    modalities: Vec<String>,
    parts: Vec<String>,
}

impl Known {
    fn has_modality(&self, modality: &str) -> bool {
        self.modalities.iter().any(|one| one == modality)
    }

    /// Whether it has the part, in capitals; a file that names none may show any.
    fn has_part(&self, part: Option<&str>) -> bool {
        part.is_none_or(|part| self.parts.is_empty() || self.parts.iter().any(|one| one == part))
    }
}

/// The page's module, which holds the list as JSON.
const MODULE: &str = include_str!("../../web/ui/objects.js");

/// Without the list, which a test rules out, there is no hint.
static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let list = MODULE.split_once("KNOWN = ").and_then(|(_, rest)| rest.split_once(';'));
    list.and_then(|(list, _)| serde_json::from_str(list).ok()).unwrap_or_default()
});

/// The objects of the model that a series may show: its modality fits, and its part of the body where it has one.
pub(super) fn suggested(series: &Series, manifest: &Manifest) -> Vec<String> {
    let ids = fitting(series.modality.as_deref(), series.body_part.as_deref());
    manifest.objects.iter().filter(|object| ids.contains(&object.id.as_str())).map(|object| object.id.clone()).collect()
}

fn fitting(modality: Option<&str>, part: Option<&str>) -> Vec<&'static str> {
    let Some(modality) = modality else { return Vec::new() };
    let part = part.map(str::to_uppercase);
    let fits = |known: &&Known| known.has_modality(modality) && known.has_part(part.as_deref());
    KNOWN.iter().filter(fits).map(|known| known.id.as_str()).collect()
}

/// Why the object and the series do not belong together.
pub(super) fn mismatch(series: &Series, object: &str) -> Option<String> {
    misfit(series.modality.as_deref(), series.body_part.as_deref(), object)
}

fn misfit(modality: Option<&str>, part: Option<&str>, object: &str) -> Option<String> {
    let modality = modality?;
    let known = KNOWN.iter().find(|known| known.id == object)?;
    if !known.has_modality(modality) {
        let expected = known.modalities.join(" or ");
        return Some(format!(
            "the modality is {modality}, models for {object} are made from {expected}: the score may mean nothing"
        ));
    }
    let part = part?.to_uppercase();
    (!known.has_part(Some(&part))).then(|| {
        format!("the body part is {part}, which models for {object} have not seen: the score may mean nothing")
    })
}

/// What a series shows, in words.
pub(super) fn shows(series: &Series) -> String {
    match (&series.modality, &series.body_part) {
        (Some(modality), Some(part)) => format!("{modality} of {part}"),
        (Some(modality), None) => modality.clone(),
        (None, _) => format!("{} without a modality", series.format),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// `tests/browser/hints.test.mjs` holds the page to the same cases.
    #[test]
    fn the_page_says_the_same() {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Case {
            modality: Option<String>,
            body_part: Option<String>,
            suggested: Vec<String>,
            object: String,
            mismatch: Option<String>,
        }
        let cases: Vec<Case> = serde_json::from_str(include_str!("../../tests/fixtures/object-hints.json")).unwrap();
        assert!(KNOWN.iter().all(|known| cases.iter().any(|case| case.suggested.contains(&known.id))));
        for Case { modality, body_part, suggested, object, mismatch } in cases {
            let (modality, part) = (modality.as_deref(), body_part.as_deref());
            assert_eq!(fitting(modality, part), suggested, "{modality:?} of {part:?}");
            assert_eq!(misfit(modality, part, &object), mismatch, "{modality:?} of {part:?} as {object}");
        }
    }
}
