//! Something a person should know about a data set before its figures are believed.
//!
//! Comes in: what was found, with the files it was found in. Goes out: one sentence for each kind, with the first few
//! names. Cannot fail.

use serde::Serialize;

use super::words::Part;

/// Names that stand in a sentence; the others are counted.
const NAMED: usize = 4;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing can be measured.
    Error,
    /// Figures can be made, but may mean something else than is thought.
    Warning,
}

/// One thing to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// The part it is about, if it is about one.
    pub part: Option<Part>,
    /// A name for programs, such as `empty-mask`.
    pub code: &'static str,
    /// A sentence without a full stop at its end.
    pub text: String,
    /// All files or folders that it is about.
    pub files: Vec<String>,
}

impl Finding {
    /// An error about the whole set.
    pub fn error(code: &'static str, text: String) -> Self {
        Self { level: Level::Error, part: None, code, text, files: Vec::new() }
    }

    /// A warning about the whole set.
    pub fn warning(code: &'static str, text: String) -> Self {
        Self { level: Level::Warning, part: None, code, text, files: Vec::new() }
    }

    /// A warning about files: what they are, their names, and what follows from it.
    pub fn about(code: &'static str, subject: &str, files: Vec<String>, consequence: &str) -> Self {
        let text = format!("{subject}: {}{consequence}", listed(&files));
        Self { level: Level::Warning, part: None, code, text, files }
    }
}

impl Finding {
    /// The same, about one part of the set.
    pub(crate) fn of_part(self, part: Part) -> Self {
        Self { part: Some(part), ..self }
    }

    /// The same, about the set in this folder, where there are several.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn of_set(&self, folder: &std::path::Path) -> Self {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        Self { text: format!("{name}: {}", self.text), ..self.clone() }
    }
}

/// The first few names, and how many more there are.
pub fn listed(names: &[String]) -> String {
    let shown = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A number and its noun: `1 picture`, `2 pictures`.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_counted() {
        let names: Vec<String> = (1..=6).map(|n| n.to_string()).collect();
        assert_eq!(listed(&names[..2]), "1, 2");
        assert_eq!(listed(&names), "1, 2, 3, 4 and 2 more");
        assert_eq!((counted(1, "mask"), counted(0, "mask")), ("1 mask".to_owned(), "0 masks".to_owned()));
        let finding = Finding::about("equal-names", "2 pictures share a name", names[..2].to_vec(), "; rename one");
        assert_eq!(finding.text, "2 pictures share a name: 1, 2; rename one");
    }
}
