//! What a phantom looks like: the six objects of MVFA.
//!
//! In: an id from the command line. Out: [`Object`]. Fails with [`UnknownPhantom`], which names the ids.

use std::str::FromStr;

use thiserror::Error;

/// A modality and organ that can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// Brain MRI, axial.
    Brain,
    /// Liver CT, axial.
    Liver,
    /// Retinal OCT, wide, with fluid (RESC).
    Resc,
    /// Retinal OCT, narrow, with drusen and fluid (OCT2017).
    Oct17,
    /// Chest X-ray, frontal.
    Chest,
    /// Histology, haematoxylin and eosin.
    His,
}

impl Object {
    /// All of them, in the order of the bundles.
    pub const ALL: [Self; 6] = [Self::Brain, Self::Liver, Self::Resc, Self::Oct17, Self::Chest, Self::His];

    /// The object's id in bundles and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Brain => "brain",
            Self::Liver => "liver",
            Self::Resc => "resc",
            Self::Oct17 => "oct17",
            Self::Chest => "chest",
            Self::His => "his",
        }
    }

    /// Name of the folder that holds its pictures in a BMAD layout as MVFA reads it.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Brain => "Brain_AD",
            Self::Liver => "Liver_AD",
            Self::Resc => "Retina_RESC_AD",
            Self::Oct17 => "Retina_OCT2017_AD",
            Self::Chest => "Chest_AD",
            Self::His => "Histopathology_AD",
        }
    }
}

/// An id that is none of the six.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no phantom {0:?}; choose brain, liver, resc, oct17, chest, his or all")]
pub struct UnknownPhantom(pub String);

impl FromStr for Object {
    type Err = UnknownPhantom;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|object| object.id() == id).ok_or_else(|| UnknownPhantom(id.to_owned()))
    }
}
