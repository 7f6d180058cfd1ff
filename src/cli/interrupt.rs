//! Stopping on request: Ctrl-C, or `kill` without a number.
//!
//! Comes in: a signal. Goes out: the process, ended by that signal as if nothing had caught it, after what
//! was being written is removed. A run that has asked to be told first ([`ask_first`]) stops by itself at the first signal
//! and writes what it has; the second ends it. A hang-up is ignored, so that `nohup` works; what that leaves behind
//! is removed by the next run. Elsewhere than on Unix signals end the process at once.

use std::sync::atomic::{AtomicBool, Ordering};

/// A run wants to stop by itself.
static ASKS_FIRST: AtomicBool = AtomicBool::new(false);
/// A signal came to such a run.
static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// From now on the first signal only sets [`is_asked`].
pub(super) fn ask_first() {
    ASKS_FIRST.store(true, Ordering::Relaxed);
}

/// Whether the run should stop.
pub(super) fn is_asked() -> bool {
    IS_ASKED.load(Ordering::Relaxed)
}

/// Watches for signals from now on.
#[cfg(unix)]
pub(super) fn watch() {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    use crate::disk::unfinished;

    // Without a thread to watch them, signals do what they did.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if ASKS_FIRST.load(Ordering::Relaxed) && !IS_ASKED.swap(true, Ordering::Relaxed) {
                super::terminal::tell("mvfa: stopping; what is finished is written. Once more stops at once");
                continue;
            }
            unfinished::remove_all();
            if emulate_default_handler(signal).is_err() {
                std::process::exit(128 + signal);
            }
        }
    });
}

/// Does nothing here.
#[cfg(not(unix))]
pub(super) fn watch() {}
