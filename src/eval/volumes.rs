//! Volumes of a data set as pictures, one for each slice.
//!
//! Comes in: the files of a data set and what they were taken for. Goes out: a folder for the time of the run with the same
//! data set in slices, each volume a person's folder unless it lies in one; `None` if the set has pictures only. A slice of
//! an abnormal volume without a marked pixel is a normal one. Fails with [`DatasetError`]: a volume that cannot be read,
//! an abnormal one without a mask, a mask of another shape.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mvfa_formats::{Limits, Series, SlicePlace, open};
use tempfile::TempDir;

use crate::dataset::{Entry, Layout, Part, is_medical_name};
use crate::disk::medical_file::of_frame;
use crate::disk::picture_file;
use crate::eval::dataset::DatasetError;
use crate::eval::mask_values::abnormal;
use crate::image::{Picture, Pixels};

/// Folders of a class: its pictures, and its masks.
const NORMAL: &str = "good/img";
const ABNORMAL: &str = "Ungood/img";
const MASKS: &str = "Ungood/anomaly_mask";

/// A data set in slices, until it is dropped.
#[derive(Debug)]
pub(super) struct Sliced {
    /// Deleted with this.
    folder: TempDir,
    /// Files of several slices.
    pub(super) volumes: usize,
    /// Where each slice lies in its volume.
    pub(super) places: HashMap<PathBuf, SlicePlace>,
}

impl Sliced {
    /// `path` tells where a file of the layout is.
    ///
    /// # Errors
    /// [`DatasetError`].
    pub(super) fn of(layout: &Layout, path: impl Fn(usize) -> PathBuf) -> Result<Option<Self>, DatasetError> {
        let is_volume = |entry: &&Entry| series_of(&path(entry.file)).is_ok_and(|found| found.is_some());
        if !layout.entries.iter().any(|entry| is_volume(&entry)) {
            return Ok(None);
        }
        let folder = TempDir::with_prefix("mvfa-slices-").map_err(|source| io_of(&std::env::temp_dir(), source))?;
        let mut sliced = Self { folder, volumes: 0, places: HashMap::new() };
        for entry in &layout.entries {
            sliced.take(entry, &path(entry.file), entry.mask.map(&path).as_deref())?;
        }
        Ok(Some(sliced))
    }

    /// Where the slices are.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn take(&mut self, entry: &Entry, image: &Path, mask: Option<&Path>) -> Result<(), DatasetError> {
        let name = image.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let wrong = |reason: String| DatasetError::Volume { path: image.display().to_string(), reason };
        let Some(series) = series_of(image).map_err(wrong)? else {
            let class = if entry.abnormal { ABNORMAL } else { NORMAL };
            self.link(image, entry, class, &name)?;
            return mask.map_or(Ok(()), |mask| self.link(mask, entry, MASKS, &name));
        };
        self.volumes += 1;
        let stem = name.split('.').next().unwrap_or_default();
        let mask = match (entry.abnormal, mask) {
            (false, _) => None,
            (true, Some(mask)) => Some(masks_of(mask, &series)?),
            (true, None) => return Err(wrong(NO_MASK.to_owned())),
        };
        // Not the bare name: a volume may be called like a part or a class.
        let person = entry.person.clone().unwrap_or_else(|| format!("volume {stem}"));
        for n in 0..series.len() {
            let picture = of_frame(&series, n).map_err(|e| wrong(e.to_string()))?;
            let name = format!("{stem} slice {:04}.mha", n + 1);
            let marked = mask.as_ref().map(|mask| &mask[n]).filter(|marked| marked.contains(&1));
            let class = if marked.is_some() { ABNORMAL } else { NORMAL };
            let to = self.write(entry.part, class, &person, &name, &meta_image(&picture))?;
            self.places.extend(SlicePlace::of(&series, n).map(|place| (to, place)));
            if let Some(marked) = marked {
                let values = marked.iter().map(|value| 255 * value).collect();
                let picture = Picture { pixels: Pixels::Gray8(values), ..picture };
                self.write(entry.part, MASKS, &person, &name, &meta_image(&picture))?;
            }
        }
        Ok(())
    }

    /// A picture as it is.
    fn link(&self, file: &Path, entry: &Entry, class: &str, name: &str) -> Result<(), DatasetError> {
        // A folder for each: beside those of volumes, files without one would be read alone.
        let person = entry.person.clone().unwrap_or_else(|| format!("picture {name}"));
        let to = self.place(entry.part, class, &person, name)?;
        fs::hard_link(file, &to).or_else(|_| fs::copy(file, &to).map(drop)).map_err(|source| io_of(&to, source))
    }

    fn write(&self, part: Part, class: &str, person: &str, name: &str, bytes: &[u8]) -> Result<PathBuf, DatasetError> {
        let to = self.place(part, class, person, name)?;
        fs::write(&to, bytes).map_err(|source| io_of(&to, source))?;
        Ok(to)
    }

    fn place(&self, part: Part, class: &str, person: &str, name: &str) -> Result<PathBuf, DatasetError> {
        let folder = self.path().join(part.name()).join(class).join(person);
        fs::create_dir_all(&folder).map_err(|source| io_of(&folder, source))?;
        Ok(folder.join(name))
    }
}

const NO_MASK: &str = "it is an abnormal volume without a mask, so which of its slices are abnormal is not known; add a mask of its shape";

/// The slices of a medical file with several; `None` for everything else, what cannot be read included: that is told where
/// pictures are read.
fn series_of(path: &Path) -> Result<Option<Series>, String> {
    if !path.file_name().is_some_and(|name| is_medical_name(&name.to_string_lossy())) {
        return Ok(None);
    }
    let Ok(bytes) = picture_file::read(path) else { return Ok(None) };
    match open(bytes, &Limits::default()) {
        Ok(series) if series.len() > 1 => Ok(Some(series)),
        _ => Ok(None),
    }
}

/// Per slice 0 and 1.
fn masks_of(path: &Path, image: &Series) -> Result<Vec<Vec<u8>>, DatasetError> {
    let wrong = |reason: String| DatasetError::Mask { path: path.display().to_string(), reason };
    let series = series_of(path).map_err(wrong)?.ok_or_else(|| wrong("it is no volume, its picture is one".into()))?;
    let shape = |series: &Series| format!("{} × {} × {}", series.width_px, series.height_px, series.len());
    if shape(&series) != shape(image) {
        let (path, expected, found) = (path.display().to_string(), shape(image), shape(&series));
        return Err(DatasetError::MaskSize { path, expected, found });
    }
    (0..series.len())
        .map(|n| of_frame(&series, n).map(|picture| labels(&picture)).map_err(|e| wrong(e.to_string())))
        .collect()
}

/// What a mask's slice marks. Labels of volumes count from 1, whatever else the volume holds.
fn labels(picture: &Picture) -> Vec<u8> {
    match &picture.pixels {
        Pixels::DeepGray { values, .. } => values.iter().map(|value| u8::from(*value > 0.0)).collect(),
        Pixels::Gray8(values) => values.iter().map(|value| u8::from(*value > 0)).collect(),
        Pixels::Rgb8(_) | Pixels::DeepRgb { .. } => abnormal(picture).0,
    }
}

/// A picture with its values as they are, as a MetaImage file.
fn meta_image(picture: &Picture) -> Vec<u8> {
    let (kind, channels, pixels) = match &picture.pixels {
        Pixels::Gray8(values) => ("MET_UCHAR", 1, values.clone()),
        Pixels::Rgb8(values) => ("MET_UCHAR", 3, values.clone()),
        Pixels::DeepGray { values, .. } => ("MET_FLOAT", 1, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        Pixels::DeepRgb { .. } => ("MET_UCHAR", 3, picture.clone().to_rgb8(Default::default()).bytes),
    };
    let mut bytes = format!(
        "ObjectType = Image\nNDims = 2\nBinaryData = True\nBinaryDataByteOrderMSB = False\nDimSize = {} {}\nElementNumberOfChannels = {channels}\nElementType = {kind}\nElementDataFile = LOCAL\n",
        picture.width_px, picture.height_px
    )
    .into_bytes();
    bytes.extend(pixels);
    bytes
}

fn io_of(path: &Path, source: io::Error) -> DatasetError {
    DatasetError::Io { path: path.display().to_string(), source }
}
