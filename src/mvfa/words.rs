//! Words that pictures are compared with: those of the bundle, or a person's own in their place.
//!
//! Comes in: text features `[dim, 2 + contrast]`, columns of unit length (normal, abnormal, contrast lines). Goes out: per
//! patch the logits of normal and abnormal, with what resembles a contrast line more than the normal words taken off the
//! abnormal one:
//!
//! ```text
//! z = 100 · f·t                         f: unit patch, t: a column
//! z_abnormal' = z_abnormal − max(0, max_k z_contrast,k − z_normal)
//! ```
//!
//! Without contrast lines nothing is computed beyond the paper's. After CLAP (arXiv 2411.07546), whose map is the plain
//! difference of similarities; docs/decisions.md says why it enters here in another way.

use burn::tensor::Tensor;

use crate::compute::{OpenDevice, Reading, from_values, logits};
use crate::image::{Planes, Rgb8};
use crate::mvfa::analysis::{Mode, Pacer, Stage};
use crate::mvfa::decide::score_bank;
use crate::mvfa::engine::Engine;
use crate::mvfa::error::EngineError;
use crate::mvfa::features::Features;
use crate::mvfa::memory::unit_patches;
use crate::mvfa::zero_shot::patch_logits;

/// Columns that are compared at once.
const PAIR: usize = 2;

/// Text features of one object on the device.
#[derive(Clone, Debug)]
pub(super) struct Words {
    /// Normal and abnormal, `[dim, 2]`.
    main: Tensor<2>,
    /// Contrast lines in pairs, the last one twice if they are odd.
    contrast: Vec<Tensor<2>>,
}

impl Words {
    /// Those of a bundle.
    pub(super) fn of_bundle(main: Tensor<2>) -> Self {
        Self { main, contrast: Vec::new() }
    }

    /// Normal and abnormal, `[dim, 2]`.
    pub(super) fn main(&self) -> &Tensor<2> {
        &self.main
    }

    /// A person's own; `None` if the values are no `[dim, columns]` with two columns or more.
    fn own(features: &[f32], dim: usize, columns: usize, open: &OpenDevice) -> Option<Self> {
        let is_whole = columns >= PAIR && features.len() == dim * columns && features.iter().all(|v| v.is_finite());
        let column = |n: usize| features.iter().skip(n).step_by(columns.max(1)).copied().collect::<Vec<f32>>();
        let columns: Vec<Vec<f32>> = (0..columns).map(column).collect();
        let mut pairs = pairs(&columns, dim, open).into_iter();
        let main = pairs.next().filter(|_| is_whole)?;
        Some(Self { main, contrast: pairs.collect() })
    }

    /// Asks for the logits of one level's unit patches.
    pub(super) fn push(&self, reading: &mut Reading, patches: &Tensor<2>) {
        for pair in std::iter::once(&self.main).chain(&self.contrast) {
            reading.push(patch_logits(patches.clone(), pair.clone()));
        }
    }

    /// Logits `[patches, 2]` of some levels from what was asked for.
    pub(super) fn taken(&self, levels: usize, take: &mut impl FnMut(usize) -> Vec<Vec<f32>>) -> Vec<Vec<f32>> {
        let level = |_| {
            let mut answers = take(1 + self.contrast.len()).into_iter();
            let main = answers.next().unwrap_or_default();
            without_contrast(main, &answers.collect::<Vec<_>>())
        };
        (0..levels).map(level).collect()
    }
}

/// Columns `[dim]` as tensors `[dim, 2]`, an odd last one twice.
fn pairs(columns: &[Vec<f32>], dim: usize, open: &OpenDevice) -> Vec<Tensor<2>> {
    let pair = |pair: &[Vec<f32>]| {
        let (first, last) = (pair.first()?, pair.last()?);
        let values = first.iter().zip(last).flat_map(|(a, b)| [*a, *b]).collect::<Vec<f32>>();
        (values.len() == PAIR * dim).then(|| from_values(values, [dim, PAIR], &open.device))
    };
    columns.chunks(PAIR).filter_map(pair).collect()
}

/// Takes off the abnormal logits what resembles a contrast line more than the normal words.
fn without_contrast(mut main: Vec<f32>, contrast: &[Vec<f32>]) -> Vec<f32> {
    for pair in contrast {
        debug_assert_eq!(pair.len(), main.len());
    }
    if contrast.is_empty() {
        return main;
    }
    for (patch, logits) in main.chunks_exact_mut(PAIR).enumerate() {
        let lines = contrast.iter().flat_map(|pair| pair.iter().skip(PAIR * patch).take(PAIR));
        let most = lines.copied().fold(f32::NEG_INFINITY, f32::max);
        if let [normal, abnormal] = logits {
            *abnormal -= (most - *normal).max(0.0);
        }
    }
    main
}

/// The picture that was compared with words last, so that other words cost the comparison alone.
pub(super) struct Seen {
    mode: Mode,
    planes: Planes,
    features: Features,
}

/// How much a line of words resembles some patches of a picture, and the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    /// Mean over the chosen patches and all levels.
    pub inside: f32,
    /// Mean over the others; no number if there are none.
    pub outside: f32,
}

impl Engine {
    /// Whether a person's own words stand in for an object's.
    pub fn has_own_words(&self, object: &str) -> bool {
        self.own_words.contains_key(object)
    }

    /// Puts a person's own words, `[dim, columns]`, in the place of an object's; `None` brings the bundle's back.
    ///
    /// # Errors
    /// [`EngineError::Model`] for an unknown object, [`EngineError::ForeignWords`] for features of another model.
    pub fn set_words(&mut self, object: &str, own: Option<(&[f32], usize)>) -> Result<(), EngineError> {
        let id = self.manifest.object(object)?.id.clone();
        let Some((features, columns)) = own else {
            self.own_words.remove(&id);
            return Ok(());
        };
        let dim = self.words_dim();
        let foreign = EngineError::ForeignWords { expected: dim, found: features.len() / columns.max(1) };
        let words = Words::own(features, dim, columns, &self.open)
            .filter(|_| self.manifest.adapters.is_some())
            .ok_or(foreign)?;
        self.own_words.insert(id, words);
        Ok(())
    }

    /// The words in force for an object.
    pub(super) fn words_of(&self, object: &str) -> Option<Words> {
        self.own_words.get(object).or_else(|| self.text.get(object)).cloned()
    }

    /// Values of a column of words.
    fn words_dim(&self) -> usize {
        self.manifest.adapters.as_ref().map_or(self.manifest.vision.width, |a| a.bottleneck)
    }

    /// Features of a picture in a mode, encoded unless it is the last that was compared with words.
    pub(super) async fn features_for_words(
        &mut self,
        planes: &Planes,
        mode: Mode,
        pacer: &mut impl Pacer,
    ) -> Result<Features, EngineError> {
        if let Some(seen) = self.seen.as_ref().filter(|seen| seen.mode == mode && seen.planes.values == planes.values) {
            return Ok(seen.features.clone());
        }
        let steps = self.encoder_of(mode).steps();
        let features = self.encode(planes, mode, Stage::Encode, (0, steps), pacer).await?;
        self.seen = Some(Seen { mode, planes: planes.clone(), features: features.clone() });
        Ok(features)
    }

    /// How much each of some rows `[dim]`, mean embeddings of lines, resembles the patches of a picture that are chosen
    /// (true), and the others: mean cosines, over all levels of the bank that the object's map is of.
    ///
    /// # Errors
    /// [`EngineError::ForeignWords`], a stop, or a device that gave no answer.
    pub async fn similarities(
        &mut self,
        picture: &Rgb8,
        object: &str,
        rows: &[Vec<f32>],
        chosen: &[bool],
        pacer: &mut impl Pacer,
    ) -> Result<Vec<Similarity>, EngineError> {
        let bank = score_bank(self.manifest.object(object)?.kind);
        let dim = self.words_dim();
        let patches = self.manifest.vision.grid() * self.manifest.vision.grid();
        if let Some(row) = rows.iter().find(|row| row.len() != dim) {
            return Err(EngineError::ForeignWords { expected: dim, found: row.len() });
        }
        if chosen.len() != patches || !chosen.contains(&true) {
            return Err(EngineError::NoPatches { expected: patches, found: chosen.len() });
        }
        let planes = self.planes(picture);
        let features = self.features_for_words(&planes, Mode::Zero, pacer).await?;
        let levels: Vec<usize> = (0..self.manifest.vision.levels.len()).collect();
        let levels = unit_patches(&features, bank, &levels);
        let pairs = pairs(rows, dim, &self.open);
        let mut reading = Reading::default();
        for pair in &pairs {
            for level in &levels {
                reading.push(logits(level.clone(), pair.clone(), 1.0));
            }
        }
        let mut answers = pacer.wait(reading.read(&self.open)).await??;
        let mut sums = vec![[0.0_f64; 2]; PAIR * pairs.len()];
        for pair in sums.chunks_exact_mut(PAIR) {
            for values in answers.by_ref().take(levels.len()) {
                for (cosines, is_inside) in values.chunks_exact(PAIR).zip(chosen) {
                    for (sum, cosine) in pair.iter_mut().zip(cosines) {
                        sum[usize::from(!is_inside)] += f64::from(*cosine);
                    }
                }
            }
        }
        let inside = chosen.iter().filter(|chosen| **chosen).count();
        let mean = |sum: f64, count: usize| (sum / (count * levels.len()) as f64) as f32;
        let similarity =
            |sum: &[f64; 2]| Similarity { inside: mean(sum[0], inside), outside: mean(sum[1], patches - inside) };
        Ok(sums.iter().take(rows.len()).map(similarity).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_contrast_lines_nothing_changes() {
        let logits = vec![3.5, -2.25, 0.1, 7.0];
        assert_eq!(without_contrast(logits.clone(), &[]), logits);
    }

    #[test]
    fn what_resembles_a_contrast_line_more_than_the_normal_words_is_taken_off() {
        // Two patches, three lines, the last one twice.
        let contrast = [vec![5.0, 1.0, -9.0, -8.0], vec![2.0, 2.0, -7.0, -7.0]];
        assert_eq!(without_contrast(vec![3.0, 4.0, 3.0, 4.0], &contrast), [3.0, 2.0, 3.0, 4.0]);
    }
}
