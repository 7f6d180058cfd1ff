//! Pictures to the model's input.
//!
//! In: [`Picture`] and [`RawPicture`], which the crate `mvfa-formats` decodes. Out: [`Rgb8`] (what is shown and analysed),
//! [`Planes`] (what the vision tower reads) and the 11 augmented versions of a reference picture. Cannot fail.
//!
//! ```text
//! Picture ─ to_rgb8(window) ─▶ Rgb8 ─ resize_bicubic ─▶ Rgb8 ─ to_planes ─▶ Planes ─ augment_mvfa ─▶ 11 × Planes
//! ```
//!
//! The reference for every byte is Pillow up to version 12 with `resize(BICUBIC)`. Nothing here reads a file: in the browser
//! that is done by a module of its own (docs/architecture.md). Natively its functions are re-exported.

mod augment;
mod content;
mod keys;
mod pixel_hash;
mod planes;
mod resize;

pub use augment::{AUGMENTATION_NAMES, augment_mvfa, augmented};
pub use content::{Emptiness, emptiness, is_long, is_tiny};
pub(crate) use keys::{KEYS_SUPPORT, keys};
pub use mvfa_formats::picture::{
    FILE_ENDINGS, GreyRange, GreySpread, ImageError, Note, Picture, Pixels, RawNote, RawPicture, RawPictureError, Rgb8,
    SUPPORTED_FORMATS, Shown, Window, WindowChoice, pooled_range,
};
#[cfg(not(target_arch = "wasm32"))]
pub use mvfa_formats::picture::{Limits, Stored, alpha_of, decode, may_be_deep};
pub use pixel_hash::PixelHash;
pub use planes::{Planes, to_planes};
pub use resize::resize_bicubic;

#[cfg(test)]
mod tests {
    use super::{FILE_ENDINGS, SUPPORTED_FORMATS};

    #[test]
    fn the_page_offers_these_formats_and_no_others() {
        let page = include_str!("../../index.html");
        let endings = page.split("data-endings=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let endings: Vec<&str> = endings.split(',').collect();
        let plain = FILE_ENDINGS.map(|ending| format!(".{ending}"));
        assert_eq!(endings[..plain.len()], plain, "endings in index.html");
        for medical in &endings[plain.len()..] {
            // Headers and files of pixels, and what scanners call DICOM files, are no pictures by themselves.
            let others = [".dicom", ".ima", ".gz", ".hdr", ".img", ".nhdr", ".mhd", ".raw"];
            assert!(crate::dataset::is_medical_name(&format!("a{medical}")) || others.contains(medical), "{medical}");
        }
        let advice = format!("Choose {SUPPORTED_FORMATS}, DICOM, NIfTI, NRRD or MetaImage files.");
        assert!(include_str!("../../web/texts/en.js").contains(&advice), "en.js: expected {advice}");
    }
}
