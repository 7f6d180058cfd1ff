//! From pictures to what a step needs: a number in the token store, a mask, a label.
//!
//! Comes in: [`Source`]s. Goes out: [`Item`]s and the finished token store. A picture that cannot
//! be read is reported once and skipped, or stops the run if that is wanted. Fails with
//! [`TrainError::OtherPictures`] if the finished store was made from other files.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::disk::RunWindow;
use crate::eval::DatasetError;
use crate::image::PixelHash;
use crate::train::error::TrainError;
use crate::train::ledger::FileNames;
use crate::train::model::Model;
use crate::train::prepare::Preparer;
use crate::train::sample::{Change, Prepared, Source};
use crate::train::state::{PICTURES, StateFolder, TOKENS};
use crate::train::token_store::{TokenStore, TokenWriter};
use crate::train::watch::Watch;

/// A picture that is trained on or scored.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its record in the token store.
    pub tokens: usize,
    /// Its source, by number in its group.
    pub source: usize,
    /// Which object it shows, by number.
    pub object: usize,
    /// The label.
    pub abnormal: bool,
    mask: PackedMask,
}

impl Item {
    /// 0 and 1, `[side, side]`.
    pub fn mask(&self) -> Vec<u8> {
        self.mask.unpack()
    }
}

/// Eight pixels a byte: a training set of thousands stays small.
#[derive(Clone, Debug)]
struct PackedMask {
    bytes: Vec<u8>,
    pixels: usize,
}

impl PackedMask {
    fn pack(mask: &[u8]) -> Self {
        let bytes = if mask.contains(&1) {
            mask.chunks(8).map(|bits| bits.iter().enumerate().fold(0, |byte, (n, bit)| byte | (bit << n))).collect()
        } else {
            Vec::new()
        };
        Self { bytes, pixels: mask.len() }
    }

    fn unpack(&self) -> Vec<u8> {
        (0..self.pixels).map(|n| self.bytes.get(n / 8).map_or(0, |byte| (byte >> (n % 8)) & 1)).collect()
    }
}

/// A picture that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its file name.
    pub picture: String,
    /// Why.
    pub reason: String,
}

/// What becomes of groups of sources: the items of each group, and the store of all their tokens.
pub struct Gathered<const N: usize> {
    /// Items of each group, in order, without those that could not be read.
    pub groups: [Vec<Item>; N],
    /// Pictures that could not be read, each once.
    pub left_out: Vec<LeftOut>,
    /// Tokens of all of them.
    pub store: TokenStore,
    /// The pixels of all pictures that were read.
    pub pixels: HashMap<PathBuf, PixelHash>,
}

/// Reads, prepares and encodes all pictures through one grey window; the first group is trained on. With a finished store in
/// `state` nothing is encoded.
///
/// # Errors
/// The first picture that cannot be read when `strict`; [`TrainError::Settings`] if none of the first
/// group can; [`TrainError::OtherPictures`],
/// [`TrainError::State`], [`TrainError::Io`], [`TrainError::Save`].
pub fn gather<const N: usize>(
    model: &Model,
    groups: [&[Source]; N],
    window: RunWindow,
    (state, names): (&StateFolder, &FileNames),
    seed: u64,
    strict: bool,
    watch: &mut dyn Watch,
) -> Result<Gathered<N>, TrainError> {
    let mut preparer = Preparer::new(model.manifest().preprocess.size_px, window, seed, names.clone());
    let mut writer = TokenWriter::open(&state.path(TOKENS), model.token_len())?;
    let total: usize = groups.iter().map(|g| g.len()).sum();
    let mut seen = 0;
    let mut gathered: [Vec<Item>; N] = std::array::from_fn(|_| Vec::new());
    // References are views that are trained on: their tokens are the same.
    let mut known: HashMap<String, Item> = HashMap::new();
    let (mut unusable, mut told, mut left_out): (HashSet<&Path>, HashSet<String>, Vec<LeftOut>) = Default::default();
    for (sources, items) in groups.iter().zip(&mut gathered) {
        for (number, source) in sources.iter().enumerate() {
            watch.preparing(seen, total);
            seen += 1;
            let line = source.line();
            if let Some(item) = known.get(&line) {
                items.push(Item { source: number, ..item.clone() });
                continue;
            }
            if unusable.contains(source.sample.image.as_path()) {
                continue;
            }
            let Prepared { planes, mask, abnormal } = match preparer.prepare(source) {
                Ok(prepared) => prepared,
                Err(error @ (TrainError::Picture { .. } | TrainError::Data(_))) if !strict => {
                    if matches!(source.change, Change::View(_)) {
                        unusable.insert(&source.sample.image);
                    }
                    if told.insert(error.to_string()) {
                        watch.note(&format!("left out: {error}"));
                        left_out.push(why(&error, source));
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            if writer.is_wanted() {
                writer.push(&model.early_tokens(&planes)?)?;
            }
            let mask = PackedMask::pack(&mask);
            let item = Item { tokens: known.len(), source: number, object: source.object, abnormal, mask };
            preparer.ledger.record(line.clone());
            known.insert(line, item.clone());
            items.push(item);
        }
    }
    watch.preparing(total, total);
    if gathered.first().is_some_and(Vec::is_empty) {
        return Err(TrainError::Settings("none of the pictures to train on can be read".to_owned()));
    }
    preparer.ledger.keep(&state.path(PICTURES), |path, e| state.unsaved(path, e))?;
    Ok(Gathered { groups: gathered, left_out, store: writer.finish(known.len())?, pixels: preparer.pixels })
}

/// Names the picture without its folder: the record of a run holds no paths.
fn why(error: &TrainError, source: &Source) -> LeftOut {
    let (path, reason) = match error {
        TrainError::Picture { path, reason } => (Path::new(path), reason.clone()),
        TrainError::Data(error) => (source.sample.image.as_path(), in_short(error).to_owned()),
        other => (source.sample.image.as_path(), other.to_string()),
    };
    LeftOut { picture: path.file_name().unwrap_or_default().to_string_lossy().into_owned(), reason }
}

fn in_short(error: &DatasetError) -> &'static str {
    match error {
        DatasetError::MissingMask { .. } => "it has no mask, others have one",
        DatasetError::MaskSize { .. } => "its mask has another size",
        DatasetError::DarkMask { .. } => "its mask has no white",
        _ => "its mask cannot be read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_come_back() {
        let mask: Vec<u8> = (0..37).map(|n| u8::from(n % 5 == 0)).collect();
        assert_eq!(PackedMask::pack(&mask).unpack(), mask);
        assert_eq!(PackedMask::pack(&[0; 9]).unpack(), [0; 9]);
    }
}
