//! Arithmetic of our own on the processor, for frozen weights.
//!
//! What burn does in one large function for all element types, ranks and broadcasts is done here by a few lines for f32:
//! a browser would first have to translate those large functions, which takes longer than a whole picture.

mod rows;
mod tensor;

pub(crate) use rows::{dot, logits, nearest, unit_rows};
pub(crate) use tensor::{from_values, tensor, values};
