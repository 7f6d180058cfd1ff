//! Linear layers: a matrix product with what follows it in one dispatch.
//!
//! In: rows `[rows, in]`, a weight, and what happens to the sums: bias, activation, what the result
//! is added to. Out: `[rows, out]`. A workgroup makes one tile of the result; its invocations hold
//! `tile.rows_each × tile.cols_each` values each in registers, and may also share the inner axis
//! among `tile.splits` teams whose sums are joined at the end, which fills a device when there are
//! few tiles.

use burn_wgpu::CubeTensor;

use super::kernel::Kernel;
use super::matmul_text;
use super::matrix::{Matrix, Packing};
use super::queue::empty_like;

/// What happens to the sums with their bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    None,
    Gelu,
    /// `x · σ(1.702 x)`
    QuickGelu,
    /// `x`, or `0.01 x` if it is negative
    Leaky,
}

/// What the activated sums `v` are put onto.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Onto<'a> {
    Nothing,
    /// `tensor + v`, with `[rows, out]`
    Residual(&'a CubeTensor),
    /// `tensor + scale · v`, with `[rows, out]` and `[out]`
    Scaled(&'a CubeTensor, &'a CubeTensor),
    /// `keep · tensor + from · v`, with `[rows, out]`
    Mix(&'a CubeTensor, [f32; 2]),
}

/// How products are multiplied. Sums of more than four products are f32 in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    F32,
    /// Needs the device's `shader-f16`.
    F16,
}

/// How the work is cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tile {
    pub(super) rows: usize,
    pub(super) cols: usize,
    /// Inner values a team takes at a time; a multiple of 4.
    pub(super) inner: usize,
    pub(super) rows_each: usize,
    /// A multiple of 4.
    pub(super) cols_each: usize,
    pub(super) splits: usize,
}

impl Tile {
    pub(super) fn workgroup(&self) -> [usize; 3] {
        [self.cols / self.cols_each, self.rows / self.rows_each, self.splits]
    }

    fn fits(&self, inner: usize, cols: usize) -> bool {
        let threads = self.workgroup().iter().product::<usize>();
        let step = self.inner * self.splits;
        cols.is_multiple_of(self.cols)
            && inner.is_multiple_of(step)
            && (self.rows * step / 4).is_multiple_of(threads)
            && (step * self.cols / 4).is_multiple_of(threads)
    }
}

/// For many results a row: tiles enough to fill a device.
const WIDE: Tile = Tile { rows: 64, cols: 64, inner: 16, rows_each: 8, cols_each: 4, splits: 1 };
/// For few results from a long inner axis: smaller tiles, and two teams on each.
const NARROW: Tile = Tile { rows: 32, cols: 64, inner: 16, rows_each: 8, cols_each: 4, splits: 2 };
/// For the smallest models.
const SMALL: Tile = Tile { rows: 32, cols: 32, inner: 16, rows_each: 4, cols_each: 4, splits: 1 };

/// An affine map with its tile.
#[derive(Clone, Debug)]
pub(crate) struct Linear {
    weight: Matrix,
    /// `[out]`
    bias: Option<CubeTensor>,
    tile: Tile,
}

/// All that the text of a shader depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recipe {
    pub(super) tile: Tile,
    pub(super) rows: usize,
    /// Padded.
    pub(super) inner: usize,
    /// Values between two rows of x, `inner` or more.
    pub(super) pitch: usize,
    pub(super) cols: usize,
    pub(super) packing: Packing,
    pub(super) arithmetic: Arithmetic,
    pub(super) has_bias: bool,
    pub(super) activation: Activation,
    pub(super) onto: OntoKind,
}

/// [`Onto`] without its tensors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum OntoKind {
    Nothing,
    Residual,
    Scaled,
    Mix([f32; 2]),
}

impl Linear {
    /// A weight, with a bias if it has no zeros behind its outputs.
    pub(crate) fn new(weight: Matrix, bias: Option<CubeTensor>) -> Self {
        let tile = choose(weight.padded_inputs(), weight.padded_outputs());
        Self { weight, bias, tile }
    }

    /// Values a row of x must have at least.
    pub(crate) fn padded_inputs(&self) -> usize {
        self.weight.padded_inputs()
    }

    /// x `[batch, tokens, in]`, with the weight's zeros behind each row, or more values than that →
    /// `[batch, tokens, padded out]`
    pub(crate) fn launch(
        &self,
        x: &CubeTensor,
        [batch, tokens]: [usize; 2],
        activation: Activation,
        onto: Onto<'_>,
        arithmetic: Arithmetic,
    ) -> CubeTensor {
        let (inner, cols) = (self.weight.padded_inputs(), self.weight.padded_outputs());
        let recipe = Recipe {
            tile: self.tile,
            rows: batch * tokens,
            inner,
            pitch: x.meta.shape().num_elements() / (batch * tokens).max(1),
            cols,
            packing: self.weight.packing(),
            arithmetic,
            has_bias: self.bias.is_some(),
            activation,
            onto: match onto {
                Onto::Nothing => OntoKind::Nothing,
                Onto::Residual(_) => OntoKind::Residual,
                Onto::Scaled(..) => OntoKind::Scaled,
                Onto::Mix(_, shares) => OntoKind::Mix(shares),
            },
        };
        let out = empty_like(x, [batch, tokens, cols]);
        let mut buffers = vec![x, self.weight.words()];
        buffers.extend(self.weight.scales());
        buffers.extend(&self.bias);
        match onto {
            Onto::Nothing => {}
            Onto::Residual(tensor) | Onto::Mix(tensor, _) => buffers.push(tensor),
            Onto::Scaled(tensor, scale) => buffers.extend([tensor, scale]),
        }
        buffers.push(&out);
        let workgroup = recipe.tile.workgroup().map(|n| n as u32);
        let kernel = Kernel::new(format!("{recipe:?}"), workgroup, move || matmul_text::text(&recipe));
        let groups = [cols / recipe.tile.cols, recipe.rows.div_ceil(recipe.tile.rows), 1];
        kernel.launch(groups.map(|n| n as u32), &buffers);
        out
    }
}

/// The tile for a weight whose axes are filled up.
fn choose(inner: usize, cols: usize) -> Tile {
    let first = if cols > inner { WIDE } else { NARROW };
    // The last fits every weight that is filled up (see `Matrix`).
    [first, WIDE].into_iter().find(|tile| tile.fits(inner, cols)).unwrap_or(SMALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_that_are_filled_up_have_a_tile() {
        for inner in (16..=256).step_by(16) {
            for cols in (32..=256).step_by(32) {
                assert!(choose(inner, cols).fits(inner, cols), "{inner} to {cols}");
            }
        }
        assert_eq!(choose(1024, 4096).rows, WIDE.rows);
        assert_eq!(choose(4096, 1024).splits, NARROW.splits);
    }
}
