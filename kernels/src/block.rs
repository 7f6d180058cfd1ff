//! A block with its weights, packed once.
//!
//! Comes in: weights as a bundle stores them and tokens `[tokens, width]`. Goes out: the tokens after
//! the block, in place. Fails with [`ShapeError`] where a weight or the tokens do not fit.

use crate::raw::{BlockCall, LinearCall, NormCall, PANEL, pack_columns, run_block};

/// Geometry of a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Token width.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Width of the hidden layer.
    pub mlp_width: usize,
    /// `x · σ(1.702 x)` instead of GELU with the exact error function.
    pub quick_gelu: bool,
    /// Added to variances.
    pub eps: f32,
}

impl Shape {
    /// Whether blocks of this geometry can be run: all widths are multiples of the packed panel.
    pub fn is_supported(&self) -> bool {
        let fits = |n: usize| n > 0 && n.is_multiple_of(PANEL);
        self.heads > 0
            && self.width.is_multiple_of(self.heads)
            && [self.width, self.width / self.heads, self.mlp_width].into_iter().all(fits)
    }
}

/// Values that do not fit the geometry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// Which.
    pub what: &'static str,
    /// How many values it should have; 0 where the geometry itself cannot be run.
    pub expected: usize,
    /// How many it has.
    pub found: usize,
}

impl core::fmt::Display for ShapeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} has {} values, expected {}", self.what, self.found, self.expected)
    }
}

impl core::error::Error for ShapeError {}

/// Weights of a layer norm.
#[derive(Clone, Debug)]
pub struct NormWeights {
    /// `[width]`
    pub gamma: Vec<f32>,
    /// `[width]`
    pub beta: Vec<f32>,
}

/// Weights of an affine map.
#[derive(Clone, Debug)]
pub struct LinearWeights {
    /// `[out, in]`
    pub weight: Vec<f32>,
    /// `[out]`
    pub bias: Vec<f32>,
    /// `[out]`: what the result is scaled by (a layer scale).
    pub scale: Option<Vec<f32>>,
}

/// An affine map with its weight packed.
#[derive(Clone, Debug)]
struct Linear {
    packed: Vec<f32>,
    bias: Vec<f32>,
    scale: Option<Vec<f32>>,
}

impl Linear {
    fn new(what: &'static str, from: LinearWeights, outputs: usize, inputs: usize) -> Result<Self, ShapeError> {
        check(what, outputs * inputs, from.weight.len())?;
        check(what, outputs, from.bias.len())?;
        if let Some(scale) = &from.scale {
            check(what, outputs, scale.len())?;
        }
        let mut packed = vec![0.0; outputs.next_multiple_of(PANEL) * inputs];
        // SAFETY: the weight holds `outputs · inputs` values (checked), the target its padded columns.
        unsafe { pack_columns(from.weight.as_ptr(), (inputs, 1), (outputs, inputs), packed.as_mut_ptr()) };
        Ok(Self { packed, bias: from.bias, scale: from.scale })
    }

    fn call(&self) -> LinearCall {
        let scale = self.scale.as_ref().map_or(core::ptr::null(), |s| s.as_ptr());
        LinearCall { weight: self.packed.as_ptr(), bias: self.bias.as_ptr(), scale }
    }
}

impl NormWeights {
    fn check(&self, what: &'static str, width: usize) -> Result<(), ShapeError> {
        check(what, width, self.gamma.len())?;
        check(what, width, self.beta.len())
    }

    fn call(&self) -> NormCall {
        NormCall { gamma: self.gamma.as_ptr(), beta: self.beta.as_ptr() }
    }
}

pub(crate) fn check(what: &'static str, expected: usize, found: usize) -> Result<(), ShapeError> {
    if expected == found { Ok(()) } else { Err(ShapeError { what, expected, found }) }
}

/// Memory that blocks of one tower share; grows to what the largest of them needs.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    normed: Vec<f32>,
    wide: Vec<f32>,
    scores: Vec<f32>,
    packed: Vec<f32>,
}

impl Workspace {
    fn fit(&mut self, tokens: usize, shape: &Shape) {
        let padded = tokens.next_multiple_of(PANEL);
        let at_least = |values: &mut Vec<f32>, count: usize| {
            if values.len() < count {
                values.resize(count, 0.0);
            }
        };
        at_least(&mut self.normed, tokens * shape.width);
        at_least(&mut self.wide, tokens * (3 * shape.width).max(shape.mlp_width));
        at_least(&mut self.scores, tokens * padded);
        at_least(&mut self.packed, 2 * padded * (shape.width / shape.heads));
    }
}

/// Runs the block whose [`BlockCall`] lies at an address, somewhere else than in this module.
pub type Runner = fn(address: usize);

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

    /// Replaces tokens `[tokens, width]` by those after the block; `elsewhere` says who computes, if not
    /// this module.
    ///
    /// # Errors
    /// [`ShapeError`] where `x` holds no whole number of tokens.
    pub fn forward(&self, x: &mut [f32], space: &mut Workspace, elsewhere: Option<Runner>) -> Result<(), ShapeError> {
        let Shape { width, heads, mlp_width, quick_gelu, eps } = self.shape;
        let tokens = x.len() / width;
        check("tokens", tokens * width, x.len())?;
        space.fit(tokens, &self.shape);
        let call = BlockCall {
            tokens,
            width,
            heads,
            head_width: width / heads,
            mlp_width,
            activation: u32::from(quick_gelu),
            eps,
            ln1: self.ln1.call(),
            qkv: self.qkv.call(),
            out: self.out.call(),
            ln2: self.ln2.call(),
            fc1: self.fc1.call(),
            fc2: self.fc2.call(),
            x: x.as_mut_ptr(),
            normed: space.normed.as_mut_ptr(),
            wide: space.wide.as_mut_ptr(),
            scores: space.scores.as_mut_ptr(),
            packed: space.packed.as_mut_ptr(),
        };
        match elsewhere {
            Some(run) => run(&raw const call as usize),
            // SAFETY: the weights were checked by `new`, the workspace fits, and all of it is borrowed here.
            None => unsafe { run_block(&call) },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SHAPE: Shape = Shape { width: 16, heads: 2, mlp_width: 32, quick_gelu: false, eps: 1e-6 };

    fn norm() -> NormWeights {
        NormWeights { gamma: vec![1.0; 16], beta: vec![0.5; 16] }
    }

    fn linear(outputs: usize, inputs: usize) -> LinearWeights {
        let weight = (0..outputs * inputs).map(|i| ((i * 29) % 17) as f32 * 0.02 - 0.16).collect();
        LinearWeights { weight, bias: vec![0.1; outputs], scale: None }
    }

    fn linears() -> [LinearWeights; 4] {
        [linear(48, 16), linear(16, 16), linear(32, 16), linear(16, 32)]
    }

    #[test]
    fn weights_and_tokens_of_another_size_are_refused() {
        let mut wrong = linears();
        wrong[2].bias.pop();
        let error = FrozenBlock::new(SHAPE, [norm(), norm()], wrong).unwrap_err();
        assert_eq!(error, ShapeError { what: "fc1", expected: 32, found: 31 });
        for shape in [Shape { heads: 3, ..SHAPE }, Shape { heads: 4, ..SHAPE }, Shape { heads: 0, ..SHAPE }] {
            assert!(!shape.is_supported());
            assert!(FrozenBlock::new(shape, [norm(), norm()], linears()).is_err());
        }
        let block = FrozenBlock::new(SHAPE, [norm(), norm()], linears()).unwrap();
        assert!(block.forward(&mut [0.0; 17], &mut Workspace::default(), None).is_err());
    }

    #[test]
    fn a_used_workspace_changes_nothing() {
        let block = FrozenBlock::new(SHAPE, [norm(), norm()], linears()).unwrap();
        let tokens: Vec<f32> = (0..11 * 16).map(|i| ((i * 31) % 23) as f32 * 0.1 - 1.0).collect();
        let run = |space: &mut Workspace, count: usize| {
            let mut x = tokens[..count * 16].to_vec();
            block.forward(&mut x, space, None).unwrap();
            x
        };
        let mut used = Workspace::default();
        let (long, short) = (run(&mut used, 11), run(&mut used, 5));
        assert_eq!(short, run(&mut Workspace::default(), 5));
        assert_eq!(long, run(&mut used, 11));
        assert_ne!(long[..5 * 16], short[..], "more tokens, another result");
    }

    #[test]
    fn whoever_computes_elsewhere_is_given_the_whole_call() {
        let block = FrozenBlock::new(SHAPE, [norm(), norm()], linears()).unwrap();
        let (mut here, mut there) = (vec![0.25; 48], vec![0.25; 48]);
        here[7] = 2.0;
        there[7] = 2.0;
        block.forward(&mut here, &mut Workspace::default(), None).unwrap();
        // SAFETY: the address is that of the call that `forward` has just made.
        let elsewhere: Runner = |address| unsafe { run_block(&*(address as *const BlockCall)) };
        block.forward(&mut there, &mut Workspace::default(), Some(elsewhere)).unwrap();
        assert_eq!(here, there);
        assert_ne!(here[7], 2.0);
    }
}
