//! What `predict` reads: plain pictures, and slices of medical series.
//!
//! Comes in: paths and a choice of slices. Goes out: [`Input`]s in the order of the paths: DICOM files are put together to
//! series first. Fails with a folder that cannot be read; a medical file that cannot be opened is a failure of its own, as
//! a picture is, and the others go on.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, Result};
use mvfa_formats::{Axis, Series};

use super::medical;
use super::paths::{self, Expanded};
use super::picture::Opened;
use super::slices::Slices;
use super::terminal::tell;
use crate::disk::{RunWindow, grey_spread, picture_file};
use crate::image::{GreySpread, Note};

/// Slices whose grey values stand for a series.
const SLICES_LOOKED_AT: usize = 16;

/// A series and the files that it comes from.
pub(super) struct Loaded {
    pub(super) series: Series,
    files: Vec<PathBuf>,
}

impl Loaded {
    /// What it is called on the terminal: its file, or the folder of its files.
    pub(super) fn name(&self) -> String {
        let first = self.file(0);
        let is_one_file = (0..self.series.len()).all(|n| self.file(n) == first);
        let name = if is_one_file { first } else { first.parent().unwrap_or(first) };
        name.display().to_string()
    }

    /// The file of a frame.
    fn file(&self, frame: usize) -> &Path {
        let file = self.series.place(frame).and_then(|(n, _)| self.files.get(n)).or(self.files.first());
        file.map_or(Path::new(""), PathBuf::as_path)
    }
}

/// One picture to read.
#[derive(Clone)]
pub(super) struct Input {
    pub(super) path: PathBuf,
    /// Names the results: another file name for each slice of a file.
    pub(super) stem_path: PathBuf,
    pub(super) slice: Option<Slice>,
    /// It stands for a series of several slices.
    is_choice: bool,
}

/// A frame of a medical series.
#[derive(Clone)]
pub(super) struct Slice {
    pub(super) of: Rc<Loaded>,
    /// From 0.
    pub(super) frame: usize,
}

impl Input {
    /// What it is called on the terminal.
    pub(super) fn name(&self) -> String {
        match &self.slice {
            Some(slice) if slice.of.series.len() > 1 => format!("{}, slice {}", self.path.display(), slice.frame + 1),
            _ => self.path.display().to_string(),
        }
    }

    /// The same, so that two files never have one name.
    pub(super) fn distinct_name(&self) -> String {
        self.name().replace(&self.path.display().to_string(), &paths::distinct(&self.path))
    }

    /// Reads and decodes it.
    ///
    /// # Errors
    /// The disk's reason or what is wrong with the content, with the file's name.
    pub(super) fn open(&self, window: &RunWindow) -> Result<Opened> {
        let start = Instant::now();
        let (picture, shown, notes) = match &self.slice {
            Some(Slice { of, frame }) => {
                let series = &of.series;
                let (picture, shown) = medical::shown(series, *frame, window.choice).with_context(|| self.name())?;
                let part = Note::Part { what: "frame", number: *frame as u64 + 1, of: series.len() as u64 };
                (picture, shown, if self.is_choice { vec![part] } else { Vec::new() })
            }
            None => {
                let whole = picture_file::whole(&self.path).with_context(|| self.name())?;
                let (picture, shown) = whole.shown(window.choice);
                (picture, shown, whole.notes)
            }
        };
        Ok(Opened { picture, notes, shown, decode_ms: start.elapsed().as_secs_f64() * 1000.0 })
    }

    /// How its grey values are spread, if a window matters; nothing for what cannot be read.
    pub(super) fn grey_spread(&self) -> Option<GreySpread> {
        match &self.slice {
            Some(Slice { of, frame }) => medical::grey_spread(&of.series, *frame),
            None => grey_spread(&self.path),
        }
    }
}

/// What some paths hold.
#[derive(Default)]
pub(super) struct Inputs {
    pub(super) all: Vec<Input>,
    /// Medical files that cannot be used.
    pub(super) failures: Vec<anyhow::Error>,
    /// Results of earlier runs that were passed over.
    pub(super) overlays: usize,
}

impl Inputs {
    /// The pictures and slices in `given`, and the option that would choose others. Without a choice it is the middle slice of a volume and of a folder's series,
    /// the first frame of a DICOM file with several, and every file that is named.
    ///
    /// # Errors
    /// A folder that cannot be read, or has nothing in it.
    pub(super) fn find(given: &[PathBuf], choice: Option<&Slices>, option: &str) -> Result<Self> {
        let Expanded { files, overlays, in_folders } = paths::expand(given)?;
        let mut found = Self { overlays, ..Self::default() };
        let mut ordered: Vec<(usize, Input)> = Vec::new();
        let (mut opened, mut opened_files, mut without) = (Vec::new(), Vec::new(), 0);
        for (place, path) in files.into_iter().enumerate() {
            if !medical::is_medical(&path) {
                ordered.push((place, Input { stem_path: path.clone(), path, slice: None, is_choice: false }));
                continue;
            }
            match medical::open(&path) {
                Ok(series) => {
                    opened.push(series.of_file(opened_files.len()));
                    opened_files.push((place, path));
                }
                Err(error) if in_folders.contains(&path) && medical::no_picture(&error).is_some() => without += 1,
                Err(error) => found.failures.push(error.context(path.display().to_string())),
            }
        }
        if without > 0 {
            tell(&medical::passed_over(without));
        }
        let files: Vec<PathBuf> = opened_files.iter().map(|(_, path)| path.clone()).collect();
        for series in mvfa_formats::dicom::group(opened) {
            let places =
                (0..series.len()).filter_map(|n| series.place(n)).filter_map(|(file, _)| opened_files.get(file));
            let Some(place) = places.map(|(place, _)| *place).min() else { continue };
            let loaded = Rc::new(Loaded { series, files: files.clone() });
            match chosen(&loaded, choice, option, |path| in_folders.contains(path)) {
                Ok(frames) => ordered.extend(slices(&loaded, &frames).map(|input| (place, input))),
                Err(error) => found.failures.push(error.context(loaded.file(0).display().to_string())),
            }
        }
        ordered.sort_by_key(|(place, _)| *place);
        found.all = ordered.into_iter().map(|(_, input)| input).collect();
        Ok(found)
    }

    /// The series among them, each once.
    pub(super) fn series(&self) -> Vec<Rc<Loaded>> {
        let mut all: Vec<Rc<Loaded>> = Vec::new();
        for slice in self.all.iter().filter_map(|input| input.slice.as_ref()) {
            if !all.iter().any(|known| Rc::ptr_eq(known, &slice.of)) {
                all.push(Rc::clone(&slice.of));
            }
        }
        all
    }

    /// Where they are slices of one series that the file gives no window for: their grey values together.
    pub(super) fn shared_spreads(&self) -> Vec<GreySpread> {
        let series = self.series();
        let is_one = self.all.len() > 1 && self.all.iter().all(|input| input.slice.is_some());
        if !is_one || series.len() != 1 || series.iter().any(|one| !one.series.presets.is_empty()) {
            return Vec::new();
        }
        let step = self.all.len().div_ceil(SLICES_LOOKED_AT);
        self.all.iter().step_by(step).filter_map(Input::grey_spread).collect()
    }
}

/// Frames of a series, and a note where not all are taken.
fn chosen(
    loaded: &Loaded,
    choice: Option<&Slices>,
    option: &str,
    in_folder: impl Fn(&Path) -> bool,
) -> Result<Vec<usize>> {
    let series = &loaded.series;
    let count = series.len();
    let mut files: Vec<usize> = (0..count).filter_map(|n| series.place(n)).map(|(file, _)| file).collect();
    files.dedup();
    let is_one_file = files.len() <= 1;
    let whole = if is_one_file { "file" } else { "series" };
    if let Some(choice) = choice {
        return choice.of(count, whole);
    }
    if let Some(volume) = series.volume() {
        // Of the first, if it holds several.
        return Ok(vec![volume.slices(Axis::Axial) / 2]);
    }
    let is_from_folder = (0..count).any(|n| in_folder(loaded.file(n)));
    match (is_one_file, is_from_folder) {
        (false, true) => {
            let what = series.modality.as_ref().map_or_else(String::new, |modality| format!("{modality}, "));
            let folder = loaded.file(0).parent().unwrap_or(Path::new("")).display().to_string();
            tell(&format!(
                "note: {folder}: a series ({what}{count} slices); the middle one is taken, {option} takes others or all"
            ));
            Slices::Middle.of(count, whole)
        }
        (false, false) => Slices::All.of(count, whole),
        (true, _) => Slices::one(1).of(count, whole),
    }
}

/// Slices as inputs. A file of which several are taken gives its results a name for each.
fn slices<'a>(loaded: &'a Rc<Loaded>, frames: &'a [usize]) -> impl Iterator<Item = Input> + 'a {
    let shares = |frame: usize| frames.iter().filter(|&&other| loaded.file(other) == loaded.file(frame)).count() > 1;
    frames.iter().map(move |&frame| {
        let path = loaded.file(frame).to_owned();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // Both endings of a packed file are no part of its name.
        let stem = stem.strip_suffix(".nii").unwrap_or(&stem);
        let name = if shares(frame) { format!("{stem}.slice-{}.x", frame + 1) } else { format!("{stem}.x") };
        let is_choice = frames.len() == 1 && loaded.series.len() > 1;
        let slice = Some(Slice { of: Rc::clone(loaded), frame });
        Input { stem_path: path.with_file_name(name), path, slice, is_choice }
    })
}
