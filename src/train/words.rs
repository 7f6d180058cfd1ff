//! What pictures are compared with: fixed text features, or a small text tower that is trained too.
//!
//! Comes in: objects with text features, or their prompt words. Goes out: text features
//! `[dim, 2]`, columns (normal, abnormal), on the tape if they are trained. Fails if a
//! sentence does not fit the tower. Source: spec §4 and §5; the small tower is this project's own,
//! for models that come without one.

use burn::tensor::{Device, Tensor};
use rand::RngExt;

use crate::bundle::config::{Activation, TextConfig};
use crate::bundle::names::text_tensors;
use crate::clip::prompts::{Sentences, sentences};
use crate::clip::text::{TextError, TextTower};
use crate::clip::tokenizer::{CONTEXT, Tokenizer, VOCABULARY_SIZE};
use crate::compute::Weights;
use crate::train::error::TrainError;
use crate::train::parameters::Saved;
use crate::train::random::{Purpose, normal, stream};

/// Sentences of each group that one step looks at; all of them at the end.
const SENTENCES_PER_STEP: usize = 12;

/// Share of steps in which another word stands in the sentences, so that the tower learns what
/// "damaged" means independent of the object.
const OTHER_WORD_SHARE: f32 = 0.5;

/// Words for those steps.
const OTHER_WORDS: [&str; 24] = [
    "knee MRI",
    "kidney ultrasound",
    "mammogram",
    "skin photograph",
    "fundus photograph",
    "hand X-ray",
    "spine MRI",
    "abdominal CT",
    "heart MRI",
    "thyroid ultrasound",
    "lung",
    "bone",
    "prostate MRI",
    "colonoscopy image",
    "endoscopy image",
    "dental X-ray",
    "pelvis CT",
    "shoulder X-ray",
    "microscope slide",
    "medical image",
    "scan",
    "tissue",
    "organ",
    "picture",
];

/// Geometry of the small tower.
pub fn small_tower(embed: usize) -> TextConfig {
    TextConfig {
        width: 32,
        heads: 2,
        layers: 2,
        mlp_width: 128,
        context: CONTEXT,
        vocabulary: VOCABULARY_SIZE,
        embed,
        activation: Activation::Gelu,
    }
}

/// Starting values of the small tower, drawn as CLIP's were.
pub fn initial_tower(config: &TextConfig, seed: u64) -> Vec<Saved> {
    let width = config.width as f32;
    let residual = (2.0 * config.layers as f32).sqrt();
    text_tensors(config)
        .into_iter()
        .enumerate()
        .map(|(n, (name, shape))| {
            let count = shape.iter().product();
            let deviation = match name.rsplit('.').next().unwrap_or_default() {
                "token_embedding" => 0.02,
                "position_embedding" => 0.01,
                "projection" => width.powf(-0.5),
                _ if name.ends_with("attn.qkv.weight") => width.powf(-0.5),
                _ if name.ends_with("fc1.weight") => (2.0 * width).powf(-0.5),
                _ => width.powf(-0.5) / residual,
            };
            let values = if name.ends_with("bias") {
                vec![0.0; count]
            } else if name.ends_with("ln1.weight") || name.ends_with("ln2.weight") || name.ends_with("ln_final.weight")
            {
                vec![1.0; count]
            } else {
                normal(&mut stream(seed, Purpose::Init, 1000 + n as u64), count, deviation)
            };
            Saved { name, shape, values, adam: None }
        })
        .collect()
}

/// Token ids of both groups of sentences.
struct Ids {
    normal: Vec<Vec<u32>>,
    abnormal: Vec<Vec<u32>>,
}

impl Ids {
    fn new(tokenizer: &Tokenizer, word: &str) -> Result<Self, TextError> {
        let Sentences { normal, abnormal } = sentences(word);
        let encode = |list: &[String]| list.iter().map(|s| tokenizer.encode(s)).collect::<Result<Vec<_>, _>>();
        Ok(Self { normal: encode(&normal)?, abnormal: encode(&abnormal)? })
    }
}

/// Text features per object.
pub enum Words {
    /// They come with the model.
    Fixed(Vec<Tensor<2>>),
    /// A tower learns them.
    Learned(Box<Learned>),
}

/// A tower that learns, and the sentences it reads.
pub struct Learned {
    config: TextConfig,
    prompts: Vec<String>,
    objects: Vec<Ids>,
    others: Vec<Ids>,
    device: Device,
}

impl Words {
    /// Sentences for a tower to learn, one prompt word an object.
    ///
    /// # Errors
    /// [`TextError`] for a prompt word that is too long.
    pub fn learned(config: TextConfig, prompts: &[String], device: &Device) -> Result<Self, TextError> {
        let tokenizer = Tokenizer::new()?;
        let ids = |words: &[&str]| words.iter().map(|w| Ids::new(&tokenizer, w)).collect::<Result<Vec<_>, _>>();
        let words: Vec<&str> = prompts.iter().map(String::as_str).collect();
        let (objects, others) = (ids(&words)?, ids(&OTHER_WORDS)?);
        let prompts = prompts.to_vec();
        Ok(Self::Learned(Box::new(Learned { config, prompts, objects, others, device: device.clone() })))
    }

    /// Text features of object `n` for one step; a tower is taken out of `weights` and reads some of
    /// the sentences, chosen by seed and step.
    ///
    /// # Errors
    /// [`TrainError::Model`] when `weights` lack the tower.
    pub fn for_step(&self, n: usize, weights: &mut Weights, seed: u64, step: u64) -> Result<Tensor<2>, TrainError> {
        let learned = match self {
            Self::Fixed(features) => return fixed(features, n),
            Self::Learned(learned) => learned,
        };
        let tower = TextTower::take(weights, &learned.config, &learned.device)?;
        let mut rng = stream(seed, Purpose::Sentences, step);
        let other = rng.random::<f32>() < OTHER_WORD_SHARE;
        let ids = if other {
            learned.others.get(rng.random_range(0..learned.others.len().max(1)))
        } else {
            learned.objects.get(n)
        };
        let Some(ids) = ids else { return Err(no_words(n)) };
        let mut some = |list: &[Vec<u32>]| -> Vec<Vec<u32>> {
            (0..SENTENCES_PER_STEP).filter_map(|_| list.get(rng.random_range(0..list.len().max(1))).cloned()).collect()
        };
        Ok(tower.group_features(&some(&ids.normal), &some(&ids.abnormal)))
    }

    /// Text features of object `n` from all its sentences.
    ///
    /// # Errors
    /// As [`Words::for_step`].
    pub fn complete(&self, n: usize, weights: &mut Weights) -> Result<Tensor<2>, TrainError> {
        match self {
            Self::Fixed(features) => fixed(features, n),
            Self::Learned(learned) => {
                let tower = TextTower::take(weights, &learned.config, &learned.device)?;
                let ids = learned.objects.get(n).ok_or_else(|| no_words(n))?;
                Ok(tower.group_features(&ids.normal, &ids.abnormal))
            }
        }
    }

    /// Every word that stood in the sentences of a tower that is trained.
    pub fn learned_words(&self) -> Option<Vec<String>> {
        let Self::Learned(learned) = self else { return None };
        let mut words: Vec<String> = Vec::new();
        for word in learned.prompts.iter().map(String::as_str).chain(OTHER_WORDS) {
            if !words.iter().any(|known| known == word) {
                words.push(word.to_owned());
            }
        }
        Some(words)
    }

    /// The tower's geometry, if one is trained.
    pub fn config(&self) -> Option<&TextConfig> {
        match self {
            Self::Fixed(_) => None,
            Self::Learned(learned) => Some(&learned.config),
        }
    }
}

fn fixed(features: &[Tensor<2>], n: usize) -> Result<Tensor<2>, TrainError> {
    features.get(n).cloned().ok_or_else(|| no_words(n))
}

fn no_words(n: usize) -> TrainError {
    TrainError::Settings(format!("object number {n} has no words; this is a mistake in the program"))
}
