//! WebAssembly's vectors of 128 bits.
//!
//! `mul_add` rounds once where relaxed SIMD is compiled in, and twice elsewhere.

use core::arch::wasm32::*;

use crate::raw::matmul::PANEL;
use crate::raw::matmul_bytes::DIGIT_BITS;
use crate::raw::widen::{EXPONENT, MEANING};

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

/// One instruction here; `core` has no name for it yet.
#[inline(always)]
pub(crate) fn square_root(v: f32) -> f32 {
    f32x4_extract_lane::<0>(f32x4_sqrt(f32x4_splat(v)))
}

/// Four values of sixteen bits, widened.
///
/// # Safety
/// Both are good for four values.
#[inline(always)]
pub(crate) unsafe fn four_halves(from: *const u16, to: *mut f32) {
    // SAFETY: the caller's promise; WebAssembly needs no alignment.
    unsafe {
        let bits = v128_and(i32x4_shl(i32x4_load_extend_i16x4(from.cast()), 13), i32x4_splat(MEANING));
        v128_store(to.cast(), f32x4_mul(bits, f32x4_splat(EXPONENT)));
    }
}

/// Four columns of four neighbours become four rows of four columns, [`PANEL`] apart.
///
/// # Safety
/// `from` is good for sixteen bytes, `steps` for four values, `to` for four of each of four rows.
#[inline(always)]
pub(crate) unsafe fn four_by_four(from: *const i8, steps: *const f32, to: *mut f32) {
    // SAFETY: the caller's promise; WebAssembly needs no alignment.
    unsafe {
        let bytes = v128_load(from.cast());
        let steps = v128_load(steps.cast());
        let rows = i8x16_shuffle::<0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15>(bytes, bytes);
        let (low, high) = (i16x8_extend_low_i8x16(rows), i16x8_extend_high_i8x16(rows));
        let wide = [
            i32x4_extend_low_i16x8(low),
            i32x4_extend_high_i16x8(low),
            i32x4_extend_low_i16x8(high),
            i32x4_extend_high_i16x8(high),
        ];
        for (row, numbers) in wide.into_iter().enumerate() {
            v128_store(to.add(row * PANEL).cast(), f32x4_mul(f32x4_convert_i32x4(numbers), steps));
        }
    }
}
