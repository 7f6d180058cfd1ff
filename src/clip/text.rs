//! The text tower and the prompt ensemble.
//!
//! Comes in: an object's prompt word. Goes out: its text features `[embed, 2]`, columns (normal,
//! abnormal), each of unit length. Fails with [`TextError`] on sentences that are too long.
//! Source: spec §4.

use burn::tensor::{Device, Int, Tensor, TensorData};
use thiserror::Error;

use crate::bundle::config::TextConfig;
use crate::bundle::error::BundleError;
use crate::clip::prompts;
use crate::clip::tokenizer::{Tokenizer, TokenizerError};
use crate::compute::{Block, BlockConfig, Norm, Weights, product, unit_rows};

/// Sentences encoded together; bounds memory, changes no value.
pub(super) const BATCH: usize = 49;

/// Text features that cannot be made.
#[derive(Debug, Error)]
pub enum TextError {
    /// A sentence does not fit this tower.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The device did not hand back its result.
    #[error("the device stopped while encoding prompts: {0}; try again with --device cpu")]
    Device(String),
}

/// The tower with its weights on a device.
#[derive(Debug)]
pub struct TextTower {
    token_embedding: Tensor<2>,
    position_embedding: Tensor<2>,
    blocks: Vec<Block>,
    ln_final: Norm,
    /// `[width, embed]`, used as `x · P`.
    projection: Tensor<2>,
    context: usize,
    device: Device,
}

impl TextTower {
    /// Takes the tensors `text.*`.
    ///
    /// # Errors
    /// [`BundleError::MissingTensor`] and [`BundleError::Shape`].
    pub fn take(weights: &mut Weights, config: &TextConfig, device: &Device) -> Result<Self, BundleError> {
        let (width, block) = (config.width, block_of(config));
        Ok(Self {
            token_embedding: weights.take("text.token_embedding", [config.vocabulary, width])?,
            position_embedding: weights.take("text.position_embedding", [config.context, width])?,
            blocks: (0..config.layers)
                .map(|i| Block::take(weights, &format!("text.blocks.{i}"), block))
                .collect::<Result<_, _>>()?,
            ln_final: Norm::take(weights, "text.ln_final", width, EPS)?,
            projection: weights.take("text.projection", [width, config.embed])?,
            context: config.context,
            device: device.clone(),
        })
    }

    /// Token ids of some sentences → embeddings `[sentences, embed]`, not normalised.
    pub fn forward(&self, sentences: &[Vec<u32>]) -> Tensor<2> {
        let batch = Batch::of(sentences, self.context);
        let mut x = batch.embedded(&self.token_embedding, &self.position_embedding);
        for block in &self.blocks {
            x = block.forward(x);
        }
        batch.ended(self.ln_final.forward(x), &self.projection)
    }

    /// Text features of one prompt word: `[embed, 2]` row-major, columns (normal, abnormal).
    ///
    /// # Errors
    /// [`TextError`] when a sentence is too long or the device fails.
    pub fn features(&self, tokenizer: &Tokenizer, prompt_word: &str) -> Result<Vec<f32>, TextError> {
        let prompts = prompts::sentences(prompt_word);
        let ids = |list: &[String]| ids_of(list, tokenizer, self.context);
        let features = self.group_features(&ids(&prompts.normal)?, &ids(&prompts.abnormal)?);
        features.try_into_vec_as().map_err(|e| TextError::Device(e.to_string()))
    }

    /// Token ids of both groups of sentences, none longer than the context → text features `[embed, 2]`.
    pub(crate) fn group_features(&self, normal: &[Vec<u32>], abnormal: &[Vec<u32>]) -> Tensor<2> {
        Tensor::cat(vec![self.group_mean(normal), self.group_mean(abnormal)], 0).transpose()
    }

    /// Unit-length mean of the unit-length embeddings of some sentences, `[1, embed]`.
    fn group_mean(&self, sentences: &[Vec<u32>]) -> Tensor<2> {
        // Dividing by the count would not change the direction.
        let sums = sentences.chunks(BATCH).map(|chunk| unit_rows(self.forward(chunk)).sum_dim(0));
        let none = || Tensor::zeros([1, self.projection.dims()[1]], &self.device);
        unit_rows(sums.reduce(|sum, part| sum + part).unwrap_or_else(none))
    }
}

/// torch's default; CLIP has one value everywhere.
pub(super) const EPS: f64 = 1e-5;

/// A block of a text tower.
pub(super) fn block_of(config: &TextConfig) -> BlockConfig {
    BlockConfig {
        width: config.width,
        heads: config.heads,
        mlp_width: config.mlp_width,
        layer_scale: false,
        activation: config.activation,
        eps: EPS,
        causal: true,
    }
}

/// Token ids of sentences, all of which a tower of this context reads.
pub(super) fn ids_of(
    sentences: &[String],
    tokenizer: &Tokenizer,
    context: usize,
) -> Result<Vec<Vec<u32>>, TokenizerError> {
    let ids = |sentence: &String| {
        let ids = tokenizer.encode(sentence)?;
        let (tokens, limit) = (ids.len(), context);
        if tokens > limit { Err(TokenizerError::TooLong { tokens, limit }) } else { Ok(ids) }
    };
    sentences.iter().map(ids).collect()
}

/// Sentences that are encoded together.
///
/// The causal mask makes everything after a sentence's end token irrelevant, so rows are cut
/// at the longest sentence.
pub(super) struct Batch {
    sentences: usize,
    length: usize,
    ids: Vec<i32>,
    /// The end token carries the sentence; it is the last one of each.
    ends: Vec<i32>,
}

impl Batch {
    pub(super) fn of(sentences: &[Vec<u32>], context: usize) -> Self {
        let length = sentences.iter().map(Vec::len).max().unwrap_or(1).min(context);
        let ids = sentences.iter().flat_map(|s| (0..length).map(|i| s.get(i).map_or(0, |id| *id as i32))).collect();
        let ends =
            sentences.iter().enumerate().map(|(i, s)| (i * length + s.len().min(length).max(1) - 1) as i32).collect();
        Self { sentences: sentences.len(), length, ids, ends }
    }

    /// Tokens `[sentences, length, width]` before the first block.
    pub(super) fn embedded(&self, token_embedding: &Tensor<2>, position_embedding: &Tensor<2>) -> Tensor<3> {
        let width = token_embedding.dims()[1];
        let ids = integers(&self.ids, &token_embedding.device());
        let tokens = token_embedding.clone().select(0, ids).reshape([self.sentences, self.length, width]);
        tokens + position_embedding.clone().slice_dim(0, 0..self.length).unsqueeze::<3>()
    }

    /// Normalised tokens after the last block → embeddings `[sentences, embed]`.
    pub(super) fn ended(&self, x: Tensor<3>, projection: &Tensor<2>) -> Tensor<2> {
        let width = x.dims()[2];
        let ends = integers(&self.ends, &x.device());
        product(x.reshape([self.sentences * self.length, width]).select(0, ends), projection.clone())
    }
}

fn integers(values: &[i32], device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::config::Activation;
    use crate::bundle::names::text_tensors;
    use crate::bundle::source::TensorPart;
    use crate::clip::tokenizer::VOCABULARY_SIZE;
    use crate::compute::open_cpu;

    /// A tower whose weights are all `weight`.
    fn tower(context: usize, weight: f32) -> TextTower {
        let (width, heads, layers, mlp_width, embed) = (8, 1, 1, 8, 4);
        let activation = Activation::Gelu;
        let config =
            TextConfig { width, heads, layers, mlp_width, context, vocabulary: VOCABULARY_SIZE, embed, activation };
        let device = open_cpu("test").device;
        let mut weights = Weights::on(&device);
        for (name, shape) in text_tensors(&config) {
            let values = vec![weight; shape.iter().product()];
            weights.insert(TensorPart::whole(name, shape, values)).unwrap();
        }
        TextTower::take(&mut weights, &config, &device).unwrap()
    }

    #[test]
    fn a_sentence_that_the_tower_would_cut_is_an_error() {
        let tokenizer = Tokenizer::new().unwrap();
        assert!(tower(77, 0.1).features(&tokenizer, "brain").is_ok());
        let error = tower(6, 0.1).features(&tokenizer, "brain").unwrap_err();
        assert!(matches!(error, TextError::Tokenizer(TokenizerError::TooLong { limit: 6, .. })), "{error}");
    }

    #[test]
    fn a_tower_that_says_nothing_gives_zeros() {
        let features = tower(77, 0.0).features(&Tokenizer::new().unwrap(), "brain").unwrap();
        assert_eq!(features, [0.0; 8]);
    }
}
