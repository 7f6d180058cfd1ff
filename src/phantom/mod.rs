//! Procedural phantoms: synthetic pictures of six modalities with lesions and exact masks.
//!
//! In: object, seed, index, with or without lesions, side in pixels. Out: [`Phantom`], a picture and
//! its mask, and by [`write()`] a folder of them in the BMAD layout. No patient and no real picture is
//! behind them; they are for tests, teaching and pre-training. Drawing cannot fail; writing fails with
//! [`PhantomError`].
//!
//! ```text
//! key ─▶ dice ─▶ anatomy (one file a modality) ─▶ + lesion (region) ─▶ sensor ─▶ Phantom ─▶ write
//! ```

mod brain;
mod cells;
mod chest;
mod chest_bones;
mod dice;
mod field;
mod histology;
mod liver;
mod make;
mod noise;
mod object;
mod oct;
mod oct_lesion;
mod region;
mod sensor;
mod shape;
mod tree;
mod write;

pub use make::{Phantom, make};
pub(crate) use noise::Noise;
pub use object::{Object, UnknownPhantom};
pub use write::{PhantomError, Plan, Written, write};
