//! Medical files on the command line: a frame as a picture, and what a series is.
//!
//! Comes in: paths of DICOM, NIfTI, NRRD and MetaImage files. Goes out: 8-bit RGB through the file's window, or
//! lines about a series, without anything about the patient. Fails with the file's name and the format's reason.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use mvfa_formats::{Channels, FormatError, Limits, Series, ValueMap};
use serde_json::{Value, json};

use super::paths::distinct;
use crate::image::{GreySpread, Rgb8, Shown, WindowChoice};

/// Enough of a file to recognise it, also inside gzip.
const HEAD_BYTES: u64 = 4096;

/// Whether a file is one of the medical formats, by its content.
pub(super) fn is_medical(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    read.is_ok() && mvfa_formats::sniff(&head).is_some()
}

/// Opens the series in a file. The pixels of a pair are looked for beside its header.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn open(path: &Path) -> Result<Series> {
    let limits = Limits::default();
    let read = |path: &Path| -> Result<Vec<u8>> {
        let bytes = fs::metadata(path)?.len();
        if bytes > limits.max_file_bytes {
            bail!("the file has {bytes} bytes, the limit is {}; split it, then try again", limits.max_file_bytes);
        }
        Ok(fs::read(path)?)
    };
    let bytes = read(path)?;
    match mvfa_formats::open(bytes.as_slice(), &limits) {
        Err(FormatError::Companion { format, file }) => match companion(path, &bytes) {
            Some(pixels) => Ok(mvfa_formats::open_pair(bytes, read(&pixels)?, &limits)?),
            None => Err(FormatError::Companion { format, file }.into()),
        },
        outcome => Ok(outcome?),
    }
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

/// The series in some files, those of DICOM put together, each with its files. Those that `may_lack` pixels are passed over
/// if they do.
///
/// # Errors
/// The first file that cannot be opened, with its name.
pub(super) fn series(files: &[PathBuf], may_lack: impl Fn(&PathBuf) -> bool) -> Result<Vec<(Series, Vec<PathBuf>)>> {
    let (mut opened, mut names) = (Vec::new(), Vec::new());
    for path in files {
        match open(path) {
            Ok(series) => {
                opened.push(series.of_file(names.len()));
                names.push(path.clone());
            }
            Err(error) if may_lack(path) && is_no_picture(&error) => {}
            Err(error) => return Err(error.context(path.display().to_string())),
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
    Ok(mvfa_formats::dicom::group(opened).into_iter().map(with_files).collect())
}

/// The file is whole and holds something else.
pub(super) fn is_no_picture(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref(), Some(FormatError::NoPicture { .. })))
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
        "width": series.width_px,
        "height": series.height_px,
        "pixel_spacing_mm": first.spacing_mm,
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
/// A first frame that cannot be decoded.
pub(super) fn prose(series: &Series) -> Result<Vec<String>> {
    let frame = series.frame(0)?;
    let first = series.info(0).map(|info| info.geometry).unwrap_or_default();
    let mut lines = vec![format!("{}, {} frame(s)", series.format, series.len())];
    let mut line = |name: &str, text: String| lines.push(format!("  {name:13} {text}"));
    line("size", format!("{} x {} pixels", series.width_px, series.height_px));
    if let Some(modality) = &series.modality {
        line("modality", modality.clone());
    }
    if let Some(part) = &series.body_part {
        line("body part", part.clone());
    }
    match first.spacing_mm {
        Some([row, column]) => line("pixel spacing", format!("{row} x {column} mm")),
        None => line("pixel spacing", "not known: distances can be given in pixels only".to_owned()),
    }
    if let Some(step) = series.slice_spacing_mm() {
        line("slices", format!("{step} mm apart"));
    }
    if let Some(plane) = first.plane() {
        line("plane", plane.to_owned());
    }
    let values = match (frame.channels, &frame.map) {
        (Channels::Rgb { bits }, _) => format!("colour, {bits} bits"),
        (Channels::Gray, ValueMap::Table(_)) => format!("grey, {} bits, through a table", frame.bits),
        (Channels::Gray, ValueMap::Linear { slope, intercept }) => {
            format!("grey, {} bits, stored x {slope} + {intercept}", frame.bits)
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
