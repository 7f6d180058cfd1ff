//! Which object a medical file may show, and whether a model was made for such files.
//!
//! Comes in: modality and body part as DICOM has them, and the objects of a model. Goes out: an object's id, or a warning.
//! Cannot fail: what is not known has no hint. The table names what the data sets of the model cards show.

use mvfa_formats::Series;

use crate::bundle::manifest::Manifest;

/// An object of the published data sets (BMAD): modalities, and parts of the body.
struct Known {
    id: &'static str,
    modalities: &'static [&'static str],
    parts: &'static [&'static str],
}

const KNOWN: [Known; 7] = [
    Known { id: "brain", modalities: &["MR"], parts: &["BRAIN", "HEAD", "SKULL"] },
    Known { id: "liver", modalities: &["CT"], parts: &["LIVER", "ABDOMEN", "ABDOMENPELVIS"] },
    Known { id: "lung", modalities: &["CT"], parts: &["LUNG", "CHEST", "THORAX"] },
    Known { id: "resc", modalities: &["OPT"], parts: &["EYE", "RETINA"] },
    Known { id: "oct17", modalities: &["OPT"], parts: &["EYE", "RETINA"] },
    Known { id: "chest", modalities: &["CR", "DX"], parts: &["CHEST", "THORAX", "LUNG"] },
    Known { id: "his", modalities: &["SM"], parts: &[] },
];

/// The objects of the model that a series may show: its modality fits, and its part of the body where it has one.
pub(super) fn suggested(series: &Series, manifest: &Manifest) -> Vec<String> {
    let Some(modality) = series.modality.as_deref() else { return Vec::new() };
    let part = series.body_part.as_deref().map(str::to_uppercase);
    let fits = |known: &&Known| {
        let part_fits = part.as_ref().is_none_or(|part| known.parts.is_empty() || known.parts.contains(&part.as_str()));
        known.modalities.contains(&modality) && part_fits
    };
    let ids: Vec<&str> = KNOWN.iter().filter(fits).map(|known| known.id).collect();
    manifest.objects.iter().filter(|object| ids.contains(&object.id.as_str())).map(|object| object.id.clone()).collect()
}

/// Why the object and the series do not belong together.
pub(super) fn mismatch(series: &Series, object: &str) -> Option<String> {
    let modality = series.modality.as_deref()?;
    let known = KNOWN.iter().find(|known| known.id == object)?;
    if !known.modalities.contains(&modality) {
        let expected = known.modalities.join(" or ");
        return Some(format!(
            "the modality is {modality}, models for {object} are made from {expected}: the score may mean nothing"
        ));
    }
    let part = series.body_part.as_deref()?.to_uppercase();
    let fits = known.parts.is_empty() || known.parts.contains(&part.as_str());
    (!fits).then(|| {
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
