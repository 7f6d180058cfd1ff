//! What to convert, and how.
//!
//! Comes in: choices of a person. Goes out: [`ConvertOptions`] with the method's defaults for the others.

use std::path::PathBuf;

use crate::bundle::config::Activation;
use crate::bundle::manifest::{Augment, Dtype, ObjectSpec};
use crate::bundle::objects::default_objects;

/// MVFA's picture side (spec §1).
pub const DEFAULT_SIZE_PX: usize = 240;
/// What to convert, and how.
#[derive(Clone, Debug)]
pub struct ConvertOptions {
    /// The CLIP or DINOv2 checkpoint.
    pub clip: PathBuf,
    /// MVFA's adapters; without, raw block tokens are the features.
    pub adapters: Option<PathBuf>,
    /// Folder to write.
    pub out: PathBuf,
    /// Side of the input picture, in pixels.
    pub size_px: usize,
    /// 1-based blocks after which features are taken; quarters of the depth if not given.
    pub levels: Option<Vec<usize>>,
    /// Which tower of the checkpoint, where it has several.
    pub prefix: Option<String>,
    /// Attention heads, where width / 64 is wrong.
    pub heads: Option<usize>,
    /// Element type of the matrices.
    pub dtype: Dtype,
    /// What the model can be asked about.
    pub objects: Vec<ObjectSpec>,
    /// Activation of the blocks in both towers.
    pub activation: Activation,
    /// Views of a reference that the memory bank holds unless the user says otherwise.
    pub augment: Augment,
    /// Name shown to people; made from the geometry if not given.
    pub name: Option<String>,
    /// Licence of the weights.
    pub licence: Option<String>,
}

impl ConvertOptions {
    /// The method's defaults: 240 px, the six objects, erf GELU, f16.
    pub fn new(clip: PathBuf, out: PathBuf) -> Self {
        Self {
            clip,
            adapters: None,
            out,
            size_px: DEFAULT_SIZE_PX,
            levels: None,
            prefix: None,
            heads: None,
            dtype: Dtype::F16,
            objects: default_objects(),
            activation: Activation::default(),
            augment: Augment::default(),
            name: None,
            licence: None,
        }
    }
}

/// Told before each tensor: bytes (as f32) done and in all, and its canonical name.
pub type Progress<'a> = dyn FnMut(u64, u64, &str) + 'a;

/// What is told about a checkpoint before it is converted.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// What is taken of it, and how it will run.
    Taken(&'a str),
    /// A part of it that is left out: what, and why.
    LeftOut(&'a str),
}

/// Told once for each.
pub type Teller<'a> = dyn FnMut(Told<'_>) + 'a;
