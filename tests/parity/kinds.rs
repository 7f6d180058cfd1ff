//! Checkpoints as people have them: several towers in one file, several files for one tower, low-rank updates, known
//! families that are not supported, and DINOv2 with registers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mvfa_web::bundle::error::BundleError;
use mvfa_web::bundle::import::open::open_source;
use mvfa_web::bundle::manifest::{Dtype, Manifest};
use mvfa_web::compute::Kernels;
use mvfa_web::convert::{ConvertOptions, Told, convert};
use mvfa_web::image::Planes;
use tempfile::{TempDir, tempdir};

use crate::common::{Golden, Straight, assert_close, open_engine_with};
use crate::{LAYOUTS, Tensors, converted, formula, options, tensors, tiny};

/// The vision tower of the tiny open_clip checkpoint, under its own names.
fn tower() -> Tensors {
    let mut source = open_source(&tiny(LAYOUTS[1])).unwrap().source;
    let names = source.names().into_iter().filter(|name| name.starts_with("visual."));
    names.map(|name| (name.clone(), (source.shape(&name).unwrap(), source.read(&name).unwrap()))).collect()
}

fn prefixed(prefix: &str, tensors: &Tensors) -> Tensors {
    tensors.iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone())).collect()
}

fn filled(mut tensors: Tensors, value: f32) -> Tensors {
    tensors.values_mut().for_each(|(_, values)| values.fill(value));
    tensors
}

fn write(path: &Path, tensors: &Tensors) {
    let mut header = BTreeMap::new();
    let mut data: Vec<u8> = Vec::new();
    for (name, (shape, values)) in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        header.insert(name, serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]}));
    }
    let header = serde_json::to_vec(&header).unwrap();
    fs::write(path, [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()).unwrap();
}

/// A folder with one checkpoint in it, and what becomes of it.
struct Try {
    folder: TempDir,
    clip: PathBuf,
    prefix: Option<String>,
}

impl Try {
    fn of(tensors: &Tensors) -> Self {
        let folder = tempdir().unwrap();
        let clip = folder.path().join("clip.safetensors");
        write(&clip, tensors);
        Self { folder, clip, prefix: None }
    }

    fn in_folder(folder: TempDir, name: &str) -> Self {
        let clip = folder.path().join(name);
        Self { folder, clip, prefix: None }
    }

    fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = Some(prefix.to_owned());
        self
    }

    fn options(&self) -> ConvertOptions {
        let mut options = options(self.clip.clone(), self.folder.path().join("bundle"));
        options.prefix.clone_from(&self.prefix);
        options
    }

    /// The manifest, and all that was told.
    fn run(&self) -> Result<(Manifest, String), BundleError> {
        let mut told = String::new();
        let manifest = convert(&self.options(), &mut |_, _, _| {}, &mut |what| {
            told += &match what {
                Told::Taken(what) => format!("{what}\n"),
                Told::LeftOut(what) => format!("left out: {what}\n"),
            };
        })?;
        Ok((manifest, told))
    }

    #[track_caller]
    fn is_the_tower(&self, expected: &Tensors) -> String {
        let (_, told) = self.run().unwrap_or_else(|e| panic!("{e}"));
        let found = tensors(&self.folder.path().join("bundle"));
        let patch = &found["vision.patch.weight"].1;
        assert_eq!(patch, &expected["visual.conv1.weight"].1, "{told}");
        let fc2 = &found["vision.blocks.3.mlp.fc2.weight"].1;
        assert_eq!(fc2, &expected["visual.transformer.resblocks.3.mlp.c_proj.weight"].1, "{told}");
        told
    }

    #[track_caller]
    fn fails(&self, parts: &[&str]) {
        let error = self.run().expect_err("an error").to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        assert!(!error.contains("fresh copy"), "a copy would not help: {error}");
        assert!(!self.folder.path().join("bundle").exists());
    }
}

// ---------------------------------------------------------------- several towers

#[test]
fn the_teacher_is_taken_and_the_student_named() {
    let tower = tower();
    let mut student = tower.clone();
    student.values_mut().for_each(|(_, values)| values.iter_mut().for_each(|v| *v *= 0.5));
    let mut both = prefixed("student.backbone.", &student);
    both.extend(prefixed("teacher.backbone.", &tower));
    let told = Try::of(&both).is_the_tower(&tower);
    assert!(told.contains("prefix \"teacher.backbone.\"; not taken: \"student.backbone.\""), "{told}");
    assert!(told.contains("named as OpenAI CLIP or open_clip") && told.contains("activation: exact GELU"), "{told}");
    assert!(told.contains("left out: teacher.backbone.visual.ln_post"), "{told}");
    let told = Try::of(&both).prefix("student").is_the_tower(&student);
    assert!(told.contains("prefix \"student.backbone.\""), "{told}");
    Try::of(&both).prefix("ema").fails(&["\"ema\"", "--prefix", "\"student.backbone.\""]);

    both.extend(prefixed("student.backbone.", &filled(tower.clone(), 0.0)));
    Try::of(&both).is_the_tower(&tower);
}

#[test]
fn a_mean_of_weights_is_taken_unless_it_is_empty() {
    let tower = tower();
    let mut trained = tower.clone();
    trained.values_mut().for_each(|(_, values)| values.iter_mut().for_each(|v| *v += 0.01));
    let mut both = prefixed("model.", &trained);
    both.extend(prefixed("model_ema.", &tower));
    let told = Try::of(&both).is_the_tower(&tower);
    assert!(told.contains("prefix \"model_ema.\"; not taken: \"model.\""), "{told}");

    both.extend(prefixed("model_ema.", &filled(tower.clone(), 0.0)));
    let told = Try::of(&both).is_the_tower(&trained);
    assert!(told.contains("not taken: \"model_ema.\", for its model_ema.visual.conv1.weight holds 0"), "{told}");
    Try::of(&both).prefix("model_ema").fails(&["model_ema.visual.conv1.weight holds 0"]);
}

#[test]
fn constant_towers_are_refused_by_name() {
    let tower = tower();
    for value in [0.0, 1.0] {
        Try::of(&filled(tower.clone(), value)).fails(&["visual.conv1.weight holds", "never trained"]);
    }
    let mut one = tower.clone();
    let name = "visual.transformer.resblocks.2.mlp.c_fc.weight";
    one.get_mut(name).unwrap().1.fill(0.0);
    Try::of(&one).fails(&[name, "holds 0 in all its places"]);
    let mut bias = tower.clone();
    bias.get_mut("visual.transformer.resblocks.2.mlp.c_fc.bias").unwrap().1.fill(0.0);
    Try::of(&bias).run().unwrap();
}

// ---------------------------------------------------------------- low-rank updates

#[test]
fn low_rank_updates_are_named() {
    let projection = "visual.transformer.resblocks.0.attn.out_proj.";
    let tower = tower();
    let update = |name: String, shape: [usize; 2]| (name, (shape.to_vec(), vec![1.0; shape[0] * shape[1]]));
    let mut beside = tower.clone();
    beside.extend([update(format!("{projection}lora_A"), [4, 32]), update(format!("{projection}lora_B"), [32, 4])]);
    Try::of(&beside).fails(&["LoRA", "lora_A and 1 more", "merge_and_unload()"]);

    let mut peft = prefixed("base_model.model.", &tower);
    let weight = peft.remove(&format!("base_model.model.{projection}weight")).unwrap();
    peft.insert(format!("base_model.model.{projection}base_layer.weight"), weight);
    peft.extend([update(format!("base_model.model.{projection}lora_A.default.weight"), [4, 32])]);
    Try::of(&peft).fails(&["LoRA", "base_layer.weight", "merge_and_unload()"]);
    peft.retain(|name, _| name.contains("lora_"));
    Try::of(&peft).fails(&["LoRA", "merge_and_unload()"]);
}

// ---------------------------------------------------------------- several files

const PARTS: [&str; 2] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
const INDEX: &str = "model.safetensors.index.json";

fn write_index(folder: &Path, name: &str, map: &BTreeMap<String, String>) {
    let index = serde_json::json!({"metadata": {"total_size": 1}, "weight_map": map});
    fs::write(folder.join(name), index.to_string()).unwrap();
}

/// The tower in two files with their index; `change` is given the index.
fn sharded(change: impl Fn(&mut BTreeMap<String, String>)) -> TempDir {
    let folder = tempdir().unwrap();
    let tower = tower();
    let half = tower.len() / 2;
    let mut map = BTreeMap::new();
    for (part, skip) in PARTS.into_iter().zip([0, half]) {
        let tensors: Tensors = tower.clone().into_iter().skip(skip).take(tower.len() - half + skip).collect();
        let tensors: Tensors = if skip == 0 { tensors.into_iter().take(half).collect() } else { tensors };
        write(&folder.path().join(part), &tensors);
        map.extend(tensors.into_keys().map(|name| (name, part.to_owned())));
    }
    change(&mut map);
    write_index(folder.path(), INDEX, &map);
    folder
}

#[test]
fn several_files_are_read_through_their_index() {
    for given in [INDEX, ".", PARTS[0], PARTS[1]] {
        let told = Try::in_folder(sharded(|_| {}), given).is_the_tower(&tower());
        if given == PARTS[0] {
            assert!(told.contains("one of 2 parts") && told.contains(INDEX), "{told}");
        }
    }
    // The same in torch's own format.
    let folder = tempdir().unwrap();
    fs::copy(tiny(LAYOUTS[1]), folder.path().join("pytorch_model-00001-of-00001.bin")).unwrap();
    let map = tower().into_keys().map(|name| (name, "pytorch_model-00001-of-00001.bin".to_owned())).collect();
    write_index(folder.path(), "pytorch_model.bin.index.json", &map);
    Try::in_folder(folder, "pytorch_model.bin.index.json").is_the_tower(&tower());
}

#[test]
fn one_part_alone_is_named() {
    let folder = sharded(|_| {});
    fs::remove_file(folder.path().join(INDEX)).unwrap();
    Try::in_folder(folder, PARTS[0]).fails(&["part 1 of 2", "index"]);
    let folder = sharded(|_| {});
    fs::remove_file(folder.path().join(INDEX)).unwrap();
    Try::in_folder(folder, ".").fails(&["part 1 of 2"]);
}

#[test]
fn indices_that_do_not_fit_are_refused() {
    let outside = tempdir().unwrap();
    write(&outside.path().join("x.safetensors"), &tower());
    let absolute = outside.path().join("x.safetensors").display().to_string();
    for file in ["../x.safetensors", "sub/x.safetensors", "..", "", absolute.as_str()] {
        let folder = sharded(|map| *map.values_mut().next().unwrap() = file.to_owned());
        Try::in_folder(folder, INDEX).fails(&["not a file beside it"]);
    }
    let folder = sharded(|_| {});
    fs::remove_file(folder.path().join(PARTS[1])).unwrap();
    Try::in_folder(folder, INDEX).fails(&[PARTS[1], "not beside it", "one folder"]);
    let folder = sharded(|map| *map.values_mut().next().unwrap() = PARTS[1].to_owned());
    Try::in_folder(folder, INDEX).fails(&["which does not hold it"]);
    let folder = sharded(|map| map.clear());
    Try::in_folder(folder, INDEX).fails(&["lists no tensors"]);
    let folder = sharded(|_| {});
    fs::write(folder.path().join(INDEX), r#"{"weight_map": {"a": "x.safetensors", "a": "y.safetensors"}}"#).unwrap();
    Try::in_folder(folder, INDEX).fails(&["in two files"]);
    let folder = sharded(|_| {});
    fs::write(folder.path().join(INDEX), "{}").unwrap();
    Try::in_folder(folder, INDEX).fails(&["no index"]);
}

#[test]
fn of_a_folder_the_checkpoint_is_taken_and_others_named() {
    let folder = tempdir().unwrap();
    write(&folder.path().join("model.safetensors"), &tower());
    fs::write(folder.path().join("adapter_model.safetensors"), "x").unwrap();
    fs::write(folder.path().join("config.json"), r#"{"vision_config": {"hidden_act": "quick_gelu"}}"#).unwrap();
    let told = Try::in_folder(folder, ".").is_the_tower(&tower());
    assert!(told.contains("model.safetensors is read, not adapter_model.safetensors"), "{told}");
    assert!(told.contains("config.json it was trained with x * sigmoid"), "{told}");
    Try::in_folder(tempdir().unwrap(), ".").fails(&["folder without a file"]);
    let folder = tempdir().unwrap();
    ["a.pt", "b.pt"].iter().for_each(|name| fs::write(folder.path().join(name), "x").unwrap());
    Try::in_folder(folder, ".").fails(&["a.pt, b.pt", "one of them"]);
}

// ---------------------------------------------------------------- known families

/// A vision transformer by timm's names, as `cases` of people have it.
#[derive(Clone, Copy, Default)]
struct Vit {
    prefix: &'static str,
    layer_scale: bool,
    registers: Option<&'static str>,
    swiglu: bool,
    rows: usize,
}

impl Vit {
    fn shapes(self) -> Vec<(String, Vec<usize>)> {
        const W: usize = 64;
        let rows = if self.rows == 0 { 10 } else { self.rows };
        let mut list = vec![
            ("cls_token".to_owned(), vec![1, 1, W]),
            ("pos_embed".to_owned(), vec![1, rows, W]),
            ("patch_embed.proj.weight".to_owned(), vec![W, 3, 14, 14]),
            ("patch_embed.proj.bias".to_owned(), vec![W]),
            ("norm.weight".to_owned(), vec![W]),
        ];
        list.extend(self.registers.map(|name| (name.to_owned(), vec![1, 4, W])));
        for n in 0..2 {
            let mut leaf = |leaf: &str, shape: &[usize]| list.push((format!("blocks.{n}.{leaf}"), shape.to_vec()));
            for (name, rows, columns) in [("attn.qkv", 3 * W, W), ("attn.proj", W, W)] {
                leaf(&format!("{name}.weight"), &[rows, columns]);
                leaf(&format!("{name}.bias"), &[rows]);
            }
            for name in ["norm1", "norm2"] {
                leaf(&format!("{name}.weight"), &[W]);
                leaf(&format!("{name}.bias"), &[W]);
            }
            let hidden = if self.swiglu { ["mlp.w12", "mlp.w3"] } else { ["mlp.fc1", "mlp.fc2"] };
            leaf(&format!("{}.weight", hidden[0]), &[4 * W, W]);
            leaf(&format!("{}.bias", hidden[0]), &[4 * W]);
            leaf(&format!("{}.weight", hidden[1]), &[W, if self.swiglu { 2 * W } else { 4 * W }]);
            leaf(&format!("{}.bias", hidden[1]), &[W]);
            if self.layer_scale {
                leaf("ls1.gamma", &[W]);
                leaf("ls2.gamma", &[W]);
            }
        }
        list.into_iter().map(|(name, shape)| (format!("{}{name}", self.prefix), shape)).collect()
    }
}

fn of_shapes(shapes: &[(String, Vec<usize>)]) -> Try {
    let folder = tempdir().unwrap();
    let clip = folder.path().join("clip.safetensors");
    formula::write_safetensors(&clip, shapes, 1).unwrap();
    Try { folder, clip, prefix: None }
}

/// The tiny open_clip checkpoint with `text.` before the names of its text tower.
fn with_separate_text() -> Tensors {
    let mut source = open_source(&tiny(LAYOUTS[1])).unwrap().source;
    let names = source.names().into_iter();
    let tensors = names.map(|name| {
        let apart = !name.starts_with("visual.") && name != "logit_scale";
        let tensor = (source.shape(&name).unwrap(), source.read(&name).unwrap());
        (if apart { format!("text.{name}") } else { name }, tensor)
    });
    tensors.collect()
}

#[test]
fn a_separate_text_tower_gives_the_same_words() {
    let all = with_separate_text();
    let attempt = Try::of(&all);
    let mut options = attempt.options();
    options.adapters = Some(tiny("adapters.pth"));
    let separate = convert(&options, &mut |_, _, _| {}, &mut |_| {}).unwrap();
    let (_folder, usual) = converted(LAYOUTS[1], Dtype::F32);
    assert_eq!(separate.files, usual.files, "hashes included");
    assert_eq!(separate.objects, usual.objects);
    assert!(separate.text.is_some());

    // CoCa's tower has one more token at its end, a biased projection is a layer.
    let mut coca = all.clone();
    coca.insert("text.cls_emb".to_owned(), (vec![24], vec![0.0; 24]));
    let mut biased = all;
    let projection = biased.remove("text.text_projection").unwrap();
    biased.insert("text.text_projection.weight".to_owned(), projection);
    for other in [coca, biased] {
        let (manifest, told) = Try::of(&other).run().unwrap();
        assert!(manifest.text.is_none());
        assert!(told.contains("left out: the text tower text.*, which is built otherwise"), "{told}");
    }
}

#[test]
fn known_families_are_called_by_name() {
    let and = |mut shapes: Vec<(String, Vec<usize>)>, more: &[(&str, &[usize])]| {
        shapes.extend(more.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())));
        shapes
    };
    let trunk = Vit { prefix: "visual.trunk.", ..Vit::default() };
    let scaled = Vit { layer_scale: true, ..Vit::default() };
    let words = ("text.transformer.embeddings.word_embeddings.weight", &[100, 64][..]);
    let dinov3 = Vit { registers: Some("storage_tokens"), ..scaled }.shapes();
    let dinov3 = dinov3.into_iter().filter(|(name, _)| name != "pos_embed").collect();
    let siglip = [
        ("vision_model.embeddings.patch_embedding.weight", &[64, 3, 16, 16][..]),
        ("vision_model.embeddings.patch_embedding.bias", &[64]),
        ("vision_model.embeddings.position_embedding.weight", &[196, 64]),
        ("vision_model.encoder.layers.0.layer_norm1.weight", &[64]),
        ("logit_bias", &[1]),
    ];
    let resnet = [
        ("visual.conv1.weight", &[32, 3, 3, 3][..]),
        ("visual.bn1.weight", &[32]),
        ("visual.layer1.0.conv1.weight", &[32, 32, 1, 1]),
        ("visual.attnpool.positional_embedding", &[50, 64]),
        ("token_embedding.weight", &[100, 64]),
    ];
    for (family, shapes) in [
        ("BiomedCLIP", and(trunk.shapes(), &[words, ("logit_scale", &[1])])),
        ("timm tower", trunk.shapes()),
        ("plain vision transformer", Vit::default().shapes()),
        ("MAE", and(Vit::default().shapes(), &[("decoder_blocks.0.norm1.weight", &[64])])),
        (
            "EVA",
            and(Vit { swiglu: true, ..trunk }.shapes(), &[("visual.trunk.blocks.0.attn.q_proj.weight", &[64, 64])]),
        ),
        ("SigLIP", and(Vec::new(), &siglip)),
        ("DINOv2 giant", Vit { swiglu: true, ..scaled }.shapes()),
        ("DINOv3", and(dinov3, &[("rope_embed.periods", &[16])])),
        ("CLIP with a ResNet", and(Vec::new(), &resnet)),
    ] {
        of_shapes(&shapes).fails(&[family, "which is not supported", "; use "]);
    }
    of_shapes(&Vit { rows: 601, ..scaled }.shapes()).fails(&["square number"]);
}

#[test]
fn a_matrix_of_8_bit_floats_is_named() {
    let folder = tempdir().unwrap();
    let tower = tower();
    write(&folder.path().join("clip.safetensors"), &tower);
    let path = folder.path().join("clip.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let name = "visual.transformer.resblocks.0.attn.out_proj.weight";
    let length = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let mut header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    header[name]["dtype"] = "F8_E4M3".into();
    header[name]["shape"] = serde_json::json!([32, 128]);
    let header = serde_json::to_vec(&header).unwrap();
    bytes.splice(..8 + length, [&(header.len() as u64).to_le_bytes()[..], &header].concat());
    fs::write(&path, bytes).unwrap();
    Try::in_folder(folder, "clip.safetensors").fails(&[name, "F8_E4M3", "16-bit floats"]);
}

// ---------------------------------------------------------------- registers

#[test]
fn dinov2_with_registers_answers_as_the_reference() {
    let golden = Golden::open("dinov2-registers/golden.safetensors");
    let pixels = golden.values("pixels");
    let mut source = open_source(&crate::fixture("dinov2-registers/tower.safetensors")).unwrap().source;
    let official: Tensors = source
        .names()
        .into_iter()
        .map(|n| (n.clone(), (source.shape(&n).unwrap(), source.read(&n).unwrap())))
        .collect();
    for (title, tensors) in [
        ("DINOv2", official.clone()),
        ("Hugging Face DINOv2", hugging_face(&official)),
        ("DINOv2 of timm, with registers", timm(&official)),
    ] {
        let tried = Try::of(&tensors);
        let mut options = tried.options();
        options.size_px = 21;
        options.levels = Some(vec![1, 2]);
        let mut told = String::new();
        let manifest = convert(&options, &mut |_, _, _| {}, &mut |what| {
            if let Told::Taken(what) = what {
                told += what;
            }
        });
        let manifest = manifest.unwrap_or_else(|e| panic!("{title}: {e}"));
        assert!(told.contains("4 registers") && told.contains(&format!("named as {title},")), "{title}: {told}");
        assert_eq!((manifest.vision.registers, manifest.vision.tokens(), manifest.vision.rows()), (4, 10, 14));
        for kernels in [Kernels::Plain, Kernels::Packed] {
            let engine = open_engine_with(&options.out, kernels);
            let planes = Planes { side_px: 21, values: pixels.clone() };
            let levels = pollster::block_on(engine.raw_tokens(&planes, &mut Straight)).unwrap();
            for (n, level) in levels.iter().enumerate() {
                assert_close(
                    &format!("{title} {kernels:?} level {n}"),
                    level,
                    &golden.values(&format!("level_{n}")),
                    2e-5,
                );
            }
            assert_eq!(levels.len(), 2);
        }
    }
}

/// timm adds no position to the class token: its row is in the class token itself.
fn timm(official: &Tensors) -> Tensors {
    let mut tensors = official.clone();
    let (_, mut table) = tensors.remove("pos_embed").unwrap();
    let patches = table.split_off(32);
    tensors.get_mut("cls_token").unwrap().1.iter_mut().zip(table).for_each(|(class, row)| *class += row);
    tensors.insert("pos_embed".to_owned(), (vec![1, 9, 32], patches));
    let registers = tensors.remove("register_tokens").unwrap();
    tensors.insert("reg_token".to_owned(), registers);
    tensors
}

fn hugging_face(official: &Tensors) -> Tensors {
    let mut tensors = Tensors::new();
    for (name, (shape, values)) in official {
        if let Some((block, leaf)) = name.strip_prefix("blocks.").and_then(|rest| rest.split_once('.')) {
            let mut add = |leaf: &str, shape: Vec<usize>, values: Vec<f32>| {
                tensors.insert(format!("encoder.layer.{block}.{leaf}"), (shape, values));
            };
            if let Some(kind) = leaf.strip_prefix("attn.qkv.") {
                let shape = [&[shape[0] / 3], &shape[1..]].concat();
                for (part, values) in ["query", "key", "value"].iter().zip(values.chunks(values.len() / 3)) {
                    add(&format!("attention.attention.{part}.{kind}"), shape.clone(), values.to_vec());
                }
                continue;
            }
            let leaf = leaf.replace("attn.proj", "attention.output.dense");
            let leaf = leaf.replace("ls1.gamma", "layer_scale1.lambda1").replace("ls2.gamma", "layer_scale2.lambda1");
            add(&leaf, shape.clone(), values.clone());
            continue;
        }
        let name = match name.as_str() {
            "cls_token" => "embeddings.cls_token",
            "register_tokens" => "embeddings.register_tokens",
            "pos_embed" => "embeddings.position_embeddings",
            "patch_embed.proj.weight" => "embeddings.patch_embeddings.projection.weight",
            "patch_embed.proj.bias" => "embeddings.patch_embeddings.projection.bias",
            other => other,
        };
        tensors.insert(name.to_owned(), (shape.clone(), values.clone()));
    }
    tensors
}
