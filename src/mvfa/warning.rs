//! Reasons to distrust the score of one image, in words for people.
//!
//! Comes in: an image as it is shown, or what an analysis found. Goes out: a code for programs, a sentence for people, a
//! word for lists. One place for the command line, its JSON, reports and the page. Cannot fail.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::image::{Emptiness, Rgb8, emptiness, is_long, is_tiny};

/// One reason, told once and beside the score.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// It shows nothing or next to nothing.
    Empty(Emptiness),
    /// It is also one of the normal images.
    AmongReferences,
    /// A few pixels.
    Tiny {
        /// Width in pixels.
        width_px: usize,
        /// Height in pixels.
        height_px: usize,
    },
    /// It is squeezed into a square beyond recognition.
    Long {
        /// Width in pixels.
        width_px: usize,
        /// Height in pixels.
        height_px: usize,
    },
    /// It is dark where the normal images are bright.
    Inverted,
    /// It differs from all normal images as a whole.
    Unlike,
}

impl Warning {
    /// What is wrong with an image before anything is compared, the gravest first.
    pub fn of_image(image: &Rgb8) -> Vec<Self> {
        let (width_px, height_px) = (image.width_px, image.height_px);
        let empty = emptiness(image).map(Self::Empty);
        let tiny = is_tiny(width_px, height_px).then_some(Self::Tiny { width_px, height_px });
        let long = is_long(width_px, height_px).then_some(Self::Long { width_px, height_px });
        [empty, tiny, long].into_iter().flatten().collect()
    }

    /// A name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty(Emptiness::Sparse { .. }) => "sparse",
            Self::Empty(_) => "blank",
            Self::AmongReferences => "same",
            Self::Tiny { .. } => "tiny",
            Self::Long { .. } => "shape",
            Self::Inverted => "inverted",
            Self::Unlike => "unlike",
        }
    }

    /// A few words for lists.
    pub fn short(&self) -> &'static str {
        match self {
            Self::Empty(Emptiness::Sparse { .. }) => "nearly empty",
            Self::Empty(_) => "blank image",
            Self::AmongReferences => "also a normal image",
            Self::Tiny { .. } => "very small",
            Self::Long { .. } => "odd shape",
            Self::Inverted => "black and white exchanged?",
            Self::Unlike => "unlike the normals",
        }
    }

    /// Whether the score means nothing at all.
    pub fn voids(&self) -> bool {
        matches!(self, Self::Empty(Emptiness::Single | Emptiness::Nearly) | Self::AmongReferences)
    }
}

impl fmt::Display for Warning {
    /// A whole sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(Emptiness::Single) => {
                write!(f, "This image is a single grey value; the score means nothing.")
            }
            Self::Empty(Emptiness::Nearly) => {
                write!(f, "This image is almost a single grey value; the score means nothing.")
            }
            Self::Empty(Emptiness::Sparse { share }) => {
                let percent = (100.0 * share).floor();
                write!(f, "{percent} % of this image is one grey value; the score means little.")
            }
            Self::AmongReferences => write!(
                f,
                "This image is one of your normal images, so it was compared with itself; the score means nothing."
            ),
            Self::Tiny { width_px, height_px } => {
                write!(f, "This image is very small ({width_px} × {height_px} pixels); the score means little.")
            }
            Self::Long { width_px, height_px } => write!(
                f,
                "This image is very long and narrow ({width_px} × {height_px} pixels). The model sees it squeezed into \
                 a square; the score means little."
            ),
            Self::Inverted => write!(
                f,
                "This image is unlike all your normal images: black and white seem to be exchanged. The score means \
                 little."
            ),
            Self::Unlike => write!(
                f,
                "This image as a whole is unlike all your normal images. Check modality, view and brightness window; \
                 another scanner or protocol can do the same. The score means little."
            ),
        }
    }
}

/// As `{ code, text, short, voids }`.
impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Warning", 4)?;
        fields.serialize_field("code", self.code())?;
        fields.serialize_field("text", &self.to_string())?;
        fields.serialize_field("short", self.short())?;
        fields.serialize_field("voids", &self.voids())?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(width_px: usize, height_px: usize, value: impl Fn(usize) -> u8) -> Vec<&'static str> {
        let bytes = (0..width_px * height_px).flat_map(|i| [value(i); 3]).collect();
        Warning::of_image(&Rgb8 { width_px, height_px, bytes }).iter().map(Warning::code).collect()
    }

    #[test]
    fn images_without_content_and_of_extreme_shapes_are_warned_about() {
        let none: [&str; 0] = [];
        assert_eq!(codes(96, 96, |_| 0), ["blank"]);
        assert_eq!(codes(1, 1, |_| 200), ["blank", "tiny"]);
        assert_eq!(codes(1, 20_000, |i| (i % 251) as u8), ["tiny", "shape"]);
        assert_eq!(codes(64, 2000, |i| (i % 251) as u8), ["shape"]);
        assert_eq!(codes(96, 96, |i| (i % 251) as u8), none);
    }

    #[test]
    fn a_program_gets_code_words_and_weight() {
        let found = serde_json::to_value(Warning::Unlike).unwrap();
        assert_eq!((&found["code"], &found["voids"]), (&"unlike".into(), &false.into()));
        assert!(found["text"].as_str().unwrap().contains("unlike all your normal images"));
        assert!(Warning::AmongReferences.voids() && !Warning::Tiny { width_px: 1, height_px: 1 }.voids());
    }
}
