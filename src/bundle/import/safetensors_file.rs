//! Checkpoints in the safetensors format.
//!
//! Comes in: an open file. Goes out: its tensors; the header is read at once, a tensor's bytes when
//! it is asked for. Fails with [`BundleError::DamagedCheckpoint`], also if a name stands twice or two
//! tensors share bytes, which the format forbids: which of the two is meant cannot be known.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Seek, SeekFrom};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::bundle::error::BundleError;
use crate::bundle::import::element::Element;
use crate::bundle::import::files::ReadSeek;
use crate::bundle::source::{TensorSource, Unread};

/// Largest header: that of a large CLIP has less than 100 kilobytes.
pub const HEADER_LIMIT_BYTES: u64 = 16 * 1024 * 1024;
const LENGTH_BYTES: u64 = 8;

/// An open file.
pub struct SafetensorsFile {
    path: String,
    reader: Box<dyn ReadSeek>,
    tensors: BTreeMap<String, Entry>,
    unread: Vec<Unread>,
}

struct Entry {
    element: Element,
    shape: Vec<usize>,
    count: usize,
    start_byte: u64,
}

/// The header: names in the order of the file, as often as they stand there.
pub(super) struct Lines(pub(super) Vec<(String, serde_json::Value)>);

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Lines;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a line for each tensor")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Lines, M::Error> {
                let mut lines = Vec::new();
                while let Some(line) = map.next_entry()? {
                    lines.push(line);
                }
                Ok(Lines(lines))
            }
        }
        deserializer.deserialize_map(All)
    }
}

/// One line of the header.
#[derive(serde::Deserialize)]
struct Line {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [u64; 2],
}

impl SafetensorsFile {
    /// Reads the header. `path` is for messages.
    ///
    /// # Errors
    /// [`BundleError::DamagedCheckpoint`].
    pub fn open(mut reader: Box<dyn ReadSeek>, path: String) -> Result<Self, BundleError> {
        match read_header(&mut *reader) {
            Ok((tensors, unread)) => Ok(Self { path, reader, tensors, unread }),
            Err(reason) => Err(BundleError::DamagedCheckpoint { path, reason }),
        }
    }
}

fn read_header(reader: &mut dyn ReadSeek) -> Result<(BTreeMap<String, Entry>, Vec<Unread>), String> {
    let io = |e: std::io::Error| e.to_string();
    let file_bytes = reader.seek(SeekFrom::End(0)).map_err(io)?;
    reader.rewind().map_err(io)?;
    let mut length = [0; LENGTH_BYTES as usize];
    reader.read_exact(&mut length).map_err(io)?;
    let length = u64::from_le_bytes(length);
    if length > HEADER_LIMIT_BYTES || length + LENGTH_BYTES > file_bytes {
        return Err(format!("its header claims {length} bytes of {file_bytes}"));
    }
    let mut header = Vec::new();
    reader.take(length).read_to_end(&mut header).map_err(io)?;
    let lines: Lines = serde_json::from_slice(&header).map_err(|e| e.to_string())?;
    let data_start = LENGTH_BYTES + length;
    let (mut tensors, mut unread) = (BTreeMap::new(), Vec::new());
    let mut ranges = Vec::with_capacity(lines.0.len());
    for (name, line) in lines.0.into_iter().filter(|(name, _)| name != "__metadata__") {
        let line: Line = serde_json::from_value(line).map_err(|e| format!("its header at {name}: {e}"))?;
        ranges.push((line.data_offsets, name.clone()));
        // Types that no weight of ours has (such as 8-bit floats) are as good as absent.
        let Some(element) = Element::from_safetensors(&line.dtype) else {
            unread.push(Unread { name, why: format!("its type {} is not read", line.dtype) });
            continue;
        };
        let count = line.shape.iter().try_fold(1usize, |n, size| n.checked_mul(*size));
        let bytes = count.and_then(|n| n.checked_mul(element.size()));
        let [start, end] = line.data_offsets;
        let size = end.checked_sub(start);
        let (Some(count), Some(bytes)) = (count, bytes) else {
            return Err(format!("{name} has the impossible shape {:?}", line.shape));
        };
        if size != Some(bytes as u64) {
            return Err(format!("{name} has bytes {start} to {end}, its shape {:?} needs {bytes}", line.shape));
        }
        if data_start.checked_add(end).is_none_or(|end| end > file_bytes) {
            return Err(format!("{name} ends at byte {end} of the data, the file has {file_bytes} bytes"));
        }
        tensors.insert(name, Entry { element, shape: line.shape, count, start_byte: data_start + start });
    }
    check_apart(&mut ranges)?;
    Ok((tensors, unread))
}

/// Checks that no name stands twice and no two tensors share bytes.
fn check_apart(ranges: &mut [([u64; 2], String)]) -> Result<(), String> {
    ranges.sort_by(|a, b| a.1.cmp(&b.1));
    if let Some([(_, name), _]) = ranges.array_windows().find(|[a, b]| a.1 == b.1) {
        return Err(format!("the name {name} stands twice in its header"));
    }
    ranges.sort();
    let mut last: Option<&([u64; 2], String)> = None;
    // Tensors without elements have no bytes to share.
    for range in ranges.iter().filter(|([start, end], _)| start < end) {
        if let Some(([_, end], other)) = last.filter(|([_, end], _)| range.0[0] < *end) {
            return Err(format!("{} begins at byte {}, where {other} goes on to {end}", range.1, range.0[0]));
        }
        last = Some(range);
    }
    Ok(())
}

impl TensorSource for SafetensorsFile {
    fn names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.tensors.get(name).map(|t| t.shape.clone())
    }

    fn unread(&self) -> Vec<Unread> {
        self.unread.clone()
    }

    fn read(&mut self, name: &str) -> Result<Vec<f32>, BundleError> {
        let Some(entry) = self.tensors.get(name) else {
            return Err(BundleError::MissingTensor {
                name: name.to_owned(),
                hint: format!("{} does not hold it", self.path),
            });
        };
        let damaged =
            |e: std::io::Error| BundleError::DamagedCheckpoint { path: self.path.clone(), reason: e.to_string() };
        self.reader.seek(SeekFrom::Start(entry.start_byte)).map_err(damaged)?;
        entry.element.read(&mut self.reader, entry.count).map_err(damaged)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn open(lines: &[(&str, &str, [usize; 2])]) -> Result<SafetensorsFile, String> {
        let line = |(name, dtype, [start, end]): &(&str, &str, [usize; 2])| {
            let count = (end - start) / 4;
            format!(r#""{name}":{{"dtype":"{dtype}","shape":[{count}],"data_offsets":[{start},{end}]}}"#)
        };
        let header = format!("{{{}}}", lines.iter().map(line).collect::<Vec<_>>().join(","));
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend([0; 16]);
        SafetensorsFile::open(Box::new(Cursor::new(bytes)), "x".to_owned()).map_err(|e| e.to_string())
    }

    #[test]
    fn names_and_bytes_belong_to_one_tensor() {
        let file = open(&[("b", "F32", [8, 16]), ("a", "F32", [0, 8]), ("none", "F32", [4, 4])]).unwrap();
        assert_eq!(file.names(), ["a", "b", "none"]);
        let twice = open(&[("a", "F32", [0, 8]), ("a", "F32", [8, 16])]).err().unwrap();
        assert!(twice.contains("the name a stands twice"), "{twice}");
        let shared = open(&[("a", "F32", [0, 12]), ("b", "F32", [8, 16])]).err().unwrap();
        assert!(shared.contains("b begins at byte 8, where a goes on to 12"), "{shared}");
        assert!(open(&[("a", "F32", [0, 8]), ("b", "F32", [0, 8])]).is_err());
    }

    #[test]
    fn a_type_that_is_not_read_is_told() {
        let file = open(&[("a", "F8_E5M2", [0, 4]), ("b", "F32", [4, 16])]).unwrap();
        assert_eq!(file.names(), ["b"]);
        assert_eq!(file.unread()[0].name, "a");
        assert!(file.unread()[0].why.contains("F8_E5M2"));
    }
}
