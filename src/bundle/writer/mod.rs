//! Writing a bundle, tensor by tensor.
//!
//! Comes in: tensors one at a time, in f32. Goes out: a folder of shards, none larger than
//! [`SHARD_LIMIT_BYTES`], and `manifest.json`, written last. Tensors that do not fit a shard are
//! split by rows. In memory are one shard and the caller's tensor, no more.
//!
//! Where the files go is an [`Output`]. On a disk that is a [`Place`]: a hidden folder beside the target,
//! moved into place at the end, so a bundle that was there stays whole when anything fails before. The same
//! tensors give the same bytes, also if a writing that ended early goes on from the files it had [`Kept`].

mod open_shard;
mod output;
#[cfg(not(target_arch = "wasm32"))]
mod place;
#[cfg(not(target_arch = "wasm32"))]
mod replaceable;

#[cfg(not(target_arch = "wasm32"))]
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bundle::error::BundleError;
use crate::bundle::manifest::{Dtype, FileEntry, Group, Manifest, SHARD_LIMIT_BYTES, TensorEntry};
use crate::bundle::quantize::{encode, row_bytes, stored_dtype};
use crate::bundle::shard::sha256_hex;
use crate::bundle::source::check_finite;

use self::open_shard::{HEADER_FIXED_BYTES, OpenShard, header_bound};
pub use self::output::Output;
#[cfg(not(target_arch = "wasm32"))]
pub use self::place::Place;
#[cfg(not(target_arch = "wasm32"))]
pub use self::replaceable::check_replaceable;

/// Name of the manifest in a bundle's folder.
pub const MANIFEST: &str = "manifest.json";
/// File name of the model card.
pub const CARD: &str = "MODEL_CARD.md";
/// Record of how a trained bundle came about.
pub const TRAINING: &str = "training.json";
/// A trained bundle's adapters in PyTorch's layout.
pub const ADAPTERS_PTH: &str = "adapters.pth";

/// A tensor too large for any shard starts in the open one only where it can put this much there.
const SPLIT_MIN_BYTES: usize = 1024 * 1024;
/// Characters of the revision: short enough to read out, long enough not to collide.
const REVISION_CHARS: usize = 16;

/// A bundle being written.
pub struct BundleWriter<O> {
    output: O,
    dtype: Dtype,
    limit_bytes: usize,
    open: Option<OpenShard>,
    kept: Kept,
}

/// The files that are finished, for a writing that goes on later.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// In the order they were written.
    pub files: Vec<FileEntry>,
    /// Largest magnitude of all values, and whose it is.
    largest: (f32, String),
}

impl Kept {
    /// Rows of a tensor that are in the files. They come in order, so these are its first.
    pub fn rows(&self, name: &str) -> usize {
        let parts = self.files.iter().flat_map(|file| &file.tensors).filter(|tensor| tensor.name == name);
        parts.map(|part| part.rows.map_or(part.row_count(), |[_, end]| end)).max().unwrap_or(0)
    }

    /// Files that another bundle has, and of these those that `stays` says, in loading order.
    pub fn with_others(self, others: impl Iterator<Item = FileEntry>, stays: impl Fn(&FileEntry) -> bool) -> Self {
        let mut files: Vec<FileEntry> = others.chain(self.files.into_iter().filter(stays)).collect();
        files.sort_by_key(|file| loading_place(file.group));
        Self { files, largest: self.largest }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl BundleWriter<Place> {
    /// Starts a bundle of element type `dtype` that is to appear at `out`.
    ///
    /// # Errors
    /// [`BundleError::OutputFolder`] if `out` holds anything but a bundle, [`BundleError::Busy`] where
    /// another process writes one to it; [`BundleError::Io`].
    pub fn create(out: &Path, dtype: Dtype) -> Result<Self, BundleError> {
        Ok(Self::to(Place::new(out)?, dtype, Kept::default()))
    }

    /// The folder the files are in until the bundle is finished.
    pub fn work_folder(&self) -> &Path {
        self.output.work()
    }
}

impl<O: Output> BundleWriter<O> {
    /// Starts a bundle of element type `dtype`, or goes on after files that are there already.
    pub fn to(output: O, dtype: Dtype, kept: Kept) -> Self {
        Self { output, dtype, limit_bytes: SHARD_LIMIT_BYTES, open: None, kept }
    }

    /// The files that are finished.
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Adds a tensor. Tensors of one group should come after each other, in loading order.
    ///
    /// # Errors
    /// As [`BundleWriter::add_some`].
    pub fn add(&mut self, name: &str, shape: &[usize], values: &[f32], group: Group) -> Result<(), BundleError> {
        let mut start = 0;
        while let Some(next) = self.add_some(name, shape, values, group, start)? {
            start = next;
        }
        Ok(())
    }

    /// Adds a tensor's rows from `start` on, as many as one file takes. The row to go on with, if some are left.
    ///
    /// # Errors
    /// [`BundleError::NotFinite`], [`BundleError::HalfOverflow`], [`BundleError::Shape`] where
    /// `values` are not as many as `shape` says, [`BundleError::Io`].
    pub fn add_some(
        &mut self,
        name: &str,
        shape: &[usize],
        values: &[f32],
        group: Group,
        start: usize,
    ) -> Result<Option<usize>, BundleError> {
        if shape.iter().product::<usize>() != values.len() {
            return Err(BundleError::Shape {
                name: name.to_owned(),
                expected: shape.to_vec(),
                found: vec![values.len()],
                hint: "the number of values does not fit".to_owned(),
            });
        }
        if start == 0 {
            check_finite(name, values)?;
            let largest = values.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
            if largest > self.kept.largest.0 {
                self.kept.largest = (largest, name.to_owned());
            }
        }
        let dtype = stored_dtype(name, shape, group, self.dtype);
        if self.open.as_ref().is_some_and(|shard| shard.group() != group) {
            self.flush()?;
        }
        let rows = shape.first().copied().unwrap_or(1);
        let row_len = values.len() / rows.max(1);
        let piece =
            |rows: Option<[usize; 2]>| TensorEntry { name: name.to_owned(), shape: shape.to_vec(), dtype, rows };
        let whole = piece(None);
        let needed = header_bound(&whole) + rows * row_bytes(row_len, dtype);
        if needed <= self.limit_bytes - HEADER_FIXED_BYTES {
            if needed > self.free_bytes() {
                self.flush()?;
            }
            self.store(whole, values, row_len, group)?;
            return Ok(None);
        }
        let header = header_bound(&piece(Some([rows, rows])));
        let row_bytes = row_bytes(row_len, dtype).max(1);
        let mut fit = self.free_bytes().saturating_sub(header) / row_bytes;
        if self.open.is_some() && fit * row_bytes < SPLIT_MIN_BYTES.min(self.limit_bytes / 4) {
            self.flush()?;
            fit = self.free_bytes().saturating_sub(header) / row_bytes;
        }
        if fit == 0 {
            return Err(BundleError::Options(format!(
                "one row of {name} is larger than a file may be ({} bytes)",
                self.limit_bytes
            )));
        }
        let end = rows.min(start + fit);
        let part = values.get(start * row_len..end * row_len).unwrap_or_default();
        self.store(piece(Some([start, end])), part, row_len, group)?;
        Ok((end < rows).then_some(end))
    }

    /// Adds a text file, such as the model card.
    ///
    /// # Errors
    /// [`BundleError::Io`].
    pub fn add_text(&mut self, name: &str, text: &str) -> Result<(), BundleError> {
        self.add_file(name, text.as_bytes())
    }

    /// Adds a file that the manifest does not list.
    ///
    /// # Errors
    /// [`BundleError::Io`].
    pub fn add_file(&mut self, name: &str, bytes: &[u8]) -> Result<(), BundleError> {
        self.output.write(name, &[bytes])
    }

    /// Writes the open shard out and tells what files there are so far.
    ///
    /// # Errors
    /// [`BundleError::Io`].
    pub fn flush(&mut self) -> Result<&[FileEntry], BundleError> {
        if let Some(shard) = self.open.take() {
            let number = self.kept.files.iter().filter(|f| f.group == shard.group()).count();
            let entry = shard.write(&mut self.output, number, self.limit_bytes)?;
            // Files that were there before may belong after it.
            let place = loading_place(entry.group);
            let after = self.kept.files.iter().rposition(|file| loading_place(file.group) <= place);
            self.kept.files.insert(after.map_or(0, |at| at + 1), entry);
        }
        Ok(&self.kept.files)
    }

    /// Writes the manifest and moves the bundle into place. `files` of the given manifest is
    /// replaced by what was written; an empty `revision` by a digest of the files and of the memory's rules.
    ///
    /// # Errors
    /// [`BundleError::Overflow`] if the self-test holds values that are no numbers,
    /// [`BundleError::Manifest`] if the manifest contradicts itself, [`BundleError::OutputFolder`],
    /// [`BundleError::Io`]. What was at the target is still there then.
    pub fn finish(mut self, mut manifest: Manifest) -> Result<Manifest, BundleError> {
        self.flush()?;
        if manifest.self_test.iter().flat_map(|test| &test.values).any(|v| !v.is_finite()) {
            let (value, name) = self.kept.largest;
            return Err(BundleError::Overflow { name, value });
        }
        manifest.files.clone_from(&self.kept.files);
        if manifest.revision.is_empty() {
            manifest.revision = revision_of(&manifest);
        }
        let mut text = serde_json::to_string_pretty(&manifest).map_err(|e| BundleError::Manifest(e.to_string()))?;
        text.push('\n');
        // What the writer lets out, the reader must take.
        Manifest::parse(text.as_bytes())?;
        self.output.write(MANIFEST, &[text.as_bytes()])?;
        self.output.complete()?;
        Ok(manifest)
    }

    fn free_bytes(&self) -> usize {
        let used = self.open.as_ref().map_or(HEADER_FIXED_BYTES, OpenShard::used_bytes);
        self.limit_bytes.saturating_sub(used)
    }

    fn store(&mut self, entry: TensorEntry, values: &[f32], row_len: usize, group: Group) -> Result<(), BundleError> {
        let first = entry.rows.map_or(0, |[start, _]| start * row_len);
        let encoded = encode(&entry.name, values, row_len, first, entry.dtype)?;
        self.open.get_or_insert_with(|| OpenShard::new(group)).add(entry, encoded);
        Ok(())
    }
}

/// The order of the groups: what is needed for a first result comes first.
fn loading_place(group: Group) -> usize {
    match group {
        Group::Vision => 0,
        Group::Adapters => 1,
        Group::Prompts => 2,
        Group::Text => 3,
    }
}

/// A digest of whatever changes a score: the files, and the rules of the memory if the manifest has some.
fn revision_of(manifest: &Manifest) -> String {
    let mut parts: Vec<String> = manifest.files.iter().map(|file| file.sha256.clone()).collect();
    parts.extend(manifest.scoring.as_ref().and_then(|scoring| serde_json::to_string(scoring).ok()));
    parts.extend(manifest.objects.iter().filter(|object| object.bilateral).map(|object| object.id.clone()));
    sha256_hex(parts.concat().as_bytes()).chars().take(REVISION_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::bundle::shard::decode_shard;

    fn written(dtype: Dtype, limit: usize) -> (Vec<FileEntry>, Vec<Vec<u8>>) {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = BundleWriter::create(&folder.path().join("b"), dtype).unwrap();
        writer.limit_bytes = limit;
        let big: Vec<f32> = (0..100 * 30).map(|k| (k as f32 - 1500.0) / 64.0).collect();
        writer.add("vision.a", &[7], &[1.5; 7], Group::Vision).unwrap();
        writer.add("vision.big", &[100, 30], &big, Group::Vision).unwrap();
        writer.add("vision.b", &[2, 3], &[0.25; 6], Group::Vision).unwrap();
        writer.add("prompts.x", &[3, 2], &[0.3; 6], Group::Prompts).unwrap();
        let files = writer.flush().unwrap().to_vec();
        let bytes = files.iter().map(|f| fs::read(writer.work_folder().join(&f.path)).unwrap()).collect();
        let work = writer.work_folder().to_owned();
        drop(writer);
        assert!(!work.exists(), "an unfinished bundle leaves nothing behind");
        (files, bytes)
    }

    #[test]
    fn splits_by_rows_within_the_limit() {
        for dtype in [Dtype::F32, Dtype::F16, Dtype::I8] {
            let limit = 2500;
            let (files, bytes) = written(dtype, limit);
            assert!(files.len() > 2 && files.iter().all(|f| f.bytes <= limit as u64), "{files:?}");
            assert_eq!(files.last().unwrap().path, "prompts-000.safetensors");
            let mut next_row = 0;
            for (entry, bytes) in files.iter().zip(&bytes) {
                for part in decode_shard(entry, bytes).unwrap() {
                    if part.name == "vision.big" {
                        let [start, end] = part.rows.unwrap();
                        assert_eq!(start, next_row);
                        next_row = end;
                        let first = (start as f32 * 30.0 - 1500.0) / 64.0;
                        let found = part.values.into_f32()[0];
                        assert!((found - first).abs() < 0.1, "{found} {first}");
                    }
                }
            }
            assert_eq!(next_row, 100);
        }
    }

    #[test]
    fn same_tensors_same_bytes() {
        assert_eq!(written(Dtype::I8, 4000), written(Dtype::I8, 4000));
        let (files, _) = written(Dtype::F32, SHARD_LIMIT_BYTES);
        assert_eq!(files.len(), 2);
        assert!(files[0].tensors.iter().all(|t| t.rows.is_none()));
    }

    #[test]
    fn goes_on_after_the_files_that_are_there() {
        let big: Vec<f32> = (0..100 * 30).map(|k| (k as f32 - 1500.0) / 64.0).collect();
        let tensors =
            [("vision.a", vec![7], &big[..7]), ("vision.big", vec![100, 30], &big), ("vision.b", vec![9], &big[..9])];
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, kept: Kept, most: usize| {
            let mut writer = BundleWriter::to(Place::new(&folder.path().join(name)).unwrap(), Dtype::F32, kept.clone());
            writer.limit_bytes = 2500;
            for (name, shape, values) in &tensors {
                let mut next = Some(kept.rows(name)).filter(|rows| *rows < shape[0]);
                while let Some(start) = next {
                    if writer.kept().files.len() >= most {
                        return writer.kept().clone();
                    }
                    next = writer.add_some(name, shape, values, Group::Vision, start).unwrap();
                }
            }
            writer.flush().unwrap();
            writer.kept().clone()
        };
        let whole = write("whole", Kept::default(), usize::MAX);
        assert!(whole.files.len() > 3);
        for most in 1..whole.files.len() {
            let early = write("early", Kept::default(), most);
            assert_eq!(early.files, whole.files[..most]);
            assert_eq!(write("late", early, usize::MAX), whole);
        }
    }

    #[test]
    fn refuses_bad_values_and_foreign_folders() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("b");
        let mut writer = BundleWriter::create(&out, Dtype::F16).unwrap();
        assert!(matches!(BundleWriter::create(&out, Dtype::F16), Err(BundleError::Busy { .. })));
        let add = |w: &mut BundleWriter<Place>, v: &[f32]| w.add("w", &[1, 2], v, Group::Vision);
        assert!(matches!(add(&mut writer, &[1.0, f32::NAN]), Err(BundleError::NotFinite { index: 1, .. })));
        assert!(matches!(add(&mut writer, &[1e6, 0.0]), Err(BundleError::HalfOverflow { index: 0, .. })));
        assert!(matches!(add(&mut writer, &[1.0]), Err(BundleError::Shape { .. })));
        drop(writer);
        fs::create_dir(&out).unwrap();
        assert!(BundleWriter::create(&out, Dtype::F16).is_ok(), "an empty folder may be replaced");
        fs::write(out.join("thesis.txt"), "mine").unwrap();
        let error = BundleWriter::create(&out, Dtype::F16).err().unwrap().to_string();
        assert!(error.contains("thesis.txt"), "{error}");
        assert!(BundleWriter::create(&out.join("thesis.txt"), Dtype::F16).is_err());
    }
}
