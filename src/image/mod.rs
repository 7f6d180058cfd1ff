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
        let choosers: Vec<&str> = page.split("accept=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(choosers.len(), 2, "images and normal images");
        for accept in choosers {
            let (endings, types): (Vec<&str>, Vec<&str>) = accept.split(',').partition(|part| part.starts_with('.'));
            assert_eq!(endings, FILE_ENDINGS.map(|ending| format!(".{ending}")), "endings in index.html");
            let mut types: Vec<&str> = types.iter().map(|one| one.trim_start_matches("image/")).collect();
            types.sort_unstable();
            let mut names: Vec<String> = SUPPORTED_FORMATS.split(", ").map(str::to_ascii_lowercase).collect();
            names.sort_unstable();
            assert_eq!(types, names, "types in index.html");
        }
        let (others, last) = SUPPORTED_FORMATS.rsplit_once(", ").unwrap();
        let advice = format!("Choose {others} or {last} files.");
        assert!(include_str!("../../web/ui/intake.js").contains(&advice), "intake.js: expected {advice}");
    }
}
