//! Why a set cannot be scored.

use thiserror::Error;

use crate::bundle::error::BundleError;
use crate::eval::dataset::DatasetError;
use crate::mvfa::EngineError;

/// A set that cannot be scored.
#[derive(Debug, Error)]
pub enum EvalError {
    /// The model.
    #[error(transparent)]
    Model(#[from] BundleError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Labels and masks.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// A picture that cannot be read.
    #[error("{path}: {reason}; mend or remove it")]
    Picture {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A map that no figure can be made of.
    #[error("{path}: its map holds values that are no numbers; convert the model again")]
    NotFinite {
        /// The picture.
        path: String,
    },
    /// The device stopped.
    #[error("the device stopped: {0}; close other programs and try again")]
    Device(String),
    /// The temporary files.
    #[error(
        "the temporary files of the maps failed: {0}; make room in the temporary folder, or name another with TMPDIR"
    )]
    Disk(#[from] std::io::Error),
    /// Nothing was left.
    #[error("none of the pictures can be measured; mend what was left out or name another --data folder")]
    Nothing,
}

impl EvalError {
    /// Whether the other pictures can still be scored.
    pub(crate) fn is_about_one_picture(&self) -> bool {
        matches!(self, Self::Picture { .. } | Self::Data(_))
    }
}
