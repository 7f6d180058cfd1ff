//! Sixteen bytes at once, and the four whole numbers that products of them add up to.
//!
//! One side holds weights (`-127..=127`), the other values of seven bits (`0..=127`). Within these
//! limits relaxed SIMD, which may treat the eighth bit of the second side in two ways, gives the same
//! sums everywhere, and so do the two other ways below.

use super::lane::F32x4;

#[cfg(target_arch = "wasm32")]
mod vector {
    use core::arch::wasm32::*;

    /// Sixteen bytes.
    #[derive(Clone, Copy)]
    pub(crate) struct Bytes(v128);

    impl Bytes {
        /// # Safety
        /// `at` is good for reading sixteen bytes.
        #[inline(always)]
        pub(crate) unsafe fn load(at: *const i8) -> Self {
            // SAFETY: the caller's promise; WebAssembly loads need no alignment.
            Self(unsafe { v128_load(at.cast()) })
        }

        /// Four bytes, four times.
        ///
        /// # Safety
        /// `at` is good for reading four bytes.
        #[inline(always)]
        pub(crate) unsafe fn load_splat(at: *const u8) -> Self {
            // SAFETY: the caller's promise; WebAssembly loads need no alignment.
            Self(unsafe { v128_load32_splat(at.cast()) })
        }
    }

    /// Four whole numbers.
    #[derive(Clone, Copy)]
    pub(crate) struct Sums(pub(super) v128);

    impl Sums {
        #[inline(always)]
        pub(crate) fn zero() -> Self {
            Self(i32x4_splat(0))
        }

        /// To each number the sum of four products: weights `4i..4i + 4` with values `4i..4i + 4`.
        #[inline(always)]
        pub(crate) fn add_products(self, weights: Bytes, values: Bytes) -> Self {
            #[cfg(target_feature = "relaxed-simd")]
            return Self(i32x4_relaxed_dot_i8x16_i7x16_add(weights.0, values.0, self.0));
            #[cfg(not(target_feature = "relaxed-simd"))]
            {
                let low = i32x4_extadd_pairwise_i16x8(i16x8_extmul_low_i8x16(weights.0, values.0));
                let high = i32x4_extadd_pairwise_i16x8(i16x8_extmul_high_i8x16(weights.0, values.0));
                let even = i32x4_shuffle::<0, 2, 4, 6>(low, high);
                let odd = i32x4_shuffle::<1, 3, 5, 7>(low, high);
                Self(i32x4_add(self.0, i32x4_add(even, odd)))
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod vector {
    /// Sixteen bytes.
    #[derive(Clone, Copy)]
    pub(crate) struct Bytes([i8; 16]);

    impl Bytes {
        /// # Safety
        /// `at` is good for reading sixteen bytes.
        #[inline(always)]
        pub(crate) unsafe fn load(at: *const i8) -> Self {
            // SAFETY: the caller's promise.
            Self(unsafe { at.cast::<[i8; 16]>().read_unaligned() })
        }

        /// Four bytes, four times.
        ///
        /// # Safety
        /// `at` is good for reading four bytes.
        #[inline(always)]
        pub(crate) unsafe fn load_splat(at: *const u8) -> Self {
            // SAFETY: the caller's promise.
            let four = unsafe { at.cast::<[i8; 4]>().read_unaligned() };
            Self(core::array::from_fn(|i| four[i % 4]))
        }
    }

    /// Four whole numbers.
    #[derive(Clone, Copy)]
    pub(crate) struct Sums(pub(super) [i32; 4]);

    impl Sums {
        #[inline(always)]
        pub(crate) fn zero() -> Self {
            Self([0; 4])
        }

        /// To each number the sum of four products: weights `4i..4i + 4` with values `4i..4i + 4`.
        #[inline(always)]
        pub(crate) fn add_products(self, weights: Bytes, values: Bytes) -> Self {
            // In sixteen bits, as the compiler has vector instructions for them.
            let products: [i16; 16] = core::array::from_fn(|j| i16::from(weights.0[j]) * i16::from(values.0[j]));
            Self(core::array::from_fn(|i| {
                let four = &products[4 * i..4 * i + 4];
                self.0[i] + (i32::from(four[0]) + i32::from(four[1])) + (i32::from(four[2]) + i32::from(four[3]))
            }))
        }
    }
}

pub(crate) use vector::{Bytes, Sums};

impl Sums {
    #[inline(always)]
    pub(crate) fn to_f32(self) -> F32x4 {
        F32x4::from_whole(self.0)
    }
}
