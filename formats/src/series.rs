//! Ordered frames of one kind, with what is known about them. Frames are decoded when they are asked for.

use std::fmt;
use std::sync::Arc;

use crate::picture::{PictureFile, Pixels, RawPicture};
use crate::{Channels, FormatError, Frame, Geometry, Preset, Samples, ValueMap, Volume, dicom};

/// What is known about a frame before it is decoded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FrameInfo {
    /// Where it lies.
    pub geometry: Geometry,
    /// Number of the volume it belongs to, from 0: time point, echo, direction.
    pub volume: usize,
}

/// What decodes the frames of one file.
#[derive(Clone)]
pub(crate) enum Source {
    Dicom(Arc<dicom::File>),
    Volume(Arc<Volume>),
    Picture(Arc<PictureFile>),
}

impl Source {
    /// Whether two are the same file.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dicom(a), Self::Dicom(b)) => Arc::ptr_eq(a, b),
            (Self::Volume(a), Self::Volume(b)) => Arc::ptr_eq(a, b),
            (Self::Picture(a), Self::Picture(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// The same without the file's bytes.
    pub(crate) fn without_bytes(&self) -> Self {
        match self {
            Self::Dicom(file) => Self::Dicom(Arc::new(file.without_bytes())),
            Self::Volume(volume) => Self::Volume(Arc::new(volume.without_bytes())),
            Self::Picture(file) => Self::Picture(Arc::new(file.without_bytes())),
        }
    }
}

/// One frame of a series: where it comes from.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) source: Source,
    /// Number within its source.
    pub(crate) index: usize,
    /// Which of several files it comes from, as [`Series::of_file`] said.
    pub(crate) file: usize,
    pub(crate) info: FrameInfo,
}

/// Ordered frames of equal size.
#[derive(Clone)]
pub struct Series {
    /// Name of the files' format.
    pub format: &'static str,
    /// Width of every frame in pixels.
    pub width_px: usize,
    /// Height of every frame in pixels.
    pub height_px: usize,
    /// What made the pictures, as DICOM abbreviates it: `CT`, `MR`, `US`.
    pub modality: Option<String>,
    /// The part of the body, as the file has it.
    pub body_part: Option<String>,
    /// Unit of the values: `HU`.
    pub units: Option<String>,
    /// Windows that the file of the first frame proposes.
    pub presets: Vec<Preset>,
    /// What a reader should know: gaps, things left out.
    pub notes: Vec<String>,
    pub(crate) entries: Vec<Entry>,
}

impl fmt::Debug for Series {
    /// Without the sources: their bytes hold names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Series")
            .field("format", &self.format)
            .field("width_px", &self.width_px)
            .field("height_px", &self.height_px)
            .field("frames", &self.entries.len())
            .field("modality", &self.modality)
            .field("body_part", &self.body_part)
            .field("units", &self.units)
            .field("presets", &self.presets)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

impl Series {
    /// Number of frames.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no frames. No reader gives such a series.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is known about a frame.
    pub fn info(&self, n: usize) -> Option<&FrameInfo> {
        self.entries.get(n).map(|entry| &entry.info)
    }

    /// Decodes a frame, numbered from 0.
    ///
    /// # Errors
    /// [`FormatError::NoSuchFrame`], and what can be wrong with the pixels of this frame.
    pub fn frame(&self, n: usize) -> Result<Frame, FormatError> {
        let entry = self.entries.get(n).ok_or(FormatError::NoSuchFrame { wanted: n, frames: self.entries.len() })?;
        match &entry.source {
            Source::Dicom(file) => file.frame(entry.index),
            Source::Volume(volume) => volume.slice(crate::Axis::Axial, entry.index),
            Source::Picture(file) => Ok(stored(file.picture(entry.index)?)),
        }
    }

    /// Decodes a frame, numbered from 0, as it is shown and analysed.
    ///
    /// # Errors
    /// As [`Series::frame`].
    pub fn picture(&self, n: usize) -> Result<RawPicture, FormatError> {
        match self.entries.get(n).map(|entry| (&entry.source, entry.index)) {
            Some((Source::Picture(file), index)) => Ok(file.picture(index)?),
            _ => Ok(RawPicture::of_frame(&self.frame(n)?, self.format, self.units.clone())),
        }
    }

    /// Whether the file is a plain picture.
    pub fn is_picture(&self) -> bool {
        matches!(self.entries.first().map(|entry| &entry.source), Some(Source::Picture(_)))
    }

    /// The same, with the file's number for [`Series::place`] after files were put together.
    pub fn of_file(mut self, file: usize) -> Self {
        self.entries.iter_mut().for_each(|entry| entry.file = file);
        self
    }

    /// Number of the file that a frame comes from, and its number there.
    pub fn place(&self, n: usize) -> Option<(usize, usize)> {
        self.entries.get(n).map(|entry| (entry.file, entry.index))
    }

    /// The volume that the frames are slices of, where the file is one.
    pub fn volume(&self) -> Option<&Volume> {
        match &self.entries.first()?.source {
            Source::Volume(volume) => Some(volume),
            Source::Dicom(_) | Source::Picture(_) => None,
        }
    }

    /// The DICOM file that the first frame comes from.
    pub fn dicom(&self) -> Option<&dicom::File> {
        match &self.entries.first()?.source {
            Source::Dicom(file) => Some(file),
            Source::Volume(_) | Source::Picture(_) => None,
        }
    }

    /// Whether the pixel spacing is the detector's: distances in the body are shorter.
    pub fn is_detector_spacing(&self) -> bool {
        self.dicom().is_some_and(dicom::File::is_detector_spacing)
    }

    /// Frames in the order of volumes, and how many volumes there are: one if they are not of equal length, and for a film,
    /// whose frames all lie in one place.
    pub fn in_volumes(&self) -> (Vec<usize>, usize) {
        let mut volumes: Vec<Vec<usize>> = Vec::new();
        for (n, entry) in self.entries.iter().enumerate() {
            let volume = entry.info.volume;
            if volume >= volumes.len() {
                volumes.resize(volume + 1, Vec::new());
            }
            volumes[volume].push(n);
        }
        let is_film = volumes.iter().all(|volume| volume.len() == 1);
        let is_even = volumes.iter().all(|volume| volume.len() == volumes[0].len());
        if is_even && !is_film { (volumes.concat(), volumes.len().max(1)) } else { ((0..self.len()).collect(), 1) }
    }

    /// Place of each frame along its normal in millimetres, in the order of volumes; nothing if one is not known.
    pub fn positions_mm(&self) -> Option<Vec<f64>> {
        self.in_volumes().0.into_iter().map(|n| self.entries[n].info.geometry.depth_mm()).collect()
    }

    /// What the samples of a frame are: channels, bits of a grey one, meaning. No pixel of a volume is decoded for it.
    ///
    /// # Errors
    /// As [`Series::frame`].
    pub fn samples(&self, n: usize) -> Result<(Channels, u8, ValueMap), FormatError> {
        if let Some(volume) = self.volume() {
            return Ok(volume.samples());
        }
        let frame = self.frame(n)?;
        Ok((frame.channels, frame.bits, frame.map))
    }

    /// Distance of neighbouring slices of a volume along the normal, where it is the same everywhere (within 1 %).
    pub fn slice_spacing_mm(&self) -> Option<f64> {
        let (depths, volumes) = (self.positions_mm()?, self.in_volumes().1);
        spacing_mm(&depths[..depths.len() / volumes])
    }
}

/// Distance of neighbours among places along a line, where it is the same everywhere (within 1 %).
pub(crate) fn spacing_mm(depths: &[f64]) -> Option<f64> {
    let steps: Vec<f64> = depths.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    let first = *steps.first()?;
    (first > 0.0 && steps.iter().all(|step| (step - first).abs() <= first * 0.01)).then_some(first)
}

/// A plain picture's samples as a frame.
fn stored(raw: RawPicture) -> Frame {
    let picture = raw.picture;
    let (channels, samples, bits) = match picture.pixels {
        Pixels::Gray8(bytes) => (Channels::Gray, Samples::U8(bytes), 8),
        Pixels::Rgb8(bytes) => (Channels::Rgb { bits: 8 }, Samples::U8(bytes), 8),
        Pixels::DeepGray { values, .. } => (Channels::Gray, Samples::F32(values), 32),
        Pixels::DeepRgb { values } => (Channels::Rgb { bits: 32 }, Samples::F32(values), 32),
    };
    Frame {
        width_px: picture.width_px,
        height_px: picture.height_px,
        channels,
        samples,
        bits,
        map: ValueMap::STORED,
        inverted: false,
        padding: None,
        presets: Vec::new(),
    }
}
