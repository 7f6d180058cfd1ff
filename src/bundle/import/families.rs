//! Known families of checkpoints that are not supported, by the names of their tensors.
//!
//! Comes in: the names of a file, or of the tower chosen in it. Goes out: what it is, why it cannot be read, and what to
//! use instead; or nothing, if it may be a tower that is read here. Cannot fail.

use crate::bundle::config::Family;
use crate::bundle::import::layout::Layout;

const CLIP_INSTEAD: &str =
    "a CLIP vision transformer with its own text tower, from OpenAI, open_clip or Hugging Face (ViT-B/16, ViT-L/14)";
const DINO_INSTEAD: &str = "DINOv2 small, base or large (dinov2_vits14, dinov2_vitb14, dinov2_vitl14)";
const EITHER_INSTEAD: &str = "a CLIP vision transformer (ViT-L/14), or DINOv2 small, base or large";
const MERGE: &str = "a merged checkpoint: in Python, model = model.merge_and_unload(), then \
                     torch.save(model.state_dict(), 'merged.pt')";

/// What a checkpoint is that is not supported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unsupported {
    /// The family's common name.
    pub(super) family: &'static str,
    /// What of it is not computed here.
    pub(super) why: String,
    /// What to use in its place.
    pub(super) instead: &'static str,
}

/// The names of a file, with what is known of the tower chosen in it.
pub(super) struct Names<'a> {
    /// Those that are of no other tower.
    pub(super) all: Vec<&'a str>,
    /// Those with the tower's prefix.
    pub(super) of_tower: Vec<&'a str>,
    /// Shapes.
    pub(super) shape: &'a dyn Fn(&str) -> Option<Vec<usize>>,
    /// The naming that fits, if one does.
    pub(super) layout: Option<&'static Layout>,
    /// Whether tokens, positions and a first block are there as the naming has them.
    pub(super) is_tower: bool,
}

/// A family, and how its names are recognised.
struct Known {
    family: &'static str,
    why: &'static str,
    instead: &'static str,
    fits: fn(&Names<'_>) -> bool,
}

const fn family(family: &'static str, why: &'static str, instead: &'static str, fits: fn(&Names<'_>) -> bool) -> Known {
    Known { family, why, instead, fits }
}

/// From the special to the general: the first that fits is named.
const KNOWN: &[Known] = &[
    family(
        "a quantised checkpoint (GPTQ, AWQ, bitsandbytes)",
        "its matrices are packed integers",
        "the same model in 16-bit or 32-bit floats",
        |n| n.has_any(&[".qweight", ".qzeros", ".weight.absmax", ".weight.quant_state", ".SCB", ".weight_scale_inv"]),
    ),
    family("DINOv3", "its positions are rotations inside the attention", DINO_INSTEAD, |n| {
        n.has_any(&["rope_embed.", "storage_tokens"])
            || (n.has("layer_scale1.lambda1") && n.has("attention.q_proj."))
            || (n.has("reg_token") && n.has(".gamma_1") && !n.has("pos_embed"))
    }),
    family(
        "BiomedCLIP (a timm tower with a PubMedBERT text tower)",
        "its tower has no norm before its blocks, and its text tower is a BERT",
        CLIP_INSTEAD,
        |n| n.has(".trunk.patch_embed.") && n.has_beside("embeddings.word_embeddings") && !n.has_layer_scale(),
    ),
    family(
        "EVA, EVA-02 or EVA-CLIP",
        "its blocks have other parts (rotations, gated layers, norms of their own)",
        CLIP_INSTEAD,
        |n| {
            let has_split = n.has("blocks.0.attn.q_proj.weight") || n.has("blocks.0.attn.q_bias");
            n.has_any(&["attn.inner_attn_ln", "mlp.ffn_ln", ".mlp.fc1_g."])
                || (has_split && !n.has("relative_position_bias_table"))
                || (n.has("visual.blocks.") && n.has("visual.patch_embed.proj.") && !n.has_layer_scale())
        },
    ),
    family("SigLIP", "its tower has no class token, and its text is compared otherwise", CLIP_INSTEAD, |n| {
        let has_class = n.has_any(&["class_embedding", "cls_token"]);
        !has_class
            && (n.has_beside("logit_bias")
                || n.has_any(&["vision_model.head.probe", "attn_pool.latent"])
                || (n.has("vision_model.embeddings.patch_embedding.") && !n.has("pre_layrnorm")))
    }),
    family(
        "a CLIP with a ResNet (RN50, RN101, RN50x4 …)",
        "its tower is a convolutional network without tokens",
        CLIP_INSTEAD,
        |n| n.has("layer1.0.conv1.") && n.has("attnpool."),
    ),
    family("a convolutional network (ConvNeXt, ResNet)", "it has no tokens", EITHER_INSTEAD, |n| {
        !n.is_tower
            && n.has_any(&[
                "layer1.0.conv1.weight",
                "downsample_layers.0.",
                "stages.0.blocks.0.conv_dw",
                "stages.0.layers.0.depthwise",
            ])
    }),
    family("SAM or MedSAM", "its attention has windows and relative positions", EITHER_INSTEAD, |n| {
        !n.is_tower && n.has("attn.rel_pos_h")
    }),
    family("a Swin transformer (as in MedCLIP)", "its attention has shifted windows", EITHER_INSTEAD, |n| {
        !n.is_tower && n.has("relative_position_bias_table") && n.has("layers.0.blocks.")
    }),
    family("BEiT or data2vec", "its attention has relative positions", EITHER_INSTEAD, |n| {
        n.has("relative_position_bias_table") || n.has("attn.q_bias")
    }),
    family(
        "DINOv2 giant, or another vision transformer with SwiGLU",
        "its blocks have gated hidden layers (SwiGLU)",
        DINO_INSTEAD,
        |n| n.has_any(&["mlp.w12.weight", "mlp.weights_in.weight"]) || n.is_gated(),
    ),
    family("BLIP", "its attention is stored and run otherwise", CLIP_INSTEAD, |n| {
        n.has("vision_model.encoder.layers.0.self_attn.qkv.")
            || (n.has("visual_encoder.patch_embed.") && !n.has_layer_scale())
    }),
    family("a masked autoencoder (MAE)", "its tower has no layer scale", DINO_INSTEAD, |n| {
        (n.has_beside("decoder_blocks.") || n.has_beside("decoder_layers.")) && n.is_dino() && !n.has_layer_scale()
    }),
    family("an open_clip model with a timm tower", "that tower has no norm before its blocks", CLIP_INSTEAD, |n| {
        n.has(".trunk.patch_embed.") && !n.has_layer_scale()
    }),
    family(
        "a plain vision transformer (timm, Hugging Face ViT, DeiT, DINO, MAE)",
        "it has no layer scale, as DINOv2 has",
        DINO_INSTEAD,
        |n| n.has("layernorm_before.") || (n.is_dino() && n.has("norm1.weight") && !n.has_layer_scale()),
    ),
    family("a language model", "it has no vision tower", EITHER_INSTEAD, |n| {
        n.layout.is_none() && n.has_any(&["embed_tokens.weight", "lm_head.weight", "word_embeddings.weight"])
    }),
];

/// Parts of names that only low-rank and similar updates have.
const LORA_MARKS: [&str; 9] =
    ["lora_A", "lora_B", "lora_down", ".base_layer.", ".hada_w1", ".lokr_w1", ".ia3_l", ".oft_r", ".modules_to_save."];

/// Whether a tensor is part of an update beside the weights, or the weight beneath one.
fn is_low_rank(name: &str) -> bool {
    LORA_MARKS.iter().any(|mark| name.contains(mark)) || name.split('.').any(|part| part.starts_with("lora_"))
}

impl Names<'_> {
    fn has(&self, part: &str) -> bool {
        self.of_tower.iter().any(|name| name.contains(part))
    }

    fn has_beside(&self, part: &str) -> bool {
        self.all.iter().any(|name| name.contains(part))
    }

    fn has_any(&self, parts: &[&str]) -> bool {
        parts.iter().any(|part| self.has(part))
    }

    fn is_dino(&self) -> bool {
        self.layout.is_some_and(|layout| layout.family == Family::Dinov2)
    }

    fn has_layer_scale(&self) -> bool {
        self.has_any(&[".ls1.gamma", "layer_scale1.lambda1"])
    }

    /// timm joins both halves of a gated layer in `fc1`, so that `fc2` takes half as many.
    fn is_gated(&self) -> bool {
        let of =
            |leaf: &str| self.of_tower.iter().find(|name| name.ends_with(leaf)).and_then(|name| (self.shape)(name));
        let fc1 = of("blocks.0.mlp.fc1.weight").and_then(|shape| shape.first().copied());
        let fc2 = of("blocks.0.mlp.fc2.weight").and_then(|shape| shape.get(1).copied());
        fc1.zip(fc2).is_some_and(|(hidden, taken)| hidden == 2 * taken && taken > 0)
    }
}

/// What the checkpoint is, if it is known and not supported.
pub(super) fn unsupported(names: &Names<'_>) -> Option<Unsupported> {
    let mut low_rank = names.all.iter().filter(|name| is_low_rank(name));
    if let Some(first) = low_rank.next() {
        let why = format!("{first} and {} more are not merged into the weights they belong to", low_rank.count());
        return Some(Unsupported { family: "a checkpoint with low-rank updates (LoRA, PEFT)", why, instead: MERGE });
    }
    let known = KNOWN.iter().find(|known| (known.fits)(names))?;
    Some(Unsupported { family: known.family, why: known.why.to_owned(), instead: known.instead })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::import::tower::towers;

    fn of(list: &[&str], shapes: &[(&str, [usize; 2])]) -> Option<Unsupported> {
        let names: Vec<String> = list.iter().map(|name| (*name).to_owned()).collect();
        let shape = |name: &str| shapes.iter().find(|(n, _)| *n == name).map(|(_, shape)| shape.to_vec());
        let all: Vec<&str> = list.to_vec();
        let found = towers(&names);
        let layout = found.first().map(|tower| tower.layout);
        unsupported(&Names { of_tower: all.clone(), all, shape: &shape, layout, is_tower: false })
    }

    #[test]
    fn families_are_called_by_name() {
        for (family, names) in [
            ("LoRA", &["visual.conv1.weight", "visual.transformer.resblocks.0.attn.out_proj.lora_A"][..]),
            ("LoRA", &["lora_unet_down_blocks_0.alpha"]),
            ("LoRA", &["base_model.model.x.base_layer.weight"]),
            ("GPTQ", &["model.layers.0.q_proj.qweight"]),
            (
                "DINOv3",
                &[
                    "embeddings.patch_embeddings.weight",
                    "layer.0.attention.q_proj.weight",
                    "layer.0.layer_scale1.lambda1",
                ],
            ),
            ("DINOv3", &["patch_embed.proj.weight", "reg_token", "blocks.0.gamma_1"]),
            ("EVA", &["visual.patch_embed.proj.weight", "visual.blocks.0.attn.q_bias", "visual.cls_token"]),
            ("SigLIP", &["visual.trunk.patch_embed.proj.weight", "visual.trunk.attn_pool.latent", "logit_bias"]),
            ("ConvNeXt", &["visual.trunk.stages.0.blocks.0.conv_dw.weight"]),
            ("MedSAM", &["image_encoder.patch_embed.proj.weight", "image_encoder.blocks.0.attn.rel_pos_h"]),
            ("Swin", &["patch_embed.proj.weight", "layers.0.blocks.0.attn.relative_position_bias_table"]),
            ("BEiT", &["patch_embed.proj.weight", "cls_token", "blocks.0.attn.relative_position_bias_table"]),
            ("SwiGLU", &["encoder.layer.0.mlp.weights_in.weight"]),
            (
                "BLIP",
                &["vision_model.embeddings.class_embedding", "vision_model.encoder.layers.0.self_attn.qkv.weight"],
            ),
            (
                "MAE",
                &["patch_embed.proj.weight", "cls_token", "blocks.0.norm1.weight", "decoder_blocks.0.norm1.weight"],
            ),
            ("timm tower", &["visual.trunk.patch_embed.proj.weight", "visual.trunk.cls_token"]),
            (
                "plain vision",
                &[
                    "vit.embeddings.patch_embeddings.projection.weight",
                    "vit.embeddings.cls_token",
                    "vit.encoder.layer.0.layernorm_before.weight",
                ],
            ),
            ("language model", &["model.embed_tokens.weight"]),
        ] {
            let found = of(names, &[]).unwrap_or_else(|| panic!("{names:?}"));
            assert!(found.family.contains(family), "{names:?}: {found:?}");
        }
        let timm_giant = [("blocks.0.mlp.fc1.weight", [16, 4]), ("blocks.0.mlp.fc2.weight", [4, 8])];
        let names = ["patch_embed.proj.weight", "cls_token", "blocks.0.ls1.gamma", timm_giant[0].0, timm_giant[1].0];
        assert!(of(&names, &timm_giant).unwrap().family.contains("giant"));
    }

    #[test]
    fn what_is_read_is_no_such_family() {
        for names in [
            &["visual.conv1.weight", "visual.class_embedding", "logit_bias", "flora_head.weight"][..],
            &["vision_model.embeddings.patch_embedding.weight", "vision_model.embeddings.class_embedding"],
            &["patch_embed.proj.weight", "cls_token", "blocks.0.norm1.weight", "blocks.0.ls1.gamma"],
            &["encoder.layer.0.norm1.weight", "encoder.layer.0.layer_scale1.lambda1", "embeddings.cls_token"],
        ] {
            assert_eq!(of(names, &[]), None, "{names:?}");
        }
    }
}
