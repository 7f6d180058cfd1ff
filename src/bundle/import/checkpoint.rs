//! A published checkpoint under canonical names.
//!
//! Comes in: a file in any of the containers and namings. Goes out: its geometry, read from the
//! tensors' shapes, and its tensors one at a time under the names of a bundle. Fails with
//! [`BundleError`] that names a tensor as the checkpoint does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::bundle::config::{Activation, Family, TextConfig, VisionConfig};
use crate::bundle::error::BundleError;
use crate::bundle::import::layout::{LAYOUTS, Layout};
use crate::bundle::import::open::open_source;
use crate::bundle::names::{text_tensors, vision_tensors};
use crate::bundle::source::{TensorPart, TensorSource, Unread, check_finite};

/// Width of one attention head in every published CLIP and DINOv2.
const HEAD_WIDTH: usize = 64;
/// torch's default, which CLIP uses.
const CLIP_NORM_EPS: f64 = 1e-5;
/// DINOv2's own.
const DINOV2_NORM_EPS: f64 = 1e-6;
/// More blocks than any tower: a stray number in a name must not make us list a billion tensors.
const LAYERS_LIMIT: usize = 1000;
/// Largest `config.json` looked at.
const CONFIG_LIMIT_BYTES: u64 = 1024 * 1024;

/// The vision tower of a checkpoint, before it is decided at which picture size it is to run.
#[derive(Clone, Debug, PartialEq)]
pub struct VisionGeometry {
    /// Family of the weights.
    pub family: Family,
    /// Token width.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Blocks in the checkpoint.
    pub layers: usize,
    /// Width of the hidden layer of a block's MLP.
    pub mlp_width: usize,
    /// Side of one square patch, in pixels.
    pub patch_px: usize,
    /// Patches along one side of the grid it was trained on.
    pub native_grid: usize,
}

impl VisionGeometry {
    /// The tower at a picture size, up to the last of some levels.
    pub fn config(&self, size_px: usize, levels: &[usize], activation: Activation) -> VisionConfig {
        let clip = self.family == Family::Clip;
        VisionConfig {
            family: self.family,
            width: self.width,
            heads: self.heads,
            layers: levels.last().copied().unwrap_or(self.layers),
            mlp_width: self.mlp_width,
            patch_px: self.patch_px,
            image_px: size_px,
            levels: levels.to_vec(),
            pre_norm: clip,
            patch_bias: !clip,
            layer_scale: !clip,
            activation,
            norm_eps: if clip { CLIP_NORM_EPS } else { DINOV2_NORM_EPS },
        }
    }

    /// Four blocks at quarters of the depth: 6, 12, 18, 24 of 24.
    pub fn default_levels(&self) -> Vec<usize> {
        let mut levels: Vec<usize> = (1..=4).map(|n| (n * self.layers).div_ceil(4)).collect();
        levels.dedup();
        levels
    }
}

/// An open checkpoint.
pub struct Checkpoint {
    path: String,
    source: Box<dyn TensorSource>,
    layout: &'static Layout,
    prefix: String,
    vision: VisionGeometry,
    text: Option<TextConfig>,
    shapes: BTreeMap<String, Vec<usize>>,
    left_out: Option<String>,
}

/// Opens a checkpoint whatever its layout.
///
/// `heads` is the user's number of attention heads; a `config.json` of Hugging
/// Face beside the file comes second, width / 64 third. For the text tower width / 64 comes before
/// `heads`, because one number rarely fits both towers.
///
/// # Errors
/// [`BundleError::UnknownCheckpoint`], [`BundleError::DamagedCheckpoint`],
/// [`BundleError::MissingTensor`], [`BundleError::Shape`], [`BundleError::Options`] if the heads
/// cannot be known, [`BundleError::Io`].
pub fn open_checkpoint(path: &Path, heads: Option<usize>) -> Result<Checkpoint, BundleError> {
    let source = open_source(path)?;
    let beside = beside_heads(path);
    Checkpoint::new(source, path.display().to_string(), heads, beside)
}

/// Heads by a `config.json` beside the file, vision and text, with the widths they belong to.
#[derive(Clone, Copy, Debug, Default)]
struct BesideHeads {
    vision: Option<(usize, usize)>,
    text: Option<(usize, usize)>,
}

impl Checkpoint {
    fn new(
        source: Box<dyn TensorSource>,
        path: String,
        heads: Option<usize>,
        beside: BesideHeads,
    ) -> Result<Self, BundleError> {
        let names = source.names();
        let unknown = |reason: String| BundleError::UnknownCheckpoint { path: path.clone(), reason };
        let Some((layout, prefix)) = LAYOUTS.iter().find_map(|l| Some((*l, l.find_prefix(&names)?))) else {
            return Err(unknown(if names.iter().any(|n| n.contains("_adapters.")) {
                "it holds MVFA adapters (give it as the adapters, and a CLIP checkpoint beside it)".to_owned()
            } else {
                format!("none of its {} tensors is the patch projection of a vision tower", names.len())
            }));
        };
        if names.iter().any(|n| n.starts_with(&prefix) && n.contains("register_tokens")) {
            return Err(unknown("DINOv2 with register tokens is not supported".to_owned()));
        }
        let scan = Scan { source: &*source, names: &names, layout, prefix: &prefix, path: &path };
        let vision = scan.vision(heads, beside.vision)?;
        let text = scan.text(heads, beside.text)?;
        let left_out = if text.is_none() { scan.lack_of_text() } else { None };
        let native = vision.config(vision.native_grid * vision.patch_px, &[vision.layers], Activation::Gelu);
        let mut shapes: BTreeMap<_, _> = vision_tensors(&native).into_iter().collect();
        shapes.extend(text.iter().flat_map(text_tensors));
        Ok(Self { path, source, layout, prefix, vision, text, shapes, left_out })
    }

    /// The naming it was found to have.
    pub fn title(&self) -> &'static str {
        self.layout.title
    }

    /// The vision tower.
    pub fn vision(&self) -> &VisionGeometry {
        &self.vision
    }

    /// The text tower, if present.
    pub fn text(&self) -> Option<&TextConfig> {
        self.text.as_ref()
    }

    /// What of the checkpoint cannot be taken over though parts of it are there, in words.
    pub fn left_out(&self) -> Option<&str> {
        self.left_out.as_deref()
    }

    /// Reads one tensor by its canonical name: its shape and row-major values. The position table
    /// comes on the grid of the checkpoint.
    ///
    /// # Errors
    /// [`BundleError::MissingTensor`], [`BundleError::Shape`] and [`BundleError::NotFinite`] under
    /// the checkpoint's own names; [`BundleError::DamagedCheckpoint`].
    pub fn read(&mut self, name: &str) -> Result<(Vec<usize>, Vec<f32>), BundleError> {
        let (Some(shape), Some(recipe)) = (self.shapes.get(name).cloned(), self.layout.recipe(name)) else {
            return Err(BundleError::MissingTensor {
                name: name.to_owned(),
                hint: format!("{} has no such part", self.path),
            });
        };
        let expected = part_shape(name, &shape, recipe.parts.len(), recipe.transposed, self.vision.patch_px);
        let mut values: Vec<f32> = Vec::new();
        for raw in &recipe.parts {
            let raw = format!("{}{raw}", self.prefix);
            let found = self.source.shape(&raw).ok_or_else(|| missing(&raw, &self.path, &*self.source))?;
            if without_leading_ones(&found) != without_leading_ones(&expected) {
                let hint = format!("{} is damaged, or of a variant that is not supported", self.path);
                return Err(BundleError::Shape { name: raw, expected, found, hint });
            }
            let part = self.source.read(&raw)?;
            check_finite(&raw, &part)?;
            if values.is_empty() {
                values = part;
                values.reserve_exact(values.len() * (recipe.parts.len() - 1));
            } else {
                values.extend(part);
            }
        }
        if recipe.transposed
            && let [rows, columns] = shape[..]
        {
            values =
                (0..rows * columns).filter_map(|n| values.get(n % columns * rows + n / columns).copied()).collect();
        }
        Ok((shape, values))
    }

    /// Reads one tensor as [`Checkpoint::read`] does, ready for `Weights::insert`.
    ///
    /// # Errors
    /// As [`Checkpoint::read`].
    pub fn part(&mut self, name: &str) -> Result<TensorPart, BundleError> {
        let (shape, values) = self.read(name)?;
        Ok(TensorPart::whole(name, shape, values))
    }
}

/// The towers' geometry, from the names and shapes of a checkpoint.
struct Scan<'a> {
    source: &'a dyn TensorSource,
    names: &'a [String],
    layout: &'a Layout,
    prefix: &'a str,
    path: &'a str,
}

impl Scan<'_> {
    fn vision(&self, heads: Option<usize>, beside: Option<(usize, usize)>) -> Result<VisionGeometry, BundleError> {
        let (raw, patch) = self.shape("vision.patch.weight")?;
        let &[width, 3, patch_px, side] = patch.as_slice() else {
            return Err(self.unknown(format!("{raw} has shape {patch:?}, expected [width, 3, side, side]")));
        };
        let (raw, table) = self.shape("vision.position_embedding")?;
        let rows = without_leading_ones(&table).first().copied().unwrap_or(0);
        let native_grid = rows.saturating_sub(1).isqrt();
        if patch_px != side || patch_px == 0 || width == 0 || rows < 2 || native_grid * native_grid + 1 != rows {
            let reason = format!("{raw} has shape {table:?}, expected one row more than a square number");
            return Err(self.unknown(reason));
        }
        let layers = self.layers("vision")?;
        let (_, fc1) = self.shape("vision.blocks.0.mlp.fc1.weight")?;
        let heads = heads
            .or(beside.filter(|(_, w)| *w == width).map(|(heads, _)| heads))
            .or_else(|| width.is_multiple_of(HEAD_WIDTH).then_some(width / HEAD_WIDTH));
        let heads = checked_heads(heads, width, "vision")?;
        let mlp_width = fc1.first().copied().unwrap_or(0);
        Ok(VisionGeometry { family: self.layout.family, width, heads, layers, mlp_width, patch_px, native_grid })
    }

    fn text(&self, heads: Option<usize>, beside: Option<(usize, usize)>) -> Result<Option<TextConfig>, BundleError> {
        let Ok((raw, table)) = self.shape("text.token_embedding") else { return Ok(None) };
        let &[vocabulary, width] = table.as_slice() else {
            return Err(self.unknown(format!("{raw} has shape {table:?}, expected [vocabulary, width]")));
        };
        let (_, positions) = self.shape("text.position_embedding")?;
        let (_, projection) = self.shape("text.projection")?;
        let layers = self.layers("text")?;
        let (_, fc1) = self.shape("text.blocks.0.mlp.fc1.weight")?;
        let heads = beside
            .filter(|(_, w)| *w == width)
            .map(|(heads, _)| heads)
            .or_else(|| (width > 0 && width.is_multiple_of(HEAD_WIDTH)).then_some(width / HEAD_WIDTH))
            .or(heads);
        let transposed = self.layout.transposed.contains(&"text.projection");
        let embed = if transposed { projection.first() } else { projection.get(1) };
        let config = TextConfig {
            width,
            heads: checked_heads(heads, width, "text")?,
            layers,
            mlp_width: fc1.first().copied().unwrap_or(0),
            context: positions.first().copied().unwrap_or(0),
            vocabulary,
            embed: embed.copied().unwrap_or(0),
            activation: Activation::Gelu,
        };
        config.validate().map_err(|reason| self.unknown(reason))?;
        Ok(Some(config))
    }

    /// Raw name and shape of the (first) tensor that a canonical one is made of.
    fn shape(&self, canonical: &str) -> Result<(String, Vec<usize>), BundleError> {
        let parts = self.layout.recipe(canonical).map(|recipe| recipe.parts).unwrap_or_default();
        let raw = parts.first().map_or_else(|| canonical.to_owned(), |part| format!("{}{part}", self.prefix));
        match self.source.shape(&raw) {
            Some(shape) => Ok((raw, shape)),
            None => Err(missing(&raw, self.path, self.source)),
        }
    }

    /// Why there is no text tower, where other parts of one are there.
    fn lack_of_text(&self) -> Option<String> {
        let raw = |canonical: &str| {
            let parts = self.layout.recipe(canonical)?.parts;
            Some(format!("{}{}", self.prefix, parts.first()?))
        };
        let table = raw("text.token_embedding")?;
        let unread = self.source.unread();
        if let Some(unread) = unread.iter().find(|unread| unread.name == table) {
            return Some(format!("the text tower, for {table} cannot be read ({})", unread.why));
        }
        let others = ["text.position_embedding", "text.projection", "text.blocks.0.ln1.weight"];
        let has_others = others.iter().filter_map(|name| raw(name)).any(|name| self.source.shape(&name).is_some());
        has_others.then(|| format!("the text tower, for {table} is not in the file"))
    }

    /// One more than the highest block number, so that a block missing in between is noticed.
    fn layers(&self, tower: &str) -> Result<usize, BundleError> {
        let prefix = format!("{}{}", self.prefix, self.layout.block_prefix(tower).unwrap_or_default());
        let numbers =
            self.names.iter().filter_map(|name| name.strip_prefix(&prefix)?.split('.').next()?.parse::<usize>().ok());
        match numbers.max() {
            None => Err(missing(&format!("{prefix}0"), self.path, self.source)),
            Some(last) if last >= LAYERS_LIMIT => Err(self.unknown(format!("it has a block {prefix}{last}"))),
            Some(last) => Ok(last + 1),
        }
    }

    fn unknown(&self, reason: String) -> BundleError {
        BundleError::UnknownCheckpoint { path: self.path.to_owned(), reason }
    }
}

/// Shape of each raw part of a canonical tensor.
fn part_shape(name: &str, shape: &[usize], parts: usize, transposed: bool, patch_px: usize) -> Vec<usize> {
    let mut shape = shape.to_vec();
    if name == "vision.patch.weight" {
        shape.truncate(1);
        shape.extend([3, patch_px, patch_px]);
    } else if transposed {
        shape.reverse();
    } else if let Some(rows) = shape.first_mut() {
        *rows /= parts.max(1);
    }
    shape
}

fn without_leading_ones(shape: &[usize]) -> &[usize] {
    let ones = shape.iter().take_while(|size| **size == 1).count();
    shape.get(ones..).unwrap_or_default()
}

fn missing(raw: &str, path: &str, source: &dyn TensorSource) -> BundleError {
    let hint = match source.unread().into_iter().find(|unread| unread.name == raw) {
        Some(Unread { why, .. }) => {
            format!("{path} holds it, but {why}; save it again with torch.save in a common type")
        }
        None => format!("{path} is incomplete, or of a variant that is not supported; get a fresh copy"),
    };
    BundleError::MissingTensor { name: raw.to_owned(), hint }
}

fn checked_heads(heads: Option<usize>, width: usize, tower: &str) -> Result<usize, BundleError> {
    match heads {
        Some(heads) if heads > 0 && width.is_multiple_of(heads) => Ok(heads),
        Some(heads) => Err(BundleError::Options(format!(
            "{heads} heads do not divide the {tower} tower's width {width}; pass --heads with a number that does"
        ))),
        None => Err(BundleError::Options(format!(
            "the {tower} tower's width {width} is no multiple of {HEAD_WIDTH}, so its number of heads is unknown; pass --heads"
        ))),
    }
}

/// Reads the heads from Hugging Face's `config.json`, if present. It only helps, so
/// anything wrong with it is passed over.
fn beside_heads(path: &Path) -> BesideHeads {
    let config = path.with_file_name("config.json");
    let small = fs::metadata(&config).is_ok_and(|m| m.len() <= CONFIG_LIMIT_BYTES);
    let bytes = if small { fs::read(&config).unwrap_or_default() } else { Vec::new() };
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let heads = |part: &serde_json::Value| {
        let number = |key: &str| part.get(key)?.as_u64().and_then(|n| usize::try_from(n).ok());
        Some((number("num_attention_heads")?, number("hidden_size")?))
    };
    BesideHeads {
        vision: json.get("vision_config").and_then(heads).or_else(|| heads(&json)),
        text: json.get("text_config").and_then(heads),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_quarters_of_the_depth() {
        let tower = |layers| VisionGeometry {
            family: Family::Clip,
            width: 64,
            heads: 1,
            layers,
            mlp_width: 256,
            patch_px: 14,
            native_grid: 16,
        };
        assert_eq!(tower(24).default_levels(), [6, 12, 18, 24]);
        assert_eq!(tower(12).default_levels(), [3, 6, 9, 12]);
        assert_eq!(tower(2).default_levels(), [1, 2]);
    }
}
