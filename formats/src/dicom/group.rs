//! Many DICOM files to series: by series identifier, size and orientation, sorted by position along the normal.

use std::collections::HashMap;

use crate::Series;
use crate::geometry::dot;
use crate::series::Source;

/// Directions whose cosine is above this are the same.
const SAME_DIRECTION: f64 = 0.999;

/// Steps that differ by less than this share of the usual one are the same.
const SAME_STEP: f64 = 0.1;

/// Puts opened files together. Files without a series identifier, and those of other formats, stay alone. Each
/// series keeps the place of its first file; its notes name gaps and duplicates. The same file under another name is left out.
pub fn group(files: Vec<Series>) -> Vec<Series> {
    let mut groups: Vec<Vec<Series>> = Vec::new();
    // Of each identifier the groups, and the files in them, that have it.
    let mut known: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
    let mut copies: HashMap<usize, usize> = HashMap::new();
    for file in files {
        let instance = file.dicom().and_then(|dicom| dicom.origin()).map(|origin| origin.instance.clone());
        let alike = instance.as_ref().and_then(|instance| known.get(instance)).into_iter().flatten();
        if let Some((group, _)) = alike.into_iter().find(|(group, n)| is_copy(&groups[*group][*n], &file)) {
            *copies.entry(*group).or_default() += 1;
            continue;
        }
        let found = groups.iter().position(|group| group.first().is_some_and(|first| belong(first, &file)));
        let place = found.unwrap_or(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(file),
            None => groups.push(vec![file]),
        }
        if let Some(instance) = instance {
            known.entry(instance).or_default().push((place, groups[place].len() - 1));
        }
    }
    let with_copies = |(place, group)| {
        let mut series = merged(group)?;
        match copies.get(&place) {
            None => {}
            Some(1) => series.notes.push("1 file is a copy of another and was left out".to_owned()),
            Some(count) => series.notes.push(format!("{count} files are copies of others and were left out")),
        }
        Some(series)
    };
    groups.into_iter().enumerate().filter_map(with_copies).collect()
}

/// Whether two files with one identifier are one. Some programs give all files the same: place and number tell these apart.
fn is_copy(a: &Series, b: &Series) -> bool {
    let number = |series: &Series| series.dicom().and_then(|file| file.description().instance_number);
    let same_size = (a.len(), a.width_px, a.height_px) == (b.len(), b.width_px, b.height_px);
    let origin = |series: &Series| series.dicom().and_then(|file| file.origin().cloned());
    origin(a) == origin(b) && same_size && number(a) == number(b) && a.info(0) == b.info(0)
}

fn belong(a: &Series, b: &Series) -> bool {
    let (Some(first), Some(second)) = (a.dicom(), b.dicom()) else { return false };
    let (first_description, second_description) = (first.description(), second.description());
    let same_series =
        first_description.series_uid.is_some() && first_description.series_uid == second_description.series_uid;
    let same_size = (a.width_px, a.height_px) == (b.width_px, b.height_px);
    let same_kind = first.photometric() == second.photometric()
        && first_description.is_localiser == second_description.is_localiser
        // Files of several frames are series of their own.
        && first.frames() == 1
        && second.frames() == 1;
    let orientation = |series: &Series| series.info(0).and_then(|info| info.geometry.orientation);
    let same_orientation = match (orientation(a), orientation(b)) {
        (Some([row, column]), Some([other_row, other_column])) => {
            dot(row, other_row) > SAME_DIRECTION && dot(column, other_column) > SAME_DIRECTION
        }
        (None, None) => true,
        _ => false,
    };
    same_series && same_size && same_kind && same_orientation
}

fn merged(group: Vec<Series>) -> Option<Series> {
    let mut files = group.into_iter();
    let mut series = files.next()?;
    let is_one_file = files.len() == 0;
    for file in files {
        for note in file.notes {
            if !series.notes.contains(&note) {
                series.notes.push(note);
            }
        }
        series.entries.extend(file.entries);
    }
    let is_localiser = series.dicom().is_some_and(|file| file.description().is_localiser);
    if is_localiser {
        series.notes.push("a localiser: its slices may lie apart".to_owned());
    }
    let number = |source: &Source| match source {
        Source::Dicom(file) => file.description().instance_number.unwrap_or(f64::MAX),
        Source::Volume(_) | Source::Picture(_) => f64::MAX,
    };
    // Frames of one file keep the order and the numbers that they have there.
    if !is_one_file {
        let depth = |entry: &crate::series::Entry| entry.info.geometry.depth_mm().unwrap_or(0.0);
        series
            .entries
            .sort_by(|a, b| depth(a).total_cmp(&depth(b)).then(number(&a.source).total_cmp(&number(&b.source))));
        if !is_localiser {
            name_gaps(&mut series);
        }
    }
    Some(series)
}

/// Numbers frames that share a place as volumes, and notes duplicates and gaps.
fn name_gaps(series: &mut Series) {
    let depths: Vec<f64> = series.entries.iter().filter_map(|entry| entry.info.geometry.depth_mm()).collect();
    if depths.len() != series.entries.len() {
        series.notes.push("some files have no position: sorted by their number".to_owned());
        return;
    }
    let mut steps: Vec<f64> = depths.windows(2).map(|pair| pair[1] - pair[0]).collect();
    /// Millimetres below which two slices lie on the same place.
    const SAME_PLACE_MM: f64 = 1e-3;
    let shared = steps.iter().filter(|&&step| step < SAME_PLACE_MM).count();
    if shared > 0 {
        series.notes.push(match shared {
            1 => "1 slice lies on the place of another".to_owned(),
            _ => format!("{shared} slices lie on the place of another"),
        });
    }
    for i in 1..series.entries.len() {
        if steps[i - 1] < SAME_PLACE_MM {
            series.entries[i].info.volume = series.entries[i - 1].info.volume + 1;
        }
    }
    steps.retain(|&step| step >= SAME_PLACE_MM);
    steps.sort_by(f64::total_cmp);
    let Some(&usual) = steps.get(steps.len() / 2) else { return };
    let gaps = steps.iter().filter(|&&step| step > usual * (1.0 + SAME_STEP)).count();
    if gaps > 0 {
        let what = if gaps == 1 { "gap" } else { "gaps" };
        series.notes.push(format!("{gaps} {what}: the slices are usually {usual:.2} mm apart"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, dicom};

    /// A file of 1 x 1 pixels at a place along z.
    fn slice(series: &str, z: &str, orientation: &str, number: &str) -> Series {
        instance(None, series, z, orientation, number)
    }

    /// The same with an identifier.
    fn instance(uid: Option<&str>, series: &str, z: &str, orientation: &str, number: &str) -> Series {
        let mut bytes = Vec::new();
        let mut put = |group: u16, element: u16, vr: &str, value: &[u8]| {
            bytes.extend(group.to_le_bytes());
            bytes.extend(element.to_le_bytes());
            bytes.extend(vr.as_bytes());
            if vr == "OW" {
                bytes.extend([0, 0]);
                bytes.extend((value.len() as u32).to_le_bytes());
            } else {
                bytes.extend((value.len() as u16).to_le_bytes());
            }
            bytes.extend(value);
        };
        if let Some(uid) = uid {
            put(0x0008, 0x0016, "UI", b"1.2.3 ");
            put(0x0008, 0x0018, "UI", uid.as_bytes());
        }
        put(0x0008, 0x0060, "CS", b"CT");
        put(0x0010, 0x0010, "PN", b"Planted^Name");
        put(0x0020, 0x000d, "UI", b"1.2.4 ");
        put(0x0020, 0x000e, "UI", series.as_bytes());
        put(0x0020, 0x0013, "IS", number.as_bytes());
        put(0x0020, 0x0032, "DS", format!("0\\0\\{z}").as_bytes());
        put(0x0020, 0x0037, "DS", orientation.as_bytes());
        put(0x0028, 0x0010, "US", &[1, 0]);
        put(0x0028, 0x0011, "US", &[1, 0]);
        put(0x0028, 0x0030, "DS", b"1\\1 ");
        put(0x0028, 0x0100, "US", &[16, 0]);
        put(0x7fe0, 0x0010, "OW", number.as_bytes());
        crate::open(bytes, &Limits::default()).unwrap()
    }

    const AXIAL: &str = "1\\0\\0\\0\\1\\0";

    fn places(series: &Series) -> Vec<f64> {
        (0..series.len()).map(|n| series.info(n).unwrap().geometry.position_mm.unwrap()[2]).collect()
    }

    #[test]
    fn slices_are_sorted_by_place_and_gaps_named() {
        let at = |z, n| slice("1.2", z, AXIAL, n);
        let files = vec![at("6", "1 "), at("0", "2 "), at("2", "3 "), at("10", "4 "), at("4", "5 "), at("4", "6 ")];
        let series = group(files);
        assert_eq!(series.len(), 1);
        assert_eq!(places(&series[0]), [0.0, 2.0, 4.0, 4.0, 6.0, 10.0]);
        assert_eq!(
            series[0].notes,
            ["1 slice lies on the place of another", "1 gap: the slices are usually 2.00 mm apart"]
        );
        assert_eq!(series[0].frame(0).unwrap().value(0), Some(f64::from(u16::from_le_bytes(*b"2 "))));
    }

    #[test]
    fn the_same_file_counts_once() {
        let at = |uid, z, n| instance(Some(uid), "1.5 ", z, AXIAL, n);
        let series = group(vec![at("1.7 ", "0", "1 "), at("1.8 ", "2", "2 "), at("1.7 ", "0", "1 ")]);
        assert_eq!((series.len(), places(&series[0])), (1, vec![0.0, 2.0]));
        assert_eq!(series[0].notes, ["1 file is a copy of another and was left out"]);
        let series = group(vec![at("1.7 ", "0", "1 "), at("1.7 ", "0", "1 "), at("1.7 ", "0", "1 ")]);
        assert_eq!((series[0].len(), &series[0].notes[0][..]), (1, "2 files are copies of others and were left out"));
        // Programs that give all files one identifier.
        let series = group(vec![at("1.7 ", "0", "1 "), at("1.7 ", "2", "2 "), at("1.7 ", "0", "3 ")]);
        assert_eq!(places(&series[0]), [0.0, 0.0, 2.0]);
    }

    #[test]
    fn other_series_and_orientations_stay_apart() {
        let coronal = "1\\0\\0\\0\\0\\-1";
        let files =
            vec![slice("1.2", "0", AXIAL, "1 "), slice("1.3", "0", AXIAL, "1 "), slice("1.2", "1", coronal, "1 ")];
        assert_eq!(group(files).len(), 3);
    }

    #[test]
    fn nothing_names_the_patient() {
        let series = slice("1.2", "0", AXIAL, "1 ");
        let shown = format!("{series:?} {:?} {:?}", series.dicom(), series.frame(0));
        assert!(!shown.contains("Planted") && !shown.contains("1.2"), "{shown}");
    }

    #[test]
    fn dicom_is_a_format() {
        assert_eq!(slice("1.2", "0", AXIAL, "1 ").format, dicom::FORMAT);
    }
}
