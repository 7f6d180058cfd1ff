//! Plain arrays, for machines whose vectors this crate does not know (native tests).

use crate::raw::matmul::PANEL;
use crate::raw::matmul_bytes::DIGIT_BITS;
use crate::raw::widen::{EXPONENT, MEANING};

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

#[inline(always)]
pub(crate) fn square_root(v: f32) -> f32 {
    v.sqrt()
}

/// Four values of sixteen bits, widened.
///
/// # Safety
/// Both are good for four values.
#[inline(always)]
pub(crate) unsafe fn four_halves(from: *const u16, to: *mut f32) {
    for i in 0..4 {
        // SAFETY: the caller's promise.
        unsafe {
            let bits = (i32::from(from.add(i).read().cast_signed()) << 13) & MEANING;
            to.add(i).write(f32::from_bits(bits.cast_unsigned()) * EXPONENT);
        }
    }
}

/// Four columns of four neighbours become four rows of four columns, [`PANEL`] apart.
///
/// # Safety
/// `from` is good for sixteen bytes, `steps` for four values, `to` for four of each of four rows.
#[inline(always)]
pub(crate) unsafe fn four_by_four(from: *const i8, steps: *const f32, to: *mut f32) {
    for row in 0..4 {
        for column in 0..4 {
            // SAFETY: the caller's promise.
            unsafe {
                *to.add(row * PANEL + column) = f32::from(*from.add(4 * column + row)) * *steps.add(column);
            }
        }
    }
}
