//! Anomaly maps to pixels and lines.
//!
//! In: a square map of f32 values ([side, side], rows from the top) and what it is drawn over. Out:
//! colours ([`ColourMap`]), a blended picture ([`overlay`]), a transparent layer ([`map_rgba`]),
//! outlines ([`contours`]) and a colour bar ([`colour_bar`]). Nothing here fails: values that
//! are not finite are drawn as nothing.

mod colour_bar;
mod colour_map;
mod contour;
#[cfg(not(target_arch = "wasm32"))]
mod hatch;
mod overlay;

pub use colour_bar::colour_bar;
pub use colour_map::ColourMap;
pub use contour::{Polyline, contours};
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use hatch::hatch;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use mvfa_formats::map_at::{at_pixel, sampled};
pub use overlay::{OverlayStyle, map_rgba, overlay};
