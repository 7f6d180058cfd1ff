//! What objects that are written about a file refer to: unique identifiers of its class, itself, study, series and
//! frame of reference.
//!
//! Comes in: a data set. Goes out: identifiers made of digits and dots, and nothing else. There is no `Debug`, so that
//! no message holds them. A file without them has no origin.

use super::dataset::DataSet;
use super::tags;

/// Identifiers of a file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) class: String,
    pub(crate) instance: String,
    pub(crate) study: String,
    pub(crate) series: String,
    pub(crate) frame_of_reference: Option<String>,
    /// Ratio and method, where the pixels were once compressed with loss.
    pub(crate) lossy: Option<(String, String)>,
    /// What the file says about names that are drawn into its pixels.
    pub(crate) is_burned_in: Option<bool>,
}

impl Origin {
    pub(super) fn read(set: &DataSet<'_>) -> Option<Self> {
        let uid = |tag| set.text(tag).filter(|text| is_uid(text));
        let number = set.text(tags::LOSSY_RATIO).filter(|text| text.parse::<f64>().is_ok() && text.len() <= 16);
        let method = set.text(tags::LOSSY_METHOD).filter(|text| text.len() <= 16 && text.bytes().all(is_code));
        let is_lossy = set.text(tags::LOSSY).as_deref() == Some("01");
        Some(Self {
            class: uid(tags::SOP_CLASS)?,
            instance: uid(tags::SOP_INSTANCE)?,
            study: uid(tags::STUDY_UID)?,
            series: uid(tags::SERIES_UID)?,
            frame_of_reference: uid(tags::FRAME_OF_REFERENCE),
            lossy: number.zip(method).filter(|_| is_lossy),
            is_burned_in: set.text(tags::BURNED_IN).and_then(|text| match text.as_str() {
                "YES" => Some(true),
                "NO" => Some(false),
                _ => None,
            }),
        })
    }
}

/// Digits and dots (PS3.5, 9.1): a name in the place of an identifier is none.
fn is_uid(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.split('.').all(|part| !part.is_empty() && part.bytes().all(is_digit))
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// A character of a code string.
fn is_code(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_and_dots_are_identifiers() {
        assert!(is_uid("1.2.840.10008.5.1.4.1.1.2"));
        for other in ["", "1..2", "Doe^Jane", "1.2.a", &"1".repeat(65)] {
            assert!(!is_uid(other), "{other}");
        }
    }
}
