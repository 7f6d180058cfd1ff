//! Views of a reference, by their names on the command line.

use clap::ValueEnum;

use crate::bundle::manifest::Augment;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum AugmentName {
    /// The method's eleven views
    Mvfa,
    /// The picture alone
    None,
}

impl From<AugmentName> for Augment {
    fn from(name: AugmentName) -> Self {
        match name {
            AugmentName::Mvfa => Self::Mvfa,
            AugmentName::None => Self::None,
        }
    }
}
