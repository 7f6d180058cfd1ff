//! From pictures to what a step needs: a number in the token store, a mask, a label.
//!
//! Comes in: [`Source`]s. Goes out: [`Item`]s and the finished token store. A picture that cannot
//! be read is told and left out, or stops the run where that is wanted.

use std::path::Path;

use crate::train::error::TrainError;
use crate::train::model::Model;
use crate::train::sample::{Prepared, Source, prepare};
use crate::train::token_store::{TokenStore, TokenWriter};
use crate::train::watch::Watch;

/// A picture that is trained on or scored.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its record in the token store.
    pub tokens: usize,
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

/// What becomes of groups of sources: the items of each group, and the store of all their tokens.
pub struct Gathered<const N: usize> {
    /// Items of each group, in order, without those that could not be read.
    pub groups: [Vec<Item>; N],
    /// Tokens of all of them.
    pub store: TokenStore,
}

/// Reads, prepares and encodes all pictures. With a finished file at `path` nothing is encoded.
///
/// # Errors
/// The first picture that cannot be read when `strict`; [`TrainError::Io`].
pub fn gather<const N: usize>(
    model: &Model,
    groups: [&[Source]; N],
    path: &Path,
    seed: u64,
    strict: bool,
    watch: &mut dyn Watch,
) -> Result<Gathered<N>, TrainError> {
    let side_px = model.manifest().preprocess.size_px;
    let total: usize = groups.iter().map(|g| g.len()).sum();
    let mut writer = TokenWriter::open(path)?;
    let (mut record, mut seen) = (0, 0);
    let mut gathered: [Vec<Item>; N] = std::array::from_fn(|_| Vec::new());
    for (sources, items) in groups.iter().zip(&mut gathered) {
        for source in *sources {
            watch.preparing(seen, total);
            seen += 1;
            let Prepared { planes, mask, abnormal } = match prepare(source, side_px, seed) {
                Ok(prepared) => prepared,
                Err(error @ (TrainError::Picture { .. } | TrainError::Data(_))) if !strict => {
                    watch.note(&format!("left out: {error}"));
                    continue;
                }
                Err(error) => return Err(error),
            };
            if writer.is_wanted() {
                writer.push(&model.early_tokens(&planes)?)?;
            }
            items.push(Item { tokens: record, object: source.object, abnormal, mask: PackedMask::pack(&mask) });
            record += 1;
        }
    }
    watch.preparing(total, total);
    Ok(Gathered { groups: gathered, store: writer.finish(model.token_len())? })
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
