//! File bytes to pixels to the model's input.
//!
//! In: the bytes of one picture file. Out: [`Picture`] (decoded, turned upright), [`Rgb8`] (what is
//! shown and analysed), [`Planes`] (what the vision tower reads) and the 11 augmented versions of a
//! reference picture. Fails with [`ImageError`], which reports what was found and what to do next.
//!
//! ```text
//! bytes ─ decode ─▶ Picture ─ to_rgb8(window) ─▶ Rgb8 ─ resize_bicubic ─▶ Rgb8 ─ to_planes ─▶ Planes ─ augment_mvfa ─▶ 11 × Planes
//! ```
//!
//! The reference for every byte is Pillow up to version 12 with `convert('RGB')` and `resize(BICUBIC)`.
//! Two things differ on purpose: a picture is turned upright by its EXIF orientation, and grey deeper
//! than 8 bits goes through a window (`WindowChoice::Pil` gives the reference's clipping).

mod augment;
mod content;
mod decode;
mod error;
mod jpeg;
mod keys;
mod limits;
mod note;
mod orient;
mod padding;
mod picture;
mod pixel_hash;
mod planes;
mod png;
mod pooled;
mod raster;
mod resize;
#[cfg(not(target_arch = "wasm32"))]
mod stored;
mod synthetic;
mod tiff;
mod webp;
mod window;

pub use augment::{AUGMENTATION_NAMES, augment_mvfa, augmented};
pub use content::{Emptiness, emptiness, is_long, is_tiny};
pub(crate) use decode::may_be_deep;
pub use decode::{FILE_ENDINGS, SUPPORTED_FORMATS, decode};
pub use error::ImageError;
pub(crate) use keys::{KEYS_SUPPORT, keys};
pub use limits::Limits;
pub use note::Note;
pub use picture::{Picture, Pixels, Rgb8};
pub use pixel_hash::PixelHash;
pub use planes::{Planes, to_planes};
pub use pooled::{GreySpread, pooled_range};
pub use resize::resize_bicubic;
#[cfg(not(target_arch = "wasm32"))]
pub use stored::{Stored, alpha_of};
pub use synthetic::is_synthetic;
pub use window::{GreyRange, Shown, Window, WindowChoice};
