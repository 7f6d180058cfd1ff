//! Warm-up of the arithmetic of packed blocks.
//!
//! Takes a runner and returns nothing. A browser first compiles a function fast and badly, and recompiles it in the
//! background once it is hot; a running call never switches. So we run small blocks while the model downloads.

use mvfa_kernels::{FrozenBlock, LinearWeights, Matrix, NormWeights, Runner, Shape, Way, Workspace};

/// Some milliseconds of work, even compiled badly.
const SHAPE: Shape = Shape { width: 128, heads: 2, mlp_width: 512, quick_gelu: false, eps: 1e-6 };
const TOKENS: usize = 64;
const RUNS: usize = 4;

/// Runs small blocks with weights of every type, by `runner`, if present.
pub(crate) fn warm_up(runner: Option<Runner>) {
    let matrices: [fn(usize, usize) -> Matrix; 3] = [
        |outputs, inputs| Matrix::F16(vec![0; outputs * inputs]),
        |outputs, inputs| Matrix::I8 { integers: vec![0; outputs * inputs], steps: vec![0.0; outputs] },
        |outputs, inputs| Matrix::F32(vec![0.0; outputs * inputs]),
    ];
    let (mut space, mut tokens) = (Workspace::default(), vec![0.5; TOKENS * SHAPE.width]);
    for block in matrices.map(block) {
        for _ in 0..RUNS {
            let _ = block
                .as_ref()
                .map(|block| block.forward(&mut tokens, &mut space, Way { elsewhere: runner, by_bytes: true }));
        }
    }
}

fn block(matrix: fn(usize, usize) -> Matrix) -> Option<FrozenBlock> {
    let Shape { width, mlp_width, .. } = SHAPE;
    let norm = || NormWeights { gamma: vec![1.0; width], beta: vec![0.0; width] };
    let linears = [(3 * width, width), (width, width), (mlp_width, width), (width, mlp_width)];
    let linears = linears.map(|(outputs, inputs)| LinearWeights {
        weight: matrix(outputs, inputs),
        bias: vec![0.0; outputs],
        scale: None,
    });
    FrozenBlock::new(SHAPE, [norm(), norm()], linears).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_something_to_run() {
        warm_up(None);
        let halves = block(|outputs, inputs| Matrix::F16(vec![0; outputs * inputs]));
        assert!(halves.is_some_and(|block| !block.has_bytes()));
        let bytes = |outputs, inputs| Matrix::I8 { integers: vec![0; outputs * inputs], steps: vec![0.0; outputs] };
        assert!(block(bytes).is_some_and(|block| block.has_bytes()));
    }
}
