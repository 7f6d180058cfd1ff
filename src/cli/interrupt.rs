//! Stopping on request: Ctrl-C, or `kill` without a number.
//!
//! Comes in: a signal. Goes out: the process, ended by that signal as if nothing had caught it, after what
//! was being written is removed. A hang-up is ignored, so that `nohup` works; what that leaves behind
//! is removed by the next run. Elsewhere than on Unix signals end the process at once.

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
        if let Some(signal) = signals.forever().next() {
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
