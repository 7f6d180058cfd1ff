//! Feature rows against words and against remembered rows.
//!
//! In: features `[rows, dim]` on a graphics device, of sizes that [`has_rows`] allows. Out: what the scores of the method
//! compare. Nothing fails here.

use burn::tensor::Tensor;
use burn_wgpu::{CubeBackend, CubeTensor};

use super::kernel::{Kernel, declare};
use super::queue::empty_like;

/// Invocations a workgroup.
const THREADS: usize = 64;
/// Rows that a workgroup compares with all remembered rows.
const QUERIES: usize = 8;
/// Workgroups along one axis that every device allows.
const GROUPS_LIMIT: usize = 65_535;

/// Whether there are shaders for rows of these sizes.
pub(crate) fn has_rows([rows, dim]: [usize; 2]) -> bool {
    dim.is_multiple_of(4) && rows <= GROUPS_LIMIT
}

/// `[rows, dim]`, each row divided by its length, or by `tiny` if it is shorter.
pub(crate) fn unit_rows(x: &CubeTensor, [rows, dim]: [usize; 2], tiny: f32) -> Tensor<2> {
    let unit = empty_like(x, [rows, dim]);
    let key = format!("unit rows {dim} {tiny:e}");
    Kernel::new(key, [THREADS as u32, 1, 1], move || unit_text(dim, tiny)).launch([rows as u32, 1, 1], &[x, &unit]);
    Tensor::from_primitive::<CubeBackend>(unit)
}

/// Rows `[rows, dim]` and words `[dim, 2]` → `scale · x · words`, `[rows, 2]`
pub(crate) fn logits(x: &CubeTensor, words: &CubeTensor, [rows, dim]: [usize; 2], scale: f64) -> Tensor<2> {
    let out = empty_like(x, [rows, 2]);
    let key = format!("logits {dim} {scale:e}");
    let kernel = Kernel::new(key, [THREADS as u32, 1, 1], move || logits_text(dim, scale));
    kernel.launch([rows as u32, 1, 1], &[x, words, &out]);
    Tensor::from_primitive::<CubeBackend>(out)
}

/// Rows `[rows, dim]` and remembered rows `[any, dim]` → per row `1 - largest product`, `[rows]`
pub(crate) fn nearest(x: &CubeTensor, memory: &CubeTensor, [rows, dim]: [usize; 2]) -> Tensor<1> {
    let out = empty_like(x, [rows]);
    let kernel = Kernel::new(format!("nearest {rows} {dim}"), [THREADS as u32, 1, 1], move || nearest_text(rows, dim));
    kernel.launch([rows.div_ceil(QUERIES) as u32, 1, 1], &[x, memory, &out]);
    Tensor::from_primitive::<CubeBackend>(out)
}

/// Declares `reduced`, which joins the values of all invocations by `join`.
fn reduced(element: &str, join: &str) -> String {
    format!(
        "var<workgroup> partial: array<{element}, {THREADS}>;

fn reduced(lane: u32, value: {element}) -> {element} {{
    partial[lane] = value;
    workgroupBarrier();
    for (var step = {half}u; step > 0u; step = step / 2u) {{
        if (lane < step) {{
            let a = partial[lane];
            let b = partial[lane + step];
            partial[lane] = {join};
        }}
        workgroupBarrier();
    }}
    let all = partial[0];
    workgroupBarrier();
    return all;
}}
",
        half = THREADS / 2,
    )
}

fn unit_text(dim: usize, tiny: f32) -> String {
    let vectors = dim / 4;
    format!(
        "{buffers}{reduced}
@compute @workgroup_size({THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {{
    let first = group.x * {vectors}u;
    var square = vec4<f32>();
    for (var i = lane; i < {vectors}u; i = i + {THREADS}u) {{ square = fma(x[first + i], x[first + i], square); }}
    let length = max(sqrt(reduced(lane, dot(square, vec4<f32>(1.0)))), {tiny:e});
    for (var i = lane; i < {vectors}u; i = i + {THREADS}u) {{ unit[first + i] = x[first + i] / length; }}
}}
",
        buffers = declare(&[("x", "vec4<f32>"), ("unit", "vec4<f32>")]),
        reduced = reduced("f32", "a + b"),
    )
}

fn logits_text(dim: usize, scale: f64) -> String {
    format!(
        "{buffers}{reduced}
@compute @workgroup_size({THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {{
    var sum = vec2<f32>();
    for (var i = lane; i < {dim}u; i = i + {THREADS}u) {{
        sum = fma(vec2<f32>(x[group.x * {dim}u + i]), words[i], sum);
    }}
    let all = reduced(lane, sum);
    if (lane == 0u) {{ logits[group.x] = all * {scale:e}; }}
}}
",
        buffers = declare(&[("x", "f32"), ("words", "vec2<f32>"), ("logits", "vec2<f32>")]),
        reduced = reduced("vec2<f32>", "a + b"),
    )
}

/// The number of remembered rows comes from the buffer's length: a shader serves any number.
fn nearest_text(rows: usize, dim: usize) -> String {
    let vectors = dim / 4;
    let each = |line: &dyn Fn(usize) -> String| (0..QUERIES).map(line).collect::<String>();
    format!(
        "{buffers}{reduced}
@compute @workgroup_size({THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {{
    let query = group.x * {QUERIES}u;
    let remembered = arrayLength(&memory) / {vectors}u;
{start}
    for (var row = lane; row < remembered; row = row + {THREADS}u) {{
{zero}
        for (var i = 0u; i < {vectors}u; i = i + 1u) {{
            let m = memory[row * {vectors}u + i];
{multiply}        }}
{keep}    }}
{store}}}
",
        buffers = declare(&[("x", "vec4<f32>"), ("memory", "vec4<f32>"), ("distance", "f32")]),
        reduced = reduced("f32", "max(a, b)"),
        // Rows past the last repeat it; what comes of them is not stored.
        start = each(&|q| format!(
            "    let at{q} = min(query + {q}u, {last}u) * {vectors}u;\n    var largest{q} = -1e30;\n",
            last = rows - 1
        )),
        zero = each(&|q| format!("        var s{q} = vec4<f32>();\n")),
        multiply = each(&|q| format!("            s{q} = fma(x[at{q} + i], m, s{q});\n")),
        keep = each(&|q| format!("        largest{q} = max(largest{q}, dot(s{q}, vec4<f32>(1.0)));\n")),
        store = each(&|q| format!(
            "    let all{q} = reduced(lane, largest{q});\n    if (lane == 0u && query + {q}u < {rows}u) {{ distance[query + {q}u] = 1.0 - all{q}; }}\n"
        )),
    )
}
