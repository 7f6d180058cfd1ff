//! Matrix product of any sizes, for what is too small or too odd for the tiles of a block.
//!
//! In: `[.., rows, inner]` and `[.., inner, cols]`. Out: `[.., rows, cols]`. A workgroup
//! makes a square of the result, one value an invocation.

use burn::tensor::Tensor;
use burn_wgpu::{CubeBackend, CubeTensor};

use super::kernel::{Kernel, declare};
use super::queue::empty_like;

/// Side of a square.
const SIDE: usize = 16;

/// a `[.., rows, inner]`, b `[.., inner, cols]` in `batch` parts of `sizes` → `shape`
pub(crate) fn product<const D: usize>(
    a: &CubeTensor,
    b: &CubeTensor,
    batch: usize,
    [rows, inner, cols]: [usize; 3],
    shape: [usize; D],
) -> Tensor<D> {
    let out = empty_like(a, shape);
    let key = format!("product {rows} {inner} {cols}");
    let kernel = Kernel::new(key, [SIDE as u32, SIDE as u32, 1], move || text(rows, inner, cols));
    kernel.launch([cols.div_ceil(SIDE) as u32, rows.div_ceil(SIDE) as u32, batch as u32], &[a, b, &out]);
    Tensor::from_primitive::<CubeBackend>(out)
}

fn text(rows: usize, inner: usize, cols: usize) -> String {
    format!(
        "{buffers}
var<workgroup> tile_a: array<f32, {square}>;
var<workgroup> tile_b: array<f32, {square}>;

@compute @workgroup_size({SIDE}, {SIDE})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {{
    let row = group.y * {SIDE}u + local.y;
    let col = group.x * {SIDE}u + local.x;
    // Outside the matrices the last row and column are read again; what comes of them is not stored.
    let from_a = (group.z * {rows}u + min(row, {rows}u - 1u)) * {inner}u;
    let from_b = group.z * {inner}u * {cols}u + min(col, {cols}u - 1u);
    var sum = 0.0;
    for (var k = 0u; k < {inner}u; k = k + {SIDE}u) {{
        let at_a = k + local.x;
        let at_b = k + local.y;
        tile_a[local.y * {SIDE}u + local.x] = select(0.0, a[from_a + min(at_a, {inner}u - 1u)], at_a < {inner}u);
        tile_b[local.y * {SIDE}u + local.x] = select(0.0, b[from_b + min(at_b, {inner}u - 1u) * {cols}u], at_b < {inner}u);
        workgroupBarrier();
        for (var q = 0u; q < {SIDE}u; q = q + 1u) {{
            sum = fma(tile_a[local.y * {SIDE}u + q], tile_b[q * {SIDE}u + local.x], sum);
        }}
        workgroupBarrier();
    }}
    if (row < {rows}u && col < {cols}u) {{ result[(group.z * {rows}u + row) * {cols}u + col] = sum; }}
}}
",
        buffers = declare(&[("a", "f32"), ("b", "f32"), ("result", "f32")]),
        square = SIDE * SIDE,
    )
}
