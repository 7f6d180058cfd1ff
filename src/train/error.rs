//! What can go wrong in training.

use std::path::Path;

use thiserror::Error;

use crate::bundle::error::BundleError;
use crate::clip::text::TextError;
use crate::eval::DatasetError;
use crate::mvfa::EngineError;

/// Training that cannot start or go on.
#[derive(Debug, Error)]
pub enum TrainError {
    /// The model.
    #[error(transparent)]
    Model(#[from] BundleError),
    /// The pictures.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// A picture that cannot be read.
    #[error("{path}: {reason}; mend or remove it, or train without --strict")]
    Picture {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Sentences.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The finished model does not run.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A folder for the new model that cannot be.
    #[error("{0}")]
    Out(String),
    /// The device stopped.
    #[error("the device stopped: {0}; close other programs and try again")]
    Device(String),
    /// Settings that contradict the model or the data.
    #[error("{0}")]
    Settings(String),
    /// An I/O error while reading.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// An I/O error while the run was saved.
    #[error("{path}: {source}; {}, run the same command again to {}",
        if *.saved { "what was saved before is still there" } else { "nothing of this run is saved yet" },
        if *.saved { "go on" } else { "start it" })]
    Save {
        /// The file.
        path: String,
        /// The system's reason.
        source: std::io::Error,
        /// Whether there is a state to go on from.
        saved: bool,
    },
    /// Another process trains the same model.
    #[error("another run is training into {path}; wait for its end, or choose another --out")]
    Busy {
        /// The folder of its state.
        path: String,
    },
    /// The folder for the saved state holds other files.
    #[error("{path} is where this run would be saved, but {reason}; choose another --out, or move that away")]
    ForeignState {
        /// The folder.
        path: String,
        /// What is in the way.
        reason: String,
    },
    /// A saved state that cannot be read.
    #[error("the saved state {path} cannot be used: {reason}; remove it to start again")]
    State {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The saved state belongs to another run.
    #[error(
        "{path} belongs to a run with other settings or data ({field} differs); repeat that run's command to go on with it, or remove the folder to start again"
    )]
    OtherRun {
        /// The folder.
        path: String,
        /// What differs.
        field: String,
    },
    /// The pictures are not those that the saved state was made from.
    #[error(
        "{path} belongs to a run with other pictures ({what}); put them back as they were to go on with it, or remove the folder to start again"
    )]
    OtherPictures {
        /// The folder.
        path: String,
        /// What differs.
        what: String,
    },
    /// The loss is no number any more.
    #[error("the loss became {loss} at step {step}; remove {folder} and start again with a smaller --lr")]
    Diverged {
        /// Steps done.
        step: usize,
        /// The loss.
        loss: f32,
        /// Where the run is saved; with another --lr it does not go on from there.
        folder: String,
    },
}

impl TrainError {
    /// Somewhere in the folder of a run's state, whose file `state` tells whether there is something to
    /// go on from.
    pub(crate) fn save(path: &Path, state: &Path, source: std::io::Error) -> Self {
        Self::Save { path: path.display().to_string(), source, saved: state.is_file() }
    }

    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.display().to_string(), source }
    }
}
