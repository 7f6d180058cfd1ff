//! The objects a converted model is asked about: the six of MVFA, and a user's own.
//!
//! Comes in: ids of the six, or `ID=PROMPT WORD:KIND`. Goes out: [`ObjectSpec`] without text
//! features. Fails with [`BundleError::Options`] that shows the form expected.

use crate::bundle::error::BundleError;
use crate::bundle::manifest::{ObjectKind, ObjectSpec};

/// Id, shown name, prompt word and kind of MVFA's six data sets (spec §4 and §10).
const SIX: [(&str, &str, &str, ObjectKind); 6] = [
    ("brain", "Brain MRI", "Brain", ObjectKind::Segmentation),
    ("liver", "Liver CT", "Liver", ObjectKind::Segmentation),
    ("resc", "Retinal OCT (RESC)", "retinal OCT", ObjectKind::Segmentation),
    ("oct17", "Retinal OCT (OCT2017)", "retinal OCT", ObjectKind::Detection),
    ("chest", "Chest X-ray", "Chest X-ray film", ObjectKind::Detection),
    ("his", "Histology", "histopathological image", ObjectKind::Detection),
];

/// The six objects of MVFA.
pub fn default_objects() -> Vec<ObjectSpec> {
    SIX.iter().map(|(id, name, prompt, kind)| object(id, name, prompt, *kind)).collect()
}

/// One of the six by its id.
///
/// # Errors
/// [`BundleError::UnknownObject`] with the ids there are.
pub fn known_object(id: &str) -> Result<ObjectSpec, BundleError> {
    SIX.iter().find(|known| known.0 == id).map(|(id, name, prompt, kind)| object(id, name, prompt, *kind)).ok_or_else(
        || BundleError::UnknownObject { id: id.to_owned(), known: SIX.iter().map(|o| o.0.to_owned()).collect() },
    )
}

/// Reads `ID=PROMPT WORD:KIND`, where KIND is `segmentation` or `detection`. The prompt word is
/// shown to people as the name too.
///
/// # Errors
/// [`BundleError::Options`] if a part is missing, the id is not plain, or the kind is unknown.
pub fn parse_object(text: &str) -> Result<ObjectSpec, BundleError> {
    let wrong = |what: &str| {
        BundleError::Options(format!(
            "{what} in {text:?}; write ID=PROMPT WORD:KIND, for example knee=knee MRI:segmentation"
        ))
    };
    let (id, rest) = text.split_once('=').ok_or_else(|| wrong("no = after the id"))?;
    let (prompt, kind) = rest.rsplit_once(':').ok_or_else(|| wrong("no :KIND at the end"))?;
    let (id, prompt) = (id.trim(), prompt.trim());
    // The id becomes part of a tensor name, of links and of file names.
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if id.is_empty() || id.len() > 64 || !id.chars().all(plain) {
        return Err(wrong("the id must be 1 to 64 of a-z, 0-9, - and _"));
    }
    if prompt.is_empty() || prompt.chars().any(char::is_control) {
        return Err(wrong("no prompt word"));
    }
    let kind = match kind.trim() {
        "segmentation" => ObjectKind::Segmentation,
        "detection" => ObjectKind::Detection,
        _ => return Err(wrong("the kind must be segmentation or detection")),
    };
    Ok(object(id, prompt, prompt, kind))
}

/// Checks that no id stands twice.
///
/// # Errors
/// [`BundleError::Options`] that names the id.
pub fn check_distinct(objects: &[ObjectSpec]) -> Result<(), BundleError> {
    for (n, one) in objects.iter().enumerate() {
        if objects.iter().take(n).any(|other| other.id == one.id) {
            return Err(BundleError::Options(format!("the object {} is given twice; keep one of the two", one.id)));
        }
    }
    Ok(())
}

fn object(id: &str, name: &str, prompt: &str, kind: ObjectKind) -> ObjectSpec {
    ObjectSpec {
        id: id.to_owned(),
        name: name.to_owned(),
        prompt: prompt.to_owned(),
        kind,
        text_features: None,
        bilateral: false,
        calibration: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_object() {
        let knee = parse_object("knee=knee MRI: T2:segmentation").unwrap();
        assert_eq!((knee.id.as_str(), knee.prompt.as_str()), ("knee", "knee MRI: T2"));
        assert_eq!(knee.kind, ObjectKind::Segmentation);
        assert_eq!(parse_object("a=b:detection").unwrap().kind, ObjectKind::Detection);
    }

    #[test]
    fn says_what_is_wrong_with_an_object() {
        for (text, part) in [
            ("knee", "no ="),
            ("knee=MRI", "no :KIND"),
            ("=MRI:detection", "the id"),
            ("Knee!=MRI:detection", "the id"),
            ("knee= :detection", "no prompt"),
            ("knee=MRI:both", "the kind"),
        ] {
            let message = parse_object(text).unwrap_err().to_string();
            assert!(message.contains(part) && message.contains("ID=PROMPT"), "{message}");
        }
    }

    #[test]
    fn knows_the_six() {
        assert_eq!(default_objects().len(), 6);
        assert_eq!(known_object("chest").unwrap().prompt, "Chest X-ray film");
        assert!(known_object("knee").unwrap_err().to_string().contains("oct17"));
        let twice = [known_object("his").unwrap(), known_object("his").unwrap()];
        assert!(check_distinct(&twice).is_err());
    }
}
