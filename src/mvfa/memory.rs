//! The memory bank: features of normal references, and how far a picture is from them.
//!
//! Comes in: unit-length features of references and of a picture. Goes out: per patch the cosine
//! distance to the nearest remembered row. References are kept apart, so that one can be added,
//! removed or left out without touching the others. Source: spec §8.2.

use burn::tensor::Tensor;

use crate::clip::product::product;
use crate::mvfa::features::{Bank, Features, unit_rows};

/// Names a reference for as long as an engine lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReferenceId(pub u32);

/// Rows of one reference: all views, class tokens included.
#[derive(Clone, Debug)]
pub struct MemoryRows {
    /// Per level `[views · tokens, dim]`, unit rows, the original view first.
    segmentation: Vec<Tensor<2>>,
    /// As above; `None` where both banks hold the same features.
    detection: Option<Vec<Tensor<2>>>,
    tokens: usize,
}

impl MemoryRows {
    /// Joins the views of one reference, the original first. `shared` says that both banks hold
    /// the same features (a model without adapters), so that they are kept once.
    pub fn new(views: &[Features], shared: bool) -> Self {
        let join = |bank: Bank| -> Vec<Tensor<2>> {
            let levels = views.first().map_or(0, |v| v.bank(bank).len());
            (0..levels)
                .map(|l| unit_rows(Tensor::cat(views.iter().map(|v| v.bank(bank)[l].clone()).collect(), 0)))
                .collect()
        };
        let tokens = views.first().and_then(|v| v.segmentation.first()).map_or(0, |t| t.dims()[0]);
        Self {
            segmentation: join(Bank::Segmentation),
            detection: if shared { None } else { Some(join(Bank::Detection)) },
            tokens,
        }
    }

    /// Per level all rows `[views · tokens, dim]`.
    pub fn levels(&self, bank: Bank) -> &[Tensor<2>] {
        match (bank, &self.detection) {
            (Bank::Detection, Some(detection)) => detection,
            _ => &self.segmentation,
        }
    }

    /// Per level the patch rows `[patches, dim]` of the original view.
    pub fn original_patches(&self, bank: Bank) -> Vec<Tensor<2>> {
        self.levels(bank).iter().map(|rows| rows.clone().slice_dim(0, 1..self.tokens)).collect()
    }
}

/// Unit patch rows `[patches, dim]` against unit memory rows `[rows, dim]` → per patch
/// `1 - largest cosine`, `[patches]`.
pub fn nearest_distances(unit_patches: Tensor<2>, memory: Tensor<2>) -> Tensor<1> {
    let [patches, _] = unit_patches.dims();
    let nearest = product(unit_patches, memory.transpose()).max_dim(1).reshape([patches]);
    nearest * -1.0 + 1.0
}

/// Per patch the smaller of both distances; an empty side is ignored.
pub(crate) fn min_into(target: &mut Vec<f32>, other: &[f32]) {
    if target.is_empty() {
        target.extend_from_slice(other);
    } else {
        target.iter_mut().zip(other).for_each(|(t, o)| *t = t.min(*o));
    }
}
