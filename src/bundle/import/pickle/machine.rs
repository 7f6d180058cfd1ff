//! The machine that runs a pickle, opcode by opcode.
//!
//! It knows the opcodes of protocols 0 to 5 that build data. Fails with a sentence at any other,
//! and where [`Input`] or [`Stack`] do.

use crate::bundle::import::pickle::input::Input;
use crate::bundle::import::pickle::stack::Stack;
use crate::bundle::import::pickle::value::{Id, Value};

pub(super) struct Machine<'a> {
    pub(super) input: Input<'a>,
    pub(super) stack: Stack,
}

impl Machine<'_> {
    /// Runs one opcode. Names as in Python's `pickletools`.
    pub(super) fn step(&mut self, op: u8) -> Result<(), String> {
        match op {
            0x80 => self.input.take(1).map(drop), // PROTO
            0x95 => self.input.take(8).map(drop), // FRAME
            b'(' => {
                self.stack.mark(); // MARK
                Ok(())
            }
            b'0' => self.stack.pop().map(drop),      // POP
            b'1' => self.stack.pop_mark().map(drop), // POP_MARK
            b'2' => {
                let top = self.stack.top()?; // DUP
                self.stack.push_again(top);
                Ok(())
            }
            b'N' => self.stack.push(Value::Other), // NONE
            0x88 | 0x89 => self.stack.push(Value::Int(i64::from(op == 0x88))), // NEWTRUE, NEWFALSE
            b'K' => {
                let value = self.input.little_endian(1)?; // BININT1
                self.stack.push(Value::Int(value as i64))
            }
            b'M' => {
                let value = self.input.little_endian(2)?; // BININT2
                self.stack.push(Value::Int(value as i64))
            }
            b'J' => {
                let value = self.input.little_endian(4)?; // BININT
                self.stack.push(Value::Int(i64::from(value as u32 as i32)))
            }
            0x8a | 0x8b => self.long(if op == 0x8a { 1 } else { 4 }), // LONG1, LONG4
            b'I' | b'L' => self.decimal(),                            // INT, LONG
            b'G' => {
                self.input.take(8)?; // BINFLOAT
                self.stack.push(Value::Other)
            }
            b'F' => {
                self.input.line()?; // FLOAT
                self.stack.push(Value::Other)
            }
            b'X' | b'T' => self.text(4), // BINUNICODE, BINSTRING
            0x8c | b'U' => self.text(1), // SHORT_BINUNICODE, SHORT_BINSTRING
            0x8d => self.text(8),        // BINUNICODE8
            b'V' => {
                let line = self.input.line()?; // UNICODE
                self.stack.push(Value::Text(line))
            }
            b'C' => self.skip_bytes(1),                        // SHORT_BINBYTES
            b'B' => self.skip_bytes(4),                        // BINBYTES
            0x8e | 0x96 => self.skip_bytes(8),                 // BINBYTES8, BYTEARRAY8
            b')' => self.stack.push(Value::Tuple(Vec::new())), // EMPTY_TUPLE
            0x85..=0x87 => {
                let size = usize::from(op - 0x84); // TUPLE1, TUPLE2, TUPLE3
                let mut items = Vec::with_capacity(size);
                for _ in 0..size {
                    items.push(self.stack.pop()?);
                }
                items.reverse();
                self.stack.push(Value::Tuple(items))
            }
            b't' => {
                let items = self.stack.pop_mark()?; // TUPLE
                self.stack.push(Value::Tuple(items))
            }
            b']' => self.stack.push(Value::List(Vec::new())), // EMPTY_LIST
            b'l' => {
                let items = self.stack.pop_mark()?; // LIST
                self.stack.push(Value::List(items))
            }
            b'a' => {
                let item = self.stack.pop()?; // APPEND
                self.stack.append(vec![item])
            }
            b'e' => {
                let items = self.stack.pop_mark()?; // APPENDS
                self.stack.append(items)
            }
            b'}' => self.stack.push(Value::Dict(Vec::new())), // EMPTY_DICT
            b'd' => {
                let items = self.stack.pop_mark()?; // DICT
                self.stack.push(Value::Dict(pairs(&items)?))
            }
            b's' => {
                let value = self.stack.pop()?; // SETITEM
                let key = self.stack.pop()?;
                self.stack.set_items(vec![(key, value)])
            }
            b'u' => {
                let items = self.stack.pop_mark()?; // SETITEMS
                self.stack.set_items(pairs(&items)?)
            }
            0x8f => self.stack.push(Value::Other), // EMPTY_SET
            0x90 => {
                self.stack.pop_mark()?; // ADDITEMS
                self.stack.top().map(drop)
            }
            0x91 => {
                self.stack.pop_mark()?; // FROZENSET
                self.stack.push(Value::Other)
            }
            b'q' => {
                let slot = self.input.little_endian(1)?; // BINPUT
                self.stack.remember(slot)
            }
            b'r' => {
                let slot = self.input.little_endian(4)?; // LONG_BINPUT
                self.stack.remember(slot)
            }
            b'p' => {
                let slot = self.input.slot()?; // PUT
                self.stack.remember(slot)
            }
            0x94 => self.stack.remember(self.stack.memo_len()), // MEMOIZE
            b'h' => {
                let slot = self.input.little_endian(1)?; // BINGET
                self.stack.recall(slot)
            }
            b'j' => {
                let slot = self.input.little_endian(4)?; // LONG_BINGET
                self.stack.recall(slot)
            }
            b'g' => {
                let slot = self.input.slot()?; // GET
                self.stack.recall(slot)
            }
            b'c' => {
                let module = self.input.line()?; // GLOBAL
                let name = self.input.line()?;
                self.stack.push(global(&module, &name)?)
            }
            0x93 => {
                let name = self.stack.pop()?; // STACK_GLOBAL
                let module = self.stack.pop()?;
                let global = global(self.stack.as_text(module)?, self.stack.as_text(name)?)?;
                self.stack.push(global)
            }
            b'R' | 0x81 => {
                let arguments = self.stack.pop()?; // REDUCE, NEWOBJ
                let callee = self.stack.pop()?;
                self.stack.call(callee, arguments)
            }
            0x92 => {
                self.stack.pop()?; // NEWOBJ_EX
                let arguments = self.stack.pop()?;
                let callee = self.stack.pop()?;
                self.stack.call(callee, arguments)
            }
            b'b' => self.stack.build(), // BUILD
            b'Q' => {
                let id = self.stack.pop()?; // BINPERSID
                let storage = self.stack.storage(id)?;
                self.stack.push(storage)
            }
            _ => Err("the opcode is none that torch writes".to_owned()),
        }
    }

    fn text(&mut self, length_bytes: usize) -> Result<(), String> {
        let text = String::from_utf8_lossy(self.input.sized(length_bytes)?).into_owned();
        self.stack.push(Value::Text(text))
    }

    fn skip_bytes(&mut self, length_bytes: usize) -> Result<(), String> {
        self.input.sized(length_bytes)?;
        self.stack.push(Value::Other)
    }

    /// Two's complement, little-endian. What does not fit 64 bits cannot matter here.
    fn long(&mut self, length_bytes: usize) -> Result<(), String> {
        let bytes = self.input.sized(length_bytes)?;
        let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
        let value = if bytes.len() > 8 {
            Value::Other
        } else {
            let start = if negative { -1 } else { 0 };
            Value::Int(bytes.iter().rev().fold(start, |value: i64, byte| value << 8 | i64::from(*byte)))
        };
        self.stack.push(value)
    }

    fn decimal(&mut self) -> Result<(), String> {
        let line = self.input.line()?;
        let value = line.trim_end_matches('L').parse().map_or(Value::Other, Value::Int);
        self.stack.push(value)
    }
}

/// The name of a class or function. It can be used any number of times, so it must not be long.
fn global(module: &str, name: &str) -> Result<Value, String> {
    const LIMIT: usize = 1024;
    if module.len() + name.len() > LIMIT {
        return Err(format!("the name of a class has more than {LIMIT} bytes"));
    }
    Ok(Value::Global(format!("{module} {name}")))
}

fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>, String> {
    let (pairs, rest) = items.as_chunks();
    if rest.is_empty() {
        Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
    } else {
        Err("a dictionary has a key without a value".to_owned())
    }
}
