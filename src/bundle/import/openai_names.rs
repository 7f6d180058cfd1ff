//! Names of OpenAI's CLIP and of open_clip: TorchScript archives and state dicts alike; with the text tower beside the
//! vision tower's prefix, or under a prefix of its own, `text.`, as open_clip's `CustomTextCLIP` has it.

use crate::bundle::config::Family;
use crate::bundle::import::layout::Layout;

const LEAVES: &[(&str, &[&str])] = &[
    ("ln1.weight", &["ln_1.weight"]),
    ("ln1.bias", &["ln_1.bias"]),
    ("attn.qkv.weight", &["attn.in_proj_weight"]),
    ("attn.qkv.bias", &["attn.in_proj_bias"]),
    ("attn.out.weight", &["attn.out_proj.weight"]),
    ("attn.out.bias", &["attn.out_proj.bias"]),
    ("ln2.weight", &["ln_2.weight"]),
    ("ln2.bias", &["ln_2.bias"]),
    ("mlp.fc1.weight", &["mlp.c_fc.weight"]),
    ("mlp.fc1.bias", &["mlp.c_fc.bias"]),
    ("mlp.fc2.weight", &["mlp.c_proj.weight"]),
    ("mlp.fc2.bias", &["mlp.c_proj.bias"]),
];

/// `visual.*` for the vision tower; the text tower has no prefix. q, k and v are stacked, the text
/// projection is stored as it is used, `x · P`.
pub const LAYOUT: Layout = Layout {
    title: "OpenAI CLIP or open_clip",
    family: Family::Clip,
    plain: &[
        ("vision.patch.weight", "visual.conv1.weight"),
        ("vision.class_embedding", "visual.class_embedding"),
        ("vision.position_embedding", "visual.positional_embedding"),
        ("vision.ln_pre.weight", "visual.ln_pre.weight"),
        ("vision.ln_pre.bias", "visual.ln_pre.bias"),
        ("text.token_embedding", "token_embedding.weight"),
        ("text.position_embedding", "positional_embedding"),
        ("text.ln_final.weight", "ln_final.weight"),
        ("text.ln_final.bias", "ln_final.bias"),
        ("text.projection", "text_projection"),
    ],
    blocks: &[("vision", "visual.transformer.resblocks."), ("text", "transformer.resblocks.")],
    leaves: LEAVES,
    mark: None,
    without: None,
    transposed: &[],
};

/// The same with `text.` before the names of the text tower.
pub const SEPARATE_TEXT: Layout = Layout {
    title: "open_clip with a separate text tower",
    plain: &[
        ("vision.patch.weight", "visual.conv1.weight"),
        ("vision.class_embedding", "visual.class_embedding"),
        ("vision.position_embedding", "visual.positional_embedding"),
        ("vision.ln_pre.weight", "visual.ln_pre.weight"),
        ("vision.ln_pre.bias", "visual.ln_pre.bias"),
        ("text.token_embedding", "text.token_embedding.weight"),
        ("text.position_embedding", "text.positional_embedding"),
        ("text.ln_final.weight", "text.ln_final.weight"),
        ("text.ln_final.bias", "text.ln_final.bias"),
        ("text.projection", "text.text_projection"),
    ],
    blocks: &[("vision", "visual.transformer.resblocks."), ("text", "text.transformer.resblocks.")],
    // CoCa's text tower ends in a token of its own, and a biased projection is a layer: both run otherwise than CLIP's.
    mark: Some("text.text_projection"),
    without: Some("text.cls_emb"),
    ..LAYOUT
};
