//! A frozen transformer block, and matrix products, on one processor core.
//!
//! Comes in: weights as `x · Wᵀ + b` stores them, and tokens; or two matrices. Goes out: the tokens after the block
//! ([`FrozenBlock`]), or the product ([`product`](crate::product())).
//! Building fails when a weight has another length than the geometry requires ([`ShapeError`]).
//!
//! This crate exists because a browser tab has one thread and 128-bit vectors, and there the glue between tensor
//! operations costs as much as the matrix products. Training and native runs leave the blocks to burn, which has threads,
//! wider vectors and gradients; embedding, adapters and scores on a processor take the product from here.
//!
//! The arithmetic ([`raw`]) needs neither allocator nor standard library: it is compiled a second time, with fused
//! multiply-add, as a module of a few kilobytes for browsers that have relaxed SIMD. Both work on the same memory
//! through [`raw::BlockCall`].

#![cfg_attr(feature = "module", no_std)]

pub mod raw;

#[cfg(not(feature = "module"))]
mod block;
#[cfg(feature = "module")]
mod module;
#[cfg(not(feature = "module"))]
mod product;
#[cfg(not(feature = "module"))]
mod shape;
#[cfg(not(feature = "module"))]
mod weights;
#[cfg(not(feature = "module"))]
mod workspace;

#[cfg(not(feature = "module"))]
pub use block::{FrozenBlock, Runner, Way};
#[cfg(not(feature = "module"))]
pub use product::product;
#[cfg(not(feature = "module"))]
pub use shape::{Shape, ShapeError};
#[cfg(not(feature = "module"))]
pub use weights::{LinearWeights, Matrix, NormWeights};
#[cfg(not(feature = "module"))]
pub use workspace::Workspace;
