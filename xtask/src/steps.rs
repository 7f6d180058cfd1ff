//! Named steps with their times, and the summary at the end.
//!
//! A step that fails does not stop the others; a step whose input is missing is left out and says
//! which step it needed.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::Result;

/// How a step ended.
enum Outcome {
    Passed,
    Failed(String),
    LeftOut(String),
}

/// The record of one run.
#[derive(Default)]
pub struct Steps {
    rows: Vec<(String, Duration, Outcome)>,
}

impl Steps {
    /// Runs one step.
    pub fn run(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = match work() {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                println!("{name} failed: {error:#}");
                Outcome::Failed(format!("{error:#}"))
            }
        };
        let passed = matches!(outcome, Outcome::Passed);
        let time = start.elapsed();
        println!("== {name}: {} in {:.1} s", if passed { "passed" } else { "failed" }, time.as_secs_f64());
        self.rows.push((name.to_owned(), time, outcome));
        passed
    }

    /// Records a step that cannot run, with the reason.
    pub fn leave_out(&mut self, name: &str, reason: impl Into<String>) {
        let reason = reason.into();
        println!("\n== {name}: left out, {reason}");
        self.rows.push((name.to_owned(), Duration::ZERO, Outcome::LeftOut(reason)));
    }

    /// Whether nothing failed.
    pub fn all_passed(&self) -> bool {
        !self.rows.iter().any(|(_, _, outcome)| matches!(outcome, Outcome::Failed(_)))
    }

    /// One line a step, and the counts as the last line.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        let (mut passed, mut failed, mut left_out) = (0, 0, 0);
        for (name, time, outcome) in &self.rows {
            let word = match outcome {
                Outcome::Passed => {
                    passed += 1;
                    "passed".to_owned()
                }
                Outcome::Failed(reason) => {
                    failed += 1;
                    format!("FAILED: {reason}")
                }
                Outcome::LeftOut(reason) => {
                    left_out += 1;
                    format!("left out: {reason}")
                }
            };
            let _ = writeln!(text, "{:>8.1} s  {name}: {word}", time.as_secs_f64());
        }
        let _ = write!(text, "{passed} passed, {failed} failed");
        if left_out > 0 {
            let _ = write!(text, ", {left_out} left out");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_every_kind_of_step() {
        let mut steps = Steps::default();
        assert!(steps.run("a", || Ok(())));
        assert!(steps.all_passed());
        assert!(!steps.run("b", || anyhow::bail!("no luck")));
        steps.leave_out("c", "it needs b");
        assert!(!steps.all_passed());
        let summary = steps.summary();
        assert!(summary.contains("b: FAILED: no luck"));
        assert!(summary.ends_with("1 passed, 1 failed, 1 left out"));
    }
}
