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
    /// Settings that contradict the model or the data.
    #[error("{0}")]
    Settings(String),
    /// The disk said no. What was saved before is still there.
    #[error("{path}: {source}; what was saved before is still there, run the same command again to go on")]
    Io {
        /// The file.
        path: String,
        /// The system's reason.
        source: std::io::Error,
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
    #[error("the loss became {loss} at step {step}; start again with a smaller --lr")]
    Diverged {
        /// Steps done.
        step: usize,
        /// The loss.
        loss: f32,
    },
}

impl TrainError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.display().to_string(), source }
    }
}
