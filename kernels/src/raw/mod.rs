//! Arithmetic on raw memory: no allocator, no bounds checks, no panics.
//!
//! One file an operation; [`block`](self::run_block) puts them together.

mod block;
mod elementwise;
mod lane;
mod matmul;
mod norm;
mod softmax;

pub use block::{BlockCall, LinearCall, NormCall, run_block};
#[cfg(not(feature = "module"))]
pub(crate) use matmul::{Epilogue, Operands, multiply};
pub use matmul::{PANEL, pack_columns};
