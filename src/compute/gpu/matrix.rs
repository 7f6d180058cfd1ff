//! A linear weight in a graphics device's memory, as narrow as it is stored.
//!
//! Comes in: rows of a weight `[out, in]` in the order a bundle has them. They are laid down as
//! 32-bit words `[in / values a word, out]`: one word holds one, two or four neighbouring inputs of
//! one output. Both axes are filled up with zeros, so that every weight has a tile. So a shader reads
//! neighbouring outputs from neighbouring words for every element type, and rows of a split tensor never
//! share a word. Goes out: the words, for `Linear`, or all values as a plain tensor. Nothing fails here.

use std::fmt::Write;

use burn::tensor::{Bytes, DType};
use burn_wgpu::CubeTensor;
use half::vec::HalfFloatVecExt;

use super::kernel::{Kernel, declare};
use super::queue::Queue;
use crate::bundle::values::Values;

/// The inner axis is filled up with zeros to a multiple of this, so that every tile divides it.
const INNER_STEP: usize = 16;
/// The outputs are filled up likewise: the smallest tile has so many columns.
const OUTPUT_STEP: usize = 32;
/// Rows are handed over in pieces of about this size, which share one page of the device's memory.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;
/// Invocations a side of the shaders here.
const SIDE: usize = 16;

/// Element type of a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Packing {
    /// One f32 a word.
    F32,
    /// Two f16 a word.
    F16,
    /// Four i8 a word, and a scale an output.
    I8,
}

impl Packing {
    /// How `values` are stored.
    pub(crate) fn of(values: &Values) -> Self {
        match values {
            Values::F32(_) => Self::F32,
            Values::F16(_) => Self::F16,
            Values::I8(_) => Self::I8,
        }
    }

    /// Values in 32 bits.
    pub(crate) fn values_a_word(self) -> usize {
        match self {
            Self::F32 => 1,
            Self::F16 => 2,
            Self::I8 => 4,
        }
    }
}

/// A weight on the device.
#[derive(Clone, Debug)]
pub(crate) struct Matrix {
    queue: Queue,
    packing: Packing,
    outputs: usize,
    inputs: usize,
    /// `[padded inputs / values a word, padded out]`
    words: CubeTensor,
    /// `[padded out]`, of i8
    scales: Option<CubeTensor>,
}

impl Matrix {
    /// Memory for a weight `[out, in]`; None if its rows do not fill whole words.
    pub(crate) fn new(queue: &Queue, shape: &[usize], packing: Packing) -> Option<Self> {
        let [outputs, inputs] = *shape else { return None };
        if outputs == 0 || inputs == 0 || !inputs.is_multiple_of(packing.values_a_word()) {
            return None;
        }
        let (rows, columns) = (padded(inputs) / packing.values_a_word(), outputs.next_multiple_of(OUTPUT_STEP));
        Some(Self {
            queue: queue.clone(),
            packing,
            outputs,
            inputs,
            words: queue.kept([rows, columns], DType::U32),
            scales: (packing == Packing::I8).then(|| queue.kept([columns], DType::F32)),
        })
    }

    /// Lays rows down, from row `first`. False if they are stored in another type.
    pub(crate) fn put(&self, first: usize, values: Values) -> bool {
        let (words, scales) = match (self.packing, values) {
            (Packing::F32, Values::F32(values)) => (Bytes::from_elems(values), None),
            (Packing::F16, Values::F16(values)) => (Bytes::from_elems(values.reinterpret_into()), None),
            (Packing::I8, Values::I8(rows)) => (Bytes::from_elems(rows.integers), Some(rows.scales)),
            _ => return false,
        };
        self.lay(&self.words, self.inputs / self.packing.values_a_word(), first, &words);
        if let (Some(target), Some(scales)) = (&self.scales, scales) {
            self.lay(target, 1, first, &Bytes::from_elems(scales));
        }
        true
    }

    /// Turns rows of `row_words` words into columns of `target`, some at a time; behind the last row come the zeros.
    fn lay(&self, target: &CubeTensor, row_words: usize, first: usize, part: &[u8]) {
        let row_bytes = row_words * size_of::<u32>();
        let columns = self.padded_outputs();
        let height = target.meta.shape().num_elements() / columns;
        let rows_at_once = (CHUNK_BYTES / row_bytes).max(1);
        for (n, chunk) in part.chunks(rows_at_once * row_bytes).enumerate() {
            let rows = chunk.len() / row_bytes;
            let at = first + n * rows_at_once;
            let behind = if at + rows == self.outputs { columns - self.outputs } else { 0 };
            let sizes = [rows, row_words, height, columns, at, behind].map(|n| n as u32);
            let kernel = Kernel::new("lay".to_owned(), [SIDE as u32, SIDE as u32, 1], lay_text);
            let groups = [(rows + behind).div_ceil(SIDE) as u32, height.div_ceil(SIDE) as u32, 1];
            let sizes = self.queue.passing(Bytes::from_elems(sizes.to_vec()));
            let chunk = self.queue.passing(Bytes::from_elems(chunk.to_vec()));
            kernel.launch(groups, &[&chunk, target, &sizes]);
        }
    }

    /// All values as f32, `[out, in]`.
    pub(crate) fn widened(&self) -> CubeTensor {
        let wide = self.queue.empty([self.outputs, self.inputs]);
        let row_words = self.inputs / self.packing.values_a_word();
        let sizes = [self.outputs, row_words, self.padded_outputs()].map(|n| n as u32);
        let packing = self.packing;
        let kernel =
            Kernel::new(format!("widen {packing:?}"), [SIDE as u32, SIDE as u32, 1], move || widen_text(packing));
        let sizes = self.queue.passing(Bytes::from_elems(sizes.to_vec()));
        let mut buffers = vec![&self.words, &sizes, &wide];
        buffers.extend(&self.scales);
        kernel.launch([self.outputs.div_ceil(SIDE) as u32, row_words.div_ceil(SIDE) as u32, 1], &buffers);
        wide
    }

    /// The device that has it.
    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    pub(crate) fn packing(&self) -> Packing {
        self.packing
    }

    /// Results of a product with it, the zeros behind them included.
    pub(crate) fn padded_outputs(&self) -> usize {
        self.outputs.next_multiple_of(OUTPUT_STEP)
    }

    /// Values a row needs for a product with it: the inputs, and zeros behind them.
    pub(crate) fn padded_inputs(&self) -> usize {
        padded(self.inputs)
    }

    /// `[padded inputs / values a word, padded out]`
    pub(super) fn words(&self) -> &CubeTensor {
        &self.words
    }

    /// `[padded out]` if it has them.
    pub(super) fn scales(&self) -> Option<&CubeTensor> {
        self.scales.as_ref()
    }
}

/// Values that a row of `inputs` takes with the zeros behind it.
fn padded(inputs: usize) -> usize {
    inputs.next_multiple_of(INNER_STEP)
}

fn lay_text() -> String {
    let buffers = declare(&[("part", "u32"), ("words", "u32"), ("sizes", "u32")]);
    format!(
        "{buffers}
@compute @workgroup_size({SIDE}, {SIDE})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
    let row_words = sizes[1];
    if (id.x >= sizes[0] + sizes[5] || id.y >= sizes[2]) {{ return; }}
    let word = part[min(id.x, sizes[0] - 1u) * row_words + min(id.y, row_words - 1u)];
    words[id.y * sizes[3] + sizes[4] + id.x] = select(0u, word, id.x < sizes[0] && id.y < row_words);
}}
"
    )
}

fn widen_text(packing: Packing) -> String {
    let mut buffers = vec![("words", "u32"), ("sizes", "u32"), ("wide", "f32")];
    let mut store = String::new();
    // Writing to a string cannot fail.
    match packing {
        Packing::F32 => store.push_str("    wide[to] = bitcast<f32>(word);\n"),
        Packing::F16 => store
            .push_str("    let pair = unpack2x16float(word);\n    wide[to] = pair.x;\n    wide[to + 1u] = pair.y;\n"),
        Packing::I8 => {
            buffers.push(("scales", "f32"));
            for n in 0..4 {
                let up = 24 - 8 * n;
                let integer = format!("bitcast<i32>(word << {up}u) >> 24u");
                let _ = writeln!(store, "    wide[to + {n}u] = f32({integer}) * scales[id.x];");
            }
        }
    }
    format!(
        "{buffers}
@compute @workgroup_size({SIDE}, {SIDE})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
    let outputs = sizes[0];
    let row_words = sizes[1];
    if (id.x >= outputs || id.y >= row_words) {{ return; }}
    let word = words[id.y * sizes[2] + id.x];
    let to = (id.x * row_words + id.y) * {values}u;
{store}}}
",
        buffers = declare(&buffers),
        values = packing.values_a_word(),
    )
}
