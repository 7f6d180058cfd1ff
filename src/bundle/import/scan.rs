//! The towers' geometry, from the names and shapes of a checkpoint.
//!
//! Comes in: a file, and the layout and prefix of the tower chosen in it. Goes out: the geometry of both towers. Fails with
//! [`BundleError`] that names a tensor as the checkpoint does.

use crate::bundle::config::{Activation, GRID_LIMIT, TextConfig};
use crate::bundle::error::BundleError;
use crate::bundle::import::geometry::{Beside, VisionGeometry};
use crate::bundle::import::tower::Tower;
use crate::bundle::source::{TensorSource, Unread};

/// More blocks than any tower: a stray number in a name must not make us list a billion tensors.
const LAYERS_LIMIT: usize = 1000;

/// What is looked at.
pub(super) struct Scan<'a> {
    pub(super) source: &'a dyn TensorSource,
    pub(super) names: &'a [String],
    pub(super) tower: &'a Tower,
    /// Where the file is, for messages.
    pub(super) path: &'a str,
}

impl Scan<'_> {
    pub(super) fn vision(&self, heads: Option<usize>, beside: &Beside) -> Result<VisionGeometry, BundleError> {
        let (raw, patch) = self.shape("vision.patch.weight")?;
        let &[width, 3, patch_px, side] = patch.as_slice() else {
            return Err(self.unknown(format!("{raw} has shape {patch:?}, expected [width, 3, side, side]")));
        };
        let (raw, table) = self.shape("vision.position_embedding")?;
        let rows = without_leading_ones(&table).first().copied().unwrap_or(0);
        let native_grid = self.grid(rows);
        if patch_px != side || patch_px == 0 || width == 0 || !(1..=2 * GRID_LIMIT).contains(&native_grid) {
            let reason = format!("{raw} has shape {table:?}, expected one row more than a square number");
            return Err(self.unknown(reason));
        }
        let registers = self.shape("vision.register_tokens").ok().map(|(_, shape)| shape);
        let registers = registers.and_then(|shape| shape.iter().nth_back(1).copied()).unwrap_or(0);
        let layers = self.layers("vision")?;
        let (_, fc1) = self.shape("vision.blocks.0.mlp.fc1.weight")?;
        let heads = beside.vision_heads(heads, width)?;
        let (family, mlp_width) = (self.tower.layout.family, fc1.first().copied().unwrap_or(0));
        Ok(VisionGeometry { family, width, heads, layers, mlp_width, patch_px, native_grid, registers })
    }

    /// Patches a side, by the rows of a position table; 0 if there is no such square.
    fn grid(&self, rows: usize) -> usize {
        let patches = rows - usize::from(self.has_class_row(rows)).min(rows);
        if patches.isqrt().pow(2) == patches { patches.isqrt() } else { 0 }
    }

    /// Whether a position table has a row for the class token: timm's towers with registers have none.
    pub(super) fn has_class_row(&self, rows: usize) -> bool {
        self.tower.layout.mark.is_none() || rows.isqrt().pow(2) != rows
    }

    pub(super) fn text(&self, heads: Option<usize>, beside: &Beside) -> Result<Option<TextConfig>, BundleError> {
        let Ok((raw, table)) = self.shape("text.token_embedding") else { return Ok(None) };
        let &[vocabulary, width] = table.as_slice() else {
            return Err(self.unknown(format!("{raw} has shape {table:?}, expected [vocabulary, width]")));
        };
        let (_, positions) = self.shape("text.position_embedding")?;
        let (_, projection) = self.shape("text.projection")?;
        let layers = self.layers("text")?;
        let (_, fc1) = self.shape("text.blocks.0.mlp.fc1.weight")?;
        let transposed = self.tower.layout.transposed.contains(&"text.projection");
        let embed = if transposed { projection.first() } else { projection.get(1) };
        let config = TextConfig {
            width,
            heads: beside.text_heads(heads, width)?,
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
        let raw = self.tower.raw(canonical).unwrap_or_else(|| canonical.to_owned());
        match self.source.shape(&raw) {
            Some(shape) => Ok((raw, shape)),
            None => Err(missing(&raw, self.path, self.source)),
        }
    }

    /// Whether tokens, positions and a first block are there.
    pub(super) fn is_tower(&self) -> bool {
        let needed = ["vision.class_embedding", "vision.position_embedding", "vision.blocks.0.ln1.weight"];
        needed.iter().all(|name| self.tower.raw(name).is_some_and(|raw| self.source.shape(&raw).is_some()))
    }

    /// Why there is no text tower, where other parts of one are there.
    pub(super) fn lack_of_text(&self) -> Option<String> {
        let table = self.tower.raw("text.token_embedding")?;
        let unread = self.source.unread();
        if let Some(unread) = unread.iter().find(|unread| unread.name == table) {
            return Some(format!("the text tower, for {table} cannot be read ({})", unread.why));
        }
        let others = ["text.position_embedding", "text.projection", "text.blocks.0.ln1.weight"];
        let has_others =
            others.iter().filter_map(|name| self.tower.raw(name)).any(|name| self.source.shape(&name).is_some());
        if has_others {
            return Some(format!("the text tower, for {table} is not in the file"));
        }
        let apart = format!("{}text.", self.tower.prefix);
        let stands_apart = self.names.iter().any(|name| name.starts_with(&apart));
        stands_apart.then(|| format!("the text tower {apart}*, which is built otherwise than CLIP's own"))
    }

    /// One more than the highest block number, so that a block missing in between is noticed.
    fn layers(&self, tower: &str) -> Result<usize, BundleError> {
        let prefix = format!("{}{}", self.tower.prefix, self.tower.layout.block_prefix(tower).unwrap_or_default());
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

pub(super) fn without_leading_ones(shape: &[usize]) -> &[usize] {
    let ones = shape.iter().take_while(|size| **size == 1).count();
    shape.get(ones..).unwrap_or_default()
}

pub(super) fn missing(raw: &str, path: &str, source: &dyn TensorSource) -> BundleError {
    let hint = match source.unread().into_iter().find(|unread| unread.name == raw) {
        Some(Unread { why, .. }) => {
            format!(
                "{path} holds it, but {why}; save it again in 32-bit or 16-bit floats, or use a version of it in those"
            )
        }
        None => format!("{path} is incomplete, or of a variant that is not supported; get a fresh copy"),
    };
    BundleError::MissingTensor { name: raw.to_owned(), hint }
}
