//! What a DICOM data set says about its frames: geometry, meaning of the values, windows.
//!
//! Enhanced objects say it in functional groups: one for each frame, else the shared ones, else the data set itself.

use super::dataset::DataSet;
use super::header::{Header, Photometric, SampleKind};
use super::origin::Origin;
use super::tags;
use crate::geometry::{cross, length};
use crate::{FrameInfo, Geometry, Preset, Table, ValueMap, WindowShape};

/// What is said about one frame.
#[derive(Debug, Clone)]
pub(super) struct FrameDescription {
    pub(super) info: FrameInfo,
    pub(super) map: ValueMap,
    pub(super) presets: Vec<Preset>,
    /// Stored samples outside the picture, from and to.
    pub(super) padding: Option<(f64, f64)>,
    pub(super) units: Option<String>,
}

/// What is said about a file.
#[derive(Clone)]
pub(super) struct Description {
    pub(super) modality: Option<String>,
    pub(super) body_part: Option<String>,
    pub(super) is_localiser: bool,
    /// Pixel spacing is given at the detector only.
    pub(super) is_detector_spacing: bool,
    pub(super) notes: Vec<String>,
    /// Tells series apart; never shown.
    pub(super) series_uid: Option<String>,
    pub(super) instance_number: Option<f64>,
    /// For objects that refer to the file; never shown.
    pub(super) origin: Option<Origin>,
    /// At least one.
    frames: Vec<FrameDescription>,
}

/// Places closer than this are the same.
const SAME_PLACE_MM: f64 = 1e-3;

impl Description {
    pub(super) fn read(set: &DataSet<'_>, header: &Header) -> Self {
        let modality = set.text(tags::MODALITY).map(|text| code(&text));
        let shared = set.item(tags::SHARED_GROUPS);
        let groups = set.items(tags::PER_FRAME_GROUPS);
        let tables = Tables::read(set, header);
        let top = describe(&[set], header, &tables, modality.as_deref());
        let offsets = set.numbers(tags::DOSE_GRID_OFFSETS);
        let mut frames: Vec<FrameDescription> = if groups.is_empty() && shared.is_none() {
            (0..header.frames).map(|n| shifted(&top, &offsets, n)).collect()
        } else {
            let levels = |n: usize| groups.get(n).into_iter().chain(&shared).chain([set]).collect::<Vec<_>>();
            (0..header.frames).map(|n| describe(&levels(n), header, &tables, modality.as_deref())).collect()
        };
        number_volumes(&mut frames);
        if frames.is_empty() {
            frames.push(top);
        }
        let image_type = set.texts(tags::IMAGE_TYPE);
        let anatomy = set.item(tags::FRAME_ANATOMY).or_else(|| shared.as_ref()?.item(tags::FRAME_ANATOMY));
        let region = anatomy.as_ref().unwrap_or(set).item(tags::ANATOMIC_REGION);
        let body_part = set.text(tags::BODY_PART).or_else(|| region?.text(tags::CODE_MEANING));
        Self {
            modality,
            body_part: body_part.map(|text| code(&text)),
            is_localiser: image_type.iter().any(|part| part == "LOCALIZER"),
            is_detector_spacing: is_detector_spacing(set),
            notes: notes(set, header),
            series_uid: set.text(tags::SERIES_UID),
            instance_number: set.number(tags::INSTANCE_NUMBER),
            origin: Origin::read(set),
            frames,
        }
    }

    /// What is said about frame `n`; about the last one for a number that is too high.
    pub(super) fn frame(&self, n: usize) -> &FrameDescription {
        &self.frames[n.min(self.frames.len() - 1)]
    }
}

/// A short code or term of the file: letters, digits and spaces, so that nothing else gets into a message.
fn code(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-')).take(64).collect()
}

/// Things that a reader should know.
fn notes(set: &DataSet<'_>, header: &Header) -> Vec<String> {
    let mut notes = Vec::new();
    let overlays = set.elements.iter().filter(|e| e.tag & 0xff01_ffff == 0x6000_3000).count();
    if overlays > 0 {
        notes.push(match overlays {
            1 => "1 overlay plane is not shown".to_owned(),
            _ => format!("{overlays} overlay planes are not shown"),
        });
    }
    if header.photometric != Photometric::Palette && set.element(tags::PALETTE_DESCRIPTORS[0]).is_some() {
        notes.push("a supplemental colour palette is not applied".to_owned());
    }
    if is_detector_spacing(set) {
        notes.push("pixel spacing is the detector's: distances in the body are shorter".to_owned());
    }
    notes
}

fn is_detector_spacing(set: &DataSet<'_>) -> bool {
    set.bytes(tags::PIXEL_SPACING).is_none() && set.bytes(tags::IMAGER_PIXEL_SPACING).is_some()
}

/// Frames of a dose grid: places by their offsets.
fn shifted(top: &FrameDescription, offsets: &[f64], n: usize) -> FrameDescription {
    let mut frame = top.clone();
    let geometry = &mut frame.info.geometry;
    if let (Some(offset), Some(normal), Some(position)) = (offsets.get(n), geometry.normal(), geometry.position_mm) {
        let offset = offset - offsets.first().copied().unwrap_or(0.0);
        geometry.position_mm = Some([0, 1, 2].map(|i| position[i] + normal[i] * offset));
    } else if n > 0 {
        // Frames of time, or of unknown place.
        frame.info.volume = n;
    }
    frame
}

/// Numbers the frames that share a place: time points, echoes.
fn number_volumes(frames: &mut [FrameDescription]) {
    let mut order: Vec<usize> = (0..frames.len()).collect();
    let depth = |frame: &FrameDescription| frame.info.geometry.depth_mm();
    if frames.iter().any(|frame| depth(frame).is_none()) {
        return;
    }
    order.sort_by(|&a, &b| depth(&frames[a]).unwrap_or(0.0).total_cmp(&depth(&frames[b]).unwrap_or(0.0)));
    for pair in 1..order.len() {
        let (before, this) = (order[pair - 1], order[pair]);
        let same = depth(&frames[before]).zip(depth(&frames[this])).is_some_and(|(a, b)| (a - b).abs() < SAME_PLACE_MM);
        frames[this].info.volume = if same { frames[before].info.volume + 1 } else { 0 };
    }
}

/// The first of `levels` in which `read` finds something, looking into the group `sequence` before the level itself.
fn find<T>(levels: &[&DataSet<'_>], sequence: u32, read: impl Fn(&DataSet<'_>) -> Option<T>) -> Option<T> {
    levels.iter().find_map(|level| level.item(sequence).as_ref().and_then(&read).or_else(|| read(level)))
}

fn describe(levels: &[&DataSet<'_>], header: &Header, tables: &Tables, modality: Option<&str>) -> FrameDescription {
    let positive = |[a, b]: [f64; 2]| (a > 0.0 && b > 0.0).then_some([a, b]);
    let spacing = |tag| find(levels, tags::PIXEL_MEASURES, |set| set.array::<2>(tag).and_then(positive));
    let geometry = Geometry {
        spacing_mm: spacing(tags::PIXEL_SPACING).or_else(|| spacing(tags::IMAGER_PIXEL_SPACING)),
        position_mm: find(levels, tags::PLANE_POSITION, |set| set.array(tags::POSITION)),
        orientation: find(levels, tags::PLANE_ORIENTATION, |set| set.array(tags::ORIENTATION)).and_then(directions),
        thickness_mm: find(levels, tags::PIXEL_MEASURES, |set| set.number(tags::SLICE_THICKNESS)).filter(|&t| t > 0.0),
    };
    let map = value_map(levels, tables);
    let unit = find(levels, tags::PIXEL_VALUE_TRANSFORMATION, |set| set.text(tags::RESCALE_TYPE))
        .or_else(|| find(levels, tags::MODALITY_LUT, |set| set.text(tags::MODALITY_LUT_TYPE)));
    // The type is optional for CT, whose values are Hounsfield units; "US" says that there is no unit.
    let is_ct = modality == Some("CT") && matches!(map, ValueMap::Linear { intercept, .. } if intercept != 0.0);
    let units = unit.map(|u| code(&u)).filter(|u| u != "US").or_else(|| is_ct.then(|| "HU".to_owned()));
    let padding = padding(levels, header);
    FrameDescription { info: FrameInfo { geometry, volume: 0 }, map, presets: presets(levels, tables), padding, units }
}

/// Directions along row and column, of length 1, if they span a plane.
fn directions([a, b, c, d, e, f]: [f64; 6]) -> Option<[[f64; 3]; 2]> {
    let unit = |v: [f64; 3]| {
        let norm = length(v);
        (norm > 0.5 && norm < 2.0).then(|| v.map(|x| x / norm))
    };
    let (row, column) = (unit([a, b, c])?, unit([d, e, f])?);
    (length(cross(row, column)) > 0.5).then_some([row, column])
}

fn value_map(levels: &[&DataSet<'_>], tables: &Tables) -> ValueMap {
    // Files with both contradict the standard; the table is taken, as by pydicom and dcmtk.
    if let Some(table) = &tables.modality {
        return ValueMap::Table(table.clone());
    }
    let rescale = find(levels, tags::PIXEL_VALUE_TRANSFORMATION, |set| {
        let (slope, intercept) = (set.number(tags::RESCALE_SLOPE), set.number(tags::RESCALE_INTERCEPT));
        let slope = slope.filter(|&s| s != 0.0).or(intercept.map(|_| 1.0))?;
        Some(ValueMap::Linear { slope, intercept: intercept.unwrap_or(0.0) })
    });
    rescale.unwrap_or(ValueMap::STORED)
}

/// Lookup tables of the data set. Functional groups have none, so all frames share them.
struct Tables {
    modality: Option<Table>,
    voi: Vec<Preset>,
}

impl Tables {
    fn read(set: &DataSet<'_>, header: &Header) -> Self {
        let stored_signed = header.signed && header.kind == SampleKind::Integer;
        let modality = set.item(tags::MODALITY_LUT).and_then(|item| table(&item, stored_signed));
        // The first input has the sign of the values that come in.
        let signed = stored_signed || set.number(tags::RESCALE_INTERCEPT).is_some_and(|intercept| intercept < 0.0);
        let preset = |item: DataSet<'_>| {
            let name = item.text(tags::LUT_NAME).map(|name| code(&name));
            Some(Preset { name, shape: WindowShape::Table(table(&item, signed)?) })
        };
        Self { modality, voi: set.items(tags::VOI_LUT).into_iter().filter_map(preset).collect() }
    }
}

/// The lookup table of a sequence's item (PS3.3, C.11.1).
fn table(item: &DataSet<'_>, first_signed: bool) -> Option<Table> {
    let descriptor = item.u16s(tags::LUT_DESCRIPTOR);
    let &[count, first, bits, ..] = descriptor.as_slice() else { return None };
    let count = if count == 0 { 1 << 16 } else { usize::from(count) };
    let bytes = item.bytes(tags::LUT_DATA)?;
    // One byte an entry, or one 16-bit word.
    let entries: Vec<u16> = if bits <= 8 && bytes.len() < count * 2 {
        bytes.iter().take(count).map(|&b| b.into()).collect()
    } else {
        item.u16s(tags::LUT_DATA).into_iter().take(count).collect()
    };
    let first = if first_signed { i32::from(first.cast_signed()) } else { i32::from(first) };
    (!entries.is_empty()).then(|| Table { first, entries: entries.into(), bits: bits.clamp(1, 16) as u8 })
}

fn presets(levels: &[&DataSet<'_>], tables: &Tables) -> Vec<Preset> {
    let windows = find(levels, tags::FRAME_VOI_LUT, |set| {
        let (centers, widths) = (set.numbers(tags::WINDOW_CENTER), set.numbers(tags::WINDOW_WIDTH));
        let names = set.texts(tags::WINDOW_NAME);
        let function = set.text(tags::WINDOW_FUNCTION).unwrap_or_default();
        let windows = centers.into_iter().zip(widths).enumerate().filter(|(_, (_, width))| *width > 0.0);
        let preset = |(i, (center, width)): (usize, (f64, f64))| {
            let shape = match function.as_str() {
                "LINEAR_EXACT" => WindowShape::LinearExact { center, width },
                "SIGMOID" => WindowShape::Sigmoid { center, width },
                _ => WindowShape::Linear { center, width },
            };
            Preset { name: names.get(i).map(|name| code(name)).filter(|name: &String| !name.is_empty()), shape }
        };
        let windows: Vec<Preset> = windows.map(preset).collect();
        (!windows.is_empty()).then_some(windows)
    });
    windows.unwrap_or_default().into_iter().chain(tables.voi.iter().cloned()).collect()
}

fn padding(levels: &[&DataSet<'_>], header: &Header) -> Option<(f64, f64)> {
    if header.kind != SampleKind::Integer {
        return None;
    }
    let number = |tag| levels.iter().find_map(|set| set.u16_or_i16(tag, header.signed)).map(f64::from);
    let value = number(tags::PADDING_VALUE)?;
    let limit = number(tags::PADDING_RANGE_LIMIT).unwrap_or(value);
    Some((value.min(limit), value.max(limit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_come_out_of_free_text() {
        assert_eq!(code("CHEST^Doe=\n1"), "CHESTDoe1");
        assert_eq!(directions([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]), Some([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]));
        assert_eq!(directions([0.0; 6]), None);
        assert_eq!(directions([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]), None, "both along the same line");
    }
}
