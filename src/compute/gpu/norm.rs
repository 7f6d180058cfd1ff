//! Layer norm of every token: `[rows, width]` → the same.

use burn_wgpu::CubeTensor;

use super::kernel::{Kernel, declare};
use super::queue::empty_like;

/// Invocations a row.
const THREADS: usize = 64;

/// The shader for rows of one width, a multiple of 4.
pub(crate) struct LayerNorm {
    kernel: Kernel,
    width: usize,
}

impl LayerNorm {
    pub(crate) fn new(width: usize, eps: f64) -> Self {
        let kernel = Kernel::new(format!("norm {width} {eps:e}"), [THREADS as u32, 1, 1], move || text(width, eps));
        Self { kernel, width }
    }

    /// x `[batch, tokens, width]`, gamma and beta `[width]` → `[batch, tokens, width]`
    pub(crate) fn launch(&self, x: &CubeTensor, gamma: &CubeTensor, beta: &CubeTensor, dims: [usize; 3]) -> CubeTensor {
        debug_assert_eq!(dims[2], self.width);
        let y = empty_like(x, dims);
        self.kernel.launch([(dims[0] * dims[1]) as u32, 1, 1], &[x, gamma, beta, &y]);
        y
    }
}

fn text(width: usize, eps: f64) -> String {
    let vectors = width / 4;
    let buffers = declare(&[("x", "vec4<f32>"), ("gamma", "vec4<f32>"), ("beta", "vec4<f32>"), ("y", "vec4<f32>")]);
    format!(
        "{buffers}
var<workgroup> partial: array<f32, {THREADS}>;

fn total(lane: u32, value: f32) -> f32 {{
    partial[lane] = value;
    workgroupBarrier();
    for (var step = {half}u; step > 0u; step = step / 2u) {{
        if (lane < step) {{ partial[lane] = partial[lane] + partial[lane + step]; }}
        workgroupBarrier();
    }}
    let sum = partial[0];
    workgroupBarrier();
    return sum;
}}

@compute @workgroup_size({THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {{
    let first = group.x * {vectors}u;
    var sum = vec4<f32>();
    for (var i = lane; i < {vectors}u; i = i + {THREADS}u) {{ sum = sum + x[first + i]; }}
    let mean = total(lane, dot(sum, vec4<f32>(1.0))) / {width}.0;
    var square = vec4<f32>();
    for (var i = lane; i < {vectors}u; i = i + {THREADS}u) {{
        let d = x[first + i] - mean;
        square = square + d * d;
    }}
    let scale = inverseSqrt(total(lane, dot(square, vec4<f32>(1.0))) / {width}.0 + {eps:e});
    for (var i = lane; i < {vectors}u; i = i + {THREADS}u) {{
        y[first + i] = (x[first + i] - mean) * scale * gamma[i] + beta[i];
    }}
}}
",
        half = THREADS / 2,
    )
}
