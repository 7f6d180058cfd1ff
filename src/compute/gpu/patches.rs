//! Cuts a picture into rows for the patch embedding.
//!
//! In: pixels `[1, 3, side, side]`. Out: `[1, 1 + grid² + registers, padded]`: a row of zeros where the class
//! token will be, then a row a patch, in the order of the convolution's weight, with zeros behind, then rows of zeros
//! where the registers will be. Pixels beyond the last whole patch are not used (spec §1).

use burn_wgpu::CubeTensor;

use super::kernel::{Kernel, declare};
use super::queue::empty_like;

/// Invocations a workgroup.
const THREADS: usize = 64;

/// How a picture is cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patches {
    pub(crate) side_px: usize,
    /// Patches a side.
    pub(crate) grid: usize,
    pub(crate) patch_px: usize,
    /// Values of a row, `3 · patch²` or more.
    pub(crate) padded: usize,
    /// Rows behind those of the patches.
    pub(crate) registers: usize,
}

impl Patches {
    /// Rows of the result.
    pub(crate) fn tokens(&self) -> usize {
        1 + self.grid * self.grid + self.registers
    }

    /// pixels `[1, 3, side, side]` → `[1, tokens, padded]`
    pub(crate) fn launch(&self, pixels: &CubeTensor) -> CubeTensor {
        let rows = empty_like(pixels, [1, self.tokens(), self.padded]);
        let cut = *self;
        let kernel = Kernel::new(format!("{cut:?}"), [THREADS as u32, 1, 1], move || cut.text());
        kernel.launch([self.padded.div_ceil(THREADS) as u32, self.tokens() as u32, 1], &[pixels, &rows]);
        rows
    }

    fn text(&self) -> String {
        let Self { side_px, grid, patch_px, padded, .. } = *self;
        format!(
            "{buffers}
@compute @workgroup_size({THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
    if (id.x >= {padded}u) {{ return; }}
    var value = 0.0;
    if (id.y > 0u && id.y <= {patches}u && id.x < {values}u) {{
        let patch_at = id.y - 1u;
        let y = patch_at / {grid}u * {patch_px}u + id.x / {patch_px}u % {patch_px}u;
        let x = patch_at % {grid}u * {patch_px}u + id.x % {patch_px}u;
        value = pixels[(id.x / {area}u * {side_px}u + y) * {side_px}u + x];
    }}
    rows[id.y * {padded}u + id.x] = value;
}}
",
            buffers = declare(&[("pixels", "f32"), ("rows", "f32")]),
            area = patch_px * patch_px,
            patches = grid * grid,
            values = 3 * patch_px * patch_px,
        )
    }
}
