//! The memory bank: features of normal references, and how far a picture is from them.
//!
//! Comes in: unit-length features of references and of a picture. Goes out: per patch the cosine
//! distance to the nearest remembered row. References are kept apart, so that one can be added,
//! removed or left out without touching the others. Source: spec §8.2.

use burn::tensor::Tensor;

use crate::clip::product::product;
use crate::device::Tier;
use crate::mvfa::analysis::{Pacer, Progress};
use crate::mvfa::bank::Choice;
use crate::mvfa::error::EngineError;
use crate::mvfa::features::{Bank, Features, unit_rows};
use crate::mvfa::reading::Reading;
use crate::{cpu, gpu};

/// Values looked at before others get their turn: some hundredths of a second.
const VALUES_A_STEP: usize = 16 * 1024 * 1024;

/// Names a reference for as long as an engine lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReferenceId(pub u32);

/// Rows that are searched, per level `[rows, dim]`, unit rows.
#[derive(Clone, Debug)]
pub(crate) struct SearchRows {
    segmentation: Vec<Tensor<2>>,
    /// `None` where both banks hold the same features.
    detection: Option<Vec<Tensor<2>>>,
}

impl SearchRows {
    pub(crate) fn levels(&self, bank: Bank) -> &[Tensor<2>] {
        match (bank, &self.detection) {
            (Bank::Detection, Some(detection)) => detection,
            _ => &self.segmentation,
        }
    }

    /// At most `keep` rows a level that stand for these; one read.
    ///
    /// # Errors
    /// [`DeviceError::Lost`](crate::device::DeviceError::Lost), or a stop.
    pub(crate) async fn compressed(
        &self,
        keep: usize,
        tier: Tier,
        progress: Progress,
        pacer: &mut impl Pacer,
    ) -> Result<Self, EngineError> {
        let all = || self.segmentation.iter().chain(self.detection.iter().flatten());
        let mut reading = Reading::default();
        all().for_each(|level| reading.push(level.clone()));
        let values = pacer.wait(reading.read(tier)).await??;
        let mut small = Vec::with_capacity(values.len());
        for (level, values) in all().zip(values) {
            let [_, dim] = level.dims();
            let mut choice = Choice::new(&values, dim, keep);
            let mut looked_at = 0;
            while choice.step() {
                looked_at += values.len();
                if looked_at >= VALUES_A_STEP {
                    looked_at = 0;
                    pacer.step(progress).await?;
                }
            }
            let rows = choice.finish();
            let count = rows.len() / dim.max(1);
            small.push(cpu::from_values(rows, [count, dim], &level.device()));
        }
        let detection = small.split_off(self.segmentation.len());
        Ok(Self { segmentation: small, detection: self.detection.as_ref().map(|_| detection) })
    }
}

/// Rows of one reference: all views, class tokens included, the original view first.
#[derive(Clone, Debug)]
pub struct MemoryRows {
    /// Per level `[views · tokens, dim]`.
    all: SearchRows,
    tokens: usize,
}

impl MemoryRows {
    /// Joins the views of one reference, the original first. `shared` says that both banks hold
    /// the same features (a model without adapters), so that they are kept once.
    pub fn new(views: &[Features], shared: bool) -> Self {
        let join = |bank: Bank| -> Vec<Tensor<2>> {
            let levels = views.first().map_or(0, |v| v.bank(bank).len());
            (0..levels)
                .map(|l| {
                    unit_rows(match views {
                        [only] => only.bank(bank)[l].clone(),
                        _ => Tensor::cat(views.iter().map(|v| v.bank(bank)[l].clone()).collect(), 0),
                    })
                })
                .collect()
        };
        let tokens = views.first().and_then(|v| v.segmentation.first()).map_or(0, |t| t.dims()[0]);
        let detection = if shared { None } else { Some(join(Bank::Detection)) };
        Self { all: SearchRows { segmentation: join(Bank::Segmentation), detection }, tokens }
    }

    /// Per level all rows `[views · tokens, dim]`.
    pub fn levels(&self, bank: Bank) -> &[Tensor<2>] {
        self.all.levels(bank)
    }

    /// What is searched where nothing is left out.
    pub(crate) fn all(&self) -> &SearchRows {
        &self.all
    }

    /// Per level the patch rows `[patches, dim]` of the original view.
    pub fn original_patches(&self, bank: Bank) -> Vec<Tensor<2>> {
        self.levels(bank).iter().map(|rows| rows.clone().slice_dim(0, 1..self.tokens)).collect()
    }
}

/// Unit patch rows `[patches, dim]` against unit memory rows `[rows, dim]` → per patch
/// `1 - largest cosine`, `[patches]`.
pub fn nearest_distances(unit_patches: Tensor<2>, memory: Tensor<2>) -> Tensor<1> {
    if let Some(distances) = gpu::nearest(&unit_patches, &memory).or_else(|| cpu::nearest(&unit_patches, &memory)) {
        return distances;
    }
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
