//! A reader for the pickles that torch writes.
//!
//! Comes in: the bytes of a `data.pkl`. Goes out: the value at its end with all it refers to.
//! A pickle is a program for a stack machine; this one knows the opcodes of protocols 0 to 5 that
//! build data, and calls nothing: a class or function is a name, a handful of names have a meaning
//! here (tensors, dictionaries), and every other call becomes [`Value::Other`].
//!
//! Fails with a sentence where the program is cut off, too large, or takes from an empty stack.

use std::collections::HashMap;

use crate::bundle::import::element::Element;
use crate::bundle::import::pickle_value::{Id, Storage, StoredTensor, Value};

/// Largest pickle: that of a large CLIP has less than one megabyte.
pub const PICKLE_LIMIT_BYTES: u64 = 16 * 1024 * 1024;
/// Most values of one pickle.
const VALUES_LIMIT: usize = 2_000_000;

/// A pickle that has been read.
#[derive(Debug)]
pub struct Pickle {
    /// Every value.
    pub values: Vec<Value>,
    /// The one the program ended with.
    pub root: Id,
}

/// Reads a pickle.
///
/// # Errors
/// A sentence, without the file's name.
pub fn read_pickle(bytes: &[u8]) -> Result<Pickle, String> {
    if bytes.len() as u64 > PICKLE_LIMIT_BYTES {
        return Err(format!("its pickle has {} bytes, at most {PICKLE_LIMIT_BYTES} are read", bytes.len()));
    }
    let mut machine =
        Machine { bytes, at: 0, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new(), values: Vec::new() };
    loop {
        let at = machine.at;
        let op = machine.byte()?;
        if op == b'.' {
            let root = machine.pop()?;
            return Ok(Pickle { values: machine.values, root });
        }
        machine.step(op).map_err(|reason| format!("{reason} (pickle byte {at}, opcode {op:#04x})"))?;
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    values: Vec<Value>,
}

impl Machine<'_> {
    /// Runs one opcode. Names as in Python's `pickletools`.
    fn step(&mut self, op: u8) -> Result<(), String> {
        match op {
            0x80 => self.take(1).map(drop), // PROTO
            0x95 => self.take(8).map(drop), // FRAME
            b'(' => {
                self.marks.push(self.stack.len()); // MARK
                Ok(())
            }
            b'0' => self.pop().map(drop),      // POP
            b'1' => self.pop_mark().map(drop), // POP_MARK
            b'2' => {
                let top = self.top()?; // DUP
                self.stack.push(top);
                Ok(())
            }
            b'N' => self.push(Value::Other),                             // NONE
            0x88 | 0x89 => self.push(Value::Int(i64::from(op == 0x88))), // NEWTRUE, NEWFALSE
            b'K' => {
                let value = self.little_endian(1)?; // BININT1
                self.push(Value::Int(value as i64))
            }
            b'M' => {
                let value = self.little_endian(2)?; // BININT2
                self.push(Value::Int(value as i64))
            }
            b'J' => {
                let value = self.little_endian(4)?; // BININT
                self.push(Value::Int(i64::from(value as u32 as i32)))
            }
            0x8a | 0x8b => self.long(if op == 0x8a { 1 } else { 4 }), // LONG1, LONG4
            b'I' | b'L' => self.decimal(),                            // INT, LONG
            b'G' => {
                self.take(8)?; // BINFLOAT
                self.push(Value::Other)
            }
            b'F' => {
                self.line()?; // FLOAT
                self.push(Value::Other)
            }
            b'X' | b'T' => self.text(4), // BINUNICODE, BINSTRING
            0x8c | b'U' => self.text(1), // SHORT_BINUNICODE, SHORT_BINSTRING
            0x8d => self.text(8),        // BINUNICODE8
            b'V' => {
                let line = self.line()?; // UNICODE
                self.push(Value::Text(line))
            }
            b'C' => self.skip_bytes(1),                  // SHORT_BINBYTES
            b'B' => self.skip_bytes(4),                  // BINBYTES
            0x8e | 0x96 => self.skip_bytes(8),           // BINBYTES8, BYTEARRAY8
            b')' => self.push(Value::Tuple(Vec::new())), // EMPTY_TUPLE
            0x85..=0x87 => {
                let size = usize::from(op - 0x84); // TUPLE1, TUPLE2, TUPLE3
                let mut items = Vec::with_capacity(size);
                for _ in 0..size {
                    items.push(self.pop()?);
                }
                items.reverse();
                self.push(Value::Tuple(items))
            }
            b't' => {
                let items = self.pop_mark()?; // TUPLE
                self.push(Value::Tuple(items))
            }
            b']' => self.push(Value::List(Vec::new())), // EMPTY_LIST
            b'l' => {
                let items = self.pop_mark()?; // LIST
                self.push(Value::List(items))
            }
            b'a' => {
                let item = self.pop()?; // APPEND
                self.append(vec![item])
            }
            b'e' => {
                let items = self.pop_mark()?; // APPENDS
                self.append(items)
            }
            b'}' => self.push(Value::Dict(Vec::new())), // EMPTY_DICT
            b'd' => {
                let items = self.pop_mark()?; // DICT
                self.push(Value::Dict(pairs(&items)?))
            }
            b's' => {
                let value = self.pop()?; // SETITEM
                let key = self.pop()?;
                self.set_items(vec![(key, value)])
            }
            b'u' => {
                let items = self.pop_mark()?; // SETITEMS
                self.set_items(pairs(&items)?)
            }
            0x8f => self.push(Value::Other), // EMPTY_SET
            0x90 => {
                self.pop_mark()?; // ADDITEMS
                self.top().map(drop)
            }
            0x91 => {
                self.pop_mark()?; // FROZENSET
                self.push(Value::Other)
            }
            b'q' => {
                let slot = self.little_endian(1)?; // BINPUT
                self.remember(slot)
            }
            b'r' => {
                let slot = self.little_endian(4)?; // LONG_BINPUT
                self.remember(slot)
            }
            b'p' => {
                let slot = self.slot()?; // PUT
                self.remember(slot)
            }
            0x94 => self.remember(self.memo.len() as u64), // MEMOIZE
            b'h' => {
                let slot = self.little_endian(1)?; // BINGET
                self.recall(slot)
            }
            b'j' => {
                let slot = self.little_endian(4)?; // LONG_BINGET
                self.recall(slot)
            }
            b'g' => {
                let slot = self.slot()?; // GET
                self.recall(slot)
            }
            b'c' => {
                let module = self.line()?; // GLOBAL
                let name = self.line()?;
                self.push(Value::Global(format!("{module} {name}")))
            }
            0x93 => {
                let name = self.pop()?; // STACK_GLOBAL
                let module = self.pop()?;
                let global = format!("{} {}", self.as_text(module)?, self.as_text(name)?);
                self.push(Value::Global(global))
            }
            b'R' | 0x81 => {
                let arguments = self.pop()?; // REDUCE, NEWOBJ
                let callee = self.pop()?;
                self.call(callee, arguments)
            }
            0x92 => {
                self.pop()?; // NEWOBJ_EX
                let arguments = self.pop()?;
                let callee = self.pop()?;
                self.call(callee, arguments)
            }
            b'b' => self.build(), // BUILD
            b'Q' => {
                let id = self.pop()?; // BINPERSID
                let storage = self.storage(id)?;
                self.push(Value::Storage(storage))
            }
            _ => Err("the opcode is none that torch writes".to_owned()),
        }
    }

    // ------------------------------------------------------------------ bytes

    fn take(&mut self, count: usize) -> Result<&[u8], String> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| "its pickle ends too early".to_owned())?;
        let taken = self.bytes.get(self.at..end).unwrap_or_default();
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    fn little_endian(&mut self, count: usize) -> Result<u64, String> {
        Ok(self.take(count)?.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn sized(&mut self, length_bytes: usize) -> Result<&[u8], String> {
        let length = self.little_endian(length_bytes)?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn line(&mut self) -> Result<String, String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|b| *b == b'\n').ok_or("its pickle ends within a line")?;
        let line = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.take(1)?;
        Ok(line)
    }

    fn slot(&mut self) -> Result<u64, String> {
        let line = self.line()?;
        line.parse().map_err(|_| format!("{line:?} is no memo number"))
    }

    fn text(&mut self, length_bytes: usize) -> Result<(), String> {
        let text = String::from_utf8_lossy(self.sized(length_bytes)?).into_owned();
        self.push(Value::Text(text))
    }

    fn skip_bytes(&mut self, length_bytes: usize) -> Result<(), String> {
        self.sized(length_bytes)?;
        self.push(Value::Other)
    }

    /// Two's complement, little-endian. What does not fit 64 bits cannot matter here.
    fn long(&mut self, length_bytes: usize) -> Result<(), String> {
        let bytes = self.sized(length_bytes)?;
        let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
        let value = if bytes.len() > 8 {
            Value::Other
        } else {
            let start = if negative { -1 } else { 0 };
            Value::Int(bytes.iter().rev().fold(start, |value: i64, byte| value << 8 | i64::from(*byte)))
        };
        self.push(value)
    }

    fn decimal(&mut self) -> Result<(), String> {
        let line = self.line()?;
        let value = line.trim_end_matches('L').parse().map_or(Value::Other, Value::Int);
        self.push(value)
    }

    // ------------------------------------------------------------------ stack

    fn push(&mut self, value: Value) -> Result<(), String> {
        if self.values.len() >= VALUES_LIMIT {
            return Err(format!("its pickle has more than {VALUES_LIMIT} values"));
        }
        self.stack.push(self.values.len());
        self.values.push(value);
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err("it takes from an empty stack".to_owned());
        }
        self.stack.pop().ok_or_else(|| "it takes from an empty stack".to_owned())
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or("it takes to a mark that was never set")?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn top(&self) -> Result<Id, String> {
        self.stack.last().copied().ok_or_else(|| "it looks at an empty stack".to_owned())
    }

    fn remember(&mut self, slot: u64) -> Result<(), String> {
        let top = self.top()?;
        self.memo.insert(slot, top);
        Ok(())
    }

    fn recall(&mut self, slot: u64) -> Result<(), String> {
        let id = self.memo.get(&slot).copied().ok_or_else(|| format!("memo {slot} was never set"))?;
        // Pushing the same value again costs one index, so loops over the memo stay bounded by the
        // length of the pickle.
        self.stack.push(id);
        Ok(())
    }

    fn append(&mut self, items: Vec<Id>) -> Result<(), String> {
        let top = self.top()?;
        if let Some(Value::List(list)) = self.values.get_mut(top) {
            list.extend(items);
        }
        Ok(())
    }

    fn set_items(&mut self, items: Vec<(Id, Id)>) -> Result<(), String> {
        let top = self.top()?;
        if let Some(Value::Dict(dict)) = self.values.get_mut(top) {
            dict.extend(items);
        }
        Ok(())
    }

    // ------------------------------------------------------------------ meaning

    fn build(&mut self) -> Result<(), String> {
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
    fn call(&mut self, callee: Id, arguments: Id) -> Result<(), String> {
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
                self.stack.push(inner);
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
            _ => self.push(Value::Object(None)),
        }
    }

    /// `('storage', class, key, device, elements)`; the device is of no use here.
    fn storage(&self, id: Id) -> Result<Storage, String> {
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

    fn as_text(&self, id: Id) -> Result<&str, String> {
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

fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>, String> {
    let (pairs, rest) = items.as_chunks();
    if rest.is_empty() {
        Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
    } else {
        Err("a dictionary has a key without a value".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::import::tree::flatten;

    fn root(bytes: &[u8]) -> Result<Value, String> {
        read_pickle(bytes).map(|p| p.values[p.root].clone())
    }

    #[test]
    fn reads_plain_values() {
        assert_eq!(root(b"\x80\x02K\x07."), Ok(Value::Int(7)));
        assert_eq!(root(b"J\xf9\xff\xff\xff."), Ok(Value::Int(-7)));
        assert_eq!(root(b"\x8a\x02\x2c\xff."), Ok(Value::Int(-212)));
        assert_eq!(root(b"\x8a\x00."), Ok(Value::Int(0)));
        assert_eq!(root(b"I12\n."), Ok(Value::Int(12)));
        assert_eq!(root(b"X\x02\0\0\0ab."), Ok(Value::Text("ab".to_owned())));
        assert_eq!(root(b"\x95\0\0\0\0\0\0\0\0\x8c\x02ab\x94."), Ok(Value::Text("ab".to_owned())));
        assert_eq!(root(b"(K\x01K\x02t."), Ok(Value::Tuple(vec![0, 1])));
        assert_eq!(root(b"]q\0K\x01ah\0."), Ok(Value::List(vec![1])));
        assert_eq!(root(b"}K\x01K\x02s."), Ok(Value::Dict(vec![(1, 2)])));
    }

    #[test]
    fn calls_nothing() {
        let call = b"cos\nsystem\n(X\x07\0\0\0echo hi\x85tR.";
        assert!(matches!(root(call), Ok(Value::Object(None))));
        assert!(matches!(root(b"\x8c\x02os\x8c\x06system\x93)\x81}b."), Ok(Value::Object(Some(_)))));
    }

    #[test]
    fn bad_programs_are_errors() {
        for bytes in [
            b"".as_slice(),
            b"K\x01",
            b".",
            b"t.",
            b"(K\x010.",
            b"(00.",
            b"h\x05.",
            b"X\xff\xff\xff\xffab.",
            b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffab.",
            b"K\x01Q.",
            b"(K\x01d.",
            b"ctorch._utils\n_rebuild_tensor_v2\n)R.",
            b"ctorch._utils\n_rebuild_parameter\n)R.",
            b"\xfe.",
            b"cno end of line",
        ] {
            assert!(root(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn bombs_stay_small() {
        // Depth: a million nested tuples; reading and dropping them must not use the stack.
        let mut deep = b"N".to_vec();
        deep.extend(std::iter::repeat_n(0x85, 1_000_000));
        deep.push(b'.');
        assert!(flatten(&read_pickle(&deep).unwrap()).unwrap().is_empty());
        // Names: 40 levels of a dictionary that holds the one before it twice.
        let mut wide = b"}q\0".to_vec();
        for level in 1..=40u8 {
            wide.extend([b'}', b'q', level, b'(', b'K', 0, b'h', level - 1, b'K', 1, b'h', level - 1, b'u']);
        }
        wide.push(b'.');
        assert!(flatten(&read_pickle(&wide).unwrap()).unwrap_err().contains("names"));
        // A dictionary that holds itself.
        assert!(flatten(&read_pickle(b"}q\0K\x01h\0s.").unwrap()).unwrap_err().contains("nested"));
        // Values: more than any checkpoint has.
        let mut many = vec![b'N'; 2_000_001];
        many.push(b'.');
        assert!(read_pickle(&many).unwrap_err().contains("values"));
    }
}
