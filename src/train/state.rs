//! What a run keeps on disk so that it can resume after any interruption.
//!
//! Comes in: settings, trained tensors, progress. Goes out: the same after a restart. Every file is
//! written beside its place and moved there when it is complete, so there is always a whole one. One
//! process at a time has the folder; only files of a run's own are ever removed from it. Fails with
//! [`TrainError::Save`], [`TrainError::State`], [`TrainError::OtherRun`], [`TrainError::Busy`] and
//! [`TrainError::ForeignState`].

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, TensorView};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::disk::own_files::{remove_own, stranger};
use crate::disk::whole::is_unfinished;
use crate::disk::{LockError, PathLock, write_whole};
use crate::train::error::TrainError;
use crate::train::parameters::Saved;
use crate::train::progress::Progress;

/// What one file holds.
type Contents = (Vec<Saved>, Option<String>);

/// The folder of a run.
pub struct StateFolder {
    folder: PathBuf,
    lock: PathLock,
}

/// Tokens of all pictures.
pub const TOKENS: &str = "tokens.f32";
/// Which files they were made from.
pub const PICTURES: &str = "pictures.json";
const LOCK: &str = "lock";
const SETTINGS: &str = "settings.json";
pub(super) const STATE: &str = "state.safetensors";
const BEST: &str = "best.safetensors";
const PROGRESS_KEY: &str = "progress";

impl StateFolder {
    /// Opens the folder beside the bundle to be written, or makes it.
    ///
    /// # Errors
    /// [`TrainError::ForeignState`] if it holds something that no run wrote, [`TrainError::Busy`] where
    /// another process has it, [`TrainError::OtherRun`] if a run with other settings is in it.
    pub fn open(out: &Path, settings: &impl Serialize) -> Result<Self, TrainError> {
        let folder = state_folder(out)?;
        let lock = Self::lock(&folder)?;
        let this = Self { folder, lock };
        this.sweep()?;
        let wanted = serde_json::to_value(settings).map_err(|e| this.broken(SETTINGS, &e.to_string()))?;
        let path = this.path(SETTINGS);
        match fs::read(&path) {
            Ok(bytes) => {
                let found: serde_json::Value =
                    serde_json::from_slice(&bytes).map_err(|e| this.broken(SETTINGS, &e.to_string()))?;
                if let Some(field) = first_difference(&found, &wanted) {
                    return Err(TrainError::OtherRun { path: this.folder.display().to_string(), field });
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let text = serde_json::to_vec_pretty(&wanted).map_err(|e| this.broken(SETTINGS, &e.to_string()))?;
                write_whole(&path, &text).map_err(|e| this.unsaved(&path, e))?;
            }
            Err(error) => return Err(TrainError::io(&path, error)),
        }
        Ok(this)
    }

    /// Makes sure that the folder is a run's own before anything is written to it.
    fn lock(folder: &Path) -> Result<PathLock, TrainError> {
        let path = || folder.display().to_string();
        let io = |e| TrainError::io(folder, e);
        let foreign = |reason: String| TrainError::ForeignState { path: path(), reason };
        if folder.exists() && !folder.is_dir() {
            return Err(foreign("it is a file".to_owned()));
        }
        if folder.exists()
            && let Some(name) = stranger(folder, is_own).map_err(io)?
        {
            return Err(foreign(format!("it holds {name}, which no run wrote")));
        }
        fs::create_dir_all(folder).map_err(io)?;
        PathLock::take(&folder.join(LOCK)).map_err(|error| match error {
            LockError::Taken => TrainError::Busy { path: path() },
            LockError::Io(error) => io(error),
        })
    }

    /// Removes what a run that was killed was writing.
    fn sweep(&self) -> Result<(), TrainError> {
        let io = |e| TrainError::io(&self.folder, e);
        for entry in fs::read_dir(&self.folder).map_err(io)? {
            let entry = entry.map_err(io)?;
            if is_unfinished(&entry.file_name().to_string_lossy()) {
                fs::remove_file(entry.path()).map_err(io)?;
            }
        }
        Ok(())
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file of the folder that could not be written.
    pub fn unsaved(&self, path: &Path, source: std::io::Error) -> TrainError {
        TrainError::save(path, &self.path(STATE), source)
    }

    /// A file of the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Saves where the run is.
    ///
    /// # Errors
    /// [`TrainError::Save`]; the state saved before is still there then.
    pub fn save(&self, tensors: &[Saved], progress: &Progress) -> Result<(), TrainError> {
        self.write(STATE, tensors, Some(progress))
    }

    /// Saves the best epoch's tensors.
    ///
    /// # Errors
    /// As [`StateFolder::save`].
    pub fn save_best(&self, tensors: &[Saved]) -> Result<(), TrainError> {
        self.write(BEST, tensors, None)
    }

    /// The saved state, if present.
    ///
    /// # Errors
    /// [`TrainError::State`].
    pub fn load(&self) -> Result<Option<(Vec<Saved>, Progress)>, TrainError> {
        let Some((tensors, text)) = self.read(STATE)? else { return Ok(None) };
        let progress = self.parse(text.unwrap_or_default().as_bytes())?;
        Ok(Some((tensors, progress)))
    }

    /// The best epoch's tensors.
    ///
    /// # Errors
    /// [`TrainError::State`] if they are not there.
    pub fn load_best(&self) -> Result<Vec<Saved>, TrainError> {
        Ok(self.read(BEST)?.ok_or_else(|| self.broken(BEST, "it is not there"))?.0)
    }

    /// Removes the files of a finished run, and the folder if nothing else is in it.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn remove(self) -> Result<(), TrainError> {
        let Self { folder, lock } = self;
        let io = |e| TrainError::io(&folder, e);
        remove_own(&folder, |name| is_own(name) && name != LOCK).map_err(io)?;
        // The lock last: until then no other process writes here.
        drop(lock);
        remove_own(&folder, |_| false).map_err(io)
    }

    fn parse<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, TrainError> {
        serde_json::from_slice(bytes).map_err(|e| self.broken(STATE, &e.to_string()))
    }

    fn broken(&self, name: &str, reason: &str) -> TrainError {
        TrainError::State { path: self.path(name).display().to_string(), reason: reason.to_owned() }
    }

    fn write(&self, name: &str, tensors: &[Saved], progress: Option<&Progress>) -> Result<(), TrainError> {
        let mut list: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        let mut metadata = HashMap::new();
        for tensor in tensors {
            list.push((tensor.name.clone(), tensor.shape.clone(), bytes_of(&tensor.values)));
            if let Some((time, first, second)) = &tensor.adam {
                list.push((format!("{}.adam1", tensor.name), tensor.shape.clone(), bytes_of(first)));
                list.push((format!("{}.adam2", tensor.name), tensor.shape.clone(), bytes_of(second)));
                metadata.insert(format!("{}.steps", tensor.name), time.to_string());
            }
        }
        // The order only matters to a person who compares two states.
        let order: Vec<&str> = tensors.iter().map(|t| t.name.as_str()).collect();
        metadata.insert("order".to_owned(), order.join(" "));
        if let Some(progress) = progress {
            let text = serde_json::to_string(progress).map_err(|e| self.broken(name, &e.to_string()))?;
            metadata.insert(PROGRESS_KEY.to_owned(), text);
        }
        let mut views = Vec::with_capacity(list.len());
        for (key, shape, bytes) in &list {
            let view =
                TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(|e| self.broken(name, &e.to_string()))?;
            views.push((key.as_str(), view));
        }
        let bytes = safetensors::serialize(views, Some(metadata)).map_err(|e| self.broken(name, &e.to_string()))?;
        let path = self.path(name);
        write_whole(&path, &bytes).map_err(|e| self.unsaved(&path, e))
    }

    /// Tensors, and the progress saved with them.
    fn read(&self, name: &str) -> Result<Option<Contents>, TrainError> {
        let path = self.path(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(TrainError::io(&path, e)),
        };
        let broken = |e: safetensors::SafeTensorError| self.broken(name, &e.to_string());
        let (_, head) = safetensors::SafeTensors::read_metadata(&bytes).map_err(broken)?;
        let metadata = head.metadata().clone().unwrap_or_default();
        let file = safetensors::SafeTensors::deserialize(&bytes).map_err(broken)?;
        let values = |key: &str| -> Result<Vec<f32>, TrainError> {
            let view = file.tensor(key).map_err(broken)?;
            Ok(view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
        };
        let mut tensors = Vec::new();
        for key in metadata.get("order").map(String::as_str).unwrap_or_default().split_whitespace() {
            let adam = match metadata.get(&format!("{key}.steps")) {
                Some(steps) => {
                    let steps = steps.parse().map_err(|_| self.broken(name, "a step count is no number"))?;
                    Some((steps, values(&format!("{key}.adam1"))?, values(&format!("{key}.adam2"))?))
                }
                None => None,
            };
            let shape = file.tensor(key).map_err(broken)?.shape().to_vec();
            tensors.push(Saved { name: key.to_owned(), shape, values: values(key)?, adam });
        }
        Ok(Some((tensors, metadata.get(PROGRESS_KEY).cloned())))
    }
}

/// Where a run that is to become the bundle `out` is saved.
///
/// # Errors
/// [`TrainError::Out`] if `out` has no name of its own, so that the place would lie inside it.
pub fn state_folder(out: &Path) -> Result<PathBuf, TrainError> {
    let Some(name) = out.file_name() else {
        return Err(TrainError::Out(format!(
            "--out {} has no name of its own; write the folder's name, for example --out models/brain",
            out.display()
        )));
    };
    let mut name = name.to_os_string();
    name.push(".training");
    Ok(out.with_file_name(name))
}

/// Whether a file in the folder of a run is one that a run writes. A run of an older build that was killed
/// may have left files that end in `.unfinished`.
fn is_own(name: &str) -> bool {
    const OLDER: [&str; 5] = ["settings", "state", "best", "tokens", "pictures"];
    let of_older = name.strip_suffix(".unfinished").is_some_and(|stem| OLDER.contains(&stem));
    [LOCK, SETTINGS, STATE, BEST, TOKENS, PICTURES].contains(&name) || is_unfinished(name) || of_older
}

fn bytes_of(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Name of the first field that differs between two objects.
fn first_difference(found: &serde_json::Value, wanted: &serde_json::Value) -> Option<String> {
    if found == wanted {
        return None;
    }
    let (Some(a), Some(b)) = (found.as_object(), wanted.as_object()) else { return Some("its form".to_owned()) };
    let keys = a.keys().chain(b.keys());
    keys.filter(|key| a.get(*key) != b.get(*key)).map(String::clone).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors(value: f32) -> Vec<Saved> {
        let adam = Some((3, vec![0.1, 0.2], vec![0.3, 0.4]));
        vec![
            Saved { name: "z".to_owned(), shape: vec![2], values: vec![value, 2.0], adam },
            Saved { name: "a".to_owned(), shape: vec![1, 1], values: vec![-1.0], adam: None },
        ]
    }

    #[test]
    fn a_state_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("model");
        let state = StateFolder::open(&out, &serde_json::json!({ "seed": 1 })).unwrap();
        assert!(state.load().unwrap().is_none());
        let progress = Progress { done_in_epoch: 4, seconds: 0.1, ..Progress::default() };
        state.save(&tensors(1.0), &progress).unwrap();
        drop(state);
        let again = StateFolder::open(&out, &serde_json::json!({ "seed": 1 })).unwrap();
        assert_eq!(again.load().unwrap().unwrap(), (tensors(1.0), progress));
        drop(again);
        let other = StateFolder::open(&out, &serde_json::json!({ "seed": 2 })).err().unwrap().to_string();
        assert!(other.contains("seed differs"), "{other}");
    }

    #[test]
    fn a_failed_save_leaves_the_old_state() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(&folder.path().join("model"), &1).unwrap();
        // Nothing can be written to a folder that is not there.
        let fails = || state.write("nowhere/x", &tensors(5.0), None).unwrap_err().to_string();
        let error = fails();
        assert!(error.contains("nothing of this run is saved yet") && !error.contains("still there"), "{error}");
        state.save(&tensors(1.0), &Progress::default()).unwrap();
        let error = fails();
        assert!(error.contains("what was saved before is still there"), "{error}");
        assert_eq!(state.load().unwrap().unwrap().0, tensors(1.0));
    }

    #[test]
    fn a_folder_with_something_else_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (out, inner) = (folder.path().join("model"), folder.path().join("model.training"));
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("notes.txt"), "mine").unwrap();
        let error = StateFolder::open(&out, &1).err().unwrap().to_string();
        assert!(error.contains("notes.txt") && error.contains("another --out"), "{error}");
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 1, "nothing is written to it");
        fs::remove_file(inner.join("notes.txt")).unwrap();
        // What comes while a run goes on stays too.
        let state = StateFolder::open(&out, &1).unwrap();
        fs::write(inner.join("notes.txt"), "mine").unwrap();
        state.save(&tensors(1.0), &Progress::default()).unwrap();
        state.remove().unwrap();
        assert_eq!(fs::read(inner.join("notes.txt")).unwrap(), b"mine");
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 1);
    }

    #[test]
    fn one_run_at_a_time_and_what_a_killed_one_was_writing_goes() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("model");
        let state = StateFolder::open(&out, &1).unwrap();
        let error = StateFolder::open(&out, &1).err().unwrap().to_string();
        assert!(error.contains("another run") && error.contains("model.training"), "{error}");
        fs::write(state.path(".mvfa-x.unfinished"), "half").unwrap();
        drop(state);
        let state = StateFolder::open(&out, &1).unwrap();
        assert!(!state.path(".mvfa-x.unfinished").exists());
        state.remove().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_needs_a_name() {
        for out in [".", "..", "a/..", "/"] {
            let error = state_folder(Path::new(out)).unwrap_err().to_string();
            assert!(error.contains("no name of its own"), "{error}");
        }
        assert_eq!(state_folder(Path::new("a/b/")).unwrap(), Path::new("a/b.training"));
    }

    #[test]
    fn a_damaged_state_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(&folder.path().join("model"), &1).unwrap();
        fs::write(state.path(STATE), b"not a state").unwrap();
        assert!(matches!(state.load(), Err(TrainError::State { .. })));
    }
}
