//! A person's own words through the text tower: only what has not been encoded before is.
//!
//! Comes in: [`Prompts`], and the tower's tensors when they are asked for. Goes out: [`Words`]: text features for the maps,
//! and for each line its mean embedding, for the table of what pulls a place. Fails with [`WordsError`]. Work is cut into
//! steps, as in [`sentences`](crate::clip::sentences).

use std::collections::{HashMap, HashSet};

use thiserror::Error;

use crate::bundle::config::TextConfig;
use crate::bundle::error::BundleError;
use crate::bundle::manifest::Manifest;
use crate::clip::prompt_check::{Problem, PromptsError, Reader, check, ids_of_words};
use crate::clip::prompts::{Prompts, sentences_of};
use crate::clip::sentences::{ReadTensors, SentenceRun};
use crate::clip::text::TextError;
use crate::clip::tokenizer::{Tokenizer, VOCABULARY_SIZE};

/// Lines whose embeddings are remembered; a person types some hundred in a day.
const REMEMBERED: usize = 4096;

/// Words that cannot be encoded.
#[derive(Debug, Error)]
pub enum WordsError {
    /// The lists are not right.
    #[error(transparent)]
    Prompts(#[from] PromptsError),
    /// A sentence is too long, or the device failed.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A file of the model is not right.
    #[error(transparent)]
    Model(#[from] BundleError),
    /// The model has no tower that reads these words.
    #[error("this model cannot take words of your own: {0}; use its own words, or compare with normal images")]
    NoTower(String),
}

/// Encoded lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    /// Row-major `[embed, 2 + contrast lines]`, columns of unit length: normal, abnormal, each contrast line.
    pub features: Vec<f32>,
    /// Columns of `features`.
    pub columns: usize,
    /// For each line, normal ones first, then abnormal and contrast, the mean of the unit embeddings of its sentences; the
    /// mean over a list has the direction of its column.
    pub lines: Vec<Vec<f32>>,
}

/// The text tower of one model, and what it has encoded.
pub struct WordTower {
    config: TextConfig,
    tokenizer: Tokenizer,
    known: Option<HashSet<u32>>,
    /// By the line with the organ in it.
    means: HashMap<String, Vec<f32>>,
    run: Option<(Vec<String>, SentenceRun)>,
}

impl WordTower {
    /// Of a model that has one.
    ///
    /// # Errors
    /// [`WordsError::NoTower`] with what is missing.
    pub fn new(manifest: &Manifest) -> Result<Self, WordsError> {
        let no = |reason: String| WordsError::NoTower(reason);
        let config = manifest.text.clone().ok_or_else(|| no("it has no text part".to_owned()))?;
        let dim = manifest.adapters.as_ref().map(|adapters| adapters.bottleneck);
        if dim != Some(config.embed) {
            return Err(no("it has no adapters that bring images and words together".to_owned()));
        }
        if config.vocabulary != VOCABULARY_SIZE {
            let found = config.vocabulary;
            return Err(no(format!("its text part has a vocabulary of {found}, CLIP's has {VOCABULARY_SIZE}")));
        }
        let tokenizer = Tokenizer::new().map_err(TextError::from)?;
        let known = manifest.text_words.as_ref().map(|words| ids_of_words(&tokenizer, words));
        Ok(Self { config, tokenizer, known, means: HashMap::new(), run: None })
    }

    /// What a person should know about the lists.
    ///
    /// # Errors
    /// [`WordsError::Prompts`].
    pub fn check(&self, prompts: &Prompts) -> Result<Vec<Problem>, WordsError> {
        let reader = Reader { tokenizer: &self.tokenizer, context: self.config.context, known: self.known.as_ref() };
        Ok(check(prompts, &reader)?)
    }

    /// Begins to encode what is new in the lists; what an earlier call began is dropped.
    ///
    /// # Errors
    /// [`WordsError::Text`] if a sentence is too long.
    pub fn begin(&mut self, prompts: &Prompts) -> Result<(), WordsError> {
        if self.means.len() > REMEMBERED {
            self.means.clear();
        }
        let mut new: Vec<String> = Vec::new();
        for line in prompts.described().into_iter().flatten() {
            if !self.means.contains_key(&line) && !new.contains(&line) {
                new.push(line);
            }
        }
        let sentences: Vec<Vec<String>> = new.iter().map(|line| sentences_of(line)).collect();
        let run = SentenceRun::of(&self.config, &self.tokenizer, &sentences)?;
        self.run = (!new.is_empty()).then_some((new, run));
        Ok(())
    }

    /// Steps done, and in all, of what was begun.
    pub fn progress(&self) -> (usize, usize) {
        self.run.as_ref().map_or((0, 0), |(_, run)| run.progress())
    }

    /// Does one step; false when nothing is left to do.
    ///
    /// # Errors
    /// Those of `read`, and [`BundleError`] if a tensor has another shape.
    pub fn step(&mut self, read: &mut ReadTensors<'_>) -> Result<bool, WordsError> {
        let Some((lines, mut run)) = self.run.take() else { return Ok(false) };
        let Some(sums) = run.step(read)? else {
            self.run = Some((lines, run));
            return Ok(true);
        };
        for (line, mut sum) in lines.into_iter().zip(sums.values()?) {
            let count = sentences_of(&line).len().max(1) as f32;
            sum.iter_mut().for_each(|value| *value /= count);
            self.means.insert(line, sum);
        }
        Ok(false)
    }

    /// The lists, once all is encoded; `None` before.
    pub fn words(&self, prompts: &Prompts) -> Option<Words> {
        let lists = prompts.described();
        let means = |list: &Vec<String>| -> Option<Vec<Vec<f32>>> {
            list.iter().map(|line| self.means.get(line).cloned()).collect()
        };
        let [normal, abnormal, contrast] = [means(&lists[0])?, means(&lists[1])?, means(&lists[2])?];
        let mut columns = vec![direction(&normal), direction(&abnormal)];
        columns.extend(contrast.iter().map(|line| direction(std::slice::from_ref(line))));
        let value = |row: usize| columns.iter().map(move |column| column.get(row).copied().unwrap_or_default());
        let features = (0..self.config.embed).flat_map(value).collect();
        Some(Words { features, columns: columns.len(), lines: [normal, abnormal, contrast].concat() })
    }
}

/// The sum of rows at unit length; zeros where it is nothing.
fn direction(rows: &[Vec<f32>]) -> Vec<f32> {
    let dim = rows.first().map_or(0, Vec::len);
    let mut sum = vec![0.0_f64; dim];
    for row in rows {
        sum.iter_mut().zip(row).for_each(|(s, v)| *s += f64::from(*v));
    }
    let length = sum.iter().map(|v| v * v).sum::<f64>().sqrt();
    sum.iter().map(|v| if length > 0.0 { (v / length) as f32 } else { 0.0 }).collect()
}
