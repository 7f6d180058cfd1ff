//! Attention of all heads in one shader, no score matrix in memory.
//!
//! In: what the qkv layer gave, `[batch, tokens, 3 · width]`. Out: mixed values
//! `[batch, tokens, width]`, heads side by side. One invocation owns a query and walks over its share
//! of the keys with a running maximum and sum; the shares of a query are joined at the end.

use std::fmt::Write;

use burn_wgpu::CubeTensor;

use super::kernel::{Kernel, declare};
use super::queue::empty_like;

/// Queries a workgroup.
const QUERIES: usize = 32;
/// Shares that the keys of a query are cut into.
const SHARES: usize = 4;
/// Keys looked at between two corrections of the running maximum.
const KEYS: usize = 4;

/// Bytes of a workgroup's memory that every WebGPU device has.
const WORKGROUP_BYTES: usize = 16_384;

/// Whether a workgroup's memory holds what a query of heads this wide hands on.
pub(super) fn fits(head_width: usize) -> bool {
    let query_bytes = (head_width + 2) * size_of::<f32>();
    head_width.is_multiple_of(4) && QUERIES * query_bytes <= WORKGROUP_BYTES
}

/// The shader for one number of tokens.
pub(crate) struct Attention {
    kernel: Kernel,
    heads: usize,
}

impl Attention {
    /// `head_width` is one that [`fits`].
    pub(crate) fn new(tokens: usize, heads: usize, head_width: usize) -> Self {
        let kernel = Kernel::new(
            format!("attention {tokens} {heads} {head_width}"),
            [QUERIES as u32, SHARES as u32, 1],
            move || text(tokens, heads, head_width),
        );
        Self { kernel, heads }
    }

    /// qkv `[batch, tokens, 3 · width]` → `[batch, tokens, width]`
    pub(crate) fn launch(&self, qkv: &CubeTensor, dims: [usize; 3]) -> CubeTensor {
        let mixed = empty_like(qkv, dims);
        let groups = [dims[1].div_ceil(QUERIES) as u32, self.heads as u32, dims[0] as u32];
        self.kernel.launch(groups, &[qkv, &mixed]);
        mixed
    }
}

fn text(tokens: usize, heads: usize, head_width: usize) -> String {
    let vectors = head_width / 4;
    let width = heads * vectors;
    let row = 3 * width;
    let share = tokens.div_ceil(SHARES);
    let buffers = declare(&[("qkv", "vec4<f32>"), ("mixed", "vec4<f32>")]);
    // Everything an invocation holds is named apart: an indexed array would live in slow memory.
    let each = |line: &dyn Fn(usize) -> String| (0..vectors).map(line).collect::<String>();
    let scale = 1.0 / (head_width as f32).sqrt();
    let query = each(&|d| format!("    let q{d} = qkv[at + {d}u] * {scale:e};\n    var o{d} = vec4<f32>();\n"));
    let mut body = String::new();
    // Writing to a string cannot fail.
    for k in 0..KEYS {
        let _ = writeln!(body, "        let at{k} = base + min(key + {k}u, last) * {row}u + {width}u;");
        let _ = writeln!(body, "        var s{k} = q0 * qkv[at{k}];");
        for d in 1..vectors {
            let _ = writeln!(body, "        s{k} = fma(q{d}, qkv[at{k} + {d}u], s{k});");
        }
        let _ = writeln!(body, "        let r{k} = select(-1e30, dot(s{k}, vec4<f32>(1.0)), key + {k}u < end);");
    }
    let highest = (1..KEYS).fold("max(highest, r0)".to_owned(), |m, k| format!("max({m}, r{k})"));
    let _ =
        writeln!(body, "        let now = {highest};\n        let old = exp(highest - now);\n        highest = now;");
    for k in 0..KEYS {
        let _ = writeln!(body, "        let p{k} = exp(r{k} - now);");
    }
    let sum = (0..KEYS).map(|k| format!(" + p{k}")).collect::<String>();
    let _ = writeln!(body, "        sum = sum * old{sum};");
    for d in 0..vectors {
        let value = (0..KEYS)
            .fold(format!("o{d} * old"), |v, k| format!("fma(vec4<f32>(p{k}), qkv[at{k} + {}u], {v})", width + d));
        let _ = writeln!(body, "        o{d} = {value};");
    }
    let give = each(&|d| format!("            other[lane * {vectors}u + {d}u] = o{d};\n"));
    let join = each(&|d| format!("            o{d} = o{d} * mine + other[lane * {vectors}u + {d}u] * theirs;\n"));
    let store = each(&|d| format!("        mixed[to + {d}u] = o{d} / sum;\n"));
    format!(
        "{buffers}
var<workgroup> other: array<vec4<f32>, {others}>;
var<workgroup> other_scale: array<vec2<f32>, {QUERIES}>;

@compute @workgroup_size({QUERIES}, {SHARES})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {{
    let lane = local.x;
    let token = group.x * {QUERIES}u + lane;
    let base = group.z * {tokens}u * {row}u + group.y * {vectors}u;
    let at = base + min(token, {last}u) * {row}u;
    let last = {last}u;
    let end = min((local.y + 1u) * {share}u, {tokens}u);
    var highest = -1e30;
    var sum = 0.0;
{query}
    for (var key = local.y * {share}u; key < end; key = key + {KEYS}u) {{
{body}    }}
    for (var share = 1u; share < {SHARES}u; share = share + 1u) {{
        if (local.y == share) {{
            other_scale[lane] = vec2<f32>(highest, sum);
{give}        }}
        workgroupBarrier();
        if (local.y == 0u) {{
            let found = other_scale[lane];
            let now = max(highest, found.x);
            let mine = exp(highest - now);
            let theirs = exp(found.x - now);
            highest = now;
            sum = sum * mine + found.y * theirs;
{join}        }}
        workgroupBarrier();
    }}
    if (local.y == 0u && token < {tokens}u) {{
        let to = (group.z * {tokens}u + token) * {width}u + group.y * {vectors}u;
{store}    }}
}}
",
        others = QUERIES * vectors,
        last = tokens - 1,
    )
}
