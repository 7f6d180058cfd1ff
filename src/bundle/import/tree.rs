//! From a pickle's value to tensors with dotted names.
//!
//! Comes in: a [`Pickle`]: a state dict, dictionaries of them, or an object with attributes such as
//! a TorchScript module. Goes out: every tensor, named by the keys on the way to it, and those that are
//! not read. Fails with a sentence if the tree is deeper or larger than any model's.

use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::import::pickle::Pickle;
use crate::bundle::import::pickle::value::{Id, StoredTensor, Value};
use crate::bundle::source::Unread;

/// Deepest nesting of names: a CLIP in TorchScript has about eight.
const DEPTH_LIMIT: usize = 32;
/// Most characters of names looked at: a dictionary that holds the same dictionary many times
/// over, level by level, would otherwise have more names than there are atoms.
const NAMES_LIMIT: usize = 64 * 1024 * 1024;
/// Attributes in which `torch.nn.Module` keeps its children; no part of a name.
const MODULE_ATTRIBUTES: [&str; 3] = ["_parameters", "_buffers", "_modules"];

/// Tensors by name, and those that are not read.
pub type Tensors = (BTreeMap<String, StoredTensor>, Vec<Unread>);

/// Lists every tensor of a pickle.
///
/// # Errors
/// A sentence, without the file's name.
pub fn flatten(pickle: &Pickle) -> Result<BTreeMap<String, StoredTensor>, String> {
    Ok(flatten_with_unread(pickle)?.0)
}

/// The same, with those that are not read.
///
/// # Errors
/// As [`flatten`].
pub fn flatten_with_unread(pickle: &Pickle) -> Result<Tensors, String> {
    let (found, twice) = (BTreeMap::new(), BTreeSet::new());
    let mut walk = Walk { pickle, budget: NAMES_LIMIT, found, unread: Vec::new(), twice };
    walk.visit(pickle.root, "", 0)?;
    let Walk { mut found, mut unread, twice, .. } = walk;
    for name in twice {
        found.remove(&name);
        unread.push(Unread { name, why: "two tensors have this name".to_owned() });
    }
    Ok((found, unread))
}

struct Walk<'a> {
    pickle: &'a Pickle,
    budget: usize,
    found: BTreeMap<String, StoredTensor>,
    unread: Vec<Unread>,
    /// Names of two tensors that differ: which of them is meant cannot be known.
    twice: BTreeSet<String>,
}

impl Walk<'_> {
    fn spend(&mut self, characters: usize) -> Result<(), String> {
        self.budget = self.budget.checked_sub(characters).ok_or("it has more names than any model")?;
        Ok(())
    }

    fn visit(&mut self, id: Id, name: &str, depth: usize) -> Result<(), String> {
        self.spend(name.len() + 64)?;
        if depth > DEPTH_LIMIT {
            return Err(format!("its names are nested deeper than {DEPTH_LIMIT}"));
        }
        match self.pickle.values.get(id) {
            Some(Value::Tensor(tensor)) => {
                let other = self.found.insert(name.to_owned(), tensor.clone());
                if other.is_some_and(|other| other != *tensor) {
                    self.twice.insert(name.to_owned());
                }
            }
            Some(Value::UnreadTensor(why)) => {
                self.unread.push(Unread { name: name.to_owned(), why: why.to_string() });
            }
            Some(Value::Dict(items)) => {
                // Keys that are no names cost time, too.
                self.spend(items.len())?;
                for (key, value) in items {
                    let key = match self.pickle.values.get(*key) {
                        Some(Value::Text(text)) => text.clone(),
                        Some(Value::Int(number)) => number.to_string(),
                        _ => continue,
                    };
                    let child = match (name, MODULE_ATTRIBUTES.contains(&key.as_str())) {
                        (_, true) => name.to_owned(),
                        ("", false) => key,
                        (_, false) => format!("{name}.{key}"),
                    };
                    self.visit(*value, &child, depth + 1)?;
                }
            }
            Some(Value::Object(Some(state))) => self.visit(*state, name, depth + 1)?,
            _ => {}
        }
        Ok(())
    }
}
