//! The separate WebAssembly module: one function, on memory that another module owns.

use crate::raw::{BlockCall, run_block};

/// Runs one block on the description at `call`.
///
/// # Safety
/// As [`run_block`]; `call` is an address in the imported memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn block(call: *const BlockCall) {
    // SAFETY: the caller keeps to the contract of `run_block`, which is this function's own.
    unsafe { run_block(&*call) }
}

/// Nothing here panics; the compiler asks for it all the same.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
