//! Checkpoints in the safetensors format.
//!
//! Comes in: an open file. Goes out: its tensors; the header is read at once, a tensor's bytes when
//! it is asked for. Fails with [`BundleError::DamagedCheckpoint`].

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use serde::Deserialize;

use crate::bundle::error::BundleError;
use crate::bundle::import::element::Element;
use crate::bundle::import::open::ReadSeek;
use crate::bundle::source::TensorSource;

/// Largest header: that of a large CLIP has less than 100 kilobytes.
pub const HEADER_LIMIT_BYTES: u64 = 16 * 1024 * 1024;
const LENGTH_BYTES: u64 = 8;

/// An open file.
pub struct SafetensorsFile {
    path: String,
    reader: Box<dyn ReadSeek>,
    tensors: BTreeMap<String, Entry>,
}

struct Entry {
    element: Element,
    shape: Vec<usize>,
    count: usize,
    start_byte: u64,
}

/// One line of the header.
#[derive(Deserialize)]
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
            Ok(tensors) => Ok(Self { path, reader, tensors }),
            Err(reason) => Err(BundleError::DamagedCheckpoint { path, reason }),
        }
    }
}

fn read_header(reader: &mut dyn ReadSeek) -> Result<BTreeMap<String, Entry>, String> {
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
    let lines: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&header).map_err(|e| e.to_string())?;
    let data_start = LENGTH_BYTES + length;
    let mut tensors = BTreeMap::new();
    for (name, line) in lines.into_iter().filter(|(name, _)| name != "__metadata__") {
        let line: Line = serde_json::from_value(line).map_err(|e| format!("its header at {name}: {e}"))?;
        // Types that no weight of ours has (such as 8-bit floats) are as good as absent.
        let Some(element) = Element::from_safetensors(&line.dtype) else { continue };
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
    Ok(tensors)
}

impl TensorSource for SafetensorsFile {
    fn names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.tensors.get(name).map(|t| t.shape.clone())
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
