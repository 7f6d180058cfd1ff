//! The second WebAssembly module: blocks of the CPU tier with fused multiply-add.
//!
//! Comes in: its function, from the worker, which loads it if the browser has relaxed SIMD. Goes
//! out: a [`Runner`] for the processor's device. It works in this module's memory and on a
//! stack that this module gives it. A trap in it becomes a trap here.

use std::cell::RefCell;

use js_sys::Function;
use mvfa_kernels::Runner;
use wasm_bindgen::prelude::*;

use crate::compute;

/// The arithmetic keeps its values in registers; what little it spills fits many times.
const STACK_BYTES: usize = 64 * 1024;

thread_local! {
    static BLOCK: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Memory for the other module's stack; answers its upper end, where a stack begins.
#[wasm_bindgen(js_name = kernelStack)]
pub fn kernel_stack() -> usize {
    // Never given back: the other module keeps it for as long as this one lives.
    let stack: &'static [u128] = vec![0u128; STACK_BYTES / size_of::<u128>()].leak();
    stack.as_ptr_range().end as usize
}

/// From now on `block(address)` of the other module computes the blocks of models that are opened.
#[wasm_bindgen(js_name = useKernels)]
pub fn use_kernels(block: Function) {
    BLOCK.set(Some(block));
}

/// The other module, if it is loaded.
pub(crate) fn runner() -> Option<Runner> {
    BLOCK.with_borrow(Option::is_some).then_some(run as Runner)
}

fn run(address: usize) {
    BLOCK.with_borrow(|block| {
        let answer = block.as_ref().map(|b| b.call1(&JsValue::NULL, &JsValue::from_f64(address as f64)));
        if let Some(Err(trap)) = answer {
            wasm_bindgen::throw_val(trap);
        }
    });
}

/// Warms up the arithmetic of blocks while the model is loading.
#[wasm_bindgen(js_name = warmUp)]
pub fn warm_up() {
    compute::warm_up(runner());
}
