//! One shard: tensors gathered in memory, then written as a safetensors file with its digest.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::bundle::error::BundleError;
use crate::bundle::manifest::{Dtype, FileEntry, Group, TensorEntry};
use crate::bundle::quantize::{Encoded, element_bytes};
use crate::bundle::shard::{hex, scale_key};
use crate::bundle::writer::output::Output;

/// Length field, braces and padding of a shard's header.
pub(super) const HEADER_FIXED_BYTES: usize = 8 + 2 + 8;

/// The shard that is filling up.
pub(super) struct OpenShard {
    group: Group,
    stored: Vec<Stored>,
    tensors: Vec<TensorEntry>,
    used_bytes: usize,
}

/// One entry of a safetensors file.
struct Stored {
    key: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl OpenShard {
    pub(super) fn new(group: Group) -> Self {
        Self { group, stored: Vec::new(), tensors: Vec::new(), used_bytes: HEADER_FIXED_BYTES }
    }

    pub(super) fn group(&self) -> Group {
        self.group
    }

    /// No fewer bytes than the file will have.
    pub(super) fn used_bytes(&self) -> usize {
        self.used_bytes
    }

    /// Adds a tensor, or rows of one, with its scales.
    pub(super) fn add(&mut self, entry: TensorEntry, encoded: Encoded) {
        let key = entry.key();
        let shape = entry.stored_shape();
        self.used_bytes += header_bound(&entry) + encoded.bytes.len() + encoded.scales.as_ref().map_or(0, Vec::len);
        if let Some(bytes) = encoded.scales {
            let rows = shape.first().copied().unwrap_or(0);
            self.stored.push(Stored { key: scale_key(&key), dtype: Dtype::F32, shape: vec![rows], bytes });
        }
        self.stored.push(Stored { key, dtype: entry.dtype, shape, bytes: encoded.bytes });
        self.tensors.push(entry);
    }

    /// Writes the file, number `number` of its group: length, header, data. Wide elements first, so
    /// that every tensor is aligned to its element.
    pub(super) fn write(
        mut self,
        output: &mut impl Output,
        number: usize,
        limit_bytes: usize,
    ) -> Result<FileEntry, BundleError> {
        let path = format!("{}-{number:03}.safetensors", group_name(self.group));
        self.stored.sort_by_key(|s| std::cmp::Reverse(element_bytes(s.dtype)));
        let mut offset = 0;
        let mut lines = Vec::with_capacity(self.stored.len());
        for stored in &self.stored {
            let end = offset + stored.bytes.len();
            let dtype = match stored.dtype {
                Dtype::F32 => "F32",
                Dtype::F16 => "F16",
                Dtype::I8 => "I8",
            };
            let info = json!({ "dtype": dtype, "shape": stored.shape, "data_offsets": [offset, end] });
            lines.push(format!("{}:{info}", json!(stored.key)));
            offset = end;
        }
        let mut header = format!("{{{}}}", lines.join(","));
        while header.len() % 8 != 0 {
            header.push(' ');
        }
        let bytes = 8 + header.len() + offset;
        if bytes > limit_bytes {
            return Err(BundleError::Shard {
                path,
                reason: format!("it has {bytes} bytes, at most {limit_bytes} fit"),
            });
        }
        let length = (header.len() as u64).to_le_bytes();
        let mut pieces = vec![length.as_slice(), header.as_bytes()];
        pieces.extend(self.stored.iter().map(|s| s.bytes.as_slice()));
        let mut hash = Sha256::new();
        pieces.iter().for_each(|piece| hash.update(piece));
        output.write(&path, &pieces)?;
        let sha256 = hex(&hash.finalize());
        Ok(FileEntry { path, bytes: bytes as u64, sha256, group: self.group, tensors: self.tensors })
    }
}

/// No fewer bytes than a tensor's lines in the header take.
pub(super) fn header_bound(entry: &TensorEntry) -> usize {
    let line = 6 * entry.name.len() + 128 + 21 * (entry.shape.len() + 2);
    if entry.dtype == Dtype::I8 { 2 * line } else { line }
}

fn group_name(group: Group) -> &'static str {
    match group {
        Group::Vision => "vision",
        Group::Adapters => "adapters",
        Group::Text => "text",
        Group::Prompts => "prompts",
    }
}
