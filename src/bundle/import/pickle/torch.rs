//! What names and calls in a pickle of torch mean.
//!
//! A handful of names build a value (tensors, dictionaries, parameters); nothing is ever called. What a call costs is
//! bounded by the length of the pickle, however often one list is given to calls.
//! Fails with a sentence if a tensor or its storage is not as torch writes it.

use std::sync::Arc;

use crate::bundle::import::element::Element;
use crate::bundle::import::pickle::stack::Stack;
use crate::bundle::import::pickle::value::{AXES_LIMIT, Id, Storage, StoredTensor, Value};

/// Whether a function of torch gives a tensor, as its others do that are not read here.
fn builds_a_tensor(name: &str) -> bool {
    name.split_once(' ').is_some_and(|(module, function)| module.starts_with("torch") && function.contains("_rebuild_"))
}

/// As Python writes it.
fn dotted(name: &str) -> String {
    name.replace(' ', ".")
}

impl Stack {
    pub(super) fn build(&mut self) -> Result<(), String> {
        let state = self.pop()?;
        let top = self.top()?;
        // Attributes of a dictionary (a state dict's `_metadata`) are of no use here.
        if let Some(Value::Object(slot)) = self.values.get_mut(top) {
            *slot = Some(state);
        }
        Ok(())
    }

    /// A call by name. Nothing runs: known names build a value, all others an object without
    /// meaning.
    pub(super) fn call(&mut self, callee: Id, arguments: Id) -> Result<(), String> {
        let Some(Value::Global(name)) = self.values.get(callee) else {
            return self.push(Value::Other);
        };
        let value = match name.as_str() {
            "torch._utils _rebuild_tensor" | "torch._utils _rebuild_tensor_v2" => {
                self.tensor(self.items(arguments).unwrap_or_default())?
            }
            // A wrapper around the first argument.
            "torch._utils _rebuild_parameter"
            | "torch._utils _rebuild_parameter_with_state"
            | "torch.jit._pickle restore_type_tag" => {
                let first = self.items(arguments).and_then(<[Id]>::first).copied();
                self.push_again(first.ok_or("a parameter has no tensor")?);
                return Ok(());
            }
            "collections OrderedDict" | "collections defaultdict" | "builtins dict" | "__builtin__ dict" => {
                let first = self.items(arguments).and_then(<[Id]>::first).copied();
                self.look_at(first.and_then(|first| self.items(first)).map_or(0, <[Id]>::len))?;
                let listed = first.and_then(|first| self.items(first)).unwrap_or_default();
                let items = listed.iter().filter_map(|pair| match self.items(*pair)? {
                    [key, value] => Some((*key, *value)),
                    _ => None,
                });
                Value::Dict(items.collect())
            }
            name if builds_a_tensor(name) => {
                // The last argument that is a name is the type, where there is one: `torch float8_e4m3fn`.
                let mut arguments = self.items(arguments).unwrap_or_default().iter().rev().take(2 * AXES_LIMIT);
                let kind = arguments.find_map(|id| match self.values.get(*id) {
                    Some(Value::Global(kind)) if kind.starts_with("torch ") => Some(dotted(kind)),
                    _ => None,
                });
                let kind = kind.map(|kind| format!(" as {kind}")).unwrap_or_default();
                Value::UnreadTensor(format!("it is stored by {}{kind}, which is not read", dotted(name)).into())
            }
            _ => Value::Object(None),
        };
        if let Value::UnreadTensor(why) = &value {
            self.look_at(why.len())?;
        }
        self.push(value)
    }

    /// `('storage', class, key, device, elements)`; the device is of no use here.
    pub(super) fn storage(&mut self, id: Id) -> Result<Value, String> {
        let [kind, class, key, _device, elements, ..] = self.items(id).unwrap_or_default() else {
            return Err("a reference to another file is not one of torch".to_owned());
        };
        if self.as_text(*kind)? != "storage" {
            return Err("a reference to another file is not a storage".to_owned());
        }
        let Some(Value::Global(class)) = self.values.get(*class) else {
            return Err("a storage has no element type".to_owned());
        };
        let Some(element) = Element::from_torch_storage(class) else {
            let class: Arc<str> = dotted(class).into();
            self.look_at(class.len())?;
            return Ok(Value::UnreadStorage(class));
        };
        let elements = self.as_size(*elements)?;
        let key: Arc<str> = self.as_text(*key)?.into();
        self.look_at(key.len())?;
        Ok(Value::Storage(Storage { key, element, elements }))
    }

    /// `(storage, offset, sizes, strides, ..)`.
    fn tensor(&self, arguments: &[Id]) -> Result<Value, String> {
        let [storage, offset, sizes, strides, ..] = arguments else {
            return Err("a tensor has too few parts".to_owned());
        };
        let storage = match self.values.get(*storage) {
            Some(Value::Storage(storage)) => storage,
            Some(Value::UnreadStorage(class)) => {
                return Ok(Value::UnreadTensor(format!("it is stored as {class}, which is not read").into()));
            }
            _ => return Err("a tensor has no storage".to_owned()),
        };
        let sizes_of = |id: Id| -> Result<Vec<usize>, String> {
            let items = self.items(id).ok_or("a tensor has no shape")?;
            if items.len() > AXES_LIMIT {
                return Err(format!("a tensor has {} axes", items.len()));
            }
            items.iter().map(|item| self.as_size(*item)).collect()
        };
        let (sizes, strides) = (sizes_of(*sizes)?, sizes_of(*strides)?);
        let tensor = StoredTensor::new(storage.clone(), self.as_size(*offset)?, sizes, strides)?;
        if tensor.is_blown_up() {
            let (count, stored) = (tensor.count(), tensor.storage.elements);
            return Ok(Value::UnreadTensor(format!("its {count} elements share {stored} stored ones").into()));
        }
        Ok(Value::Tensor(tensor))
    }

    fn items(&self, id: Id) -> Option<&[Id]> {
        match self.values.get(id)? {
            Value::Tuple(items) | Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn as_text(&self, id: Id) -> Result<&str, String> {
        match self.values.get(id) {
            Some(Value::Text(text)) => Ok(text),
            _ => Err("a name is not a text".to_owned()),
        }
    }

    fn as_size(&self, id: Id) -> Result<usize, String> {
        match self.values.get(id) {
            Some(Value::Int(value)) => usize::try_from(*value).map_err(|_| format!("{value} is no size")),
            _ => Err("a size is not a number".to_owned()),
        }
    }
}
