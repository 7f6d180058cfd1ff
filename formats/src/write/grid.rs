//! The array that a series fills, and where it lies.
//!
//! Comes in: a series. Goes out: size and affine of an array with one voxel for each pixel of each slice, and which frame's
//! pixel a voxel is. A volume keeps its own array; slices of DICOM become one where they are parallel, in line and evenly
//! spaced. Fails with [`WriteError::Uneven`].

use super::WriteError;
use crate::geometry::{Vector, length};
use crate::series::Source;
use crate::volume::{Cut, Placement};
use crate::{Axis, Series};

/// Directions whose parts differ by less are the same.
const SAME_DIRECTION: f64 = 1e-3;

/// Places may differ from even steps by this share of a step, as writers round.
const SAME_STEP: f64 = 0.01;

const NEXT: &str = "take one series of parallel slices, or write a DICOM segmentation (.dcm)";

/// An array in space.
pub(super) struct Grid {
    /// Voxels along each axis.
    pub(super) size: [usize; 3],
    /// Number of volumes.
    pub(super) volumes: usize,
    /// Place of voxel (i, j, k), DICOM's axes: `axes[0] i + axes[1] j + axes[2] k + origin`.
    pub(super) axes: [Vector; 3],
    pub(super) origin: Vector,
    /// The source says where the patient's axes are.
    pub(super) is_placed: bool,
    /// How a NIfTI source says it.
    pub(super) placement: Option<Placement>,
    frames: Frames,
}

/// Which frame a voxel belongs to.
enum Frames {
    Volume(Cut),
    /// Frame of each volume's slice.
    Slices(Vec<Vec<Option<usize>>>),
}

impl Grid {
    pub(super) fn of(series: &Series) -> Result<Self, WriteError> {
        if let Some(volume) = series.volume() {
            return Ok(Self {
                size: volume.size(),
                volumes: volume.volumes(),
                axes: volume.axes,
                origin: volume.origin,
                is_placed: volume.is_placed,
                placement: volume.placement.clone(),
                frames: Frames::Volume(volume.cut(Axis::Axial)),
            });
        }
        of_slices(series)
    }

    /// Frame, row and column of a voxel; nothing where no frame lies.
    pub(super) fn pixel(&self, at: [usize; 3], volume: usize) -> Option<[usize; 3]> {
        match &self.frames {
            Frames::Volume(cut) => {
                let [slice, row, column] = cut.pixel(&self.size, at);
                Some([volume * cut.slices(&self.size) + slice, row, column])
            }
            Frames::Slices(frames) => {
                let frame = *frames.get(volume)?.get(at[2])?;
                Some([frame?, at[1], at[0]])
            }
        }
    }
}

/// The array of DICOM frames: columns, rows, slices along the normal.
fn of_slices(series: &Series) -> Result<Grid, WriteError> {
    let uneven = |what: String| WriteError::Uneven { what, next: NEXT };
    let infos: Vec<_> = series.entries.iter().map(|entry| &entry.info).collect();
    let Some(first) = infos.first() else { return Err(WriteError::Nothing) };
    let spacing = first.geometry.spacing_mm;
    let [row_mm, column_mm] = spacing.unwrap_or([1.0; 2]);
    if !series.entries.iter().all(|entry| matches!(entry.source, Source::Dicom(_))) {
        return Err(WriteError::Nothing);
    }
    if infos.iter().any(|info| info.geometry.spacing_mm != spacing) {
        return Err(uneven("the pixels of the slices differ in size".to_owned()));
    }
    let mut size = [series.width_px, series.height_px, 0];
    let (Some(normal), Some([along_row, down])) = (first.geometry.normal(), first.geometry.orientation) else {
        // Frames without a place, like those of a film, in their order.
        size[2] = infos.len();
        let frames = Frames::Slices(vec![(0..infos.len()).map(Some).collect()]);
        let axes = [[column_mm, 0.0, 0.0], [0.0, row_mm, 0.0], [0.0, 0.0, 1.0]];
        return Ok(Grid { size, volumes: 1, axes, origin: [0.0; 3], is_placed: false, placement: None, frames });
    };
    let mut places = Vec::new();
    for (n, info) in infos.iter().enumerate() {
        let (Some(orientation), Some(position)) = (info.geometry.orientation, info.geometry.position_mm) else {
            return Err(uneven("some slices do not say where they lie".to_owned()));
        };
        let pairs = orientation.iter().flatten().zip([along_row, down].into_iter().flatten());
        if pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) > SAME_DIRECTION {
            return Err(uneven("the slices are not parallel".to_owned()));
        }
        places.push((n, info.volume, position, crate::geometry::dot(normal, position)));
    }
    // The slices of the first volume say where the others' lie, too.
    places.sort_by(|a, b| a.3.total_cmp(&b.3).then(a.1.cmp(&b.1)));
    let mut layers: Vec<(Vector, f64)> = Vec::new();
    let volumes = infos.iter().map(|info| info.volume).max().unwrap_or(0) + 1;
    let mut frames: Vec<Vec<Option<usize>>> = vec![Vec::new(); volumes];
    /// Slices closer than this lie on the same place.
    const SAME_PLACE_MM: f64 = 1e-3;
    for (n, volume, position, depth) in places {
        let is_new = layers.last().is_none_or(|last| depth - last.1 >= SAME_PLACE_MM);
        if is_new {
            layers.push((position, depth));
            frames.iter_mut().for_each(|volume| volume.push(None));
        }
        if let Some(slot) = frames.get_mut(volume).and_then(|slices| slices.last_mut())
            && slot.replace(n).is_some()
        {
            return Err(uneven("two slices lie on one place".to_owned()));
        }
    }
    size[2] = layers.len();
    let (origin, last) = (layers[0].0, layers[layers.len() - 1].0);
    let thickness_mm = first.geometry.thickness_mm.unwrap_or(1.0);
    let step = match layers.len() {
        1 => normal.map(|v| v * thickness_mm),
        n => [0, 1, 2].map(|i| (last[i] - origin[i]) / (n - 1) as f64),
    };
    let step_mm = length(step);
    for (n, (position, _)) in layers.iter().enumerate() {
        let off = [0, 1, 2].map(|i| position[i] - origin[i] - step[i] * n as f64);
        if length(off) > step_mm * SAME_STEP {
            let what = format!("slice {} lies {:.2} mm off its even place", n + 1, length(off));
            return Err(uneven(what));
        }
    }
    let axes = [along_row.map(|v| v * column_mm), down.map(|v| v * row_mm), step];
    Ok(Grid { size, volumes, axes, origin, is_placed: true, placement: None, frames: Frames::Slices(frames) })
}
