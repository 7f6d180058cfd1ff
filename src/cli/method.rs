//! The systems that stand around MVFA, by their names on the command line.

use clap::ValueEnum;

use super::usage::BadUsage;
use crate::bundle::manifest::Manifest;
use crate::mvfa::{Matching, Mode};

/// What scores the pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum MethodName {
    /// The model as it is, in the mode that --mode names
    #[default]
    Mvfa,
    /// Nearest patch of the normal pictures, raw tokens, nothing trained (after PatchCore and AnomalyDINO)
    Memory,
    /// Each picture by itself: what most of it looks like, and its other side for heads and chests (after INP-Former)
    #[value(name = "self")]
    Itself,
    /// The pictures judge each other (after MuSc): no normal pictures; time grows with the square of their number
    Batch,
    /// As memory, but a patch is compared with its own kind of tissue only (after UniVAD)
    Components,
}

impl MethodName {
    /// The name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Mvfa => "mvfa",
            Self::Memory => "memory",
            Self::Itself => "self",
            Self::Batch => "batch",
            Self::Components => "components",
        }
    }

    /// The mode that it implies; the model has a choice.
    pub(super) fn mode(self) -> Option<Mode> {
        match self {
            Self::Mvfa => None,
            Self::Memory | Self::Batch | Self::Components => Some(Mode::Few),
            Self::Itself => Some(Mode::Itself),
        }
    }

    /// How patches are matched.
    pub(super) fn matching(self) -> Matching {
        match self {
            Self::Mvfa | Self::Memory => Matching::Nearest,
            Self::Itself => Matching::Prototypes,
            Self::Batch => Matching::Mutual,
            Self::Components => Matching::Components,
        }
    }

    /// Whether it compares with normal pictures.
    pub(super) fn has_normals(self) -> bool {
        matches!(self, Self::Memory | Self::Components)
    }

    /// The manifest of a model that is used so: all but the model itself compare raw tokens.
    pub(super) fn of(self, manifest: Manifest) -> Manifest {
        if self == Self::Mvfa { manifest } else { manifest.with_raw_memory() }
    }

    /// Refuses a mode that is not its own.
    ///
    /// # Errors
    /// [`BadUsage`].
    pub(super) fn check(self, asked: Option<Mode>) -> Result<(), BadUsage> {
        match (self.mode(), asked) {
            (Some(own), Some(asked)) if own != asked => Err(BadUsage(format!(
                "--method {} has a mode of its own; leave out --mode {}, or take --method mvfa",
                self.name(),
                asked.name()
            ))),
            _ => Ok(()),
        }
    }
}
