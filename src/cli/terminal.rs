//! Output of the command line; names from files cannot control the terminal.
//!
//! Comes in: a line that may hold the names of pictures, models and data sets. Goes out: the same with
//! every character that moves the cursor, changes colours or turns the direction of writing shown as an
//! escape. Fails with [`StdoutClosed`] if nobody reads standard output any more.

use std::io::{self, ErrorKind, Write};

use anyhow::Result;

/// Standard output does not take more; nothing that is still to come would be seen.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output")]
pub(super) struct StdoutClosed(#[source] io::Error);

impl StdoutClosed {
    /// Whether the reader has seen enough, as `head` does.
    pub(super) fn is_broken_pipe(&self) -> bool {
        self.0.kind() == ErrorKind::BrokenPipe
    }
}

/// Writes one line for people to standard output.
///
/// # Errors
/// [`StdoutClosed`].
pub(super) fn say(line: &str) -> Result<()> {
    print(&plain(line))
}

/// Writes one line of JSON to standard output.
///
/// # Errors
/// [`StdoutClosed`].
pub(super) fn say_json(line: &str) -> Result<()> {
    print(&plain_json(line))
}

/// Writes one line to standard error. If that is closed, nobody can be informed.
pub(super) fn tell(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", plain(line));
}

/// `text` with everything that steers a terminal as an escape of Rust.
pub(super) fn plain(text: &str) -> String {
    escaped(text, |c| c.escape_default().to_string())
}

/// Such characters occur within strings only, where JSON has an escape for them. None lies beyond 16 bits.
fn plain_json(text: &str) -> String {
    escaped(text, |c| format!("\\u{:04x}", u32::from(c)))
}

fn escaped(text: &str, escape: impl Fn(char) -> String) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if steers(c) {
            out.push_str(&escape(c))
        } else {
            out.push(c)
        }
        out
    })
}

/// Control characters, and those that turn the direction of writing or end a line.
fn steers(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns
}

fn print(line: &str) -> Result<()> {
    writeln!(io::stdout().lock(), "{line}").map_err(|e| StdoutClosed(e).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        let name = "a\u{1b}[2J\n\u{9b}31m\u{202e}gpj.ü 腦\u{7f}";
        assert_eq!(plain(name), "a\\u{1b}[2J\\n\\u{9b}31m\\u{202e}gpj.ü 腦\\u{7f}");
        let line = serde_json::json!({ "image": name }).to_string();
        let shown = plain_json(&line);
        assert!(!shown.chars().any(steers), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap()["image"], name);
    }
}
