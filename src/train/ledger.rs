//! Which files the tokens of a run were made from.
//!
//! Comes in: every file that is opened, and the sources that became tokens. Goes out: a list beside
//! the tokens. A resumed run reads masks and labels anew and pairs them with the tokens by
//! number, so it fails with [`TrainError::OtherPictures`] if the files are not what they were.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bundle::shard::sha256_hex;
use crate::disk::write_whole;
use crate::eval::Dataset;
use crate::train::error::TrainError;

/// What a run calls its files. Slices of volumes lie in a folder of this run alone: what is kept for a later one names the data
/// set in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileNames(Vec<(String, String)>);

impl FileNames {
    /// Of the data sets of a run.
    pub fn of(opened: &[Dataset]) -> Self {
        let text = |path: &Path| path.display().to_string();
        let renamed = opened.iter().filter(|set| set.root() != set.named());
        Self(renamed.map(|set| (text(set.root()), text(set.named()))).collect())
    }

    /// A text with paths in it.
    pub fn kept(&self, text: String) -> String {
        self.0.iter().fold(text, |text, (root, named)| text.replace(root.as_str(), named))
    }
}

/// Files and the sources made of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// SHA-256 by path; none for a file that could not be read.
    files: BTreeMap<String, Option<String>>,
    /// Sources that have tokens, in the order of the records.
    records: Vec<String>,
    #[serde(skip)]
    names: FileNames,
}

impl Ledger {
    /// Of a run with data sets of these names.
    pub fn new(names: FileNames) -> Self {
        Self { names, ..Self::default() }
    }

    /// Adds a file that was opened: its bytes, or that there were none to be had.
    pub fn opened(&mut self, path: &Path, bytes: Option<&[u8]>) {
        self.files.insert(self.names.kept(path.display().to_string()), bytes.map(sha256_hex));
    }

    /// Adds the source of the next record.
    pub fn record(&mut self, source: String) {
        self.records.push(self.names.kept(source));
    }

    /// Compares with the list at `path`, or writes it if missing; `unsaved` makes the error if it cannot.
    ///
    /// # Errors
    /// [`TrainError::OtherPictures`], [`TrainError::State`], [`TrainError::Io`], what `unsaved` answers.
    pub fn keep(
        &self,
        path: &Path,
        unsaved: impl FnOnce(&Path, std::io::Error) -> TrainError,
    ) -> Result<(), TrainError> {
        let broken =
            |e: serde_json::Error| TrainError::State { path: path.display().to_string(), reason: e.to_string() };
        if !path.exists() {
            let text = serde_json::to_vec_pretty(self).map_err(broken)?;
            return write_whole(path, &text).map_err(|e| unsaved(path, e));
        }
        let bytes = std::fs::read(path).map_err(|e| TrainError::io(path, e))?;
        let before: Self = serde_json::from_slice(&bytes).map_err(broken)?;
        match self.difference(&before) {
            None => Ok(()),
            Some(what) => {
                let folder = path.parent().unwrap_or(path).display().to_string();
                Err(TrainError::OtherPictures { path: folder, what })
            }
        }
    }

    /// What is not as it was, in words.
    fn difference(&self, before: &Self) -> Option<String> {
        // Other contents first: which files are looked at may follow from them.
        let mut both = self.files.iter().filter_map(|(path, now)| Some((path, before.files.get(path)?, now)));
        if let Some((path, then, now)) = both.find(|(_, then, now)| then != now) {
            let what = match (then, now) {
                (_, None) => "cannot be read any more",
                (None, _) => "could not be read then",
                _ => "has other contents",
            };
            return Some(format!("{path} {what}"));
        }
        if let Some(path) = self.files.keys().find(|path| !before.files.contains_key(*path)) {
            return Some(format!("{path} was not looked at then"));
        }
        if let Some(path) = before.files.keys().find(|path| !self.files.contains_key(*path)) {
            return Some(format!("{path} was looked at then and is not now"));
        }
        (self.records != before.records).then(|| "other pictures were left out".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(files: &[(&str, Option<&[u8]>)], records: &[&str]) -> Ledger {
        let mut ledger = Ledger::default();
        files.iter().for_each(|(path, bytes)| ledger.opened(Path::new(path), *bytes));
        records.iter().for_each(|r| ledger.record((*r).to_owned()));
        ledger
    }

    #[test]
    fn only_the_same_files_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pictures.json");
        let first = ledger(&[("a", Some(b"1")), ("b", None)], &["a"]);
        first.keep(&path, TrainError::io).unwrap();
        first.clone().keep(&path, TrainError::io).unwrap();
        let others = [
            (ledger(&[("a", Some(b"2")), ("b", None)], &["a"]), "a has other contents"),
            (ledger(&[("a", None), ("b", None)], &["a"]), "a cannot be read any more"),
            (ledger(&[("a", Some(b"1")), ("b", Some(b"1"))], &["a", "b"]), "b could not be read then"),
            (ledger(&[("a", Some(b"2")), ("0", None)], &["a"]), "a has other contents"),
            (ledger(&[("a", Some(b"1"))], &["a"]), "b was looked at then"),
            (ledger(&[("a", Some(b"1")), ("b", None), ("c", None)], &["a"]), "c was not looked at then"),
            (ledger(&[("a", Some(b"1")), ("b", None)], &[]), "other pictures were left out"),
        ];
        for (other, words) in others {
            let error = other.keep(&path, TrainError::io).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("remove the folder"), "{error}");
        }
    }
}
