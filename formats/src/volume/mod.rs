//! Volumes: one array of voxels with an affine, cut into slices when they are asked for.

mod element;
pub(crate) mod meta_image;
pub(crate) mod nifti;
pub(crate) mod nrrd;
mod orient;
mod voxels;

pub(crate) use nifti::Placement;
pub use orient::Axis;
pub(crate) use voxels::Cut;
pub use voxels::Volume;
