//! Plain pictures, and the pixels that every format ends in.
//!
//! In: the bytes of one PNG, JPEG, WebP, BMP or TIFF file. Out: [`Picture`] (decoded, turned upright) and [`Rgb8`] (what is
//! shown and analysed, through a grey window). [`RawPicture`] carries a picture of any format from the module that decodes
//! to the one that analyses. Fails with [`ImageError`], which reports what was found and what to do next.
//!
//! ```text
//! bytes ─ decode ─▶ Picture ─ to_rgb8(window) ─▶ Rgb8
//!                      └─ RawPicture ─ to_bytes ─▶ … ─ from_bytes ─▶ RawPicture ─ shown(window) ─▶ Rgb8
//! ```
//!
//! The reference for every byte is Pillow up to version 12 with `convert('RGB')`. Two things differ on purpose: a picture is
//! turned upright by its EXIF orientation, and grey deeper than 8 bits goes through a window (`WindowChoice::Pil` gives the
//! reference's clipping).
//!
//! What decodes is compiled with the feature `files` only; what is left without it is what a module without decoders needs.

#[cfg(feature = "files")]
mod decode;
mod error;
#[cfg(feature = "files")]
mod jpeg;
#[cfg(feature = "files")]
mod limits;
mod note;
#[cfg(feature = "files")]
mod orient;
mod padding;
mod pixels;
#[cfg(feature = "files")]
mod png;
mod pooled;
#[cfg(feature = "files")]
mod raster;
mod raw;
mod raw_bytes;
#[cfg(feature = "files")]
mod source;
#[cfg(feature = "files")]
mod stored;
#[cfg(feature = "files")]
mod synthetic;
#[cfg(feature = "files")]
mod tiff;
#[cfg(feature = "files")]
mod webp;
mod window;

#[cfg(feature = "files")]
pub use decode::{decode, may_be_deep};
pub use error::ImageError;
#[cfg(feature = "files")]
pub use limits::Limits;
pub use note::Note;
pub use pixels::{Picture, Pixels, Rgb8};
pub use pooled::{GreySpread, pooled_range};
pub use raw::{RawNote, RawPicture};
pub use raw_bytes::RawPictureError;
#[cfg(feature = "files")]
pub(crate) use source::PictureFile;
#[cfg(feature = "files")]
pub use stored::{Stored, alpha_of};
#[cfg(feature = "files")]
pub use synthetic::is_synthetic;
pub use window::{GreyRange, Shown, Window, WindowChoice};

/// The plain formats that [`decode`] reads, as a person writes them.
pub const SUPPORTED_FORMATS: &str = "PNG, JPEG, WebP, BMP, TIFF";

/// Endings of their files, to find pictures in a folder. A file named explicitly may have any.
pub const FILE_ENDINGS: [&str; 7] = ["png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff"];
