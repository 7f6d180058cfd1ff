//! One block, put together.
//!
//! ```text
//! x += ls1 · out(attention(ln1 x))
//! x += ls2 · fc2(gelu(fc1(ln2 x)))
//! ```

use super::elementwise::activate;
use super::lane::square_root;
use super::linear::{LinearCall, Scratch, linear};
use super::matmul::{Epilogue, Operands, PANEL, multiply, pack_columns};
use super::norm::layer_norm;
use super::softmax::softmax;

/// Weights of a layer norm.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct NormCall {
    /// `[width]`
    pub gamma: *const f32,
    /// `[width]`
    pub beta: *const f32,
}

/// All a block needs, by address. The layout is the same in every module of one target.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct BlockCall {
    /// Tokens.
    pub tokens: usize,
    /// Token width, a multiple of [`PANEL`], as are the width of a head and `mlp_width`.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// `width / heads`
    pub head_width: usize,
    /// Width of the hidden layer.
    pub mlp_width: usize,
    /// 0 is GELU, 1 QuickGELU.
    pub activation: u32,
    /// Added to variances.
    pub eps: f32,
    /// Before attention.
    pub ln1: NormCall,
    /// Query, key and value at once.
    pub qkv: LinearCall,
    /// After attention.
    pub out: LinearCall,
    /// Before the hidden layer.
    pub ln2: NormCall,
    /// Into the hidden layer.
    pub fc1: LinearCall,
    /// Out of it.
    pub fc2: LinearCall,
    /// In and out: `[tokens, width]`.
    pub x: *mut f32,
    /// `[tokens, width]`
    pub normed: *mut f32,
    /// `[tokens, max(3 · width, mlp_width)]`
    pub wide: *mut f32,
    /// `[tokens, tokens rounded up to PANEL]`
    pub scores: *mut f32,
    /// `[tokens rounded up to PANEL, head width]`, twice.
    pub packed: *mut f32,
    /// For weights that are not f32.
    pub scratch: Scratch,
}

/// Runs a block on `call.x` in place.
///
/// # Safety
/// Every address is good for the values its field names, and no two of the changing ones overlap.
pub unsafe fn run_block(call: &BlockCall) {
    let BlockCall { tokens, width, mlp_width, eps, x, normed, wide, .. } = *call;
    let map = |weights: &LinearCall, from: (*const f32, usize), to: (*mut f32, usize), epilogue: Epilogue| {
        // SAFETY: the call's promises.
        unsafe { linear(weights, from, to, tokens, epilogue, &call.scratch) }
    };
    let residual = |weights: &LinearCall| Epilogue::Residual { bias: weights.bias, scale: weights.scale };
    // SAFETY: all of the call's promises.
    unsafe {
        layer_norm((x, normed), (tokens, width), (call.ln1.gamma, call.ln1.beta), eps);
        map(&call.qkv, (normed, width), (wide, 3 * width), Epilogue::Bias(call.qkv.bias));
        attention(call);
        map(&call.out, (normed, width), (x, width), residual(&call.out));

        layer_norm((x, normed), (tokens, width), (call.ln2.gamma, call.ln2.beta), eps);
        map(&call.fc1, (normed, width), (wide, mlp_width), Epilogue::Bias(call.fc1.bias));
        activate(wide, tokens * mlp_width, call.activation);
        map(&call.fc2, (wide, mlp_width), (x, width), residual(&call.fc2));
    }
}

/// Attention of all heads, from `wide` (query, key, value side by side) to `normed`.
///
/// # Safety
/// As [`run_block`].
unsafe fn attention(call: &BlockCall) {
    let BlockCall { tokens, width, heads, head_width, .. } = *call;
    let padded = tokens.div_ceil(PANEL) * PANEL;
    let row = 3 * width;
    let scale = 1.0 / square_root(head_width as f32);
    for head in 0..heads {
        // SAFETY: the parts of this head lie inside `wide` and `normed`, the rest is the call's promise.
        unsafe {
            let query = call.wide.add(head * head_width);
            let (key, value) = (query.add(width), query.add(2 * width));
            let (packed_key, packed_value) = (call.packed, call.packed.add(padded * head_width));
            pack_columns(key, (head_width, 1), (tokens, row), packed_key);
            pack_columns(value, (tokens, row), (head_width, 1), packed_value);
            let scores = Operands {
                a: query,
                a_step: row,
                b: packed_key,
                c: call.scores,
                c_step: padded,
                rows: tokens,
                depth: head_width,
                columns: tokens,
            };
            multiply(&scores, Epilogue::Store);
            softmax(call.scores, tokens, (tokens, padded), scale);
            let mixed = Operands {
                a: call.scores,
                a_step: padded,
                b: packed_value,
                c: call.normed.add(head * head_width),
                c_step: width,
                rows: tokens,
                depth: tokens,
                columns: head_width,
            };
            multiply(&mixed, Epilogue::Store);
        }
    }
}
