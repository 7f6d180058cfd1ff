//! A volume: bytes of voxels, their type, and where they lie.

use std::fmt;
use std::sync::Arc;

use super::element::Element;
use super::nifti::Placement;
use super::orient::{Axis, Orientation};
use crate::bytes::Order;
use crate::geometry::{Vector, length};
use crate::limits::reserved;
use crate::series::{Entry, Source};
use crate::{Channels, FormatError, Frame, FrameInfo, Geometry, Limits, Part, Samples, Series, ValueMap};

/// Voxels of one or several volumes of the same size.
#[derive(Clone)]
pub struct Volume {
    pub(crate) format: &'static str,
    /// Number of voxels along each axis of the array.
    pub(crate) size: [usize; 3],
    /// Number of volumes: time points, directions.
    pub(crate) volumes: usize,
    /// Samples of a voxel: 1, or 3 for colour.
    pub(crate) channels: usize,
    /// Distance in samples of neighbours along each axis, of volumes, and of channels.
    pub(crate) strides: [usize; 5],
    pub(crate) element: Element,
    pub(crate) order: Order,
    /// Byte of the first voxel.
    pub(crate) start: usize,
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) map: ValueMap,
    /// Place of voxel (i, j, k) in millimetres, DICOM's axes: `axes[0] i + axes[1] j + axes[2] k + origin`.
    pub(crate) axes: [Vector; 3],
    pub(crate) origin: Vector,
    /// The file says where the patient's axes are.
    pub(crate) is_placed: bool,
    /// How NIfTI said it, so that it can be said again without rounding.
    pub(crate) placement: Option<Placement>,
}

impl fmt::Debug for Volume {
    /// Without the bytes, whose header may hold names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Volume")
            .field("format", &self.format)
            .field("size", &self.size)
            .field("volumes", &self.volumes)
            .field("element", &self.element)
            .finish_non_exhaustive()
    }
}

impl Volume {
    /// Number of voxels along each axis of the array.
    pub fn size(&self) -> [usize; 3] {
        self.size
    }

    /// The same without its voxels.
    pub(crate) fn without_bytes(&self) -> Self {
        Self { bytes: crate::head::nothing(), ..self.clone() }
    }

    /// Number of volumes.
    pub fn volumes(&self) -> usize {
        self.volumes
    }

    /// Distance of voxels along each axis of the array, in millimetres.
    pub fn spacing_mm(&self) -> Vector {
        self.axes.map(length)
    }

    /// Rows of the affine from array indices to millimetres in NIfTI's axes (x to the right, y to the front).
    pub fn affine_ras(&self) -> [[f64; 4]; 3] {
        [0, 1, 2].map(|row| {
            let sign = if row < 2 { -1.0 } else { 1.0 };
            let part = |axis: Vector| sign * axis[row] + 0.0;
            [part(self.axes[0]), part(self.axes[1]), part(self.axes[2]), part(self.origin)]
        })
    }

    /// Where each axis of the array runs to, as NIfTI's tools write it: `RAS`, `LPS`.
    pub fn orientation(&self) -> String {
        let orientation = Orientation::of(self.axes);
        let letter = |axis: usize| {
            let patient = orientation.axis.iter().position(|&a| a == axis).unwrap_or(0);
            [['L', 'R'], ['P', 'A'], ['S', 'I']][patient][usize::from(orientation.reversed[patient])]
        };
        (0..3).map(letter).collect()
    }

    /// Value of a voxel, with its meaning.
    pub fn value(&self, at: [usize; 3], volume: usize) -> Option<f64> {
        let is_inside = at.iter().zip(self.size).all(|(&i, n)| i < n) && volume < self.volumes;
        is_inside.then(|| self.stored(at, volume, 0).map(|v| self.map.apply(v))).flatten()
    }

    fn stored(&self, at: [usize; 3], volume: usize, channel: usize) -> Option<f64> {
        let index = at[0] * self.strides[0]
            + at[1] * self.strides[1]
            + at[2] * self.strides[2]
            + volume * self.strides[3]
            + channel * self.strides[4];
        self.element.value(self.order, &self.bytes, self.start + index * self.element.bytes())
    }

    /// Number of slices across an axis, in one volume.
    pub fn slices(&self, axis: Axis) -> usize {
        self.size[self.cut(axis).across]
    }

    /// Width and height in pixels of slices across an axis.
    pub fn slice_size(&self, axis: Axis) -> (usize, usize) {
        let cut = self.cut(axis);
        (self.size[cut.columns], self.size[cut.rows])
    }

    pub(crate) fn cut(&self, axis: Axis) -> Cut {
        let orientation = Orientation::of(self.axes);
        // Slices as radiology shows them: the patient's right on the left, front or head at the top.
        let (across, columns, rows) = match axis {
            Axis::Axial => (2, 0, 1),
            Axis::Coronal => (1, 0, 2),
            Axis::Sagittal => (0, 1, 2),
        };
        let rows_go_down = rows == 2;
        Cut {
            across: orientation.axis[across],
            columns: orientation.axis[columns],
            rows: orientation.axis[rows],
            across_reversed: orientation.reversed[across],
            columns_reversed: orientation.reversed[columns],
            rows_reversed: orientation.reversed[rows] != rows_go_down,
        }
    }

    /// Decodes a slice. Slices of the first volume come first, from right to left, front to back, feet to head.
    ///
    /// # Errors
    /// [`FormatError::NoSuchFrame`], [`FormatError::Memory`], [`FormatError::Truncated`].
    pub fn slice(&self, axis: Axis, n: usize) -> Result<Frame, FormatError> {
        let cut = self.cut(axis);
        let count = self.size[cut.across];
        if n >= count * self.volumes {
            return Err(FormatError::NoSuchFrame { wanted: n, frames: count * self.volumes });
        }
        let (width_px, height_px) = (self.size[cut.columns], self.size[cut.rows]);
        let expected = width_px * height_px * self.channels;
        let value = |i: usize| {
            let (pixel, channel) = (i / self.channels, i % self.channels);
            self.stored(cut.voxel(&self.size, n % count, pixel / width_px, pixel % width_px), n / count, channel)
        };
        let samples: Samples = self.element.samples((0..expected).map_while(value), expected)?;
        if samples.len() < expected {
            let bytes = |count: usize| (count * self.element.bytes()) as u64;
            let (expected_bytes, found_bytes) = (bytes(expected), bytes(samples.len()));
            return Err(FormatError::Truncated { format: self.format, part: "a slice", expected_bytes, found_bytes });
        }
        let (channels, bits, map) = self.samples();
        Ok(Frame {
            width_px,
            height_px,
            channels,
            samples,
            bits,
            map,
            inverted: false,
            padding: None,
            presets: Vec::new(),
        })
    }

    /// Channels, bits and meaning of the samples.
    pub(crate) fn samples(&self) -> (Channels, u8, ValueMap) {
        let bits = (self.element.bytes() * 8) as u8;
        let channels = if self.channels == 3 { Channels::Rgb { bits } } else { Channels::Gray };
        (channels, bits, self.map.clone())
    }

    /// Place of each slice of a volume along its normal, in millimetres; nothing where the file does not say how the patient
    /// lies.
    pub fn positions_mm(&self, axis: Axis) -> Option<Vec<f64>> {
        (0..self.slices(axis)).map(|n| self.geometry(axis, n).depth_mm()).collect()
    }

    /// The bytes of a slice, numbered as by [`Volume::slice`]; nothing where the samples of a voxel are not neighbours.
    pub(crate) fn part(&self, axis: Axis, n: usize) -> Option<Part> {
        let cut = self.cut(axis);
        let count = self.size[cut.across];
        if (self.channels > 1 && self.strides[4] != 1) || n >= count * self.volumes {
            return None;
        }
        let bytes = |samples: usize| samples as u64 * self.element.bytes() as u64;
        let at = cut.voxel(&self.size, n % count, 0, 0)[cut.across];
        let (fast, slow) = self.in_plane(&cut);
        Some(Part {
            start: self.start as u64
                + at as u64 * bytes(self.strides[cut.across])
                + (n / count) as u64 * bytes(self.strides[3]),
            run_bytes: bytes(self.channels),
            run_step: bytes(self.strides[fast]),
            runs: self.size[fast] as u64,
            line_step: bytes(self.strides[slow]),
            lines: self.size[slow] as u64,
        })
    }

    /// The axes of a slice, the one whose voxels are closer in the file first.
    fn in_plane(&self, cut: &Cut) -> (usize, usize) {
        let is_row_slower = self.strides[cut.rows] >= self.strides[cut.columns];
        if is_row_slower { (cut.columns, cut.rows) } else { (cut.rows, cut.columns) }
    }

    /// The same with the bytes of one slice, as [`Volume::part`] names them, in the place of every slice across the axis.
    pub(crate) fn of_part(&self, axis: Axis, bytes: Arc<[u8]>) -> Self {
        let (fast, slow) = self.in_plane(&self.cut(axis));
        let mut strides = [0; 5];
        strides[fast] = self.channels;
        strides[slow] = self.channels * self.size[fast];
        strides[4] = 1;
        Self { strides, start: 0, bytes, ..self.clone() }
    }

    /// Where a slice lies.
    pub fn geometry(&self, axis: Axis, n: usize) -> Geometry {
        let cut = self.cut(axis);
        let first = cut.voxel(&self.size, n % self.size[cut.across].max(1), 0, 0);
        let spacing = self.spacing_mm();
        let direction = |axis: usize, reversed: bool| {
            let sign = if reversed { -1.0 } else { 1.0 };
            self.axes[axis].map(|v| sign * v / spacing[axis])
        };
        let position =
            [0, 1, 2].map(|i| (0..3).map(|a| self.axes[a][i] * first[a] as f64).sum::<f64>() + self.origin[i]);
        Geometry {
            spacing_mm: Some([spacing[cut.rows], spacing[cut.columns]]),
            position_mm: self.is_placed.then_some(position),
            orientation: self
                .is_placed
                .then(|| [direction(cut.columns, cut.columns_reversed), direction(cut.rows, cut.rows_reversed)]),
            thickness_mm: Some(spacing[cut.across]),
        }
    }

    /// The series of its axial slices, with the sizes checked.
    pub(crate) fn into_series(self, limits: &Limits) -> Result<Series, FormatError> {
        let file_bytes = self.bytes.len() as u64;
        self.into_series_of(file_bytes, limits)
    }

    /// The same for a file of so many bytes, of which only the beginning may be there.
    pub(crate) fn into_series_of(self, file_bytes: u64, limits: &Limits) -> Result<Series, FormatError> {
        if !self.axes.iter().all(|&axis| length(axis) > 0.0 && length(axis).is_finite()) {
            return Err(FormatError::damaged(self.format, "its voxels have no size in space"));
        }
        let cut = self.cut(Axis::Axial);
        let (width_px, height_px) = (self.size[cut.columns], self.size[cut.rows]);
        let count = self.size[cut.across] as u64 * self.volumes as u64;
        limits.check_frames(self.format, width_px as u64, height_px as u64, count)?;
        let samples =
            self.size.iter().map(|&n| n as u64).try_fold(self.volumes as u64 * self.channels as u64, u64::checked_mul);
        let expected_bytes = samples.and_then(|n| n.checked_mul(self.element.bytes() as u64)).unwrap_or(u64::MAX);
        let found_bytes = file_bytes.saturating_sub(self.start as u64);
        if found_bytes < expected_bytes {
            let part = "the volume";
            return Err(FormatError::Truncated { format: self.format, part, expected_bytes, found_bytes });
        }
        let mut notes = Vec::new();
        if !self.is_placed {
            notes.push("the file does not say how the patient lies: slices are shown as they are stored".to_owned());
        }
        let (format, slices) = (self.format, self.size[cut.across]);
        let volume = Arc::new(self);
        let mut entries = reserved(count as usize)?;
        entries.extend((0..count as usize).map(|index| Entry {
            source: Source::Volume(Arc::clone(&volume)),
            index,
            file: 0,
            info: FrameInfo { geometry: volume.geometry(Axis::Axial, index), volume: index / slices },
        }));
        let (modality, body_part, units, presets) = (None, None, None, Vec::new());
        Ok(Series { format, width_px, height_px, modality, body_part, units, presets, notes, entries })
    }
}

/// How an axis cuts the array.
pub(crate) struct Cut {
    /// Axes of the array.
    across: usize,
    columns: usize,
    rows: usize,
    across_reversed: bool,
    columns_reversed: bool,
    rows_reversed: bool,
}

impl Cut {
    /// Index of a slice's pixel in the array.
    fn voxel(&self, size: &[usize; 3], slice: usize, row: usize, column: usize) -> [usize; 3] {
        let turned = |i: usize, axis: usize, reversed: bool| if reversed { size[axis] - 1 - i } else { i };
        let mut at = [0; 3];
        at[self.across] = turned(slice, self.across, self.across_reversed);
        at[self.columns] = turned(column, self.columns, self.columns_reversed);
        at[self.rows] = turned(row, self.rows, self.rows_reversed);
        at
    }

    /// Number of slices of one volume.
    pub(crate) fn slices(&self, size: &[usize; 3]) -> usize {
        size[self.across]
    }

    /// Slice, row and column of an index of the array: the inverse of [`Cut::voxel`].
    pub(crate) fn pixel(&self, size: &[usize; 3], at: [usize; 3]) -> [usize; 3] {
        let turned = |axis: usize, reversed: bool| if reversed { size[axis] - 1 - at[axis] } else { at[axis] };
        [
            turned(self.across, self.across_reversed),
            turned(self.rows, self.rows_reversed),
            turned(self.columns, self.columns_reversed),
        ]
    }
}
