//! The rules that a memory is scored by, by their names on the command line.

use clap::ValueEnum;

use crate::bundle::manifest::Manifest;
use crate::mvfa::MirrorAxis;

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum ScoringName {
    /// As the model's manifest says
    #[default]
    Model,
    /// As the paper has it
    Paper,
}

impl ScoringName {
    /// The manifest of a model that is scored so.
    pub(super) fn of(self, manifest: &Manifest) -> Manifest {
        match self {
            Self::Model => manifest.clone(),
            Self::Paper => manifest.clone().with_paper_rules(),
        }
    }
}

/// Whether the left-right channel stands beside the normal pictures.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum BilateralName {
    /// As the model's manifest says of the object
    #[default]
    Model,
    /// Compare left with right
    On,
    /// Only with normal pictures
    Off,
}

impl BilateralName {
    /// The choice of a request.
    pub(super) fn choice(self) -> Option<bool> {
        match self {
            Self::Model => None,
            Self::On => Some(true),
            Self::Off => Some(false),
        }
    }
}

/// Where left and right of a picture are divided.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum AxisName {
    /// In the middle
    #[default]
    Middle,
    /// Where the picture looks most like its mirror image
    Found,
}

impl From<AxisName> for MirrorAxis {
    fn from(name: AxisName) -> Self {
        match name {
            AxisName::Middle => Self::Middle,
            AxisName::Found => Self::Found,
        }
    }
}
