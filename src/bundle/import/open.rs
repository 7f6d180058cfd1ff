//! Which container a file is, by its first bytes.
//!
//! Comes in: a path. Goes out: its tensors under the names they have there. Fails with
//! [`BundleError::UnknownCheckpoint`] or [`BundleError::LegacyCheckpoint`], or as the container's
//! reader does.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use crate::bundle::error::BundleError;
use crate::bundle::import::safetensors_file::{HEADER_LIMIT_BYTES, SafetensorsFile};
use crate::bundle::import::torch_zip::TorchZip;
use crate::bundle::source::TensorSource;

/// Something to read from that can go back and forth.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// Enough to identify the container.
const PROBE_BYTES: u64 = 64;

/// Opens a file of tensors.
///
/// # Errors
/// As in the module's description, and [`BundleError::Io`].
pub fn open_source(path: &Path) -> Result<Box<dyn TensorSource>, BundleError> {
    let file = File::open(path).map_err(|e| BundleError::io(path, e))?;
    let mut reader: Box<dyn ReadSeek> = Box::new(BufReader::new(file));
    let mut probe = Vec::new();
    reader.by_ref().take(PROBE_BYTES).read_to_end(&mut probe).map_err(|e| BundleError::io(path, e))?;
    reader.rewind().map_err(|e| BundleError::io(path, e))?;
    let path = path.display().to_string();
    if probe.starts_with(b"PK") {
        return Ok(Box::new(TorchZip::open(reader, path)?));
    }
    if let (Some(length), Some(b'{')) = (probe.first_chunk(), probe.get(8))
        && u64::from_le_bytes(*length) <= HEADER_LIMIT_BYTES
    {
        return Ok(Box::new(SafetensorsFile::open(reader, path)?));
    }
    // A pickle of protocol 2 or later at the very start is what torch wrote before its zip format.
    if matches!(probe.as_slice(), [0x80, 2..=5, ..]) {
        return Err(BundleError::LegacyCheckpoint { path });
    }
    let reason = if probe.is_empty() {
        "it is empty"
    } else if probe.starts_with(b"version https://git-lfs") {
        "it is a Git LFS pointer, not the file itself (git lfs pull fetches that)"
    } else if probe.trim_ascii_start().starts_with(b"<") {
        "it is a web page, so the download went wrong"
    } else {
        "it starts neither like a zip file nor like safetensors"
    };
    Err(BundleError::UnknownCheckpoint { path, reason: reason.to_owned() })
}
