//! What names and calls in a pickle of torch mean.
//!
//! A handful of names build a value (tensors, dictionaries, parameters); nothing is ever called.
//! Fails with a sentence if a tensor or its storage is not as torch writes it.

use crate::bundle::import::element::Element;
use crate::bundle::import::pickle::stack::Stack;
use crate::bundle::import::pickle::value::{Id, Storage, StoredTensor, Value};

/// Whether a function of torch gives a tensor, as its others do that are not read here.
fn builds_a_tensor(name: &str) -> bool {
    name.split_once(' ').is_some_and(|(module, function)| module.starts_with("torch") && function.contains("_rebuild_"))
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
        let arguments = self.items(arguments).unwrap_or_default();
        match name.as_str() {
            "torch._utils _rebuild_tensor" | "torch._utils _rebuild_tensor_v2" => {
                let tensor = self.tensor(&arguments)?;
                self.push(Value::Tensor(tensor))
            }
            // A wrapper around the first argument.
            "torch._utils _rebuild_parameter"
            | "torch._utils _rebuild_parameter_with_state"
            | "torch.jit._pickle restore_type_tag" => {
                let inner = arguments.first().copied().ok_or("a parameter has no tensor")?;
                self.push_again(inner);
                Ok(())
            }
            "collections OrderedDict" | "collections defaultdict" | "builtins dict" | "__builtin__ dict" => {
                let listed = arguments.first().and_then(|first| self.items(*first)).unwrap_or_default();
                let items = listed.iter().filter_map(|pair| match self.items(*pair)?.as_slice() {
                    [key, value] => Some((*key, *value)),
                    _ => None,
                });
                let items = items.collect();
                self.push(Value::Dict(items))
            }
            name if builds_a_tensor(name) => {
                let name = name.to_owned();
                self.push(Value::UnreadTensor(name))
            }
            _ => self.push(Value::Object(None)),
        }
    }

    /// `('storage', class, key, device, elements)`; the device is of no use here.
    pub(super) fn storage(&self, id: Id) -> Result<Storage, String> {
        let items = self.items(id).unwrap_or_default();
        let [kind, class, key, _device, elements, ..] = items.as_slice() else {
            return Err("a reference to another file is not one of torch".to_owned());
        };
        if self.as_text(*kind)? != "storage" {
            return Err("a reference to another file is not a storage".to_owned());
        }
        let Some(Value::Global(class)) = self.values.get(*class) else {
            return Err("a storage has no element type".to_owned());
        };
        let element = Element::from_torch_storage(class)
            .ok_or_else(|| format!("a storage is of type {class}, which is not read"))?;
        Ok(Storage { key: self.as_text(*key)?.to_owned(), element, elements: self.as_size(*elements)? })
    }

    /// `(storage, offset, sizes, strides, ..)`.
    fn tensor(&self, arguments: &[Id]) -> Result<StoredTensor, String> {
        let [storage, offset, sizes, strides, ..] = arguments else {
            return Err("a tensor has too few parts".to_owned());
        };
        let Some(Value::Storage(storage)) = self.values.get(*storage) else {
            return Err("a tensor has no storage".to_owned());
        };
        let sizes_of = |id: Id| -> Result<Vec<usize>, String> {
            self.items(id).ok_or("a tensor has no shape")?.iter().map(|item| self.as_size(*item)).collect()
        };
        StoredTensor::new(storage.clone(), self.as_size(*offset)?, sizes_of(*sizes)?, sizes_of(*strides)?)
    }

    fn items(&self, id: Id) -> Option<Vec<Id>> {
        match self.values.get(id)? {
            Value::Tuple(items) | Value::List(items) => Some(items.clone()),
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
