//! Memory for the intermediate results of a block.

use crate::raw::{BYTES_A_VALUE, PANEL, Scratch, Storage, widened_columns};
use crate::shape::Shape;
use crate::weights::Linear;

/// Memory that blocks of one tower share; grows to what the largest of them needs.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    pub(crate) normed: Vec<f32>,
    pub(crate) wide: Vec<f32>,
    pub(crate) scores: Vec<f32>,
    pub(crate) packed: Vec<f32>,
    widened: Vec<f32>,
    bytes: Vec<u8>,
    ranges: Vec<f32>,
}

impl Workspace {
    pub(crate) fn fit(&mut self, tokens: usize, shape: &Shape, maps: [&Linear; 4], by_bytes: bool) {
        let padded = tokens.next_multiple_of(PANEL);
        at_least(&mut self.normed, tokens * shape.width);
        at_least(&mut self.wide, tokens * (3 * shape.width).max(shape.mlp_width));
        at_least(&mut self.scores, tokens * padded);
        at_least(&mut self.packed, 2 * padded * (shape.width / shape.heads));
        for map in maps {
            match map.storage(by_bytes) {
                Storage::F32 => {}
                Storage::F16 | Storage::I8 => {
                    at_least(&mut self.widened, widened_columns(map.outputs, map.inputs) * map.inputs);
                }
                Storage::I8ByBytes => {
                    at_least(&mut self.bytes, tokens * BYTES_A_VALUE * map.inputs);
                    at_least(&mut self.ranges, tokens * 2);
                }
            }
        }
    }

    pub(crate) fn scratch(&mut self) -> Scratch {
        Scratch { widened: self.widened.as_mut_ptr(), bytes: self.bytes.as_mut_ptr(), ranges: self.ranges.as_mut_ptr() }
    }
}

fn at_least<T: Clone + Default>(values: &mut Vec<T>, count: usize) {
    if values.len() < count {
        values.resize(count, T::default());
    }
}
