//! `manifest.json`: what a bundle is, what it can do, and which files hold its tensors.
//!
//! Comes in: bytes of `manifest.json`. Goes out: a checked [`Manifest`]. Fails with
//! [`BundleError`] that names the field, the expected and the found value.

use serde::{Deserialize, Serialize};

use crate::bundle::config::{TextConfig, VisionConfig};
use crate::bundle::error::BundleError;
use crate::bundle::scoring::Scoring;

/// The manifest format this build writes and reads.
pub const FORMAT: u32 = 1;

/// No shard is larger: it is what memory ever holds of a file while a bundle loads.
pub const SHARD_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// The only resampling there is: Pillow's antialiased bicubic.
pub const RESAMPLE: &str = "pil_bicubic";

/// A model file set: configuration, objects and the files that hold the tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout, [`FORMAT`].
    pub format: u32,
    /// Name shown to people.
    pub name: String,
    /// Changes whenever the weights do.
    pub revision: String,
    /// Licence of the weights.
    pub licence: String,
    /// File name of the model card beside the manifest.
    pub card: String,
    /// What the model may be used for.
    pub intended_use: String,
    /// The frozen vision tower.
    pub vision: VisionConfig,
    /// The text tower, if the bundle carries one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextConfig>,
    /// The prompt words that the text tower has read while it learned, where those are few; `None`: as good as all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_words: Option<Vec<String>>,
    /// The adapters, if the bundle carries them; without, raw block tokens are the features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapters: Option<AdapterConfig>,
    /// How pixels become the tower's input.
    pub preprocess: PreprocessConfig,
    /// How the memory is made by default.
    #[serde(default)]
    pub augment: Augment,
    /// What the memory holds.
    #[serde(default, skip_serializing_if = "MemoryFeatures::is_default")]
    pub memory: MemoryFeatures,
    /// How the memory is scored; `None`: by the rules of the paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scoring: Option<Scoring>,
    /// A note of the model's maker, shown wherever words are compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_shot_note: Option<String>,
    /// What the model can be asked about.
    pub objects: Vec<ObjectSpec>,
    /// Values every device must reproduce before its results are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_test: Option<SelfTest>,
    /// The files, in loading order.
    pub files: Vec<FileEntry>,
}

/// Residual adapters after each level (spec §3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdapterConfig {
    /// Width of the hidden features, equal to the text embedding's.
    pub bottleneck: usize,
    /// Weights of (token, segmentation adapter, detection adapter) in the mix that goes on.
    #[serde(default = "released_mix")]
    pub mix: [f32; 3],
}

/// The mix of the released code; the paper says 0.9 / 0.1 (spec §11).
pub fn released_mix() -> [f32; 3] {
    [0.8, 0.1, 0.1]
}

/// How pixels become the tower's input. Resampling is always Pillow's bicubic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreprocessConfig {
    /// Side of the square input, in pixels.
    pub size_px: usize,
    /// Always `"pil_bicubic"`.
    pub resample: String,
    /// Subtracted per channel after scaling to 0..1.
    pub mean: [f32; 3],
    /// Divided by per channel.
    pub std: [f32; 3],
}

/// Which views of a normal reference go into the memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Augment {
    /// The eleven views of the released code (spec §6).
    #[default]
    Mvfa,
    /// The picture itself only.
    None,
}

/// A manifest of a real model has some hundred kilobytes; what is longer is none.
pub const MANIFEST_LIMIT_BYTES: u64 = 16 * 1024 * 1024;

/// What the memory holds, and a picture is compared by, in few-shot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryFeatures {
    /// The adapters' hidden features, fused with the words (spec §8.2). Without adapters, as `Raw`.
    #[default]
    Adapted,
    /// Raw block tokens of the tower, the adapters left out. For adapters that were trained for
    /// words only.
    Raw,
}

impl MemoryFeatures {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What an object is scored by (spec §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// Trained with masks: the image score is the maximum of the fused map.
    Segmentation,
    /// Trained with image labels only: the image score is a mean over patches.
    Detection,
}

/// One kind of picture the model knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectSpec {
    /// Short name for commands and links.
    pub id: String,
    /// Name shown to people.
    pub name: String,
    /// The word put into the prompts.
    pub prompt: String,
    /// What it is scored by.
    pub kind: ObjectKind,
    /// Tensor `[dim, 2]` of (normal, abnormal) text features, where zero-shot is possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_features: Option<String>,
    /// Its left and right look alike in a picture taken straight: each side is compared with the other, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bilateral: bool,
    /// Constants in place of the test-set minimum and maximum (spec §8.4), where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
}

/// Ranges that bring the parts of a score to a common scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Range of the zero-shot map S0.
    pub zero_map: Range,
    /// Range of the memory map Sm.
    pub memory_map: Range,
    /// Range of the zero-shot image score c0.
    pub zero_score: Range,
    /// Range of the memory image score cm.
    pub memory_score: Range,
}

/// A closed range of values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Mapped to 0.
    pub lo: f32,
    /// Mapped to 1.
    pub hi: f32,
}

/// A fixed input and what the encoder must answer: guards against devices that compute wrongly
/// without saying so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelfTest {
    /// Some entries of each level's features for the test picture, levels after each other.
    pub values: Vec<f32>,
    /// Largest allowed absolute difference.
    pub tolerance: f32,
}

/// Files of one group are needed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// The vision tower.
    Vision,
    /// Both adapter banks.
    Adapters,
    /// The text tower, loaded only for custom prompts.
    Text,
    /// Ready text features per object.
    Prompts,
}

/// One file of a bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Name beside the manifest; no folders.
    pub path: String,
    /// Exact size.
    pub bytes: u64,
    /// Lower-case hexadecimal SHA-256 of the file.
    pub sha256: String,
    /// What it belongs to.
    pub group: Group,
    /// The tensors, or parts of tensors, inside.
    pub tensors: Vec<TensorEntry>,
}

/// Element type of a stored tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dtype {
    /// 32-bit float.
    F32,
    /// 16-bit float.
    F16,
    /// 8-bit integers with one f32 scale per row (output channel), stored as `<key>.scale`.
    I8,
}

/// One tensor, or some rows of one that is larger than a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorEntry {
    /// Name of the whole tensor. Stored in the file under this key, or `name[start:end]` for rows.
    pub name: String,
    /// Shape of the whole tensor.
    pub shape: Vec<usize>,
    /// Element type in the file.
    pub dtype: Dtype,
    /// First and one-past-last row along the first axis, if the file holds only a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<[usize; 2]>,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// [`BundleError::Format`] for an unknown format number, [`BundleError::Manifest`] for anything
    /// that does not parse or contradicts itself.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        /// Only the number, so that a later format can change everything else.
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|e| BundleError::Manifest(e.to_string()))?;
        if head.format != FORMAT {
            return Err(BundleError::Format { found: head.format, expected: FORMAT });
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(|e| BundleError::Manifest(e.to_string()))?;
        manifest.validate()?;
        Ok(manifest)
    }

    /// The same model with the memory scored by the paper's rules. Constants that were measured by others go.
    pub fn with_paper_rules(mut self) -> Self {
        let had_others = self.scoring.take().is_some();
        for object in &mut self.objects {
            if std::mem::take(&mut object.bilateral) || had_others {
                object.calibration = None;
            }
        }
        self
    }

    /// The same model with raw block tokens in its memory, apart from its words. Constants that were measured with adapted
    /// features go with them.
    pub fn with_raw_memory(mut self) -> Self {
        if !self.memory_is_raw() {
            self.memory = MemoryFeatures::Raw;
            self.objects.iter_mut().for_each(|object| object.calibration = None);
        }
        self
    }

    /// Whether the memory holds raw block tokens.
    pub fn memory_is_raw(&self) -> bool {
        self.adapters.is_none() || self.memory == MemoryFeatures::Raw
    }

    /// Whether few-shot joins words to the memory: adapters that were trained for words alone keep out of it.
    pub fn few_shot_has_words(&self) -> bool {
        let is_apart = self.adapters.is_some() && self.memory == MemoryFeatures::Raw;
        !is_apart && self.objects.iter().any(|object| object.text_features.is_some())
    }

    /// Whether a person's own words can be encoded: the files of a text tower are listed, and adapters bring images and words
    /// together.
    pub fn can_take_words(&self) -> bool {
        let embed = self.text.as_ref().map(|text| text.embed);
        let has_files = self.files.iter().any(|file| file.group == Group::Text);
        has_files && embed.is_some() && embed == self.adapters.as_ref().map(|adapters| adapters.bottleneck)
    }

    /// The object called `id`.
    ///
    /// # Errors
    /// [`BundleError::UnknownObject`] with the ids the bundle has.
    pub fn object(&self, id: &str) -> Result<&ObjectSpec, BundleError> {
        self.objects.iter().find(|o| o.id == id).ok_or_else(|| BundleError::UnknownObject {
            id: id.to_owned(),
            known: self.objects.iter().map(|o| o.id.clone()).collect(),
        })
    }

    /// The narrowest element type of its tensors: that of the matrices.
    pub fn dtype(&self) -> Dtype {
        let has = |dtype| self.files.iter().flat_map(|file| &file.tensors).any(|tensor| tensor.dtype == dtype);
        [Dtype::I8, Dtype::F16].into_iter().find(|dtype| has(*dtype)).unwrap_or(Dtype::F32)
    }

    /// Bytes of all files of some groups.
    pub fn bytes(&self, groups: &[Group]) -> u64 {
        self.files.iter().filter(|f| groups.contains(&f.group)).map(|f| f.bytes).sum()
    }
}

impl TensorEntry {
    /// The key inside the file: the name, with the rows if the file holds only a part.
    pub fn key(&self) -> String {
        match self.rows {
            Some([start, end]) => format!("{}[{start}:{end}]", self.name),
            None => self.name.clone(),
        }
    }

    /// Rows of the whole tensor; a scalar has one.
    pub fn row_count(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// Shape of what the file holds.
    pub fn stored_shape(&self) -> Vec<usize> {
        let mut shape = self.shape.clone();
        if let (Some([start, end]), Some(first)) = (self.rows, shape.first_mut()) {
            *first = end.saturating_sub(start);
        }
        shape
    }
}
