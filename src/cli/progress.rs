//! Progress on standard error, only on a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::interrupt;
use crate::mvfa::{Cancelled, Pacer, Progress};

/// A bar with `total` steps; invisible where standard error is no terminal.
pub(super) fn bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{msg:24} [{bar:32}] {pos}/{len}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

/// A spinner for work of unknown length.
pub(super) fn waiting(what: &'static str) -> ProgressBar {
    let sign = ProgressBar::new_spinner();
    sign.set_draw_target(ProgressDrawTarget::stderr());
    sign.set_message(what);
    sign.enable_steady_tick(Duration::from_millis(120));
    sign
}

/// Shows the engine's steps.
pub(super) struct TerminalPacer {
    bar: ProgressBar,
    start: Instant,
    /// Which slice of how many it is, and a blank; empty for one.
    place: String,
}

impl TerminalPacer {
    pub(super) fn new() -> Self {
        Self::of(0, 1)
    }

    /// For a part of the work, from 0, of so many.
    pub(super) fn of(part: usize, parts: usize) -> Self {
        let place = if parts > 1 { format!("{}/{parts} ", part + 1) } else { String::new() };
        Self { bar: bar(0), start: Instant::now(), place }
    }

    /// Takes the bar away, so that a line can be printed.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Pacer for TerminalPacer {
    async fn step(&mut self, progress: Progress) -> Result<(), Cancelled> {
        if self.bar.is_finished() {
            self.bar.reset();
        }
        if interrupt::is_asked() {
            return Err(Cancelled);
        }
        self.bar.set_message(format!("{}{}", self.place, progress.stage.name()));
        self.bar.set_length(progress.total as u64);
        self.bar.set_position(progress.done as u64);
        Ok(())
    }

    fn now_ms(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1000.0
    }
}
