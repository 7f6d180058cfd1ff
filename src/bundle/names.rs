//! The canonical tensors of a bundle: every name with its shape, in loading order.
//!
//! Comes in: the geometry of a tower. Goes out: `(name, shape)` pairs. Linear weights are
//! `[out, in]`. Cannot fail.

use crate::bundle::config::{TextConfig, VisionConfig};

/// A canonical name with its shape.
pub type NamedShape = (String, Vec<usize>);

/// Both adapter banks, in the order of a bundle.
pub const BANKS: [&str; 2] = ["seg", "det"];

/// Whether a tensor `[out, in]` of this name is the weight of a linear layer, and no table.
pub fn is_linear(name: &str) -> bool {
    [".weight", ".fc1", ".fc2"].iter().any(|end| name.ends_with(end))
}

/// Tensors of a vision tower with the position table of its own grid.
pub fn vision_tensors(config: &VisionConfig) -> Vec<NamedShape> {
    let w = config.width;
    let mut list = vec![("vision.patch.weight".to_owned(), vec![w, 3 * config.patch_px * config.patch_px])];
    if config.patch_bias {
        list.push(("vision.patch.bias".to_owned(), vec![w]));
    }
    list.push(("vision.class_embedding".to_owned(), vec![w]));
    list.push(("vision.position_embedding".to_owned(), vec![config.tokens(), w]));
    if config.registers > 0 {
        list.push(("vision.register_tokens".to_owned(), vec![config.registers, w]));
    }
    if config.pre_norm {
        list.push(("vision.ln_pre.weight".to_owned(), vec![w]));
        list.push(("vision.ln_pre.bias".to_owned(), vec![w]));
    }
    for block in 0..config.layers {
        block_tensors(&mut list, "vision", block, w, config.mlp_width);
        if config.layer_scale {
            list.push((format!("vision.blocks.{block}.ls1"), vec![w]));
            list.push((format!("vision.blocks.{block}.ls2"), vec![w]));
        }
    }
    list
}

/// Tensors of a text tower.
pub fn text_tensors(config: &TextConfig) -> Vec<NamedShape> {
    let w = config.width;
    let mut list = vec![
        ("text.token_embedding".to_owned(), vec![config.vocabulary, w]),
        ("text.position_embedding".to_owned(), vec![config.context, w]),
    ];
    for block in 0..config.layers {
        block_tensors(&mut list, "text", block, w, config.mlp_width);
    }
    list.push(("text.ln_final.weight".to_owned(), vec![w]));
    list.push(("text.ln_final.bias".to_owned(), vec![w]));
    list.push(("text.projection".to_owned(), vec![w, config.embed]));
    list
}

/// Tensors of both adapter banks: `fc1` `[bottleneck, width]`, `fc2` `[width, bottleneck]`.
pub fn adapter_tensors(levels: usize, width: usize, bottleneck: usize) -> Vec<NamedShape> {
    let mut list = Vec::with_capacity(4 * levels);
    for bank in BANKS {
        for level in 0..levels {
            list.push((format!("adapters.{bank}.{level}.fc1"), vec![bottleneck, width]));
            list.push((format!("adapters.{bank}.{level}.fc2"), vec![width, bottleneck]));
        }
    }
    list
}

/// Name of an object's text features, `[embed, 2]`, columns (normal, abnormal).
pub fn prompt_tensor(object_id: &str) -> String {
    format!("prompts.{object_id}")
}

fn block_tensors(list: &mut Vec<NamedShape>, tower: &str, block: usize, w: usize, mlp: usize) {
    let leaves = [
        ("ln1.weight", vec![w]),
        ("ln1.bias", vec![w]),
        ("attn.qkv.weight", vec![3 * w, w]),
        ("attn.qkv.bias", vec![3 * w]),
        ("attn.out.weight", vec![w, w]),
        ("attn.out.bias", vec![w]),
        ("ln2.weight", vec![w]),
        ("ln2.bias", vec![w]),
        ("mlp.fc1.weight", vec![mlp, w]),
        ("mlp.fc1.bias", vec![mlp]),
        ("mlp.fc2.weight", vec![w, mlp]),
        ("mlp.fc2.bias", vec![w]),
    ];
    list.extend(leaves.into_iter().map(|(leaf, shape)| (format!("{tower}.blocks.{block}.{leaf}"), shape)));
}
