//! Arithmetic on raw memory: no allocator, no bounds checks, no panics.
//!
//! One file an operation; [`block`](self::run_block) puts them together.

mod block;
mod elementwise;
mod lane;
mod linear;
mod matmul;
mod matmul_bytes;
mod norm;
mod softmax;
mod widen;

pub use block::{BlockCall, NormCall, run_block};
pub use linear::{LinearCall, Scratch, Storage, widened_columns};
#[cfg(not(feature = "module"))]
pub(crate) use matmul::{Epilogue, Operands, multiply};
pub use matmul::{PANEL, pack_columns};
pub use matmul_bytes::{DIGITS as BYTES_A_VALUE, pack_bytes};
