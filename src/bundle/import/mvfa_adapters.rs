//! MVFA's adapters: `{'seg_adapters': {'0.fc1.0.weight': ..}, 'det_adapters': ..}` (spec §10).
//!
//! Comes in: the `.pth` file (or safetensors under the same dotted names). Goes out: how many
//! levels, which widths, and the matrices under canonical names. Fails with [`BundleError`] that
//! names a tensor as the file does.

use std::path::Path;

use crate::bundle::error::BundleError;
use crate::bundle::import::files::Files;
use crate::bundle::import::open::{Opened, open_in, open_source};
use crate::bundle::import::tower::Role;
use crate::bundle::names::BANKS;
use crate::bundle::source::{TensorSource, check_finite};

/// More levels than any tower has blocks.
const LEVELS_LIMIT: usize = 1000;

/// An open file of adapters.
pub struct AdapterFile {
    path: String,
    source: Box<dyn TensorSource>,
    prefix: String,
    levels: usize,
    width: usize,
    bottleneck: usize,
    notes: Vec<String>,
}

impl AdapterFile {
    /// Opens a file and reads the geometry.
    ///
    /// # Errors
    /// [`BundleError::UnknownCheckpoint`] if there are no adapters in it,
    /// [`BundleError::DamagedCheckpoint`], [`BundleError::Io`].
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        Self::new(open_source(path)?)
    }

    /// Opens one of some files.
    ///
    /// # Errors
    /// As [`AdapterFile::open`].
    pub fn of(files: &dyn Files, name: &str) -> Result<Self, BundleError> {
        Self::new(open_in(files, name)?)
    }

    fn new(opened: Opened) -> Result<Self, BundleError> {
        let Opened { source, place: path, mut notes, .. } = opened;
        let names = source.names();
        let anchor = raw_name("seg", 0, "fc1");
        let unknown = |reason: String| BundleError::UnknownCheckpoint { path: path.clone(), reason };
        let prefixes = names.iter().filter_map(|n| n.strip_suffix(anchor.as_str()));
        let mut prefixes: Vec<&str> = prefixes.filter(|p| p.is_empty() || p.ends_with('.')).collect();
        prefixes.sort_by_key(|prefix| (Role::of(prefix), prefix.len()));
        let Some((prefix, others)) = prefixes.split_first() else {
            return Err(unknown(format!("it holds no MVFA adapters (there is no {anchor} in it)")));
        };
        let prefix = (*prefix).to_owned();
        if !others.is_empty() {
            notes.push(format!("of the adapters those with prefix {prefix:?} are taken; there are {others:?}, too"));
        }
        let shape = source.shape(&format!("{prefix}{anchor}")).unwrap_or_default();
        let &[bottleneck, width] = shape.as_slice() else {
            return Err(unknown(format!("{anchor} has shape {shape:?}, expected [bottleneck, width]")));
        };
        let number = |name: &String| {
            let rest = name.strip_prefix(&prefix)?;
            let rest = BANKS.iter().find_map(|bank| rest.strip_prefix(&format!("{bank}_adapters.")))?;
            rest.split('.').next()?.parse::<usize>().ok()
        };
        let levels = 1 + names.iter().filter_map(number).max().unwrap_or(0);
        if levels > LEVELS_LIMIT {
            return Err(unknown(format!("it claims {levels} levels")));
        }
        Ok(Self { path, source, prefix, levels, width, bottleneck, notes })
    }

    /// What was chosen among files and prefixes, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Levels of each bank.
    pub fn levels(&self) -> usize {
        self.levels
    }

    /// Width of the tokens they adapt.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Width of the hidden features.
    pub fn bottleneck(&self) -> usize {
        self.bottleneck
    }

    /// Reads one matrix by its canonical name `adapters.{seg,det}.{n}.{fc1,fc2}`.
    ///
    /// # Errors
    /// [`BundleError::MissingTensor`], [`BundleError::Shape`], [`BundleError::NotFinite`],
    /// [`BundleError::DamagedCheckpoint`].
    pub fn read(&mut self, name: &str) -> Result<(Vec<usize>, Vec<f32>), BundleError> {
        let missing = |name: &str| BundleError::MissingTensor {
            name: name.to_owned(),
            hint: format!("{} is incomplete; get a fresh copy", self.path),
        };
        let ["adapters", bank, level, matrix] = name.split('.').collect::<Vec<_>>()[..] else {
            return Err(missing(name));
        };
        let raw = format!("{}{}", self.prefix, raw_name(bank, level.parse().map_err(|_| missing(name))?, matrix));
        let found = self.source.shape(&raw).ok_or_else(|| missing(&raw))?;
        let expected =
            if matrix == "fc1" { vec![self.bottleneck, self.width] } else { vec![self.width, self.bottleneck] };
        if found != expected {
            let hint = format!("the levels in {} have different widths; get a fresh copy", self.path);
            return Err(BundleError::Shape { name: raw, expected, found, hint });
        }
        let values = self.source.read(&raw)?;
        check_finite(&raw, &values)?;
        Ok((expected, values))
    }
}

/// The 0 is the linear layer's place before its activation.
fn raw_name(bank: &str, level: usize, matrix: &str) -> String {
    format!("{bank}_adapters.{level}.{matrix}.0.weight")
}
