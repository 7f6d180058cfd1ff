//! What can go wrong between a decoded picture and its map.

use thiserror::Error;

use crate::bundle::error::BundleError;
use crate::bundle::manifest::Augment;
use crate::compute::DeviceError;

/// The caller asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("stopped on request; everything loaded is still here")]
pub struct Cancelled;

/// An analysis that cannot be done.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The model cannot do what was asked.
    #[error(transparent)]
    Model(#[from] BundleError),
    /// The device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// Few-shot without anything to compare with.
    #[error("comparing with normal images needs at least one; add normal images of the same kind, made the same way")]
    NoReferences,
    /// Zero-shot on a model that has no words for it.
    #[error("this model cannot compare {object:?} with words: {reason}; compare with normal images instead")]
    NoZeroShot {
        /// The object's id.
        object: String,
        /// What the model lacks.
        reason: &'static str,
    },
    /// The other side of a picture says nothing about this object.
    #[error(
        "the sides of {object:?} are not expected to look alike; compare with normal images instead, or ask for the comparison of left with right (--bilateral on)"
    )]
    NotBilateral {
        /// The object's id.
        object: String,
    },
    /// A view that is not encoded, or of a picture that is not among the references.
    #[error("view {view} of normal image {reference} is not encoded; encode it first")]
    UnknownView {
        /// The reference's number.
        reference: u32,
        /// The view's number.
        view: usize,
    },
    /// Another view of a reference that is remembered without its picture.
    #[error(
        "a normal image is here without its picture, and not as {augment:?} uses it; use normal images as they were when they were saved, or add their pictures again"
    )]
    NoPicture {
        /// How references shall be used.
        augment: Augment,
    },
    /// What describes a remembered normal picture is cut or changed.
    #[error("what was kept of a normal image is damaged; add its picture instead")]
    DamagedFacts,
    /// Rows that another model made.
    #[error(
        "the rows of a normal image have {found} values, this model's have {expected}; share them within one model"
    )]
    ForeignRows {
        /// Values that this model makes of a view.
        expected: usize,
        /// Values that came.
        found: usize,
    },
    /// Text features that another model made.
    #[error(
        "the words have {found} values each, this model's have {expected}; encode them with the text part of this model"
    )]
    ForeignWords {
        /// Values of each column.
        expected: usize,
        /// Values that came.
        found: usize,
    },
    /// No place to compare with words.
    #[error(
        "expected one mark for each of {expected} patches, and one at least that is set, found {found}; choose a place of the map"
    )]
    NoPatches {
        /// Patches of a picture.
        expected: usize,
        /// Marks that came.
        found: usize,
    },
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
