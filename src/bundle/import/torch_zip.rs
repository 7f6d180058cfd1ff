//! torch's zip format: what `torch.save` writes since 1.6, and TorchScript archives.
//!
//! Comes in: an archive with `NAME/data.pkl` and one file per storage below `NAME/data/`. Goes out:
//! its tensors by dotted name. The pickle is read at once; a tensor's bytes only when it is asked
//! for, and only its part of the storage. TorchScript code in the archive is never looked at.
//! Fails with [`BundleError::DamagedCheckpoint`], also if two files of the archive have one name.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read, Seek, SeekFrom};

use zip::{CompressionMethod, ZipArchive};

use crate::bundle::error::BundleError;
use crate::bundle::import::files::ReadSeek;
use crate::bundle::import::pickle::value::StoredTensor;
use crate::bundle::import::pickle::{PICKLE_LIMIT_BYTES, read_pickle};
use crate::bundle::import::tree::flatten_with_unread;
use crate::bundle::source::{TensorSource, Unread};

/// Deflate cannot do better than this, so a larger claim is a lie.
const DEFLATE_RATIO_LIMIT: u64 = 1032;

/// An open archive.
pub struct TorchZip {
    path: String,
    archive: ZipArchive<Box<dyn ReadSeek>>,
    archive_bytes: u64,
    /// Folder of the archive's files, with its slash.
    folder: String,
    tensors: BTreeMap<String, StoredTensor>,
    unread: Vec<Unread>,
}

impl TorchZip {
    /// Opens an archive. `path` is for messages.
    ///
    /// # Errors
    /// [`BundleError::DamagedCheckpoint`], or [`BundleError::UnknownCheckpoint`] for a zip file
    /// that is none of torch.
    pub fn open(mut reader: Box<dyn ReadSeek>, path: String) -> Result<Self, BundleError> {
        let damaged = |reason: String| BundleError::DamagedCheckpoint { path: path.clone(), reason };
        let archive_bytes = reader.seek(SeekFrom::End(0)).map_err(|e| damaged(e.to_string()))?;
        let wrong = |e: zip::result::ZipError| damaged(format!("its zip directory: {e}"));
        let directory = ZipArchive::new(&mut *reader).map_err(wrong)?.central_directory_start();
        let twice = name_that_stands_twice(&mut *reader, directory).map_err(|e| damaged(e.to_string()))?;
        if let Some(name) = twice {
            return Err(damaged(format!("the name {name} stands twice in its zip directory")));
        }
        let mut archive = ZipArchive::new(reader).map_err(wrong)?;
        let pickle =
            archive.file_names().filter(|n| *n == "data.pkl" || n.ends_with("/data.pkl")).min_by_key(|n| n.len());
        let Some(pickle) = pickle.map(str::to_owned) else {
            let reason = "it is a zip file without a data.pkl".to_owned();
            return Err(BundleError::UnknownCheckpoint { path, reason });
        };
        let folder = pickle.trim_end_matches("data.pkl").to_owned();
        let order = read_small(&mut archive, &format!("{folder}byteorder"), 16).unwrap_or_default();
        if order.starts_with(b"big") {
            return Err(damaged("it was written on a big-endian machine, which is not read".to_owned()));
        }
        let bytes = read_small(&mut archive, &pickle, PICKLE_LIMIT_BYTES + 1).map_err(|e| damaged(e.to_string()))?;
        let (tensors, unread) = read_pickle(&bytes).and_then(|pickle| flatten_with_unread(&pickle)).map_err(damaged)?;
        Ok(Self { path, archive, archive_bytes, folder, tensors, unread })
    }

    fn read_stored(&mut self, tensor: &StoredTensor) -> Result<Vec<f32>, String> {
        let name = format!("{}data/{}", self.folder, tensor.storage.key);
        let index = self.archive.index_for_name(&name).ok_or_else(|| format!("its file {name} is missing"))?;
        let wrong = |e: &dyn std::fmt::Display| format!("its file {name}: {e}");
        let file = self.archive.by_index(index).map_err(|e| wrong(&e))?;
        let (size, stored) = (file.size(), file.compression() == CompressionMethod::Stored);
        drop(file);
        let element = tensor.storage.element;
        let span = tensor.span().unwrap_or(0);
        let start_byte = (tensor.offset as u64).saturating_mul(element.size() as u64);
        let end_byte = start_byte.saturating_add((span as u64).saturating_mul(element.size() as u64));
        let ratio = if stored { 1 } else { DEFLATE_RATIO_LIMIT };
        if end_byte > size || size > self.archive_bytes.saturating_mul(ratio) {
            return Err(format!("its file {name} has {size} bytes, expected at least {end_byte}"));
        }
        let read = |reader: &mut dyn Read| {
            let values = element.read(reader, span)?;
            if end_byte == size {
                // The end of the file is where its checksum is compared.
                io::copy(&mut reader.take(1), &mut io::sink())?;
            }
            Ok::<_, io::Error>(values)
        };
        let values = if stored && start_byte > 0 {
            let mut file = self.archive.by_index_seek(index).map_err(|e| wrong(&e))?;
            file.seek(SeekFrom::Start(start_byte)).map_err(|e| wrong(&e))?;
            read(&mut file)
        } else {
            let mut file = self.archive.by_index(index).map_err(|e| wrong(&e))?;
            io::copy(&mut file.by_ref().take(start_byte), &mut io::sink()).map_err(|e| wrong(&e))?;
            read(&mut file)
        };
        let values = values.map_err(|e| wrong(&e))?;
        Ok(if tensor.is_contiguous() { values } else { tensor.gather(&values) })
    }
}

impl TensorSource for TorchZip {
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
        let Some(tensor) = self.tensors.get(name).cloned() else {
            return Err(BundleError::MissingTensor {
                name: name.to_owned(),
                hint: format!("{} does not hold it", self.path),
            });
        };
        self.read_stored(&tensor).map_err(|reason| BundleError::DamagedCheckpoint { path: self.path.clone(), reason })
    }
}

/// A name that two entries of the central directory have: the reader takes the last of them, others the
/// first. Source: APPNOTE.TXT 4.3.12.
fn name_that_stands_twice(reader: &mut dyn ReadSeek, directory: u64) -> io::Result<Option<String>> {
    const SIGNATURE: [u8; 4] = *b"PK\x01\x02";
    const NAME_LENGTH: usize = 28;
    const HEADER_BYTES: usize = 46;
    let mut reader = io::BufReader::new(reader);
    reader.seek(SeekFrom::Start(directory))?;
    let mut names = HashSet::new();
    let mut header = [0; HEADER_BYTES];
    // What comes after the last entry is shorter, or begins otherwise.
    while reader.read_exact(&mut header).is_ok() && header.starts_with(&SIGNATURE) {
        let length = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let mut name = Vec::new();
        reader.by_ref().take(length(NAME_LENGTH)).read_to_end(&mut name)?;
        // The lengths of the extra field and the comment follow that of the name.
        io::copy(&mut reader.by_ref().take(length(NAME_LENGTH + 2) + length(NAME_LENGTH + 4)), &mut io::sink())?;
        if let Some(twice) = names.replace(name) {
            return Ok(Some(String::from_utf8_lossy(&twice).into_owned()));
        }
    }
    Ok(None)
}

/// A file of the archive, up to `limit` bytes.
fn read_small(archive: &mut ZipArchive<Box<dyn ReadSeek>>, name: &str, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    archive.by_name(name)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::bundle::export::{Matrix, adapters_pth};

    #[test]
    fn two_files_of_one_name_are_refused() {
        let names = ["adapters.seg.0.fc1", "adapters.seg.0.fc2", "adapters.det.0.fc1", "adapters.det.0.fc2"];
        let matrices = names.map(|name| Matrix { name, shape: [1, 1], values: &[0.5] });
        let mut bytes = adapters_pth(&matrices).unwrap();
        let open = |bytes: &[u8]| TorchZip::open(Box::new(Cursor::new(bytes.to_vec())), "x".to_owned());
        assert_eq!(open(&bytes).unwrap().names().len(), 4);
        // In the local header and in the directory.
        let (from, to) = (b"archive/data/3", b"archive/data/2");
        let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
        assert_eq!(places.len(), 2);
        places.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to));
        let error = open(&bytes).err().unwrap().to_string();
        assert!(error.contains("archive/data/2 stands twice"), "{error}");
    }
}
