//! Checkpoints in several files, by the index beside them.
//!
//! Comes in: files by name, and the name of an index: `{"weight_map": {tensor: file, ..}}`, as Hugging Face writes it.
//! Goes out: the tensors of all files as if they were one. Fails with [`BundleError::Index`] if a part is missing, is not
//! beside the index or does not hold what it should, or as the reader of a part does.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use serde::Deserialize;

use crate::bundle::error::BundleError;
use crate::bundle::import::files::Files;
use crate::bundle::import::open::container;
use crate::bundle::import::safetensors_file::Lines;
use crate::bundle::source::{TensorSource, Unread};

/// Largest index: that of a large CLIP has less than 100 kilobytes.
const INDEX_LIMIT_BYTES: u64 = 16 * 1024 * 1024;
/// Most parts: they are open at the same time.
const PARTS_LIMIT: usize = 128;
/// Most indices of one folder that a part is looked for in.
const INDICES_LIMIT: usize = 8;
const PROBE_BYTES: u64 = 16;

/// An open checkpoint in several files.
pub(super) struct Sharded {
    place: String,
    parts: Vec<Box<dyn TensorSource>>,
    /// The part that each tensor is read from.
    owners: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
struct Index {
    weight_map: Lines,
}

/// Whether a file is called like an index: `model.safetensors.index.json`, `model.safetensors.index.fp16.json`.
pub(super) fn is_index_name(name: &str) -> bool {
    name.ends_with(".json") && name.contains(".index.")
}

/// Which of how many parts a file is by its name, such as `model-00001-of-00002.safetensors`.
pub(super) fn part_of(name: &str) -> Option<(usize, usize)> {
    let (before, after) = name.rsplit_once("-of-")?;
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let of = after.get(..digits)?.parse().ok()?;
    let digits = before.bytes().rev().take_while(u8::is_ascii_digit).count();
    let part = before.get(before.len() - digits..)?.parse().ok()?;
    (1..=of).contains(&part).then_some((part, of))
}

/// The index beside a file that lists it as a part.
pub(super) fn index_of(files: &dyn Files, part: &str) -> Option<String> {
    let names = files.names().ok()?;
    let indices = names.into_iter().filter(|name| is_index_name(name)).take(INDICES_LIMIT);
    indices.into_iter().find(|index| read(files, index).is_ok_and(|map| map.values().any(|file| file == part)))
}

/// Opens all parts of an index.
pub(super) fn open_index(files: &dyn Files, name: &str) -> Result<Sharded, BundleError> {
    let place = files.place(name);
    let wrong = |reason: String| BundleError::Index { path: place.clone(), reason };
    let map = read(files, name).map_err(wrong)?;
    let distinct: BTreeSet<&String> = map.values().collect();
    if distinct.len() > PARTS_LIMIT {
        return Err(wrong(format!("it lists {} parts, at most {PARTS_LIMIT} are read", distinct.len())));
    }
    if let Some(file) = distinct.iter().find(|file| !is_beside(file)) {
        return Err(wrong(format!("it names {file:?}, which is not a file beside it")));
    }
    let numbers: BTreeMap<&String, usize> = distinct.iter().enumerate().map(|(n, file)| (*file, n)).collect();
    let mut parts = Vec::with_capacity(distinct.len());
    for file in distinct {
        let place = files.place(file);
        let opened = files.open(file).and_then(|mut reader| {
            let mut probe = Vec::new();
            reader.by_ref().take(PROBE_BYTES).read_to_end(&mut probe)?;
            reader.rewind()?;
            Ok((reader, probe))
        });
        let (reader, probe) = match opened {
            Ok(opened) => opened,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(wrong(format!("its part {file} is not beside it")));
            }
            Err(source) => return Err(BundleError::Io { path: place, source }),
        };
        parts.push(container(reader, &probe, &place)?);
    }
    let mut owners = BTreeMap::new();
    for (number, part) in parts.iter().enumerate() {
        let unread = part.unread();
        for tensor in part.names().into_iter().chain(unread.into_iter().map(|unread| unread.name)) {
            match map.get(&tensor).and_then(|file| numbers.get(file)) {
                // The index decides between two of one name.
                Some(owner) if *owner != number => {}
                Some(_) => drop(owners.insert(tensor, number)),
                None => {
                    if owners.insert(tensor.clone(), number).is_some() {
                        return Err(wrong(format!("two parts hold {tensor}, which it does not list")));
                    }
                }
            }
        }
    }
    if let Some((tensor, file)) = map.iter().find(|(tensor, _)| !owners.contains_key(*tensor)) {
        return Err(wrong(format!("by it {tensor} is in {file}, which does not hold it")));
    }
    Ok(Sharded { place, parts, owners })
}

/// The file of each tensor.
fn read(files: &dyn Files, name: &str) -> Result<BTreeMap<String, String>, String> {
    let bytes = files.start(name, INDEX_LIMIT_BYTES).map_err(|e| e.to_string())?;
    let index: Index = serde_json::from_slice(&bytes).map_err(|e| format!("it is no index of a checkpoint ({e})"))?;
    let mut map = BTreeMap::new();
    for (tensor, file) in index.weight_map.0 {
        let serde_json::Value::String(file) = file else { return Err(format!("{tensor} has no file's name")) };
        if map.get(&tensor).is_some_and(|other| *other != file) {
            return Err(format!("it lists {tensor} in two files"));
        }
        map.insert(tensor, file);
    }
    if map.is_empty() { Err("it lists no tensors".to_owned()) } else { Ok(map) }
}

/// Whether a name leads nowhere else.
fn is_beside(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':']) && !name.contains(char::is_control)
}

impl Sharded {
    /// How many files it has.
    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }
}

impl TensorSource for Sharded {
    fn names(&self) -> Vec<String> {
        let held = |(name, owner): &(&String, &usize)| self.parts.get(**owner).is_some_and(|p| p.shape(name).is_some());
        self.owners.iter().filter(held).map(|(name, _)| name.clone()).collect()
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.parts.get(*self.owners.get(name)?)?.shape(name)
    }

    fn unread(&self) -> Vec<Unread> {
        let mut all = Vec::new();
        for (number, part) in self.parts.iter().enumerate() {
            all.extend(part.unread().into_iter().filter(|unread| self.owners.get(&unread.name) == Some(&number)));
        }
        all
    }

    fn read(&mut self, name: &str) -> Result<Vec<f32>, BundleError> {
        match self.owners.get(name).and_then(|owner| self.parts.get_mut(*owner)) {
            Some(part) => part.read(name),
            None => Err(BundleError::MissingTensor {
                name: name.to_owned(),
                hint: format!("no part of {} holds it", self.place),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_known_by_their_names() {
        assert_eq!(part_of("model-00001-of-00002.safetensors"), Some((1, 2)));
        assert_eq!(part_of("model-00002-of-00002.fp16.safetensors"), Some((2, 2)));
        assert_eq!(part_of("pytorch_model-1-of-3.bin"), Some((1, 3)));
        for name in ["model.safetensors", "one-of-us.pt", "model-3-of-2.bin", "-of-2.bin", "model-0-of-2.bin"] {
            assert_eq!(part_of(name), None, "{name}");
        }
        assert!(is_index_name("model.safetensors.index.json") && is_index_name("model.safetensors.index.fp16.json"));
        assert!(!is_index_name("config.json") && !is_index_name("index.json"));
    }

    #[test]
    fn names_that_lead_elsewhere_are_known() {
        assert!(is_beside("model-00001-of-00002.safetensors") && is_beside("ü.bin"));
        for name in ["", ".", "..", "../x", "/etc/passwd", "a/b", "a\\b", "C:x", ".hidden", "a\nb"] {
            assert!(!is_beside(name), "{name:?}");
        }
    }
}
