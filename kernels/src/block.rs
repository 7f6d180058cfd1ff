//! A block with its weights, packed once.
//!
//! Comes in: weights as a bundle stores them and tokens `[tokens, width]`. Goes out: the tokens after
//! the block, in place. Building fails with [`ShapeError`] if a weight does not fit.

use crate::raw::{BlockCall, Storage, run_block};
use crate::shape::{Shape, ShapeError};
use crate::weights::{Linear, LinearWeights, NormWeights};
use crate::workspace::Workspace;

/// Runs the block whose [`BlockCall`] lies at an address, somewhere else than in this module.
pub type Runner = fn(address: usize);

/// Who computes, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Way {
    /// Who computes, if not this module.
    pub elsewhere: Option<Runner>,
    /// Whether weights of one byte are multiplied with tokens that are quantised to fourteen bits, which
    /// is faster where relaxed SIMD is compiled in; they are widened to f32 otherwise.
    pub by_bytes: bool,
}

/// One block with its weights.
#[derive(Clone, Debug)]
pub struct FrozenBlock {
    shape: Shape,
    ln1: NormWeights,
    qkv: Linear,
    out: Linear,
    ln2: NormWeights,
    fc1: Linear,
    fc2: Linear,
}

impl FrozenBlock {
    /// Packs the weights.
    ///
    /// # Errors
    /// [`ShapeError`].
    pub fn new(
        shape: Shape,
        [ln1, ln2]: [NormWeights; 2],
        [qkv, out, fc1, fc2]: [LinearWeights; 4],
    ) -> Result<Self, ShapeError> {
        if !shape.is_supported() {
            return Err(ShapeError { what: "width", expected: 0, found: shape.width });
        }
        let Shape { width, mlp_width, .. } = shape;
        ln1.check("ln1", width)?;
        ln2.check("ln2", width)?;
        Ok(Self {
            shape,
            ln1,
            qkv: Linear::new("qkv", qkv, 3 * width, width)?,
            out: Linear::new("out", out, width, width)?,
            ln2,
            fc1: Linear::new("fc1", fc1, mlp_width, width)?,
            fc2: Linear::new("fc2", fc2, width, mlp_width)?,
        })
    }

    /// Whether some weights are bytes, which can be multiplied in two modes.
    pub fn has_bytes(&self) -> bool {
        [&self.qkv, &self.out, &self.fc1, &self.fc2].iter().any(|map| map.storage(true) == Storage::I8ByBytes)
    }

    /// Replaces tokens `[tokens, width]` by those after the block. Values that fill no whole token stay as they are.
    pub fn forward(&self, x: &mut [f32], space: &mut Workspace, way: Way) {
        let Shape { width, heads, mlp_width, quick_gelu, eps } = self.shape;
        let tokens = x.len() / width;
        let by_bytes = way.by_bytes;
        space.fit(tokens, &self.shape, [&self.qkv, &self.out, &self.fc1, &self.fc2], by_bytes);
        let call = BlockCall {
            tokens,
            width,
            heads,
            head_width: width / heads,
            mlp_width,
            activation: u32::from(quick_gelu),
            eps,
            ln1: self.ln1.call(),
            qkv: self.qkv.call(by_bytes),
            out: self.out.call(by_bytes),
            ln2: self.ln2.call(),
            fc1: self.fc1.call(by_bytes),
            fc2: self.fc2.call(by_bytes),
            x: x.as_mut_ptr(),
            normed: space.normed.as_mut_ptr(),
            wide: space.wide.as_mut_ptr(),
            scores: space.scores.as_mut_ptr(),
            packed: space.packed.as_mut_ptr(),
            scratch: space.scratch(),
        };
        match way.elsewhere {
            Some(run) => run(&raw const call as usize),
            // SAFETY: the weights were checked by `new`, the workspace fits, and all of it is borrowed here.
            None => unsafe { run_block(&call) },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::weights::Matrix;

    const SHAPE: Shape = Shape { width: 16, heads: 2, mlp_width: 32, quick_gelu: false, eps: 1e-6 };
    const HERE: Way = Way { elsewhere: None, by_bytes: false };

    fn norm() -> NormWeights {
        NormWeights { gamma: vec![1.0; 16], beta: vec![0.5; 16] }
    }

    fn linears(matrix: impl Fn(usize, usize) -> Matrix) -> [LinearWeights; 4] {
        [(48, 16), (16, 16), (32, 16), (16, 32)].map(|(outputs, inputs)| LinearWeights {
            weight: matrix(outputs, inputs),
            bias: vec![0.1; outputs],
            scale: None,
        })
    }

    /// Multiples of 1/64, so that every storage holds them exactly.
    fn integers(outputs: usize, inputs: usize) -> Vec<i8> {
        (0..outputs * inputs).map(|i| ((i * 29) % 17) as i8 - 8).collect()
    }

    fn block(matrix: impl Fn(usize, usize) -> Matrix) -> FrozenBlock {
        FrozenBlock::new(SHAPE, [norm(), norm()], linears(matrix)).unwrap()
    }

    fn f32s(outputs: usize, inputs: usize) -> Matrix {
        Matrix::F32(integers(outputs, inputs).into_iter().map(|v| f32::from(v) / 64.0).collect())
    }

    fn tokens(count: usize) -> Vec<f32> {
        (0..count * 16).map(|i| ((i * 31) % 23) as f32 * 0.1 - 1.0).collect()
    }

    fn after(block: &FrozenBlock, by_bytes: bool) -> Vec<f32> {
        let mut x = tokens(11);
        block.forward(&mut x, &mut Workspace::default(), Way { by_bytes, ..HERE });
        x
    }

    #[test]
    fn weights_and_tokens_of_another_size_are_refused() {
        let mut wrong = linears(f32s);
        wrong[2].bias.pop();
        let error = FrozenBlock::new(SHAPE, [norm(), norm()], wrong).unwrap_err();
        assert_eq!(error, ShapeError { what: "fc1", expected: 32, found: 31 });
        let short = |outputs, inputs| Matrix::F16(vec![0; outputs * inputs - 1]);
        assert!(FrozenBlock::new(SHAPE, [norm(), norm()], linears(short)).is_err());
        let short = |outputs, inputs| Matrix::I8 { integers: integers(outputs, inputs), steps: vec![1.0; outputs - 1] };
        assert!(FrozenBlock::new(SHAPE, [norm(), norm()], linears(short)).is_err());
        for shape in [Shape { heads: 3, ..SHAPE }, Shape { heads: 4, ..SHAPE }, Shape { heads: 0, ..SHAPE }] {
            assert!(!shape.is_supported());
            assert!(FrozenBlock::new(shape, [norm(), norm()], linears(f32s)).is_err());
        }
        let mut x = [0.25; 17];
        block(f32s).forward(&mut x, &mut Workspace::default(), HERE);
        assert!(x[0] != 0.25 && x[16] == 0.25, "what fills no token stays");
    }

    #[test]
    fn a_used_workspace_changes_nothing() {
        let block = block(f32s);
        let run = |space: &mut Workspace, count: usize| {
            let mut x = tokens(count);
            block.forward(&mut x, space, HERE);
            x
        };
        let mut used = Workspace::default();
        let (long, short) = (run(&mut used, 11), run(&mut used, 5));
        assert_eq!(short, run(&mut Workspace::default(), 5));
        assert_eq!(long, run(&mut used, 11));
        assert_ne!(long[..5 * 16], short[..], "more tokens, another result");
    }

    #[test]
    fn narrow_storage_of_the_same_numbers_gives_the_same_tokens() {
        let halves = |outputs, inputs| {
            // Whole numbers up to eight in 64ths are exact in f16: shift the parts of the f32 pattern.
            let half = |v: i8| match v {
                0 => 0,
                _ => {
                    let bits = (f32::from(v) / 64.0).to_bits();
                    (((bits >> 16) & 0x8000) | (((bits & 0x7fff_ffff) >> 13) - (112 << 10))) as u16
                }
            };
            Matrix::F16(integers(outputs, inputs).into_iter().map(half).collect())
        };
        let bytes =
            |outputs, inputs| Matrix::I8 { integers: integers(outputs, inputs), steps: vec![1.0 / 64.0; outputs] };
        assert!(block(bytes).has_bytes() && !block(halves).has_bytes());
        let expected = after(&block(f32s), false);
        assert_eq!(after(&block(halves), false), expected);
        assert_eq!(after(&block(halves), true), expected, "only bytes are multiplied as bytes");
        assert_eq!(after(&block(bytes), false), expected);
        let rounded = after(&block(bytes), true);
        assert_ne!(rounded, expected, "fourteen bits round");
        let furthest = rounded.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(furthest < 5e-4, "off by {furthest}");
    }

    #[test]
    fn whoever_computes_elsewhere_is_given_the_whole_call() {
        let block = block(f32s);
        let (mut here, mut there) = (vec![0.25; 48], vec![0.25; 48]);
        here[7] = 2.0;
        there[7] = 2.0;
        block.forward(&mut here, &mut Workspace::default(), HERE);
        // SAFETY: the address is that of the call that `forward` has just made.
        let elsewhere: Runner = |address| unsafe { run_block(&*(address as *const BlockCall)) };
        block.forward(&mut there, &mut Workspace::default(), Way { elsewhere: Some(elsewhere), ..HERE });
        assert_eq!(here, there);
        assert_ne!(here[7], 2.0);
    }
}
