//! Medical files on the command line: a frame as a picture, and what a series is.
//!
//! Comes in: paths of DICOM, NIfTI, NRRD and MetaImage files. Goes out: 8-bit RGB through the file's window, or
//! lines about a series, without anything about the patient. Fails with the file's name and the format's reason.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};
use mvfa_formats::{Channels, FormatError, Head, Limits, Series, ValueMap};
use serde_json::{Value, json};

use super::paths::distinct;
use crate::image::{GreySpread, Rgb8, Shown, WindowChoice};

/// Enough of a file to recognise it, also inside gzip.
const HEAD_BYTES: u64 = 4096;
/// Enough for the header of most files.
const FILE_HEAD_BYTES: u64 = 1 << 16;

/// Whether a file is one of the medical formats, by its content.
pub(super) fn is_medical(path: &Path) -> bool {
    head(path, HEAD_BYTES).is_ok_and(|head| mvfa_formats::sniff(&head).is_some())
}

/// Opens the series in a file. The pixels of a pair are looked for beside its header.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn open(path: &Path) -> Result<Series> {
    let limits = Limits::default();
    let bytes = read(path, &limits)?;
    match mvfa_formats::open(Arc::clone(&bytes), &limits) {
        Err(FormatError::Companion { format, file }) => match companion(path, &bytes) {
            Some(pixels) => Ok(mvfa_formats::open_pair(bytes, read(&pixels, &limits)?, &limits)?),
            None => Err(FormatError::Companion { format, file }.into()),
        },
        outcome => Ok(outcome?),
    }
}

/// The bytes of a file, once in memory: volumes are large.
fn read(path: &Path, limits: &Limits) -> Result<Arc<[u8]>> {
    let length = fs::metadata(path)?.len();
    if length > limits.max_file_bytes {
        bail!("the file has {length} bytes, the limit is {}; split it, then try again", limits.max_file_bytes);
    }
    let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, usize::try_from(length)?).collect();
    if let Some(room) = Arc::get_mut(&mut bytes) {
        File::open(path)?.read_exact(room)?;
    }
    Ok(bytes)
}

/// Opens the series in a file to describe it: of NIfTI the header alone is read, and no voxel unpacked.
fn open_to_describe(path: &Path) -> Result<Series> {
    let head = head(path, FILE_HEAD_BYTES)?;
    if mvfa_formats::sniff(&head) == Some("NIfTI")
        && let Head::Series(series) = mvfa_formats::describe_head(&head, fs::metadata(path)?.len(), &Limits::default())?
    {
        return Ok(series);
    }
    open(path)
}

/// Why a DICOM file has no picture; nothing for one that has, for other formats, and for what cannot be opened.
pub(super) fn lack_of_picture(path: &Path) -> Option<String> {
    let head = head(path, FILE_HEAD_BYTES).ok().filter(|head| mvfa_formats::sniff(head) == Some("DICOM"))?;
    let bytes = fs::metadata(path).ok()?.len();
    if let Ok(Head::Series(_)) = mvfa_formats::open_head(&head, bytes, &Limits::default()) {
        return None;
    }
    no_picture(&open(path).err()?)
}

/// The first bytes of a file.
fn head(path: &Path, count: u64) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(count).read_to_end(&mut head)?;
    Ok(head)
}

/// The file with the pixels of a header, beside it.
fn companion(header: &Path, bytes: &[u8]) -> Option<PathBuf> {
    let name = header.file_name()?.to_string_lossy();
    let names = mvfa_formats::companion_names(&name, bytes).into_iter();
    names.map(|name| header.with_file_name(name)).find(|path| path.is_file() && path != header)
}

/// A frame, from 0, as it is analysed.
///
/// # Errors
/// What is wrong with its pixels.
pub(super) fn shown(series: &Series, n: usize, window: WindowChoice) -> Result<(Rgb8, Option<Shown>)> {
    Ok(series.picture(n)?.shown(window))
}

/// How the grey values of a frame are spread; nothing where no window applies.
pub(super) fn grey_spread(series: &Series, n: usize) -> Option<GreySpread> {
    series.picture(n).ok()?.grey_spread()
}

/// What some files hold.
#[derive(Default)]
pub(super) struct Found {
    /// Series with their files, those of DICOM put together.
    pub(super) series: Vec<(Series, Vec<PathBuf>)>,
    /// Files that cannot be opened, with their names.
    pub(super) failures: Vec<anyhow::Error>,
    /// Why files that `may_lack` pixels were passed over.
    pub(super) without_picture: Vec<String>,
}

/// The series in some files, without their pixels where the header alone says enough. Those that `may_lack` pixels are passed
/// over if they do.
pub(super) fn series(files: &[PathBuf], may_lack: impl Fn(&PathBuf) -> bool) -> Found {
    let mut found = Found::default();
    let (mut opened, mut names) = (Vec::new(), Vec::new());
    for path in files {
        match open_to_describe(path) {
            Ok(series) => {
                opened.push(series.of_file(names.len()));
                names.push(path.clone());
            }
            Err(error) => match no_picture(&error).filter(|_| may_lack(path)) {
                Some(reason) => found.without_picture.push(reason),
                None => found.failures.push(error.context(path.display().to_string())),
            },
        }
    }
    let with_files = |series: Series| {
        let mut own: Vec<PathBuf> = (0..series.len())
            .filter_map(|n| series.place(n))
            .filter_map(|(file, _)| names.get(file).cloned())
            .collect();
        own.dedup();
        (series, own)
    };
    found.series = mvfa_formats::dicom::group(opened).into_iter().map(with_files).collect();
    found
}

/// What the file is instead, if it is whole and holds something else.
pub(super) fn no_picture(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| match cause.downcast_ref() {
        Some(FormatError::NoPicture { reason, .. }) => Some(reason.clone()),
        _ => None,
    })
}

/// Says that files without pixels were left out.
pub(super) fn passed_over(count: usize) -> String {
    match count {
        1 => "note: 1 DICOM file without pixels is passed over".to_owned(),
        _ => format!("note: {count} DICOM files without pixels are passed over"),
    }
}

/// "2 DICOM files without pixels (it is a directory (DICOMDIR); it is a structured report)".
pub(super) fn without_picture(reasons: &[String]) -> String {
    let mut kinds: Vec<&str> = reasons.iter().map(String::as_str).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let files = if reasons.len() == 1 { "file" } else { "files" };
    format!("{} DICOM {files} without pixels ({})", reasons.len(), kinds.join("; "))
}

/// What a series is, for programs. Nothing in it comes from the patient's data.
pub(super) fn describe(series: &Series, files: &[PathBuf]) -> Value {
    let first = series.info(0).map(|info| info.geometry).unwrap_or_default();
    let windows: Vec<Value> = series
        .presets
        .iter()
        .filter_map(|preset| preset.center_width().map(|(center, width)| (center, width, &preset.name)))
        .map(|(center, width, name)| json!({ "center": center, "width": width, "name": name }))
        .collect();
    json!({
        "files": files.iter().map(|path| distinct(path)).collect::<Vec<_>>(),
        "format": series.format,
        "modality": series.modality,
        "body_part": series.body_part,
        "frames": series.len(),
        "volumes": series.in_volumes().1,
        "width": series.width_px,
        "height": series.height_px,
        "pixel_spacing_mm": first.spacing_mm,
        "is_detector_spacing": series.is_detector_spacing(),
        "slice_spacing_mm": series.slice_spacing_mm(),
        "plane": first.plane(),
        "units": series.units,
        "windows": windows,
        "notes": series.notes,
    })
}

/// What a series is, for people.
///
/// # Errors
/// A first frame of DICOM or of a picture that cannot be decoded.
pub(super) fn prose(series: &Series) -> Result<Vec<String>> {
    let (channels, bits, map) = series.samples(0)?;
    let first = series.info(0).map(|info| info.geometry).unwrap_or_default();
    let frames = match (series.in_volumes().1, series.len()) {
        (1, 1) => "1 frame".to_owned(),
        (1, frames) => format!("{frames} frames"),
        (volumes, frames) if frames == volumes => format!("{volumes} volumes of 1 slice"),
        (volumes, frames) => format!("{volumes} volumes of {} slices", frames / volumes),
    };
    let mut lines = vec![format!("{}, {frames}", series.format)];
    let mut line = |name: &str, text: String| lines.push(format!("  {name:13} {text}"));
    line("size", format!("{} x {} pixels", series.width_px, series.height_px));
    if let Some(modality) = &series.modality {
        line("modality", modality.clone());
    }
    if let Some(part) = &series.body_part {
        line("body part", part.clone());
    }
    match first.spacing_mm {
        Some([row, column]) => line("pixel spacing", format!("{} x {} mm", short(row), short(column))),
        None => line("pixel spacing", "not known: distances can be given in pixels only".to_owned()),
    }
    if let Some(step) = series.slice_spacing_mm() {
        line("slices", format!("{} mm apart", short(step)));
    }
    if let Some(plane) = first.plane() {
        line("plane", plane.to_owned());
    }
    let values = match (channels, &map) {
        (Channels::Rgb { bits }, _) => format!("colour, {bits} bits"),
        (Channels::Gray, ValueMap::Table(_)) => format!("grey, {bits} bits, through a table"),
        (Channels::Gray, ValueMap::Linear { slope, intercept }) => {
            format!("grey, {bits} bits, stored x {} + {}", short(*slope), short(*intercept))
        }
    };
    line("values", format!("{values}{}", series.units.as_ref().map_or(String::new(), |unit| format!(" {unit}"))));
    for preset in &series.presets {
        let name = preset.name.as_ref().map_or(String::new(), |name| format!(" ({name})"));
        match preset.center_width() {
            Some((center, width)) => line("window", format!("{center},{width}{name}")),
            None => line("window", format!("a table{name}")),
        }
    }
    for note in &series.notes {
        line("note", note.clone());
    }
    Ok(lines)
}

/// A number with at most six digits that count: files store sizes as 32-bit numbers, whose later digits are chance.
fn short(value: f64) -> String {
    const DIGITS: i32 = 6;
    if value == 0.0 || !value.is_finite() {
        return value.abs().to_string();
    }
    let before = value.abs().log10().floor() as i32 + 1;
    let text = format!("{value:.0$}", (DIGITS - before).clamp(0, 12) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let all = [1.199_999_973_644_207, 0.661468, 2.5, 3.0, -1024.0, 0.0, 1_234_567.0, 0.000_123_456_789];
        let shown = all.map(short);
        assert_eq!(shown, ["1.2", "0.661468", "2.5", "3", "-1024", "0", "1234567", "0.000123457"]);
    }
}
