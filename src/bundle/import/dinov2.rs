//! Names of DINOv2: Hugging Face's `Dinov2Model` and `Dinov2WithRegistersModel`, timm's towers with registers, and the
//! published state dicts.

use crate::bundle::config::Family;
use crate::bundle::import::layout::Layout;

/// `Dinov2Model`: query, key and value stand alone, class token and position table have a leading 1.
pub const HUGGINGFACE: Layout = Layout {
    title: "Hugging Face DINOv2",
    family: Family::Dinov2,
    plain: &[
        ("vision.patch.weight", "embeddings.patch_embeddings.projection.weight"),
        ("vision.patch.bias", "embeddings.patch_embeddings.projection.bias"),
        ("vision.class_embedding", "embeddings.cls_token"),
        ("vision.position_embedding", "embeddings.position_embeddings"),
        ("vision.register_tokens", "embeddings.register_tokens"),
    ],
    blocks: &[("vision", "encoder.layer.")],
    leaves: &[
        ("ln1.weight", &["norm1.weight"]),
        ("ln1.bias", &["norm1.bias"]),
        (
            "attn.qkv.weight",
            &["attention.attention.query.weight", "attention.attention.key.weight", "attention.attention.value.weight"],
        ),
        (
            "attn.qkv.bias",
            &["attention.attention.query.bias", "attention.attention.key.bias", "attention.attention.value.bias"],
        ),
        ("attn.out.weight", &["attention.output.dense.weight"]),
        ("attn.out.bias", &["attention.output.dense.bias"]),
        ("ls1", &["layer_scale1.lambda1"]),
        ("ln2.weight", &["norm2.weight"]),
        ("ln2.bias", &["norm2.bias"]),
        ("mlp.fc1.weight", &["mlp.fc1.weight"]),
        ("mlp.fc1.bias", &["mlp.fc1.bias"]),
        ("mlp.fc2.weight", &["mlp.fc2.weight"]),
        ("mlp.fc2.bias", &["mlp.fc2.bias"]),
        ("ls2", &["layer_scale2.lambda1"]),
    ],
    mark: None,
    without: None,
    transposed: &[],
};

/// The published state dicts: q, k and v stacked.
pub const ORIGINAL: Layout = Layout {
    title: "DINOv2",
    family: Family::Dinov2,
    plain: &[
        ("vision.patch.weight", "patch_embed.proj.weight"),
        ("vision.patch.bias", "patch_embed.proj.bias"),
        ("vision.class_embedding", "cls_token"),
        ("vision.position_embedding", "pos_embed"),
        ("vision.register_tokens", "register_tokens"),
    ],
    blocks: &[("vision", "blocks.")],
    leaves: &[
        ("ln1.weight", &["norm1.weight"]),
        ("ln1.bias", &["norm1.bias"]),
        ("attn.qkv.weight", &["attn.qkv.weight"]),
        ("attn.qkv.bias", &["attn.qkv.bias"]),
        ("attn.out.weight", &["attn.proj.weight"]),
        ("attn.out.bias", &["attn.proj.bias"]),
        ("ls1", &["ls1.gamma"]),
        ("ln2.weight", &["norm2.weight"]),
        ("ln2.bias", &["norm2.bias"]),
        ("mlp.fc1.weight", &["mlp.fc1.weight"]),
        ("mlp.fc1.bias", &["mlp.fc1.bias"]),
        ("mlp.fc2.weight", &["mlp.fc2.weight"]),
        ("mlp.fc2.bias", &["mlp.fc2.bias"]),
        ("ls2", &["ls2.gamma"]),
    ],
    mark: None,
    without: None,
    transposed: &[],
};

/// timm's towers with registers. Their position table has no row for the class token; without registers timm names
/// and stores everything as the published state dicts do.
pub const TIMM: Layout = Layout {
    title: "DINOv2 of timm, with registers",
    plain: &[
        ("vision.patch.weight", "patch_embed.proj.weight"),
        ("vision.patch.bias", "patch_embed.proj.bias"),
        ("vision.class_embedding", "cls_token"),
        ("vision.position_embedding", "pos_embed"),
        ("vision.register_tokens", "reg_token"),
    ],
    mark: Some("reg_token"),
    without: None,
    ..ORIGINAL
};
