//! Formula weights: every tensor of a CLIP with adapters as a closed formula, so that full-size
//! checkpoints can be made without a download.
//!
//! Element `i` of tensor `name` is `offset + scale * u`, where `u` in [-1, 1) comes from a 64-bit
//! hash of name, index and seed. All float steps are single f32 operations, so the values are exact.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

const SEED_STEP: u64 = 0xD1B5_4A32_D192_ED03;
const INDEX_STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// Geometry of a CLIP with adapters.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    pub width: usize,
    pub layers: usize,
    pub patch: usize,
    pub native_grid: usize,
    pub text_width: usize,
    pub text_layers: usize,
    pub context: usize,
    pub vocabulary: usize,
    pub embed: usize,
    pub bottleneck: usize,
    pub levels: usize,
}

/// The small model of the fixtures.
pub const TINY: Geometry = Geometry {
    width: 32,
    layers: 4,
    patch: 14,
    native_grid: 6,
    text_width: 24,
    text_layers: 2,
    context: 77,
    vocabulary: 49408,
    embed: 24,
    bottleneck: 24,
    levels: 4,
};

/// ViT-L/14 trained at 336 px.
pub const VIT_L14_336: Geometry = Geometry {
    width: 1024,
    layers: 24,
    patch: 14,
    native_grid: 24,
    text_width: 768,
    text_layers: 12,
    context: 77,
    vocabulary: 49408,
    embed: 768,
    bottleneck: 768,
    levels: 4,
};

/// One tensor, element by element.
pub struct Formula {
    base: u64,
    offset: f32,
    scale: f32,
}

impl Formula {
    /// The tensor `name` of `shape`.
    pub fn new(name: &str, shape: &[usize], seed: u64) -> Self {
        let (offset, scale) = offset_and_scale(name, shape);
        let base = fnv1a64(name).wrapping_add(seed.wrapping_mul(SEED_STEP));
        Self { base, offset, scale: scale as f32 }
    }

    /// Element `index`, row-major.
    pub fn value(&self, index: usize) -> f32 {
        let u = (mix(self.base, index) >> 40) as f32 * 2f32.powi(-23) - 1.0;
        let value = u * self.scale;
        if self.offset == 0.0 { value } else { value + self.offset }
    }
}

/// The whole tensor.
pub fn tensor(name: &str, shape: &[usize], seed: u64) -> Vec<f32> {
    let formula = Formula::new(name, shape, seed);
    (0..shape.iter().product()).map(|i| formula.value(i)).collect()
}

fn fnv1a64(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

fn mix(base: u64, index: usize) -> u64 {
    let mut z = base.wrapping_add((index as u64 + 1).wrapping_mul(INDEX_STEP));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn offset_and_scale(name: &str, shape: &[usize]) -> (f32, f64) {
    let leaf = name.rsplit('.').next().unwrap();
    if leaf == "bias" || leaf == "in_proj_bias" {
        return (0.0, 0.02);
    }
    if format!(".{name}").contains(".ln_") {
        return (1.0, 0.1);
    }
    match name {
        "visual.class_embedding" | "visual.positional_embedding" => return (0.0, 0.1),
        "token_embedding.weight" => return (0.0, 0.05),
        "positional_embedding" => return (0.0, 0.02),
        "visual.proj" | "text_projection" => return (0.0, (3.0 / shape[0] as f64).sqrt()),
        _ => {}
    }
    let fan_in = shape[1..].iter().product::<usize>() as f64;
    if name.contains("_adapters.") {
        return (0.0, 1.0 / fan_in.sqrt());
    }
    let gain = if name.starts_with("transformer.") && name.contains(".attn.") { 2.0 } else { 1.0 };
    (0.0, (3.0 / fan_in).sqrt() * gain)
}

/// OpenAI's names with shapes.
pub fn clip_shapes(g: &Geometry) -> Vec<(String, Vec<usize>)> {
    let w = g.width;
    let mut list = vec![
        ("visual.class_embedding".to_owned(), vec![w]),
        ("visual.positional_embedding".to_owned(), vec![g.native_grid * g.native_grid + 1, w]),
        ("visual.conv1.weight".to_owned(), vec![w, 3, g.patch, g.patch]),
        ("visual.ln_pre.weight".to_owned(), vec![w]),
        ("visual.ln_pre.bias".to_owned(), vec![w]),
    ];
    tower(&mut list, "visual.", w, g.layers);
    list.push(("visual.ln_post.weight".to_owned(), vec![w]));
    list.push(("visual.ln_post.bias".to_owned(), vec![w]));
    list.push(("visual.proj".to_owned(), vec![w, g.embed]));
    list.push(("token_embedding.weight".to_owned(), vec![g.vocabulary, g.text_width]));
    list.push(("positional_embedding".to_owned(), vec![g.context, g.text_width]));
    tower(&mut list, "", g.text_width, g.text_layers);
    list.push(("ln_final.weight".to_owned(), vec![g.text_width]));
    list.push(("ln_final.bias".to_owned(), vec![g.text_width]));
    list.push(("text_projection".to_owned(), vec![g.text_width, g.embed]));
    list
}

fn tower(list: &mut Vec<(String, Vec<usize>)>, prefix: &str, w: usize, layers: usize) {
    for block in 0..layers {
        for (leaf, shape) in [
            ("ln_1.weight", vec![w]),
            ("ln_1.bias", vec![w]),
            ("attn.in_proj_weight", vec![3 * w, w]),
            ("attn.in_proj_bias", vec![3 * w]),
            ("attn.out_proj.weight", vec![w, w]),
            ("attn.out_proj.bias", vec![w]),
            ("ln_2.weight", vec![w]),
            ("ln_2.bias", vec![w]),
            ("mlp.c_fc.weight", vec![4 * w, w]),
            ("mlp.c_fc.bias", vec![4 * w]),
            ("mlp.c_proj.weight", vec![w, 4 * w]),
            ("mlp.c_proj.bias", vec![w]),
        ] {
            list.push((format!("{prefix}transformer.resblocks.{block}.{leaf}"), shape));
        }
    }
}

/// The adapters' names with shapes.
pub fn adapter_shapes(g: &Geometry) -> Vec<(String, Vec<usize>)> {
    let mut list = Vec::new();
    for bank in ["seg", "det"] {
        for level in 0..g.levels {
            list.push((format!("{bank}_adapters.{level}.fc1.0.weight"), vec![g.bottleneck, g.width]));
            list.push((format!("{bank}_adapters.{level}.fc2.0.weight"), vec![g.width, g.bottleneck]));
        }
    }
    list
}

/// Writes tensors in f32 as safetensors, element by element: a file of any size in little memory.
pub fn write_safetensors(path: &Path, shapes: &[(String, Vec<usize>)], seed: u64) -> io::Result<()> {
    let mut header = serde_json::Map::new();
    let mut offset = 0;
    // The map sorts its keys, so the data is laid out in sorted order too.
    let mut sorted = shapes.to_vec();
    sorted.sort();
    for (name, shape) in &sorted {
        let end = offset + 4 * shape.iter().product::<usize>();
        header
            .insert(name.clone(), serde_json::json!({ "dtype": "F32", "shape": shape, "data_offsets": [offset, end] }));
        offset = end;
    }
    let header = serde_json::to_vec(&header)?;
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    for (name, shape) in &sorted {
        let formula = Formula::new(name, shape, seed);
        for index in 0..shape.iter().product() {
            file.write_all(&formula.value(index).to_le_bytes())?;
        }
    }
    file.flush()
}

#[test]
fn worked_numbers() {
    for (name, shape, index, bits) in [
        ("visual.conv1.weight", vec![1024, 3, 14, 14], 0, 0xbb88_5c4a_u32),
        ("transformer.resblocks.0.ln_1.weight", vec![768], 5, 0x3f86_4127),
        ("seg_adapters.2.fc1.0.weight", vec![768, 1024], 786_431, 0xbcce_4fc4),
    ] {
        assert_eq!(Formula::new(name, &shape, 1).value(index).to_bits(), bits, "{name}");
    }
}
