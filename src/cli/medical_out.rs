//! What `predict` writes about a whole series: segmentation, map volume, colour pictures.
//!
//! Comes in: the maps of the slices that were analysed, at the model's size. Goes out: files in the source's pixels and
//! space. Before anything is analysed the files are checked: fails with [`BadUsage`] where the series cannot be written so,
//! or where a file that is not of this program is in the place.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use mvfa_formats::write::{
    Segment, Stamp, WriteError, check_dicom, check_nifti, nifti_labels, nifti_map, secondary_capture, segmentation,
};

use super::inputs::{Inputs, Loaded};
use super::terminal::tell;
use super::usage::BadUsage;
use super::{medical, overlay};
use crate::disk::export_mark::is_own_export;
use crate::disk::{RunWindow, WholeFile};
use crate::mvfa::Analysis;
use crate::render::at_pixel;

/// The files of a run, and what came of its slices so far.
pub(super) struct MedicalOut<'a> {
    files: &'a Files,
    source: Rc<Loaded>,
    done: Vec<Done>,
}

/// Which files are asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Files {
    /// Write what lies above the threshold: a DICOM Segmentation that refers to the source (.dcm, of DICOM), or a volume of
    /// labels in its space (.nii.gz)
    #[arg(long, value_name = "FILE")]
    pub(super) seg_out: Option<PathBuf>,
    /// Write the maps of a series as one volume in its space (.nii.gz); NaN where no slice was analysed
    #[arg(long, value_name = "FILE")]
    pub(super) map_out: Option<PathBuf>,
    /// Write the overlays of a DICOM series as a Secondary Capture that refers to it (.dcm)
    #[arg(long, value_name = "FILE")]
    pub(super) overlay_out: Option<PathBuf>,
    /// Map value from which on a pixel belongs to the segmentation and to outlines [default: the highest score of a normal
    /// picture, else half-way between the lowest and the highest value of all maps; outlines: from where the overlay is drawn]
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(super) threshold: Option<f32>,
}

impl Files {
    /// The files, with the names of their options.
    fn all(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let all = [("--seg-out", &self.seg_out), ("--map-out", &self.map_out), ("--overlay-out", &self.overlay_out)];
        all.into_iter().filter_map(|(option, file)| file.as_ref().map(|file| (option, file)))
    }
}

/// A slice that was analysed.
struct Done {
    frame: usize,
    /// The map to show, [side, side]; no numbers where regions are left out.
    map: Vec<f32>,
    side_px: usize,
    /// Highest score of a normal picture, where maps can be compared with it.
    normal_top: Option<f32>,
    /// A warning says that the score means nothing: no pixel of it counts.
    is_void: bool,
}

impl<'a> MedicalOut<'a> {
    /// Nothing, if no file is asked for.
    ///
    /// # Errors
    /// [`BadUsage`].
    pub(super) fn new(files: &'a Files, inputs: &Inputs) -> Result<Option<Self>> {
        let Some((option, _)) = files.all().next() else { return Ok(None) };
        let mut series = inputs.series();
        let (Some(source), true) = (series.pop(), series.is_empty()) else {
            let found = match series.len() {
                0 => "no medical file was named; name a DICOM, NIfTI, NRRD or MetaImage file".to_owned(),
                n => format!("{} were named; name one of them", n + 1),
            };
            return Err(BadUsage(format!("{option} writes a file about one medical series, but {found}")).into());
        };
        for (option, file) in files.all() {
            check(option, file, &source)?;
        }
        Ok(Some(Self { files, source, done: Vec::new() }))
    }

    /// Keeps what was found on a slice of the series.
    pub(super) fn add(&mut self, frame: usize, analysis: &Analysis, is_void: bool) {
        let mut map = analysis.overlay.clone();
        for (value, _) in map.iter_mut().zip(analysis.left_out.iter().flatten()).filter(|(_, is_out)| **is_out) {
            *value = f32::NAN;
        }
        let (side_px, normal_top) = (analysis.side_px, analysis.normal_top);
        self.done.push(Done { frame, map, side_px, normal_top, is_void });
    }

    /// Writes the files.
    ///
    /// # Errors
    /// The disk's reason; a slice that cannot be read again.
    pub(super) fn write(mut self, model: &str, window: &RunWindow) -> Result<()> {
        if self.done.is_empty() {
            tell("note: no slice was analysed, so no file is written about the series");
            return Ok(());
        }
        self.done.sort_by_key(|done| done.frame);
        let threshold = threshold(self.files.threshold, &self.done);
        let frames: Vec<usize> = self.done.iter().map(|done| done.frame).collect();
        if let Some(path) = &self.files.seg_out {
            tell(&format!("note: {}: what lies at {threshold} or above", path.display()));
            self.segmentation(path, &frames, threshold, model).with_context(|| cannot_write(path))?;
            self.tell_spacing(path);
        }
        if let Some(path) = &self.files.map_out {
            whole(path, |file| nifti_map(&self.source.series, file, |n, y, x| self.value(n, y, x)))
                .with_context(|| cannot_write(path))?;
            self.tell_spacing(path);
        }
        if let Some(path) = &self.files.overlay_out {
            self.capture(path, &frames, model, window).with_context(|| cannot_write(path))?;
        }
        Ok(())
    }

    /// NIfTI has no word for a size that is not known.
    fn tell_spacing(&self, path: &Path) {
        let is_known = self.source.series.info(0).is_some_and(|info| info.geometry.spacing_mm.is_some());
        if !is_known && !is_dicom(path) {
            tell(&format!(
                "note: {}: the source does not give its pixel spacing, so 1 mm is written; lengths in this file are not millimetres",
                path.display()
            ));
        }
    }

    fn of(&self, frame: usize) -> Option<&Done> {
        self.done.binary_search_by_key(&frame, |done| done.frame).ok().and_then(|n| self.done.get(n))
    }

    /// Value of the map at a pixel of the source; no number where nothing was analysed.
    fn value(&self, frame: usize, row: usize, column: usize) -> f32 {
        let Some(done) = self.of(frame) else { return f32::NAN };
        let series = &self.source.series;
        at_pixel(&done.map, done.side_px, (row, series.height_px), (column, series.width_px))
    }

    fn segmentation(&self, path: &Path, frames: &[usize], threshold: f32, model: &str) -> Result<()> {
        let series = &self.source.series;
        let is_in = |n: usize, y: usize, x: usize| {
            self.of(n).is_some_and(|done| !done.is_void) && self.value(n, y, x) >= threshold
        };
        if !is_dicom(path) {
            return whole(path, |file| nifti_labels(series, file, |n, y, x| u8::from(is_in(n, y, x))));
        }
        let description = format!("anomaly map at {threshold} or above");
        let segment = Segment { description: &description, algorithm: &format!("MVFA Web, {model}") };
        let mask = |n: usize| {
            let pixels = (0..series.height_px).flat_map(|y| (0..series.width_px).map(move |x| (y, x)));
            Ok(pixels.map(|(y, x)| is_in(n, y, x)).collect())
        };
        let bytes = segmentation(series, frames, &segment, &stamp()?, mask)?;
        Ok(crate::disk::write_whole(path, &bytes)?)
    }

    fn capture(&self, path: &Path, frames: &[usize], model: &str, window: &RunWindow) -> Result<()> {
        let series = &self.source.series;
        let description = format!("Anomaly map over the source, {model}; research and teaching, not for diagnosis");
        let picture = |n: usize| -> Result<Vec<u8>, WriteError> {
            let failed = |error: anyhow::Error| WriteError::Io(std::io::Error::other(format!("{error:#}")));
            let (picture, _) = medical::shown(series, n, window.choice).map_err(failed)?;
            let Some(done) = self.of(n) else { return Err(WriteError::Nothing) };
            let from = if done.is_void { Some(f32::INFINITY) } else { done.normal_top };
            Ok(overlay::blend_from(&picture, &done.map, done.side_px, from).bytes)
        };
        let stamp = stamp()?;
        whole(path, |file| secondary_capture(series, frames, &description, &stamp, file, picture))
    }
}

/// Whether an option's file can be written about the series, and may be.
fn check(option: &str, path: &Path, source: &Loaded) -> Result<()> {
    let shown = path.display();
    let usage = |message: String| -> Result<()> { Err(BadUsage(message).into()) };
    let series = &source.series;
    let name = path.to_string_lossy().to_ascii_lowercase();
    let is_nifti = name.ends_with(".nii.gz");
    let outcome = match option {
        "--map-out" if !is_nifti => {
            return usage(format!("{option} writes NIfTI; name a file that ends in .nii.gz, not {shown}"));
        }
        "--overlay-out" if !is_dicom(path) => {
            return usage(format!("{option} writes DICOM; name a file that ends in .dcm, not {shown}"));
        }
        _ if is_nifti => check_nifti(series),
        _ if is_dicom(path) => check_dicom(series),
        _ => {
            return usage(format!(
                "{option} writes DICOM or NIfTI; name a file that ends in .dcm or .nii.gz, not {shown}"
            ));
        }
    };
    if let Err(error) = outcome {
        return usage(format!("{option}: {error}"));
    }
    if path.symlink_metadata().is_ok() && !is_own_export(path) {
        return usage(format!(
            "{shown} is there and was not written by mvfa; name another file for {option}, or move it away"
        ));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    // Begun and given up.
    WholeFile::create(path).map(drop).with_context(|| cannot_write(path))
}

fn is_dicom(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("dcm"))
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// Writes a file that appears when it is whole.
fn whole(path: &Path, write: impl FnOnce(&mut WholeFile) -> Result<(), WriteError>) -> Result<()> {
    let mut file = WholeFile::create(path)?;
    write(&mut file)?;
    Ok(file.finish()?)
}

/// From which value on a pixel counts.
fn threshold(chosen: Option<f32>, done: &[Done]) -> f32 {
    let counted =
        || done.iter().filter(|done| !done.is_void).flat_map(|done| &done.map).copied().filter(|v| v.is_finite());
    let low = counted().fold(f32::INFINITY, f32::min);
    let high = counted().fold(f32::NEG_INFINITY, f32::max);
    let of_normals = done.iter().find_map(|done| done.normal_top);
    let threshold = chosen.or(of_normals).unwrap_or(low + (high - low) / 2.0);
    if threshold.is_finite() { threshold } else { f32::MAX }
}

/// New random identifiers, and now.
fn stamp() -> Result<Stamp> {
    let mut random = [0; 3];
    for number in &mut random {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).context("the system gives no random numbers")?;
        *number = u128::from_le_bytes(bytes);
    }
    let unix_seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Ok(Stamp { unix_seconds, random })
}
