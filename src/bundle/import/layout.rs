//! How a family of checkpoints names its tensors.
//!
//! Comes in: a canonical name with its shape. Goes out: a [`Recipe`], the raw tensors it is made
//! of. A layout is a table; the tables are in `openai_names`, `huggingface_clip` and `dinov2`.

use crate::bundle::config::Family;
use crate::bundle::import::{dinov2, huggingface_clip, openai_names};

/// One naming.
#[derive(Debug)]
pub struct Layout {
    /// Its common name.
    pub title: &'static str,
    /// How the tower runs.
    pub family: Family,
    /// Canonical and raw names outside the blocks.
    pub plain: &'static [(&'static str, &'static str)],
    /// Canonical tower and what its raw block names start with, before the number.
    pub blocks: &'static [(&'static str, &'static str)],
    /// Canonical leaf of a block and the raw leaves that, row upon row, make it up.
    pub leaves: &'static [(&'static str, &'static [&'static str])],
    /// A tensor that must be there, where another naming has the same patch projection.
    pub mark: Option<&'static str>,
    /// A tensor that must not be there.
    pub without: Option<&'static str>,
    /// Canonical names of matrices stored transposed.
    pub transposed: &'static [&'static str],
}

/// Every naming that is read. The first that fits is taken.
pub const LAYOUTS: [&Layout; 6] = [
    &openai_names::SEPARATE_TEXT,
    &openai_names::LAYOUT,
    &huggingface_clip::LAYOUT,
    &dinov2::HUGGINGFACE,
    &dinov2::TIMM,
    &dinov2::ORIGINAL,
];

/// The canonical tensor by which a layout is recognised.
pub(super) const ANCHOR: &str = "vision.patch.weight";

/// What a canonical tensor is made of.
#[derive(Debug, PartialEq)]
pub struct Recipe {
    /// Raw names without the checkpoint's prefix; their rows are stacked.
    pub parts: Vec<String>,
    /// Whether the matrix must be transposed.
    pub transposed: bool,
}

impl Layout {
    /// The raw tensors of a canonical one, or `None` if this layout has no such tensor.
    pub fn recipe(&self, canonical: &str) -> Option<Recipe> {
        let transposed = self.transposed.contains(&canonical);
        if let Some((_, raw)) = self.plain.iter().find(|(name, _)| *name == canonical) {
            return Some(Recipe { parts: vec![(*raw).to_owned()], transposed });
        }
        let (tower, rest) = canonical.split_once(".blocks.")?;
        let (number, leaf) = rest.split_once('.')?;
        let prefix = self.block_prefix(tower)?;
        let (_, raw_leaves) = self.leaves.iter().find(|(name, _)| *name == leaf)?;
        let parts = raw_leaves.iter().map(|raw| format!("{prefix}{number}.{raw}")).collect();
        Some(Recipe { parts, transposed })
    }

    /// What the raw names of a tower's blocks start with.
    pub fn block_prefix(&self, tower: &str) -> Option<&'static str> {
        self.blocks.iter().find(|(name, _)| *name == tower).map(|(_, prefix)| *prefix)
    }

    /// The prefixes before raw names, such as `module.` or `state_dict.`, where `names` are of this layout: one for each
    /// model in the file.
    pub fn prefixes(&'static self, names: &[String]) -> impl Iterator<Item = String> {
        let anchor = self.recipe(ANCHOR).and_then(|recipe| recipe.parts.into_iter().next());
        let anchor = anchor.unwrap_or_default();
        let prefixes = names.iter().filter_map(move |name| name.strip_suffix(anchor.as_str()));
        let has = |prefix: &str, raw| names.iter().any(|name| name.strip_prefix(prefix) == Some(raw));
        let is_marked = move |prefix: &&str| {
            self.mark.is_none_or(|mark| has(prefix, mark)) && !self.without.is_some_and(|raw| has(prefix, raw))
        };
        prefixes.filter(|p| p.is_empty() || p.ends_with('.')).filter(is_marked).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::config::{Activation, TextConfig, VisionConfig};
    use crate::bundle::names::{text_tensors, vision_tensors};

    fn vision(family: Family) -> VisionConfig {
        let clip = family == Family::Clip;
        VisionConfig {
            family,
            width: 8,
            heads: 2,
            layers: 2,
            mlp_width: 16,
            patch_px: 4,
            image_px: 12,
            levels: vec![2],
            pre_norm: clip,
            patch_bias: !clip,
            layer_scale: !clip,
            registers: if clip { 0 } else { 4 },
            activation: Activation::Gelu,
            norm_eps: 1e-5,
        }
    }

    #[test]
    fn every_layout_names_every_tensor() {
        let text = TextConfig {
            width: 8,
            heads: 2,
            layers: 2,
            mlp_width: 16,
            context: 5,
            vocabulary: 9,
            embed: 8,
            activation: Activation::Gelu,
        };
        for layout in LAYOUTS {
            let mut names = vision_tensors(&vision(layout.family));
            if layout.family == Family::Clip {
                names.extend(text_tensors(&text));
            }
            let mut raw = Vec::new();
            for (name, _) in names {
                raw.extend(layout.recipe(&name).unwrap_or_else(|| panic!("{}: {name}", layout.title)).parts);
            }
            let count = raw.len();
            raw.sort();
            raw.dedup();
            assert_eq!(raw.len(), count, "{}: a raw name is used twice", layout.title);
        }
    }

    #[test]
    fn finds_every_prefix() {
        let prefixes = |list: &[&str]| {
            let names: Vec<String> = list.iter().map(|n| (*n).to_owned()).collect();
            openai_names::LAYOUT.prefixes(&names).collect::<Vec<_>>()
        };
        assert_eq!(prefixes(&["visual.conv1.weight"]), [""]);
        let wrapped = ["teacher.module.visual.conv1.weight", "state_dict.visual.conv1.weight"];
        assert_eq!(prefixes(&wrapped), ["teacher.module.", "state_dict."]);
        assert!(prefixes(&["audiovisual.conv1.weight", "x"]).is_empty());
    }
}
