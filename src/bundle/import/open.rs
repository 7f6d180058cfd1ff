//! Which container a file is, by its first bytes, and which file of a folder is meant.
//!
//! Comes in: a path, or files by name. Goes out: tensors under the names they have there. Fails with
//! [`BundleError::UnknownCheckpoint`], [`BundleError::LegacyCheckpoint`], [`BundleError::Part`] or
//! [`BundleError::Index`], or as the container's reader does.

use std::io::{self, Read};
use std::path::Path;

use crate::bundle::error::BundleError;
use crate::bundle::import::files::{Files, Folder, ReadSeek};
use crate::bundle::import::safetensors_file::{HEADER_LIMIT_BYTES, SafetensorsFile};
use crate::bundle::import::sharded::{index_of, is_index_name, open_index, part_of};
use crate::bundle::import::torch_zip::TorchZip;
use crate::bundle::source::TensorSource;

/// Enough to identify the container: the mark of a tar archive stands furthest.
const PROBE_BYTES: u64 = 264;
const TAR_MARK_AT: usize = 257;
/// Largest `config.json` looked at.
const CONFIG_LIMIT_BYTES: u64 = 1024 * 1024;
/// What a checkpoint is called where a folder has several: the first is taken.
const USUAL_NAMES: [&str; 6] = [
    "model.safetensors",
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "pytorch_model.bin",
    "open_clip_pytorch_model.bin",
    "consolidated.safetensors",
];
const ENDINGS: [&str; 5] = [".safetensors", ".pt", ".pth", ".bin", ".ckpt"];

/// Files of tensors, opened.
pub struct Opened {
    /// The tensors.
    pub source: Box<dyn TensorSource>,
    /// Where they are, for messages.
    pub place: String,
    /// `config.json` beside them, or nothing.
    pub config: Vec<u8>,
    /// What was opened, where it is not what was named, and what was passed over.
    pub notes: Vec<String>,
}

/// Opens a file of tensors, an index of several, or the one in a folder.
///
/// # Errors
/// As in the module's description, and [`BundleError::Io`].
pub fn open_source(path: &Path) -> Result<Opened, BundleError> {
    if path.is_dir() {
        let folder = Folder::whole(path);
        let (name, note) = choose_in(&folder, &path.display().to_string())?;
        let mut opened = open_in(&folder, &name)?;
        opened.notes.splice(0..0, note);
        return Ok(opened);
    }
    let (folder, name) = Folder::around(path);
    open_in(&folder, &name)
}

/// Opens one of some files, and those that it needs.
///
/// # Errors
/// As [`open_source`].
pub fn open_in(files: &dyn Files, name: &str) -> Result<Opened, BundleError> {
    let place = files.place(name);
    let mut reader = files.open(name).map_err(|source| BundleError::Io { path: place.clone(), source })?;
    let mut probe = Vec::new();
    let probed = reader.by_ref().take(PROBE_BYTES).read_to_end(&mut probe);
    probed.and_then(|_| reader.rewind()).map_err(|source| BundleError::Io { path: place.clone(), source })?;
    let config = files.start("config.json", CONFIG_LIMIT_BYTES).unwrap_or_default();
    let opened = |source: Box<dyn TensorSource>, notes| Opened { source, place: place.clone(), config, notes };
    if is_index_name(name) || (probe.trim_ascii_start().starts_with(b"{") && !is_safetensors(&probe)) {
        return Ok(opened(Box::new(open_index(files, name)?), Vec::new()));
    }
    if let Some(index) = index_of(files, name) {
        let source = open_index(files, &index)?;
        let note = format!("{name} is one of {} parts; all are read, by {index}", source.parts());
        return Ok(opened(Box::new(source), vec![note]));
    }
    if let Some((part, of)) = part_of(name).filter(|(_, of)| *of > 1) {
        return Err(BundleError::Part { path: place, part, of });
    }
    Ok(opened(container(reader, &probe, &place)?, Vec::new()))
}

/// Opens one file by its first bytes.
pub(super) fn container(
    reader: Box<dyn ReadSeek>,
    probe: &[u8],
    place: &str,
) -> Result<Box<dyn TensorSource>, BundleError> {
    let path = place.to_owned();
    if probe.starts_with(b"PK") {
        return Ok(Box::new(TorchZip::open(reader, path)?));
    }
    if is_safetensors(probe) {
        return Ok(Box::new(SafetensorsFile::open(reader, path)?));
    }
    // A pickle of protocol 2 or later at the very start is what torch wrote before its zip format.
    if matches!(probe, [0x80, 2..=5, ..]) {
        return Err(BundleError::LegacyCheckpoint { path });
    }
    Err(BundleError::UnknownCheckpoint { path, reason: strange(probe).to_owned() })
}

/// A header's length, then the header.
fn is_safetensors(probe: &[u8]) -> bool {
    let length = probe.first_chunk().map(|length| u64::from_le_bytes(*length));
    length.is_some_and(|length| length <= HEADER_LIMIT_BYTES) && probe.get(8) == Some(&b'{')
}

/// What a file is that is no container of tensors read here.
fn strange(probe: &[u8]) -> &'static str {
    if probe.is_empty() {
        "it is empty"
    } else if probe.starts_with(b"version https://git-lfs") {
        "it is a Git LFS pointer, not the file itself (git lfs pull fetches that)"
    } else if probe.trim_ascii_start().starts_with(b"<") {
        "it is a web page, so the download went wrong"
    } else if probe.starts_with(b"GGUF") {
        "it is a GGUF file, with weights narrowed for a language model's runner"
    } else if probe.starts_with(b"\x89HDF") {
        "it is an HDF5 file, as Keras writes it"
    } else if probe.get(TAR_MARK_AT..).is_some_and(|rest| rest.starts_with(b"ustar")) {
        "it is a tar archive; unpack it, and give the checkpoint inside"
    } else if probe.starts_with(&[0x08]) && probe.windows(7).any(|part| part == b"pytorch") {
        "it is an ONNX file, which holds a program; give the checkpoint it was exported from"
    } else {
        "it starts neither like a zip file nor like safetensors"
    }
}

/// Whether a file is called like a checkpoint in one file.
pub fn is_checkpoint_name(name: &str) -> bool {
    ENDINGS.iter().any(|ending| name.ends_with(ending)) && part_of(name).is_none()
}

/// The checkpoint of a folder, and a note about others there.
///
/// # Errors
/// [`BundleError::UnknownCheckpoint`] if none or several are meant, [`BundleError::Io`].
pub fn choose_in(files: &dyn Files, place: &str) -> Result<(String, Option<String>), BundleError> {
    let unknown = |reason: String| BundleError::UnknownCheckpoint { path: place.to_owned(), reason };
    let io = |source: io::Error| BundleError::Io { path: place.to_owned(), source };
    let names = files.names().map_err(io)?;
    let is_checkpoint = |name: &&String| ENDINGS.iter().any(|ending| name.ends_with(ending));
    let (parts, whole): (Vec<_>, Vec<_>) = names.iter().filter(is_checkpoint).partition(|n| part_of(n).is_some());
    let indices = |kind: &str| -> Vec<&String> {
        names.iter().filter(|name| is_index_name(name) && name.contains(kind)).collect()
    };
    let of_kinds = [indices(".safetensors."), indices(".bin.")];
    let found = of_kinds.iter().find(|found| !found.is_empty());
    let chosen = match found.map(Vec::as_slice) {
        Some([one]) => *one,
        Some(several) => match several.iter().find(|name| name.as_str() == "model.safetensors.index.json") {
            Some(usual) => *usual,
            None => return Err(unknown(format!("it holds {} indices; give one of them", listed(several)))),
        },
        None => match (USUAL_NAMES.iter().find_map(|u| whole.iter().find(|n| n.as_str() == *u)), whole.as_slice()) {
            (Some(usual), _) => *usual,
            (None, [one]) => *one,
            (None, []) if parts.is_empty() => {
                return Err(unknown(format!("it is a folder without a file that ends in {}", ENDINGS.join(", "))));
            }
            (None, []) => parts[0],
            (None, several) => return Err(unknown(format!("it holds {}; give one of them", listed(several)))),
        },
    };
    let others: Vec<&String> = whole.iter().copied().filter(|name| *name != chosen).collect();
    let note = format!("of this folder {chosen} is read");
    Ok((chosen.clone(), Some(if others.is_empty() { note } else { format!("{note}, not {}", listed(&others)) })))
}

/// Some names, for a message.
fn listed(names: &[&String]) -> String {
    const MOST: usize = 4;
    let first: Vec<&str> = names.iter().take(MOST).map(|name| name.as_str()).collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}", first.join(", "))
}
