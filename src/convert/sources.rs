//! What a bundle is made from: a checkpoint, and perhaps adapters beside it.
//!
//! Comes in: files by name. Goes out: both, opened, and what is told of them before anything is written. Fails with
//! [`BundleError`] as the readers do.

use std::io;

use crate::bundle::config::Activation;
use crate::bundle::error::BundleError;
use crate::bundle::import::files::{Files, ReadSeek};
use crate::bundle::import::open::{choose_in, is_checkpoint_name};
use crate::bundle::import::{AdapterFile, Checkpoint};
use crate::bundle::manifest::{Dtype, Manifest};
use crate::bundle::quantize::{row_bytes, stored_dtype};
use crate::convert::conversion::tensors;
use crate::convert::options::{ConvertOptions, Told};

/// Opened sources.
pub struct Sources {
    /// The tower, and perhaps words.
    pub checkpoint: Checkpoint,
    /// MVFA's adapters; without, raw block tokens are the features.
    pub adapters: Option<AdapterFile>,
}

/// Some of the files of a set.
struct Without<'a> {
    all: &'a dyn Files,
    left_out: &'a str,
}

impl Files for Without<'_> {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.all.names()?.into_iter().filter(|name| name != self.left_out).collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn ReadSeek>> {
        if name == self.left_out { Err(io::ErrorKind::NotFound.into()) } else { self.all.open(name) }
    }

    fn place(&self, name: &str) -> String {
        self.all.place(name)
    }
}

impl Sources {
    /// Opens a set of files in which nobody said what is what: what holds adapters is taken for them, and the checkpoint
    /// is chosen among the others. Sets the names in the options.
    ///
    /// # Errors
    /// As [`Checkpoint::new`] and [`AdapterFile::of`]; [`BundleError::Options`] if two files hold adapters.
    pub fn find(files: &dyn Files, options: &mut ConvertOptions) -> Result<Self, BundleError> {
        let io = |source: io::Error| BundleError::Io { path: "the files".to_owned(), source };
        let mut adapters: Option<(String, AdapterFile)> = None;
        for name in files.names().map_err(io)?.into_iter().filter(|name| is_checkpoint_name(name)) {
            let found = match AdapterFile::of(files, &name) {
                Ok(found) => found,
                Err(BundleError::UnknownCheckpoint { .. }) => continue,
                Err(damaged) => return Err(damaged),
            };
            if let Some((first, _)) = adapters {
                let reason = format!("both {first} and {name} hold adapters; give one of them");
                return Err(BundleError::Options(reason));
            }
            adapters = Some((name, found));
        }
        let left_out = adapters.as_ref().map_or("", |(name, _)| name);
        let others = Without { all: files, left_out };
        let names = others.names().map_err(io)?;
        if names.is_empty() && !left_out.is_empty() {
            // The reader says what is lacking.
            return Err(Checkpoint::of(files, left_out, options.heads, options.prefix.as_deref())
                .err()
                .unwrap_or_else(|| BundleError::Options("there is no checkpoint among the files".to_owned())));
        }
        let (name, note) = match &names[..] {
            [only] => (only.clone(), None),
            _ => choose_in(&others, "the files")?,
        };
        let mut checkpoint = Checkpoint::of(&others, &name, options.heads, options.prefix.as_deref())?;
        checkpoint.note(note);
        options.clip = name.into();
        let (name, adapters) = adapters.unzip();
        options.adapters = name.map(Into::into);
        Ok(Self { checkpoint, adapters })
    }

    /// What is taken and what is left out, in sentences.
    pub fn tell(&self, options: &ConvertOptions, teller: &mut dyn FnMut(Told<'_>)) {
        for what in self.checkpoint.taken().iter().chain(self.adapters.iter().flat_map(|a| a.notes())) {
            teller(Told::Taken(what));
        }
        teller(Told::Taken(&activation(options.activation, self.checkpoint.trained_with())));
        for what in self.checkpoint.left_out() {
            teller(Told::LeftOut(what));
        }
    }
}

/// Adapters with the name of their file, if no checkpoint is with them.
///
/// # Errors
/// What a damaged file of adapters has wrong.
pub fn adapters_alone(files: &dyn Files) -> Result<Option<(String, AdapterFile)>, BundleError> {
    let names = files.names().map_err(|source| BundleError::Io { path: "the files".to_owned(), source })?;
    let mut names = names.into_iter().filter(|name| is_checkpoint_name(name));
    let (Some(name), None) = (names.next(), names.next()) else { return Ok(None) };
    match AdapterFile::of(files, &name) {
        Ok(adapters) => Ok(Some((name, adapters))),
        Err(BundleError::UnknownCheckpoint { .. }) => Ok(None),
        Err(damaged) => Err(damaged),
    }
}

/// Bytes that the tensors of a bundle take in an element type; headers and text features add less than a hundredth.
pub fn bundle_bytes(manifest: &Manifest, dtype: Dtype) -> u64 {
    let bytes = |name: &str, shape: &[usize], group| {
        let rows = shape.first().copied().unwrap_or(1);
        let row_len = shape.iter().skip(1).product::<usize>();
        (rows * row_bytes(row_len, stored_dtype(name, shape, group, dtype))) as u64
    };
    let lists = tensors(manifest);
    lists.iter().flat_map(|(list, group)| list.iter().map(|(name, shape)| bytes(name, shape, *group))).sum()
}

/// How the blocks will run, in words.
fn activation(chosen: Activation, trained_with: Option<Activation>) -> String {
    let name = |activation| match activation {
        Activation::Gelu => "exact GELU",
        Activation::QuickGelu => "x * sigmoid(1.702 x)",
    };
    let why = if chosen == Activation::Gelu { ", as MVFA runs every tower" } else { "" };
    match trained_with.filter(|trained| *trained != chosen) {
        Some(trained) => {
            format!("activation: {}{why}; by its config.json it was trained with {}", name(chosen), name(trained))
        }
        None => format!("activation: {}{why}", name(chosen)),
    }
}
