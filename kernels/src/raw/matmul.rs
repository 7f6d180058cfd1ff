//! Matrix product with a right side that was packed for it.
//!
//! Comes in: `a` row by row, `b` as [`pack_columns`] lays it out. Goes out: `c = a · b`, changed on
//! its way by an [`Epilogue`]. A tile of up to four rows and eight columns stays in registers while
//! the shared axis runs; rows of `a` are walked in groups that fit the second-level cache.

use super::lane::F32x4;

/// Columns that are packed side by side.
pub const PANEL: usize = 8;
/// Rows of a full tile: eight sums, two values of `b` and one of `a` are eleven of sixteen vector registers.
/// With five or six rows V8 keeps sums in memory, at half the speed (docs/decisions.md).
const TILE_ROWS: usize = 4;
/// Values of `a` that one group of rows may hold (half a megabyte).
const GROUP_VALUES: usize = 128 * 1024;

/// What happens to a product before it is stored.
#[derive(Clone, Copy)]
pub(crate) enum Epilogue {
    /// `c = p`
    Store,
    /// `c = p + bias`
    Bias(*const f32),
    /// `c += scale · (p + bias)`; a null `scale` stands for ones.
    Residual { bias: *const f32, scale: *const f32 },
}

impl Epilogue {
    /// The same for a product that begins at a later column.
    ///
    /// # Safety
    /// The epilogue's vectors hold `column` values.
    pub(crate) unsafe fn from(self, column: usize) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Self::Store => Self::Store,
                Self::Bias(bias) => Self::Bias(bias.add(column)),
                Self::Residual { bias, scale } => {
                    let scale = if scale.is_null() { scale } else { scale.add(column) };
                    Self::Residual { bias: bias.add(column), scale }
                }
            }
        }
    }
}

/// Lays out `rows` × `columns` values for `multiply`: panels of [`PANEL`] columns, in each the
/// rows one after the other; missing columns of the last panel are zeros. Value (row, column) is
/// read from `source[row · row_step + column · column_step]`.
///
/// # Safety
/// All those places are readable, and `target` is good for `rows · columns` values with `columns`
/// rounded up to [`PANEL`].
pub unsafe fn pack_columns<T: Copy + Default>(
    source: *const T,
    (rows, row_step): (usize, usize),
    (columns, column_step): (usize, usize),
    target: *mut T,
) {
    let mut to = target;
    let mut first = 0;
    while first < columns {
        let there = if columns - first < PANEL { columns - first } else { PANEL };
        for row in 0..rows {
            // SAFETY: inside both by the caller's promise; `to` moves over each place once.
            unsafe {
                let from = source.add(row * row_step + first * column_step);
                if there == PANEL {
                    // The usual case, without a condition for each value.
                    for i in 0..PANEL {
                        *to.add(i) = *from.add(i * column_step);
                    }
                } else {
                    for i in 0..PANEL {
                        *to.add(i) = if i < there { *from.add(i * column_step) } else { T::default() };
                    }
                }
                to = to.add(PANEL);
            }
        }
        first += PANEL;
    }
}

/// Where the operands lie.
#[derive(Clone, Copy)]
pub(crate) struct Operands {
    /// `rows` × `depth`, rows `a_step` apart.
    pub(crate) a: *const f32,
    pub(crate) a_step: usize,
    /// Packed.
    pub(crate) b: *const f32,
    /// `rows` × `columns`, rows `c_step` apart; columns are written up to a multiple of [`PANEL`].
    pub(crate) c: *mut f32,
    pub(crate) c_step: usize,
    pub(crate) rows: usize,
    pub(crate) depth: usize,
    pub(crate) columns: usize,
}

/// `c = a · b` with what `epilogue` adds.
///
/// # Safety
/// The operands lie as [`Operands`] says, `c` overlaps neither `a` nor `b`, and the epilogue's
/// vectors hold `columns` values rounded up to [`PANEL`].
pub(crate) unsafe fn multiply(on: &Operands, epilogue: Epilogue) {
    let fitting = GROUP_VALUES.checked_div(on.depth * TILE_ROWS).unwrap_or(1);
    let group = if fitting == 0 { TILE_ROWS } else { fitting * TILE_ROWS };
    let mut first = 0;
    while first < on.rows {
        let end = if first + group < on.rows { first + group } else { on.rows };
        let mut column = 0;
        while column < on.columns {
            // SAFETY: rows first..end and this panel are inside the operands.
            unsafe {
                let panel = on.b.add(column * on.depth);
                let mut row = first;
                while row + TILE_ROWS <= end {
                    tile::<TILE_ROWS>(on, row, column, panel, epilogue);
                    row += TILE_ROWS;
                }
                match end - row {
                    0 => {}
                    1 => tile::<1>(on, row, column, panel, epilogue),
                    2 => tile::<2>(on, row, column, panel, epilogue),
                    _ => tile::<3>(on, row, column, panel, epilogue),
                }
            }
            column += PANEL;
        }
        first = end;
    }
}

/// `R` rows by [`PANEL`] columns.
///
/// # Safety
/// As [`multiply`], for rows `row..row + R`.
#[inline(always)]
unsafe fn tile<const R: usize>(on: &Operands, row: usize, column: usize, panel: *const f32, epilogue: Epilogue) {
    let mut left = [F32x4::splat(0.0); R];
    let mut right = [F32x4::splat(0.0); R];
    // SAFETY: `row..row + R` are rows of `a` and `c`; the panel holds `depth` rows of `PANEL` values.
    unsafe {
        let base = on.a.add(row * on.a_step);
        let mut a = [base; R];
        for (r, a) in a.iter_mut().enumerate() {
            *a = base.add(r * on.a_step);
        }
        let mut b = panel;
        let end = panel.add(on.depth * PANEL);
        while b < end {
            let b0 = F32x4::load(b);
            let b1 = F32x4::load(b.add(F32x4::LANES));
            for r in 0..R {
                let value = F32x4::load_splat(a[r]);
                left[r] = value.mul_add(b0, left[r]);
                right[r] = value.mul_add(b1, right[r]);
                a[r] = a[r].add(1);
            }
            b = b.add(PANEL);
        }
        for r in 0..R {
            let to = on.c.add((row + r) * on.c_step + column);
            finish(left[r], to, column, epilogue);
            finish(right[r], to.add(F32x4::LANES), column + F32x4::LANES, epilogue);
        }
    }
}

/// Stores four values of columns `column..column + 4`.
///
/// # Safety
/// `to` and the epilogue's vectors are good for these columns.
#[inline(always)]
pub(crate) unsafe fn finish(value: F32x4, to: *mut f32, column: usize, epilogue: Epilogue) {
    // SAFETY: the caller's promise.
    unsafe {
        match epilogue {
            Epilogue::Store => value.store(to),
            Epilogue::Bias(bias) => value.add(F32x4::load(bias.add(column))).store(to),
            Epilogue::Residual { bias, scale } => {
                let value = value.add(F32x4::load(bias.add(column)));
                let value = if scale.is_null() { value } else { value.mul(F32x4::load(scale.add(column))) };
                F32x4::load(to).add(value).store(to);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole numbers, so that sums are exact in any order.
    fn numbers(count: usize, step: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * step) % 13) as f32 - 6.0).collect()
    }

    #[test]
    fn every_rest_of_rows_and_columns_equals_the_plain_sum() {
        for (rows, depth, columns) in
            [(1, 1, 1), (2, 3, 8), (3, 5, 9), (4, 8, 16), (5, 7, 23), (11, 16, 24), (290, 64, 17)]
        {
            let (a, b) = (numbers(rows * depth, 5), numbers(depth * columns, 7));
            let padded = columns.next_multiple_of(PANEL);
            let mut packed = vec![f32::NAN; depth * padded];
            let mut c = vec![f32::NAN; rows * padded];
            // SAFETY: all sizes are as the functions ask.
            unsafe {
                pack_columns(b.as_ptr(), (depth, columns), (columns, 1), packed.as_mut_ptr());
                let on = Operands {
                    a: a.as_ptr(),
                    a_step: depth,
                    b: packed.as_ptr(),
                    c: c.as_mut_ptr(),
                    c_step: padded,
                    rows,
                    depth,
                    columns,
                };
                multiply(&on, Epilogue::Store);
            }
            for row in 0..rows {
                for column in 0..padded {
                    let plain = |column: usize| (0..depth).map(|k| a[row * depth + k] * b[k * columns + column]).sum();
                    let expected: f32 = if column < columns { plain(column) } else { 0.0 };
                    assert_eq!(c[row * padded + column], expected, "{rows}x{depth}x{columns} at {row},{column}");
                }
            }
        }
    }

    #[test]
    fn the_epilogue_scales_the_sum_and_adds_to_what_was_there() {
        let (a, b) = (numbers(6, 5), numbers(16, 7));
        let (bias, scale) = (numbers(8, 3), numbers(8, 11));
        let mut packed = vec![0.0; 16];
        let mut c = vec![100.0; 24];
        // SAFETY: all sizes are as the functions ask.
        unsafe {
            pack_columns(b.as_ptr(), (2, 8), (8, 1), packed.as_mut_ptr());
            let (a, b) = (a.as_ptr(), packed.as_ptr());
            let on = Operands { a, a_step: 2, b, c: c.as_mut_ptr(), c_step: 8, rows: 3, depth: 2, columns: 8 };
            multiply(&on, Epilogue::Residual { bias: bias.as_ptr(), scale: scale.as_ptr() });
        }
        for (i, found) in c.iter().enumerate() {
            let (row, column) = (i / 8, i % 8);
            let product = a[row * 2] * b[column] + a[row * 2 + 1] * b[8 + column];
            assert_eq!(*found, 100.0 + scale[column] * (product + bias[column]));
        }
    }
}
