//! The memory of the machine: every value, the stack, its marks, and the memo.
//!
//! The stack and the memo hold indices, so using a value twice costs one index. Fails with a
//! sentence if something is taken that is not there, or if there are too many values.

use std::collections::HashMap;

use crate::bundle::import::pickle::value::{Id, Value};

/// Most values of one pickle.
const VALUES_LIMIT: usize = 2_000_000;

/// Most items and characters that all calls together look at: a pickle of torch gives each its own few.
const ITEMS_LIMIT: usize = 20_000_000;

/// What a pickle has built so far.
#[derive(Default)]
pub(super) struct Stack {
    pub(super) values: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    items: usize,
}

impl Stack {
    pub(super) fn push(&mut self, value: Value) -> Result<(), String> {
        if self.values.len() >= VALUES_LIMIT {
            return Err(format!("its pickle has more than {VALUES_LIMIT} values"));
        }
        self.stack.push(self.values.len());
        self.values.push(value);
        Ok(())
    }

    /// Counts items or characters that a call looks at: one list can be given to any number of calls.
    pub(super) fn look_at(&mut self, items: usize) -> Result<(), String> {
        self.items += items;
        if self.items > ITEMS_LIMIT {
            return Err(format!("its calls look at more than {ITEMS_LIMIT} items"));
        }
        Ok(())
    }

    /// Puts a value there once more; it costs one index.
    pub(super) fn push_again(&mut self, id: Id) {
        self.stack.push(id);
    }

    /// Remembers how high the stack is.
    pub(super) fn mark(&mut self) {
        self.marks.push(self.stack.len());
    }

    pub(super) fn pop(&mut self) -> Result<Id, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err("it takes from an empty stack".to_owned());
        }
        self.stack.pop().ok_or_else(|| "it takes from an empty stack".to_owned())
    }

    /// Takes everything above the last mark.
    pub(super) fn pop_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or("it takes to a mark that was never set")?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    pub(super) fn top(&self) -> Result<Id, String> {
        self.stack.last().copied().ok_or_else(|| "it looks at an empty stack".to_owned())
    }

    pub(super) fn remember(&mut self, slot: u64) -> Result<(), String> {
        let top = self.top()?;
        self.memo.insert(slot, top);
        Ok(())
    }

    /// The slot that comes next if a pickle names none.
    pub(super) fn memo_len(&self) -> u64 {
        self.memo.len() as u64
    }

    pub(super) fn recall(&mut self, slot: u64) -> Result<(), String> {
        let id = self.memo.get(&slot).copied().ok_or_else(|| format!("memo {slot} was never set"))?;
        // One index a time, so loops over the memo stay bounded by the length of the pickle.
        self.push_again(id);
        Ok(())
    }

    pub(super) fn append(&mut self, items: Vec<Id>) -> Result<(), String> {
        let top = self.top()?;
        if let Some(Value::List(list)) = self.values.get_mut(top) {
            list.extend(items);
        }
        Ok(())
    }

    pub(super) fn set_items(&mut self, items: Vec<(Id, Id)>) -> Result<(), String> {
        let top = self.top()?;
        if let Some(Value::Dict(dict)) = self.values.get_mut(top) {
            dict.extend(items);
        }
        Ok(())
    }
}
