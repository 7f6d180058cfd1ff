//! What both kinds of object have: source frames, patient and study without a person, device, date.

use super::item::{Item, head};
use crate::dicom::Origin;
use crate::series::Source;
use crate::write::WriteError;
use crate::{FormatError, Geometry, Series};

/// The name of this implementation in a file's first bytes, by which such a file is known again.
pub const IMPLEMENTATION: &str = "MVFA_WEB";

/// Made once, at random, and never to be changed.
const IMPLEMENTATION_UID: &str = "2.25.217903452217640934115920383360847296651";
const EXPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";

/// What an object needs beside its source.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// Now, in seconds since 1970 (UTC): date and time of the object, not of the study.
    pub unix_seconds: u64,
    /// Random numbers, for unique identifiers.
    pub random: [u128; 3],
}

impl Stamp {
    /// One of the new identifiers (PS3.5, B.2).
    pub(super) fn uid(&self, n: usize) -> String {
        format!("2.25.{}", self.random[n])
    }

    /// Date and time as DICOM writes them.
    pub(super) fn date_time(&self) -> (String, String) {
        let (days, seconds) = (self.unix_seconds / 86_400, self.unix_seconds % 86_400);
        // Days from 1 March of year 0, in eras of 400 years (Howard Hinnant, "chrono-compatible date algorithms").
        let days = days + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
        let date = format!("{:04}{month:02}{day:02}", year + era * 400);
        (date, format!("{:02}{:02}{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60))
    }
}

/// A frame that an object refers to.
pub(super) struct SourceFrame<'a> {
    pub(super) origin: &'a Origin,
    /// Its number from 1, where its file has several.
    pub(super) number: Option<usize>,
    pub(super) geometry: Geometry,
}

impl SourceFrame<'_> {
    /// The reference to its file, and to itself within it.
    pub(super) fn reference(&self) -> Item {
        let item =
            Item::new().text(0x0008_1150, b"UI", &self.origin.class).text(0x0008_1155, b"UI", &self.origin.instance);
        match self.number {
            Some(number) => item.text(0x0008_1160, b"IS", &number.to_string()),
            None => item,
        }
    }
}

/// Whether DICOM objects can refer to a series.
///
/// # Errors
/// [`WriteError::NotDicom`], [`WriteError::NoIdentifiers`], [`WriteError::SeveralStudies`].
pub fn check_dicom(series: &Series) -> Result<(), WriteError> {
    sources(series, &(0..series.len()).collect::<Vec<_>>()).map(drop)
}

/// The frames with these numbers.
pub(super) fn sources<'a>(series: &'a Series, frames: &[usize]) -> Result<Vec<SourceFrame<'a>>, WriteError> {
    let mut found = Vec::new();
    for &wanted in frames {
        let frames = series.entries.len();
        let entry = series.entries.get(wanted).ok_or(FormatError::NoSuchFrame { wanted, frames })?;
        let Source::Dicom(file) = &entry.source else {
            return Err(WriteError::NotDicom { format: series.format });
        };
        let origin = file.origin().ok_or(WriteError::NoIdentifiers)?;
        let number = (file.frames() > 1).then_some(entry.index + 1);
        found.push(SourceFrame { origin, number, geometry: entry.info.geometry });
    }
    let Some(first) = found.first() else { return Err(WriteError::Nothing) };
    if found.iter().any(|frame| frame.origin.study != first.origin.study) {
        return Err(WriteError::SeveralStudies);
    }
    Ok(found)
}

/// Patient, study, series, device and the object itself. Nothing of the patient is among it.
pub(super) fn common(origin: &Origin, stamp: &Stamp, class: &str, modality: &str, description: &str) -> Item {
    let (date, time) = stamp.date_time();
    let item = Item::new()
        .text(0x0008_0016, b"UI", class)
        .text(0x0008_0018, b"UI", &stamp.uid(0))
        .text(0x0008_0023, b"DA", &date)
        .text(0x0008_0033, b"TM", &time)
        .text(0x0008_0060, b"CS", modality)
        .text(0x0008_0070, b"LO", "MVFA Web")
        .text(0x0008_103e, b"LO", description)
        .text(0x0008_1090, b"LO", "mvfa")
        // Name, number, birth date and sex; accession number, referring physician, date, time and number of the study.
        .empty(&[(0x0010_0010, b"PN"), (0x0010_0020, b"LO"), (0x0010_0030, b"DA"), (0x0010_0040, b"CS")])
        .empty(&[(0x0008_0020, b"DA"), (0x0008_0030, b"TM"), (0x0008_0050, b"SH"), (0x0008_0090, b"PN")])
        .empty(&[(0x0020_0010, b"SH")])
        .text(0x0012_0062, b"CS", "YES")
        .text(0x0012_0063, b"LO", "No patient or study attributes copied; unique identifiers kept")
        .text(0x0028_0303, b"CS", "REMOVED")
        .text(0x0018_1000, b"LO", "0")
        .text(0x0018_1020, b"LO", env!("CARGO_PKG_VERSION"))
        .text(0x0020_000d, b"UI", &origin.study)
        .text(0x0020_000e, b"UI", &stamp.uid(1))
        .text(0x0020_0011, b"IS", "1")
        .text(0x0020_0013, b"IS", "1");
    match &origin.lossy {
        Some((ratio, method)) => {
            item.text(0x0028_2110, b"CS", "01").text(0x0028_2112, b"DS", ratio).text(0x0028_2114, b"CS", method)
        }
        None => item.text(0x0028_2110, b"CS", "00"),
    }
}

/// The files that are referred to, by series, each once.
pub(super) fn referenced_series(sources: &[SourceFrame<'_>]) -> Item {
    let mut all: Vec<(&str, Vec<&Origin>)> = Vec::new();
    for source in sources {
        let origin = source.origin;
        let place = all.iter().position(|(series, _)| *series == origin.series).unwrap_or_else(|| {
            all.push((&origin.series, Vec::new()));
            all.len() - 1
        });
        let files = &mut all[place].1;
        if files.last().is_none_or(|last| last.instance != origin.instance) {
            files.push(origin);
        }
    }
    let file = |origin: &&Origin| {
        Item::new().text(0x0008_1150, b"UI", &origin.class).text(0x0008_1155, b"UI", &origin.instance)
    };
    let series = all.into_iter().map(|(uid, files)| {
        Item::new().text(0x0020_000e, b"UI", uid).items(0x0008_114a, files.iter().map(file).collect())
    });
    Item::new().items(0x0008_1115, series.collect())
}

/// A file up to the first byte of its pixels, of which there will be `pixel_bytes`.
pub(super) fn file_head(class: &str, instance: &str, set: Item, pixel_bytes: u64) -> Result<Vec<u8>, WriteError> {
    // An even length below the one that means "not known".
    const LIMIT: u64 = 0xffff_fffe;
    let length = pixel_bytes.next_multiple_of(2);
    let length = u32::try_from(length).ok().filter(|length| u64::from(*length) < LIMIT);
    let length = length.ok_or(WriteError::TooLarge { bytes: pixel_bytes, limit: LIMIT - 2 })?;
    let meta = Item::new()
        .bytes(0x0002_0001, vec![0, 1])
        .text(0x0002_0002, b"UI", class)
        .text(0x0002_0003, b"UI", instance)
        .text(0x0002_0010, b"UI", EXPLICIT_LITTLE_ENDIAN)
        .text(0x0002_0012, b"UI", IMPLEMENTATION_UID)
        .text(0x0002_0013, b"SH", IMPLEMENTATION)
        .encoded();
    let mut bytes = vec![0; 128];
    bytes.extend(b"DICM");
    bytes.extend(Item::new().u32s(0x0002_0000, &[meta.len() as u32]).encoded());
    bytes.extend(meta);
    bytes.extend(set.encoded());
    head(&mut bytes, 0x7fe0_0010, *b"OB", length);
    Ok(bytes)
}

/// Rows, columns and the like, in 16 bits.
pub(super) fn side(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

/// Whether names may be drawn into the pixels: the source's word, else no only where machines do not draw any.
pub(super) fn burned_in(series: &Series, origin: &Origin) -> &'static str {
    let is_clean = matches!(series.modality.as_deref(), Some("CT" | "MR" | "PT" | "NM"));
    if origin.is_burned_in.unwrap_or(!is_clean) { "YES" } else { "NO" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (unix_seconds, expected) in [
            (0, ("19700101", "000000")),
            (951_782_399, ("20000228", "235959")),
            (951_782_400, ("20000229", "000000")),
            (1_709_251_200, ("20240301", "000000")),
            (4_102_444_799, ("20991231", "235959")),
        ] {
            let (date, time) = Stamp { unix_seconds, random: [0; 3] }.date_time();
            assert_eq!((date.as_str(), time.as_str()), expected);
        }
    }

    #[test]
    fn identifiers_fit() {
        let uid = Stamp { unix_seconds: 0, random: [u128::MAX; 3] }.uid(0);
        assert!(uid.len() <= 64 && uid.starts_with("2.25."), "{uid}");
    }
}
