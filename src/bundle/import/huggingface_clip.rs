//! Names of Hugging Face's `CLIPModel` and `CLIPVisionModel`.

use crate::bundle::config::Family;
use crate::bundle::import::layout::Layout;

/// q, k and v stand alone; projections are linear layers, so stored transposed. The
/// misspelt `pre_layrnorm` is the published name.
pub const LAYOUT: Layout = Layout {
    title: "Hugging Face CLIP",
    family: Family::Clip,
    plain: &[
        ("vision.patch.weight", "vision_model.embeddings.patch_embedding.weight"),
        ("vision.class_embedding", "vision_model.embeddings.class_embedding"),
        ("vision.position_embedding", "vision_model.embeddings.position_embedding.weight"),
        ("vision.ln_pre.weight", "vision_model.pre_layrnorm.weight"),
        ("vision.ln_pre.bias", "vision_model.pre_layrnorm.bias"),
        ("text.token_embedding", "text_model.embeddings.token_embedding.weight"),
        ("text.position_embedding", "text_model.embeddings.position_embedding.weight"),
        ("text.ln_final.weight", "text_model.final_layer_norm.weight"),
        ("text.ln_final.bias", "text_model.final_layer_norm.bias"),
        ("text.projection", "text_projection.weight"),
    ],
    blocks: &[("vision", "vision_model.encoder.layers."), ("text", "text_model.encoder.layers.")],
    leaves: &[
        ("ln1.weight", &["layer_norm1.weight"]),
        ("ln1.bias", &["layer_norm1.bias"]),
        ("attn.qkv.weight", &["self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight"]),
        ("attn.qkv.bias", &["self_attn.q_proj.bias", "self_attn.k_proj.bias", "self_attn.v_proj.bias"]),
        ("attn.out.weight", &["self_attn.out_proj.weight"]),
        ("attn.out.bias", &["self_attn.out_proj.bias"]),
        ("ln2.weight", &["layer_norm2.weight"]),
        ("ln2.bias", &["layer_norm2.bias"]),
        ("mlp.fc1.weight", &["mlp.fc1.weight"]),
        ("mlp.fc1.bias", &["mlp.fc1.bias"]),
        ("mlp.fc2.weight", &["mlp.fc2.weight"]),
        ("mlp.fc2.bias", &["mlp.fc2.bias"]),
    ],
    mark: None,
    without: None,
    transposed: &["text.projection"],
};
