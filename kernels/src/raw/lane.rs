//! Four `f32` at once: WebAssembly's vectors, or plain arrays elsewhere (for tests).
//!
//! `mul_add` rounds once where relaxed SIMD is compiled in and twice elsewhere.

#[cfg(target_arch = "wasm32")]
mod vector {
    use core::arch::wasm32::*;

    use super::super::matmul_bytes::DIGIT_BITS;

    /// # Safety
    /// `to` is good for writing eight bytes.
    #[inline(always)]
    unsafe fn store_eight([a, b]: [v128; 2], to: *mut u8) {
        let words = i16x8_narrow_i32x4(a, b);
        // SAFETY: the caller's promise; WebAssembly stores need no alignment.
        unsafe { v128_store64_lane::<0>(u8x16_narrow_i16x8(words, words), to.cast()) }
    }

    /// Four values.
    #[derive(Clone, Copy)]
    pub(crate) struct F32x4(v128);

    impl F32x4 {
        #[inline(always)]
        pub(crate) fn splat(v: f32) -> Self {
            Self(f32x4_splat(v))
        }

        /// # Safety
        /// `at` is good for reading four values.
        #[inline(always)]
        pub(crate) unsafe fn load(at: *const f32) -> Self {
            // SAFETY: the caller's promise; WebAssembly loads need no alignment.
            Self(unsafe { v128_load(at.cast()) })
        }

        /// # Safety
        /// `at` is good for reading one value.
        #[inline(always)]
        pub(crate) unsafe fn load_splat(at: *const f32) -> Self {
            // SAFETY: the caller's promise.
            Self(unsafe { v128_load32_splat(at.cast()) })
        }

        /// # Safety
        /// `at` is good for writing four values.
        #[inline(always)]
        pub(crate) unsafe fn store(self, at: *mut f32) {
            // SAFETY: the caller's promise; WebAssembly stores need no alignment.
            unsafe { v128_store(at.cast(), self.0) }
        }

        #[inline(always)]
        pub(crate) fn add(self, other: Self) -> Self {
            Self(f32x4_add(self.0, other.0))
        }

        #[inline(always)]
        pub(crate) fn sub(self, other: Self) -> Self {
            Self(f32x4_sub(self.0, other.0))
        }

        #[inline(always)]
        pub(crate) fn mul(self, other: Self) -> Self {
            Self(f32x4_mul(self.0, other.0))
        }

        #[inline(always)]
        pub(crate) fn div(self, other: Self) -> Self {
            Self(f32x4_div(self.0, other.0))
        }

        #[inline(always)]
        pub(crate) fn from_whole(numbers: v128) -> Self {
            Self(f32x4_convert_i32x4(numbers))
        }

        /// The whole parts of eight values, in a high and a low digit of [`DIGIT_BITS`] each.
        ///
        /// # Safety
        /// Both of `to` are good for writing eight bytes.
        #[inline(always)]
        pub(crate) unsafe fn store_digits(values: [Self; 2], to: [*mut u8; 2]) {
            let numbers = values.map(|v| i32x4_trunc_sat_f32x4(v.0));
            let low = i32x4_splat((1 << DIGIT_BITS) - 1);
            // SAFETY: the caller's promise; WebAssembly stores need no alignment.
            unsafe {
                store_eight(numbers.map(|n| u32x4_shr(n, DIGIT_BITS)), to[0]);
                store_eight(numbers.map(|n| v128_and(n, low)), to[1]);
            }
        }

        /// The larger; of equal or unordered values the second, as one instruction does it.
        #[inline(always)]
        pub(crate) fn max(self, other: Self) -> Self {
            Self(f32x4_pmax(other.0, self.0))
        }

        /// The smaller, as [`F32x4::max`].
        #[inline(always)]
        pub(crate) fn min(self, other: Self) -> Self {
            Self(f32x4_pmin(other.0, self.0))
        }

        /// `self · factor + addend`
        #[inline(always)]
        pub(crate) fn mul_add(self, factor: Self, addend: Self) -> Self {
            #[cfg(target_feature = "relaxed-simd")]
            return Self(f32x4_relaxed_madd(self.0, factor.0, addend.0));
            #[cfg(not(target_feature = "relaxed-simd"))]
            Self(f32x4_add(f32x4_mul(self.0, factor.0), addend.0))
        }

        /// `self · 2^n`, where the low bits of `n`'s pattern hold the whole number n.
        #[inline(always)]
        pub(crate) fn scale_by_power(self, n: Self) -> Self {
            Self(i32x4_add(self.0, i32x4_shl(n.0, 23)))
        }

        #[inline(always)]
        pub(crate) fn to_array(self) -> [f32; 4] {
            [
                f32x4_extract_lane::<0>(self.0),
                f32x4_extract_lane::<1>(self.0),
                f32x4_extract_lane::<2>(self.0),
                f32x4_extract_lane::<3>(self.0),
            ]
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod vector {
    use super::super::matmul_bytes::DIGIT_BITS;

    /// Four values.
    #[derive(Clone, Copy)]
    pub(crate) struct F32x4([f32; 4]);

    impl F32x4 {
        #[inline(always)]
        fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
            let (a, b) = (self.0, other.0);
            Self([f(a[0], b[0]), f(a[1], b[1]), f(a[2], b[2]), f(a[3], b[3])])
        }

        #[inline(always)]
        pub(crate) fn splat(v: f32) -> Self {
            Self([v; 4])
        }

        /// # Safety
        /// `at` is good for reading four values.
        #[inline(always)]
        pub(crate) unsafe fn load(at: *const f32) -> Self {
            // SAFETY: the caller's promise.
            Self(unsafe { at.cast::<[f32; 4]>().read_unaligned() })
        }

        /// # Safety
        /// `at` is good for reading one value.
        #[inline(always)]
        pub(crate) unsafe fn load_splat(at: *const f32) -> Self {
            // SAFETY: the caller's promise.
            Self::splat(unsafe { at.read() })
        }

        /// # Safety
        /// `at` is good for writing four values.
        #[inline(always)]
        pub(crate) unsafe fn store(self, at: *mut f32) {
            // SAFETY: the caller's promise.
            unsafe { at.cast::<[f32; 4]>().write_unaligned(self.0) }
        }

        #[inline(always)]
        pub(crate) fn add(self, other: Self) -> Self {
            self.zip(other, |a, b| a + b)
        }

        #[inline(always)]
        pub(crate) fn sub(self, other: Self) -> Self {
            self.zip(other, |a, b| a - b)
        }

        #[inline(always)]
        pub(crate) fn mul(self, other: Self) -> Self {
            self.zip(other, |a, b| a * b)
        }

        #[inline(always)]
        pub(crate) fn div(self, other: Self) -> Self {
            self.zip(other, |a, b| a / b)
        }

        #[inline(always)]
        pub(crate) fn from_whole(numbers: [i32; 4]) -> Self {
            Self(numbers.map(|n| n as f32))
        }

        /// The whole parts of eight values, in a high and a low digit of [`DIGIT_BITS`] each.
        ///
        /// # Safety
        /// Both of `to` are good for writing eight bytes.
        #[inline(always)]
        pub(crate) unsafe fn store_digits(values: [Self; 2], to: [*mut u8; 2]) {
            let numbers: [u32; 8] = core::array::from_fn(|i| values[i / 4].0[i % 4] as u32);
            // SAFETY: the caller's promise.
            unsafe {
                to[0].cast::<[u8; 8]>().write_unaligned(numbers.map(|n| (n >> DIGIT_BITS) as u8));
                to[1].cast::<[u8; 8]>().write_unaligned(numbers.map(|n| (n % (1 << DIGIT_BITS)) as u8));
            }
        }

        /// The larger.
        #[inline(always)]
        pub(crate) fn max(self, other: Self) -> Self {
            self.zip(other, |a, b| if a > b { a } else { b })
        }

        /// The smaller.
        #[inline(always)]
        pub(crate) fn min(self, other: Self) -> Self {
            self.zip(other, |a, b| if a < b { a } else { b })
        }

        /// `self · factor + addend`
        #[inline(always)]
        pub(crate) fn mul_add(self, factor: Self, addend: Self) -> Self {
            self.mul(factor).add(addend)
        }

        /// `self · 2^n`, where the low bits of `n`'s pattern hold the whole number n.
        #[inline(always)]
        pub(crate) fn scale_by_power(self, n: Self) -> Self {
            self.zip(n, |a, n| f32::from_bits(a.to_bits().wrapping_add(n.to_bits() << 23)))
        }

        #[inline(always)]
        pub(crate) fn to_array(self) -> [f32; 4] {
            self.0
        }
    }
}

pub(crate) use vector::F32x4;

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
