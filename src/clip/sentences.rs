//! The prompt ensemble through a text tower whose blocks come one after the other: no more than one is ever there.
//!
//! Comes in: groups of sentences, those of an object's prompt word for example, and the tensors `text.*` when they are asked
//! for. Goes out: [`Sums`] of their embeddings, of which text features `[embed, 2]`, columns (normal, abnormal), are made as
//! [`TextTower`](crate::clip::text::TextTower) makes them. Work is cut into steps of one batch of sentences in one block. Fails with [`BundleError`] where a tensor cannot be read, and with
//! [`TextError`] on sentences that are too long.

use burn::tensor::{Device, Tensor};

use crate::bundle::config::TextConfig;
use crate::bundle::error::BundleError;
use crate::clip::prompts;
use crate::clip::text::{BATCH, Batch, EPS, TextError, block_of, ids_of};
use crate::clip::tokenizer::Tokenizer;
use crate::compute::{Block, Norm, Reading, Weights, open_cpu, unit_rows};

/// Puts tensors `text.*` of the tower into the weights, whole.
pub type ReadTensors<'a> = dyn FnMut(&[String], &mut Weights) -> Result<(), BundleError> + 'a;

/// Sentences on their way.
pub struct SentenceRun {
    config: TextConfig,
    device: Device,
    batches: Vec<Moving>,
    groups: usize,
    block: Option<Block>,
    done: usize,
}

/// A batch and where it is.
struct Moving {
    batch: Batch,
    group: usize,
    /// `None` before the embedding.
    tokens: Option<Tensor<3>>,
}

/// Of each group of sentences the sum of their unit-length embeddings, `[1, embed]`.
pub struct Sums(Vec<Tensor<2>>);

impl SentenceRun {
    /// Begins with the sentences of a prompt word: two groups, normal and abnormal.
    ///
    /// # Errors
    /// [`TextError::Tokenizer`] if one is too long for this tower.
    pub fn new(config: &TextConfig, tokenizer: &Tokenizer, prompt_word: &str) -> Result<Self, TextError> {
        let prompts = prompts::sentences(prompt_word);
        Self::of(config, tokenizer, &[prompts.normal, prompts.abnormal])
    }

    /// Begins with groups of sentences.
    ///
    /// # Errors
    /// As [`SentenceRun::new`].
    pub fn of(config: &TextConfig, tokenizer: &Tokenizer, groups: &[Vec<String>]) -> Result<Self, TextError> {
        let mut batches = Vec::new();
        for (group, list) in groups.iter().enumerate() {
            let ids = ids_of(list, tokenizer, config.context)?;
            let of = |chunk: &[Vec<u32>]| Moving { batch: Batch::of(chunk, config.context), group, tokens: None };
            batches.extend(ids.chunks(BATCH).map(of));
        }
        let device = open_cpu("prompts are encoded once").device;
        Ok(Self { config: config.clone(), device, batches, groups: groups.len(), block: None, done: 0 })
    }

    /// Steps done, and in all.
    pub fn progress(&self) -> (usize, usize) {
        (self.done, self.config.layers * self.batches.len() + 2)
    }

    /// Does one step. The sums after the last.
    ///
    /// # Errors
    /// Those of `read`, and [`BundleError`] if a tensor has another shape.
    pub fn step(&mut self, read: &mut ReadTensors<'_>) -> Result<Option<Sums>, BundleError> {
        let (at, count) = (self.done, self.batches.len().max(1));
        self.done += 1;
        if at == 0 {
            self.embed(read)?;
            return Ok(None);
        }
        let (layer, batch) = ((at - 1) / count, (at - 1) % count);
        if layer >= self.config.layers {
            return self.end(read).map(Some);
        }
        if batch == 0 {
            let prefix = format!("text.blocks.{layer}");
            let names = crate::bundle::names::text_tensors(&self.config).into_iter().map(|(name, _)| name);
            let names: Vec<String> = names.filter(|name| name.starts_with(&format!("{prefix}."))).collect();
            let mut weights = self.weights(read, &names)?;
            self.block = Some(Block::take(&mut weights, &prefix, block_of(&self.config))?);
        }
        if let (Some(moving), Some(block)) = (self.batches.get_mut(batch), &self.block) {
            moving.tokens = moving.tokens.take().map(|tokens| block.forward(tokens));
        }
        Ok(None)
    }

    fn weights(&self, read: &mut ReadTensors<'_>, names: &[String]) -> Result<Weights, BundleError> {
        let mut weights = Weights::on(&self.device);
        read(names, &mut weights)?;
        Ok(weights)
    }

    fn embed(&mut self, read: &mut ReadTensors<'_>) -> Result<(), BundleError> {
        let names = ["text.token_embedding", "text.position_embedding"].map(str::to_owned);
        let mut weights = self.weights(read, &names)?;
        let TextConfig { width, vocabulary, context, .. } = self.config;
        let tokens = weights.take("text.token_embedding", [vocabulary, width])?;
        let positions = weights.take("text.position_embedding", [context, width])?;
        for moving in &mut self.batches {
            moving.tokens = Some(moving.batch.embedded(&tokens, &positions));
        }
        Ok(())
    }

    fn end(&mut self, read: &mut ReadTensors<'_>) -> Result<Sums, BundleError> {
        let names = ["text.ln_final.weight", "text.ln_final.bias", "text.projection"].map(str::to_owned);
        let mut weights = self.weights(read, &names)?;
        let TextConfig { width, embed, .. } = self.config;
        let norm = Norm::take(&mut weights, "text.ln_final", width, EPS)?;
        let projection = weights.take("text.projection", [width, embed])?;
        let mut sums: Vec<Option<Tensor<2>>> = vec![None; self.groups];
        for Moving { batch, group, tokens } in self.batches.drain(..) {
            let (Some(tokens), Some(slot)) = (tokens, sums.get_mut(group)) else { continue };
            let sum = unit_rows(batch.ended(norm.forward(tokens), &projection)).sum_dim(0);
            *slot = Some(match slot.take() {
                Some(before) => before + sum,
                None => sum,
            });
        }
        let none = || Tensor::zeros([1, embed], &self.device);
        Ok(Sums(sums.into_iter().map(|sum| sum.unwrap_or_else(none)).collect()))
    }
}

impl Sums {
    /// The text features of two groups, row-major `[embed, 2]`: of each the unit-length mean. Dividing by the count would
    /// not change the direction.
    ///
    /// # Errors
    /// [`BundleError::SelfTest`] if they cannot be read.
    pub fn features(self) -> Result<Vec<f32>, BundleError> {
        let columns = read(self.0.into_iter().map(unit_rows))?;
        let [normal, abnormal] = &columns[..] else { return Err(unread()) };
        Ok(normal.iter().zip(abnormal).flat_map(|(normal, abnormal)| [*normal, *abnormal]).collect())
    }

    /// Their values, group by group.
    ///
    /// # Errors
    /// As [`Sums::features`].
    pub fn values(self) -> Result<Vec<Vec<f32>>, BundleError> {
        read(self.0.into_iter())
    }
}

fn read(rows: impl Iterator<Item = Tensor<2>>) -> Result<Vec<Vec<f32>>, BundleError> {
    let mut reading = Reading::default();
    rows.for_each(|row| reading.push(row));
    reading.here().ok_or_else(unread)
}

fn unread() -> BundleError {
    BundleError::SelfTest("the text features could not be read".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::config::Activation;
    use crate::bundle::names::text_tensors;
    use crate::bundle::source::TensorPart;
    use crate::clip::text::TextTower;
    use crate::clip::tokenizer::VOCABULARY_SIZE;

    fn part(name: &str, shape: &[usize]) -> TensorPart {
        let seed = name.bytes().map(usize::from).sum::<usize>();
        let value = |n: usize| ((n * 31 + seed) % 97) as f32 / 97.0 - 0.4;
        TensorPart::whole(name, shape.to_vec(), (0..shape.iter().product()).map(value).collect::<Vec<f32>>())
    }

    #[test]
    fn one_block_at_a_time_gives_what_the_whole_tower_gives() {
        let (width, heads, layers, mlp_width, context, embed) = (8, 2, 3, 16, 77, 6);
        let (vocabulary, activation) = (VOCABULARY_SIZE, Activation::Gelu);
        let config = TextConfig { width, heads, layers, mlp_width, context, vocabulary, embed, activation };
        let tensors = text_tensors(&config);
        let tokenizer = Tokenizer::new().unwrap();
        let device = open_cpu("test").device;
        let mut weights = Weights::on(&device);
        tensors.iter().for_each(|(name, shape)| weights.insert(part(name, shape)).unwrap());
        let whole = TextTower::take(&mut weights, &config, &device).unwrap().features(&tokenizer, "knee").unwrap();

        let mut run = SentenceRun::new(&config, &tokenizer, "knee").unwrap();
        let mut most = 0;
        let found = loop {
            let mut read = 0;
            let mut source = |names: &[String], weights: &mut Weights| {
                read += names.len();
                let shape = |name: &String| tensors.iter().find(|(n, _)| n == name).unwrap().1.clone();
                names.iter().try_for_each(|name| weights.insert(part(name, &shape(name))))
            };
            let sums = run.step(&mut source).unwrap();
            most = most.max(read);
            if let Some(sums) = sums {
                break sums.features().unwrap();
            }
        };
        assert_eq!(found, whole);
        assert_eq!(run.done, run.config.layers * 9 + 2);
        assert_eq!(most, 12, "the tensors of one block");
    }
}
