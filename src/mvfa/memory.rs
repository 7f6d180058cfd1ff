//! The memory: features of normal references, and how far a picture is from them.
//!
//! Comes in: unit-length features of references and of a picture. Goes out: per patch the cosine
//! distance to the nearest remembered row. References are kept apart, so that one can be added,
//! removed or left out without touching the others. Source: spec §8.2.

use burn::tensor::Tensor;

use crate::bundle::manifest::Manifest;
use crate::compute::{OpenDevice, Reading, from_values, nearest, unit_rows};
use crate::mvfa::analysis::{Pacer, Progress};
use crate::mvfa::coreset::Choice;
use crate::mvfa::error::EngineError;
use crate::mvfa::features::{Bank, Features};

/// Values looked at before others get their turn: some hundredths of a second.
const VALUES_A_STEP: usize = 16 * 1024 * 1024;

/// Names a reference for as long as an engine lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReferenceId(pub u32);

/// What of a picture's features a memory takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Places of its levels among those of the tower, rising.
    pub(crate) levels: Vec<usize>,
    /// Class tokens, too.
    pub(crate) class_rows: bool,
    /// Both banks hold the same features (raw tokens), so that they are kept once.
    pub(crate) is_shared: bool,
}

impl Taken {
    /// What the model of a manifest takes.
    pub(crate) fn of(manifest: &Manifest) -> Self {
        let scoring = manifest.scoring.clone().unwrap_or_default();
        Self {
            levels: scoring.places(&manifest.vision),
            class_rows: scoring.class_rows,
            is_shared: manifest.memory_is_raw(),
        }
    }

    /// Rows of a view that come before its patches.
    fn before_patches(&self) -> usize {
        usize::from(self.class_rows)
    }

    /// Rows of one view, of a picture with this many tokens.
    pub(crate) fn rows(&self, tokens: usize) -> usize {
        if self.class_rows { tokens } else { tokens.saturating_sub(1) }
    }
}

/// Per level of `levels` the unit patch rows `[patches, dim]` of one bank.
pub(crate) fn unit_patches(features: &Features, bank: Bank, levels: &[usize]) -> Vec<Tensor<2>> {
    let taken = levels.iter().filter_map(|level| features.bank(bank).get(*level));
    taken.map(|level| unit_rows(level.clone().slice_dim(0, 1..level.dims()[0]))).collect()
}

/// Rows that are searched, per level `[rows, dim]`, unit rows.
#[derive(Clone, Debug)]
pub(crate) struct SearchRows {
    segmentation: Vec<Tensor<2>>,
    /// `None` if both banks hold the same features.
    detection: Option<Vec<Tensor<2>>>,
}

impl SearchRows {
    pub(crate) fn new(segmentation: Vec<Tensor<2>>, detection: Option<Vec<Tensor<2>>>) -> Self {
        Self { segmentation, detection }
    }

    /// Rows of one view.
    pub(crate) fn of_view(view: &Features, taken: &Taken) -> Self {
        let bank = |bank: Bank| -> Vec<Tensor<2>> {
            if !taken.class_rows {
                return unit_patches(view, bank, &taken.levels);
            }
            let levels = taken.levels.iter().filter_map(|level| view.bank(bank).get(*level));
            levels.map(|level| unit_rows(level.clone())).collect()
        };
        let detection = if taken.is_shared { None } else { Some(bank(Bank::Detection)) };
        Self { segmentation: bank(Bank::Segmentation), detection }
    }

    /// The rows of several, in their order.
    fn joined(parts: Vec<Self>) -> Self {
        let join = |bank: Bank| -> Vec<Tensor<2>> {
            let levels = parts.first().map_or(0, |part| part.levels(bank).len());
            let level = |l: usize| match &parts[..] {
                [only] => only.levels(bank)[l].clone(),
                _ => Tensor::cat(parts.iter().map(|part| part.levels(bank)[l].clone()).collect(), 0),
            };
            (0..levels).map(level).collect()
        };
        let shared = parts.first().is_some_and(|part| part.detection.is_none());
        let detection = if shared { None } else { Some(join(Bank::Detection)) };
        Self { segmentation: join(Bank::Segmentation), detection }
    }

    /// All that is held, the segmentation bank first.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &Tensor<2>> {
        self.segmentation.iter().chain(self.detection.iter().flatten())
    }

    /// The same kind of rows with other tensors, as many as [`SearchRows::tensors`] gives.
    pub(crate) fn with_tensors(&self, mut tensors: Vec<Tensor<2>>) -> Self {
        let detection = tensors.split_off(self.segmentation.len());
        Self { segmentation: tensors, detection: self.detection.as_ref().map(|_| detection) }
    }

    pub(crate) fn levels(&self, bank: Bank) -> &[Tensor<2>] {
        match (bank, &self.detection) {
            (Bank::Detection, Some(detection)) => detection,
            _ => &self.segmentation,
        }
    }

    /// At most `keep` rows a level that stand for these; one read.
    ///
    /// # Errors
    /// [`DeviceError::Lost`](crate::compute::DeviceError::Lost), or a stop.
    pub(crate) async fn compressed(
        &self,
        keep: usize,
        open: &OpenDevice,
        progress: Progress,
        pacer: &mut impl Pacer,
    ) -> Result<Self, EngineError> {
        let mut reading = Reading::default();
        self.tensors().for_each(|level| reading.push(level.clone()));
        let values = pacer.wait(reading.read(open)).await??;
        let mut small = Vec::with_capacity(values.len());
        for (level, values) in self.tensors().zip(values) {
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
            small.push(from_values(rows, [count, dim], &level.device()));
        }
        Ok(self.with_tensors(small))
    }
}

/// Rows of one reference: all views, the original view first.
#[derive(Clone, Debug)]
pub struct MemoryRows {
    /// Per level `[views · rows, dim]`.
    all: SearchRows,
    /// Rows of one view.
    rows: usize,
    before_patches: usize,
}

impl MemoryRows {
    /// Joins the views of one reference, the original first, all levels and class tokens included. `shared` says that
    /// both banks hold the same features (a model without adapters), so that they are kept once.
    pub fn new(views: &[Features], shared: bool) -> Self {
        let levels = (0..views.first().map_or(0, |view| view.segmentation.len())).collect();
        let taken = Taken { levels, class_rows: true, is_shared: shared };
        Self::of_views(views.iter().map(|view| SearchRows::of_view(view, &taken)).collect(), &taken)
    }

    /// Joins the views of one reference, the original first.
    pub(crate) fn of_views(views: Vec<SearchRows>, taken: &Taken) -> Self {
        let rows = views.first().and_then(|v| v.segmentation.first()).map_or(0, |t| t.dims()[0]);
        Self { all: SearchRows::joined(views), rows, before_patches: taken.before_patches() }
    }

    /// The rows of one view.
    pub(crate) fn view(&self, number: usize) -> SearchRows {
        let range = number * self.rows..(number + 1) * self.rows;
        self.all.with_tensors(self.all.tensors().map(|rows| rows.clone().slice_dim(0, range.clone())).collect())
    }

    /// Per level all rows `[views · rows, dim]`.
    pub fn levels(&self, bank: Bank) -> &[Tensor<2>] {
        self.all.levels(bank)
    }

    /// What is searched if nothing is left out.
    pub(crate) fn all(&self) -> &SearchRows {
        &self.all
    }

    /// Per level the patch rows `[patches, dim]` of the original view.
    pub fn original_patches(&self, bank: Bank) -> Vec<Tensor<2>> {
        self.levels(bank).iter().map(|rows| rows.clone().slice_dim(0, self.before_patches..self.rows)).collect()
    }
}

/// Unit patch rows `[patches, dim]` against unit memory rows `[rows, dim]` → per patch
/// `1 - largest cosine`, `[patches]`.
pub fn nearest_distances(unit_patches: Tensor<2>, memory: Tensor<2>) -> Tensor<1> {
    nearest(unit_patches, memory)
}

/// Per patch the smaller of both distances; an empty side is ignored.
pub(crate) fn min_into(target: &mut Vec<f32>, other: &[f32]) {
    if target.is_empty() {
        target.extend_from_slice(other);
    } else {
        target.iter_mut().zip(other).for_each(|(t, o)| *t = t.min(*o));
    }
}
