//! The prompt ensemble through a text tower whose blocks come one after the other: no more than one is ever there.
//!
//! Comes in: an object's prompt word, and the tensors `text.*` when they are asked for. Goes out: its text features
//! `[embed, 2]`, columns (normal, abnormal), as [`TextTower`](crate::clip::text::TextTower) gives them. Work is cut into
//! steps of one batch of sentences in one block. Fails with [`BundleError`] where a tensor cannot be read, and with
//! [`TextError`] on sentences that are too long.

use burn::tensor::{Device, Tensor};

use crate::bundle::config::TextConfig;
use crate::bundle::error::BundleError;
use crate::bundle::source::TensorPart;
use crate::clip::prompts;
use crate::clip::text::{BATCH, Batch, EPS, TextError, block_of, ids_of};
use crate::clip::tokenizer::Tokenizer;
use crate::compute::{Block, Norm, Reading, Weights, open_cpu, unit_rows};

/// Gives a tensor `text.*` of the tower.
pub type ReadTensor<'a> = dyn FnMut(&str) -> Result<TensorPart, BundleError> + 'a;

/// Sentences of one prompt word on their way.
pub struct SentenceRun {
    config: TextConfig,
    device: Device,
    batches: Vec<Moving>,
    block: Option<Block>,
    done: usize,
}

/// A batch and where it is.
struct Moving {
    batch: Batch,
    is_abnormal: bool,
    /// `None` before the embedding.
    tokens: Option<Tensor<3>>,
}

impl SentenceRun {
    /// Begins with the sentences of a prompt word.
    ///
    /// # Errors
    /// [`TextError::Tokenizer`] if one is too long for this tower.
    pub fn new(config: &TextConfig, tokenizer: &Tokenizer, prompt_word: &str) -> Result<Self, TextError> {
        let prompts = prompts::sentences(prompt_word);
        let mut batches = Vec::new();
        for (is_abnormal, list) in [(false, &prompts.normal), (true, &prompts.abnormal)] {
            let ids = ids_of(list, tokenizer, config.context)?;
            let of = |chunk: &[Vec<u32>]| Moving { batch: Batch::of(chunk, config.context), is_abnormal, tokens: None };
            batches.extend(ids.chunks(BATCH).map(of));
        }
        let device = open_cpu("prompts are encoded once").device;
        Ok(Self { config: config.clone(), device, batches, block: None, done: 0 })
    }

    /// Steps done, and in all.
    pub fn progress(&self) -> (usize, usize) {
        (self.done, self.config.layers * self.batches.len() + 2)
    }

    /// Does one step. The text features, row-major `[embed, 2]`, after the last.
    ///
    /// # Errors
    /// Those of `read`, and [`BundleError`] if a tensor has another shape.
    pub fn step(&mut self, read: &mut ReadTensor<'_>) -> Result<Option<Vec<f32>>, BundleError> {
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
            let mut weights = Weights::on(&self.device);
            for (name, _) in crate::bundle::names::text_tensors(&self.config) {
                if name.starts_with(&format!("{prefix}.")) {
                    weights.insert(read(&name)?)?;
                }
            }
            self.block = Some(Block::take(&mut weights, &prefix, block_of(&self.config))?);
        }
        if let (Some(moving), Some(block)) = (self.batches.get_mut(batch), &self.block) {
            moving.tokens = moving.tokens.take().map(|tokens| block.forward(tokens));
        }
        Ok(None)
    }

    fn embed(&mut self, read: &mut ReadTensor<'_>) -> Result<(), BundleError> {
        let mut weights = Weights::on(&self.device);
        let TextConfig { width, vocabulary, context, .. } = self.config;
        weights.insert(read("text.token_embedding")?)?;
        weights.insert(read("text.position_embedding")?)?;
        let tokens = weights.take("text.token_embedding", [vocabulary, width])?;
        let positions = weights.take("text.position_embedding", [context, width])?;
        for moving in &mut self.batches {
            moving.tokens = Some(moving.batch.embedded(&tokens, &positions));
        }
        Ok(())
    }

    /// Of each group the unit-length mean of its unit-length embeddings.
    fn end(&mut self, read: &mut ReadTensor<'_>) -> Result<Vec<f32>, BundleError> {
        let mut weights = Weights::on(&self.device);
        for name in ["text.ln_final.weight", "text.ln_final.bias", "text.projection"] {
            weights.insert(read(name)?)?;
        }
        let TextConfig { width, embed, .. } = self.config;
        let norm = Norm::take(&mut weights, "text.ln_final", width, EPS)?;
        let projection = weights.take("text.projection", [width, embed])?;
        let mut sums: [Option<Tensor<2>>; 2] = [None, None];
        for Moving { batch, is_abnormal, tokens } in self.batches.drain(..) {
            let Some(tokens) = tokens else { continue };
            // Dividing by the count would not change the direction.
            let sum = unit_rows(batch.ended(norm.forward(tokens), &projection)).sum_dim(0);
            let slot = &mut sums[usize::from(is_abnormal)];
            *slot = Some(match slot.take() {
                Some(before) => before + sum,
                None => sum,
            });
        }
        let mut reading = Reading::default();
        for sum in sums {
            reading.push(unit_rows(sum.unwrap_or_else(|| Tensor::zeros([1, embed], &self.device))));
        }
        let columns = reading.here().unwrap_or_default();
        let [normal, abnormal] = &columns[..] else {
            return Err(BundleError::SelfTest("the text features could not be read".to_owned()));
        };
        Ok(normal.iter().zip(abnormal).flat_map(|(normal, abnormal)| [*normal, *abnormal]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::config::Activation;
    use crate::bundle::names::text_tensors;
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
            let mut source = |name: &str| {
                read += 1;
                Ok(part(name, &tensors.iter().find(|(n, _)| n == name).unwrap().1))
            };
            let features = run.step(&mut source).unwrap();
            most = most.max(read);
            if let Some(features) = features {
                break features;
            }
        };
        assert_eq!(found, whole);
        assert_eq!(run.done, run.config.layers * 9 + 2);
        assert_eq!(most, 12, "the tensors of one block");
    }
}
