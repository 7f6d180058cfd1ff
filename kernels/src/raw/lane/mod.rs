//! Four `f32` and sixteen bytes at once, widening, the square root: one file an instruction set, all with the same functions.
//!
//! One side of a product of bytes holds weights (`-127..=127`), the other values of seven bits (`0..=127`). Within these
//! limits relaxed SIMD, which may treat the eighth bit of the second side in two ways, gives the same
//! sums everywhere, and so do the two other ways.

#[cfg(not(target_arch = "wasm32"))]
mod array;
#[cfg(target_arch = "wasm32")]
mod simd128;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use array::{Bytes, F32x4, Sums, four_by_four, four_halves, square_root};
#[cfg(target_arch = "wasm32")]
pub(crate) use simd128::{Bytes, F32x4, Sums, four_by_four, four_halves, square_root};

impl F32x4 {
    /// Values in a vector.
    pub(crate) const LANES: usize = 4;

    #[inline(always)]
    pub(crate) fn sum(self) -> f32 {
        let [a, b, c, d] = self.to_array();
        (a + b) + (c + d)
    }

    #[inline(always)]
    pub(crate) fn smallest(self) -> f32 {
        let smaller = |a: f32, b: f32| if a < b { a } else { b };
        let [a, b, c, d] = self.to_array();
        smaller(smaller(a, b), smaller(c, d))
    }

    #[inline(always)]
    pub(crate) fn largest(self) -> f32 {
        let larger = |a: f32, b: f32| if a > b { a } else { b };
        let [a, b, c, d] = self.to_array();
        larger(larger(a, b), larger(c, d))
    }
}

impl Sums {
    #[inline(always)]
    pub(crate) fn to_f32(self) -> F32x4 {
        F32x4::from_whole(self.0)
    }
}
