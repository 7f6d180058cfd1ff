//! An affine map on weights of any storage.
//!
//! Comes in: rows of f32 and a [`LinearCall`]. Goes out: rows of f32. Narrow weights are widened some
//! columns at a time into memory that stays in the second-level cache, or multiplied as bytes.

use super::matmul::{Epilogue, Operands, PANEL, multiply};
use super::matmul_bytes::{ByteOperands, multiply_bytes, quantise_rows};
use super::widen::{widen_bytes, widen_halves};

/// Values that are widened at a time (a megabyte), if one panel is not more.
const WIDENED_VALUES: usize = 256 * 1024;

/// How weights lie in memory and are multiplied.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// f32.
    F32 = 0,
    /// f16, widened for each product.
    F16 = 1,
    /// Bytes, widened for each product.
    I8 = 2,
    /// Bytes, multiplied as bytes with rows that are quantised to fourteen bits.
    I8ByBytes = 3,
}

/// Weights of an affine map.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct LinearCall {
    /// What `weight` is.
    pub storage: Storage,
    /// From `[in, out]`: packed by `pack_columns` as f32 or f16, or by `pack_bytes`.
    pub weight: *const u8,
    /// `[out]`: what one step of a byte is worth; unused for other storage.
    pub steps: *const f32,
    /// `[out]`: the sum of the weights of an output; unused for other storage.
    pub totals: *const f32,
    /// `[out]`
    pub bias: *const f32,
    /// `[out]`, or null: what the result is scaled by.
    pub scale: *const f32,
}

/// Memory for weights and rows in another form than they are kept in.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Scratch {
    /// `widened_columns(out, in) · in` for the largest map whose weights are widened.
    pub widened: *mut f32,
    /// `[rows, 2, in]` for the largest map whose weights are multiplied as bytes.
    pub bytes: *mut u8,
    /// `[rows, 2]` for such maps.
    pub ranges: *mut f32,
}

/// Columns of a map that are widened together.
pub fn widened_columns(outputs: usize, inputs: usize) -> usize {
    let panels = WIDENED_VALUES.checked_div(inputs * PANEL).unwrap_or(1);
    let columns = if panels == 0 { PANEL } else { panels * PANEL };
    if columns < outputs { columns } else { outputs }
}

/// `c = a · weight` with what `epilogue` adds, for `a` `[rows, depth]` and `c` `[rows, columns]`.
///
/// # Safety
/// All addresses are good for these sizes, `c` overlaps nothing else, `columns` and `depth` are multiples of [`PANEL`],
/// and the epilogue's vectors hold `columns` values.
pub(crate) unsafe fn linear(
    call: &LinearCall,
    (a, depth): (*const f32, usize),
    (c, columns): (*mut f32, usize),
    rows: usize,
    epilogue: Epilogue,
    scratch: &Scratch,
) {
    let on = |b: *const f32, first: usize, columns_here: usize| Operands {
        a,
        a_step: depth,
        b,
        // SAFETY: a column of `c`.
        c: unsafe { c.add(first) },
        c_step: columns,
        rows,
        depth,
        columns: columns_here,
    };
    // SAFETY: the caller's promise.
    unsafe {
        match call.storage {
            Storage::F32 => multiply(&on(call.weight.cast(), 0, columns), epilogue),
            Storage::I8ByBytes => {
                quantise_rows(a, (rows, depth), scratch.bytes, scratch.ranges);
                let on = ByteOperands {
                    a: scratch.bytes,
                    ranges: scratch.ranges,
                    b: call.weight.cast(),
                    steps: call.steps,
                    totals: call.totals,
                    c,
                    rows,
                    depth,
                    columns,
                };
                multiply_bytes(&on, epilogue);
            }
            Storage::F16 | Storage::I8 => {
                let together = widened_columns(columns, depth);
                let mut first = 0;
                while first < columns {
                    let here = if first + together < columns { together } else { columns - first };
                    let before = first * depth;
                    if call.storage == Storage::F16 {
                        widen_halves(call.weight.cast::<u16>().add(before), here * depth, scratch.widened);
                    } else {
                        let bytes = call.weight.cast::<i8>().add(before);
                        widen_bytes(bytes, (here, depth), call.steps.add(first), scratch.widened);
                    }
                    multiply(&on(scratch.widened, first, here), epilogue.from(first));
                    first += here;
                }
            }
        }
    }
}
