//! What can be wrong with a model: one variant per cause, each with the next step.

use thiserror::Error;

/// A bundle or checkpoint that cannot be used.
#[derive(Debug, Error)]
pub enum BundleError {
    /// The manifest's format number is not ours.
    #[error(
        "the model's manifest has format {found}, this build reads format {expected}; use a build that matches, or convert the checkpoint again"
    )]
    Format {
        /// Number in the file.
        found: u32,
        /// Number this build reads.
        expected: u32,
    },
    /// The manifest does not parse or contradicts itself.
    #[error("the model's manifest.json is not valid: {0}; convert the checkpoint again or get a fresh copy")]
    Manifest(String),
    /// A file of the bundle is not there.
    #[error("the model file {path} is missing; copy the whole bundle folder, or convert the checkpoint again")]
    MissingFile {
        /// Name beside the manifest.
        path: String,
    },
    /// A file that is longer than any of its kind.
    #[error("the model file {path} has more than {limit_bytes} bytes, which no model needs; get a fresh copy of it")]
    TooLarge {
        /// Name beside the manifest.
        path: String,
        /// Bytes that are read.
        limit_bytes: u64,
    },
    /// A file is longer or shorter than the manifest says.
    #[error("the model file {path} has {found} bytes, expected {expected}; get a fresh copy of it")]
    Size {
        /// Name beside the manifest.
        path: String,
        /// Bytes by the manifest.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// A file's content is not what was written.
    #[error("the model file {path} is damaged (SHA-256 {found}, expected {expected}); get a fresh copy of it")]
    Hash {
        /// Name beside the manifest.
        path: String,
        /// Digest by the manifest.
        expected: String,
        /// Digest of the file.
        found: String,
    },
    /// A file has the right hash but does not hold what the manifest lists.
    #[error("the model file {path} cannot be read: {reason}; convert the checkpoint again")]
    Shard {
        /// Name beside the manifest.
        path: String,
        /// What is wrong in it.
        reason: String,
    },
    /// A tensor the model needs is nowhere.
    #[error("the tensor {name} is missing; {hint}")]
    MissingTensor {
        /// Name of the tensor.
        name: String,
        /// What to check.
        hint: String,
    },
    /// A tensor has another shape than the model needs.
    #[error("the tensor {name} has shape {found:?}, expected {expected:?}; {hint}")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// Shape the model needs.
        expected: Vec<usize>,
        /// Shape in the file.
        found: Vec<usize>,
        /// What to check.
        hint: String,
    },
    /// A weight is not a finite number.
    #[error(
        "the tensor {name} holds a value that is not a finite number (at element {index}); the checkpoint is damaged, get a fresh copy"
    )]
    NotFinite {
        /// Name of the tensor.
        name: String,
        /// First such element, row-major.
        index: usize,
    },
    /// The adapters were trained for another tower.
    #[error(
        "the adapters are for tokens of width {found}, the vision tower has width {expected}; use adapters trained on this tower"
    )]
    AdapterWidth {
        /// Width of the tower.
        expected: usize,
        /// Width of the adapters.
        found: usize,
    },
    /// An object the model does not know.
    #[error("this model has no object {id:?}; it knows: {}", known.join(", "))]
    UnknownObject {
        /// What was asked for.
        id: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A checkpoint whose layout is none of those we read.
    #[error(
        "{path} is not a checkpoint this build can read: {reason}; supported are OpenAI CLIP .pt (TorchScript), open_clip state dicts, Hugging Face CLIP or DINOv2 safetensors, and MVFA adapters .pth"
    )]
    UnknownCheckpoint {
        /// The file.
        path: String,
        /// What was found instead.
        reason: String,
    },
    /// A checkpoint of a known family that is not supported.
    #[error("{path} is {family}, which is not supported: {why}; use {instead}")]
    Unsupported {
        /// The file.
        path: String,
        /// Its common name.
        family: String,
        /// What of it is not read or computed.
        why: String,
        /// What to use in its place.
        instead: String,
    },
    /// A part of a checkpoint in several files, without the others.
    #[error(
        "{path} is part {part} of {of} of a checkpoint; give the index beside the parts (such as model.safetensors.index.json), or the folder with all of them"
    )]
    Part {
        /// The file.
        path: String,
        /// Its number.
        part: usize,
        /// How many there are.
        of: usize,
    },
    /// The index of a checkpoint in several files, or one of its parts.
    #[error(
        "the checkpoint's index {path} cannot be used: {reason}; put it and all its parts into one folder, as they were published"
    )]
    Index {
        /// The index.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A matrix of weights with one value in all places.
    #[error(
        "the tensor {name} holds {value} in all its places, so these weights were never trained or were lost when they were written; {hint}"
    )]
    Constant {
        /// Name of the tensor.
        name: String,
        /// The value.
        value: f32,
        /// What to do.
        hint: String,
    },
    /// An I/O error.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A weight is too large for 16-bit floats.
    #[error(
        "the tensor {name} holds {value} (at element {index}), more than a 16-bit float can hold (65504); convert with --dtype f32"
    )]
    HalfOverflow {
        /// Name of the tensor.
        name: String,
        /// First such element, row-major.
        index: usize,
        /// The value.
        value: f32,
    },
    /// Weights that 32-bit floats cannot be computed with.
    #[error(
        "the model computes values that are no numbers: its weights overflow (the largest is {value:e}, in {name}); the checkpoint is damaged, get a fresh copy"
    )]
    Overflow {
        /// The tensor with the largest value.
        name: String,
        /// That value.
        value: f32,
    },
    /// The adapters have another number of levels than the model.
    #[error(
        "the adapters have {found} levels, the model takes features after {expected} blocks; choose {found} blocks with --levels, or use other adapters"
    )]
    AdapterLevels {
        /// Levels of the model.
        expected: usize,
        /// Levels of the adapters.
        found: usize,
    },
    /// The adapters' hidden features cannot be compared with the text features.
    #[error(
        "the adapters' hidden features have width {found}, the checkpoint's text features have width {expected}; use adapters trained with this text tower"
    )]
    AdapterBottleneck {
        /// Width of the text features.
        expected: usize,
        /// Width of the hidden features.
        found: usize,
    },
    /// A checkpoint of a known layout whose content contradicts itself or ends too early.
    #[error("the checkpoint {path} is damaged or incomplete: {reason}; get a fresh copy")]
    DamagedCheckpoint {
        /// The file.
        path: String,
        /// What is wrong in it.
        reason: String,
    },
    /// A torch file from before the zip format.
    #[error(
        "{path} is in torch's old format from before version 1.6; save it again with torch.save(torch.load('{path}', map_location='cpu'), 'new.pt') in a newer torch"
    )]
    LegacyCheckpoint {
        /// The file.
        path: String,
    },
    /// The folder for a bundle holds something that must not be replaced.
    #[error("cannot write the bundle to {path}: {reason}; choose another --out folder or move that away")]
    OutputFolder {
        /// The folder.
        path: String,
        /// What is in the way.
        reason: String,
    },
    /// Another process writes to the same folder.
    #[error("another run is writing a bundle to {path}; wait for its end, or choose another --out folder")]
    Busy {
        /// The folder.
        path: String,
    },
    /// A tensor that is not where it is needed.
    #[error("the tensor {name} cannot be used: {reason}")]
    Placement {
        /// Its name.
        name: String,
        /// Where it is, and the next step.
        reason: String,
    },
    /// The finished files do not run.
    #[error("the new model's self-test did not run: {0}; close other programs and try again")]
    SelfTest(String),
    /// Options of a conversion that contradict each other or the checkpoint.
    #[error("cannot convert with these options: {0}")]
    Options(String),
}

impl BundleError {
    /// [`BundleError::Io`] for a path.
    #[cfg(any(not(target_arch = "wasm32"), feature = "lab"))]
    pub(crate) fn io(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Io { path: path.display().to_string(), source }
    }
}
