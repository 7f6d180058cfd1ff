//! Checkpoints in every layout become the same bundle, and bad ones become errors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code)]
mod formula;
mod kinds;
mod steps;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use common::max_difference;
use half::f16;
use mvfa_web::bundle::error::BundleError;
use mvfa_web::bundle::import::open_checkpoint;
use mvfa_web::bundle::import::pickle::read_pickle;
use mvfa_web::bundle::import::tree::flatten;
use mvfa_web::bundle::manifest::{Dtype, Group, Manifest};
use mvfa_web::bundle::objects::known_object;
use mvfa_web::bundle::position::resize_position_table;
use mvfa_web::bundle::store::BundleFolder;
use mvfa_web::convert::{ConvertOptions, convert};
use safetensors::SafeTensors;
use tempfile::{TempDir, tempdir};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

const ALL_GROUPS: [Group; 4] = [Group::Vision, Group::Adapters, Group::Text, Group::Prompts];
const LAYOUTS: [&str; 3] = ["openai_jit.pt", "openclip_state_dict.pt", "huggingface.safetensors"];

type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn tiny(name: &str) -> PathBuf {
    fixture("reference/tiny").join(name)
}

fn options(clip: PathBuf, out: PathBuf) -> ConvertOptions {
    let mut options = ConvertOptions::new(clip, out);
    options.size_px = 70;
    options.heads = Some(2);
    options.dtype = Dtype::F32;
    options
}

/// Converts, and verifies what was written.
fn run(options: &ConvertOptions) -> Result<Manifest, BundleError> {
    let manifest = convert(options, &mut |done, total, _| assert!(done <= total), &mut |_| {})?;
    BundleFolder::open(&options.out)?.verify()?;
    Ok(manifest)
}

fn converted(clip: &str, dtype: Dtype) -> (TempDir, Manifest) {
    let folder = tempdir().unwrap();
    let mut options = options(tiny(clip), folder.path().join("bundle"));
    options.adapters = Some(tiny("adapters.pth"));
    options.dtype = dtype;
    let manifest = run(&options).unwrap();
    (folder, manifest)
}

fn tensors(bundle: &Path) -> Tensors {
    let mut found: Tensors = BTreeMap::new();
    let folder = BundleFolder::open(bundle).unwrap();
    folder
        .visit(&ALL_GROUPS, |part| {
            let entry = found.entry(part.name).or_insert_with(|| (part.shape, Vec::new()));
            entry.1.extend(part.values.into_f32());
            Ok(())
        })
        .unwrap();
    found
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

fn golden(file: &Path, name: &str) -> Vec<f32> {
    let bytes = fs::read(file).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = file.tensor(name).unwrap();
    match tensor.dtype() {
        safetensors::Dtype::F16 => {
            tensor.data().as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect()
        }
        _ => tensor.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
    }
}

// ---------------------------------------------------------------- good checkpoints

#[test]
fn three_layouts_give_the_same_tensors() {
    let (first, manifest) = converted(LAYOUTS[0], Dtype::F32);
    let expected = tensors(&first.path().join("bundle"));
    assert_eq!(manifest.vision.heads, 2);
    assert_eq!(manifest.vision.levels, [1, 2, 3, 4]);
    assert_eq!((manifest.vision.grid(), manifest.text.as_ref().unwrap().vocabulary), (5, 49408));
    assert_eq!(manifest.adapters.as_ref().unwrap().bottleneck, 24);
    assert_eq!((manifest.preprocess.mean, manifest.preprocess.std), ([0.0; 3], [1.0; 3]));
    assert_eq!(manifest.objects[1].text_features.as_deref(), Some("prompts.liver"));
    for layout in &LAYOUTS[1..] {
        let (folder, other) = converted(layout, Dtype::F32);
        assert_eq!(tensors(&folder.path().join("bundle")), expected, "{layout}");
        assert_eq!(other.files, manifest.files, "the same tensors are the same bytes");
        assert_eq!(other.revision, manifest.revision);
    }
    let rounded = |name: &str, shape: &[usize]| -> Vec<u32> {
        formula::tensor(name, shape, 1).iter().map(|v| f16::from_f32(*v).to_f32().to_bits()).collect()
    };
    for (canonical, raw, shape) in [
        ("vision.patch.weight", "visual.conv1.weight", vec![32, 3, 14, 14]),
        ("vision.class_embedding", "visual.class_embedding", vec![32]),
        ("vision.blocks.3.attn.qkv.weight", "visual.transformer.resblocks.3.attn.in_proj_weight", vec![96, 32]),
        ("vision.blocks.3.attn.qkv.bias", "visual.transformer.resblocks.3.attn.in_proj_bias", vec![96]),
        ("vision.blocks.0.mlp.fc2.weight", "visual.transformer.resblocks.0.mlp.c_proj.weight", vec![32, 128]),
        ("text.blocks.1.ln2.weight", "transformer.resblocks.1.ln_2.weight", vec![24]),
        ("text.token_embedding", "token_embedding.weight", vec![49408, 24]),
        ("text.projection", "text_projection", vec![24, 24]),
    ] {
        assert_eq!(bits(&expected[canonical].1), rounded(raw, &shape), "{canonical}");
    }
    for (name, shape) in formula::adapter_shapes(&formula::TINY) {
        let canonical = format!("adapters.{}", name.replace("_adapters", "").replace(".0.weight", ""));
        assert_eq!(expected[&canonical].0, shape);
        assert_eq!(bits(&expected[&canonical].1), bits(&formula::tensor(&name, &shape, 1)), "{canonical}");
    }
}

#[test]
fn the_position_table_is_resized_as_torch_does() {
    let (folder, _) = converted(LAYOUTS[1], Dtype::F32);
    let found = &tensors(&folder.path().join("bundle"))["vision.position_embedding"];
    assert_eq!(found.0, [26, 32]);
    let expected = golden(&tiny("golden.safetensors"), "resized_position_embedding");
    let difference = max_difference(&found.1, &expected);
    assert!(difference <= 1e-6, "{difference}");
    let table = fixture("dinov2-position/table.safetensors");
    let resized = resize_position_table(&golden(&table, "native"), 37, 17, 3).unwrap();
    let difference = max_difference(&resized, &golden(&table, "golden"));
    assert!(difference <= 1e-5, "{difference}");
}

#[test]
fn f16_is_exact_for_f16_weights() {
    let (wide, _) = converted(LAYOUTS[1], Dtype::F32);
    let (half, manifest) = converted(LAYOUTS[1], Dtype::F16);
    let wide = tensors(&wide.path().join("bundle"));
    for (name, (_, values)) in tensors(&half.path().join("bundle")) {
        let expected = &wide[&name].1;
        if name.starts_with("adapters.") {
            let rounded: Vec<f32> = expected.iter().map(|v| f16::from_f32(*v).to_f32()).collect();
            assert_eq!(bits(&values), bits(&rounded), "{name}");
        } else {
            assert_eq!(bits(&values), bits(expected), "{name}");
        }
    }
    let stored = |name: &str| {
        let mut all = manifest.files.iter().flat_map(|f| &f.tensors);
        all.find(|t| t.name == name).unwrap().dtype
    };
    assert_eq!(stored("text.token_embedding"), Dtype::F16);
    assert_eq!(stored("vision.ln_pre.weight"), Dtype::F32);
    assert_eq!(stored("prompts.his"), Dtype::F32);
}

#[test]
fn i8_is_within_half_a_step_of_its_row() {
    let (wide, _) = converted(LAYOUTS[1], Dtype::F32);
    let (narrow, _) = converted(LAYOUTS[1], Dtype::I8);
    let wide = tensors(&wide.path().join("bundle"));
    for (name, (shape, values)) in tensors(&narrow.path().join("bundle")) {
        let exact = shape.len() < 2 || name.starts_with("prompts.") || name.ends_with("position_embedding");
        let row = if exact { values.len() } else { values.len() / shape[0] };
        for (found, expected) in values.chunks(row).zip(wide[&name].1.chunks(row)) {
            let largest = expected.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            let bound = if exact { 0.0 } else { largest / 127.0 * 0.5001 };
            let difference = max_difference(found, expected);
            assert!(difference <= bound, "{name}: {difference} > {bound}");
        }
    }
}

#[test]
fn wrapped_moved_and_compressed_archives_are_read() {
    let expected = open_checkpoint(&tiny(LAYOUTS[1]), Some(2), None).unwrap().read("text.projection").unwrap();
    let folder = tempdir().unwrap();
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let path = folder.path().join("wrapped.pt");
        rewrite(&tiny(LAYOUTS[1]), &path, method, |name, bytes| {
            if !name.ends_with("data.pkl") {
                return Some(bytes);
            }
            let mut wrapped = b"\x80\x02}X\x0a\0\0\0state_dict".to_vec();
            wrapped.extend(&bytes[2..bytes.len() - 1]);
            wrapped.extend(b"s.");
            let wrapped = replace(&wrapped, b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0");
            // `module.` before one name is not what torch does, before the anchor it is enough.
            Some(replace(&wrapped, b"X\x0a\0\0\0state_dict", b"X\x11\0\0\0state_dict.module"))
        });
        let mut checkpoint = open_checkpoint(&path, Some(2), None).unwrap();
        assert_eq!(checkpoint.read("text.projection").unwrap(), expected);
        assert_eq!(checkpoint.vision().layers, 4);
    }
}

#[test]
fn dinov2_has_its_own_norms_and_pixels() {
    let folder = tempdir().unwrap();
    let clip = folder.path().join("dino.safetensors");
    let mut shapes = vec![
        ("embeddings.cls_token".to_owned(), vec![1, 1, 64]),
        ("embeddings.patch_embeddings.projection.weight".to_owned(), vec![64, 3, 14, 14]),
        ("embeddings.patch_embeddings.projection.bias".to_owned(), vec![64]),
        ("embeddings.position_embeddings".to_owned(), vec![1, 10, 64]),
    ];
    for block in 0..3 {
        for (leaf, shape) in [
            ("norm1.weight", vec![64]),
            ("norm1.bias", vec![64]),
            ("attention.attention.query.weight", vec![64, 64]),
            ("attention.attention.query.bias", vec![64]),
            ("attention.attention.key.weight", vec![64, 64]),
            ("attention.attention.key.bias", vec![64]),
            ("attention.attention.value.weight", vec![64, 64]),
            ("attention.attention.value.bias", vec![64]),
            ("attention.output.dense.weight", vec![64, 64]),
            ("attention.output.dense.bias", vec![64]),
            ("layer_scale1.lambda1", vec![64]),
            ("layer_scale2.lambda1", vec![64]),
            ("norm2.weight", vec![64]),
            ("norm2.bias", vec![64]),
            ("mlp.fc1.weight", vec![256, 64]),
            ("mlp.fc1.bias", vec![256]),
            ("mlp.fc2.weight", vec![64, 256]),
            ("mlp.fc2.bias", vec![64]),
        ] {
            shapes.push((format!("encoder.layer.{block}.{leaf}"), shape));
        }
    }
    formula::write_safetensors(&clip, &shapes, 3).unwrap();
    let out = folder.path().join("bundle");
    let mut options = options(clip, out.clone());
    options.heads = None;
    options.levels = Some(vec![1, 2]);
    let manifest = run(&options).unwrap();
    assert_eq!(manifest.vision.heads, 1);
    assert_eq!(manifest.vision.layers, 2, "blocks after the last level are left out");
    assert_eq!(manifest.vision.norm_eps, 1e-6);
    assert_eq!(manifest.preprocess.mean, [0.485, 0.456, 0.406]);
    assert!(manifest.text.is_none() && manifest.adapters.is_none());
    assert!(manifest.objects.iter().all(|o| o.text_features.is_none()));
    let found = tensors(&out);
    assert_eq!(found["vision.position_embedding"].0, [26, 64]);
    assert!(found.contains_key("vision.blocks.1.ls2") && !found.contains_key("vision.blocks.2.ls2"));
    let qkv = &found["vision.blocks.1.attn.qkv.weight"].1;
    let key = formula::tensor("encoder.layer.1.attention.attention.key.weight", &[64, 64], 3);
    assert_eq!(qkv[64 * 64..2 * 64 * 64], key);
}

#[test]
fn a_config_beside_the_file_gives_the_heads() {
    let folder = tempdir().unwrap();
    let clip = folder.path().join("model.safetensors");
    fs::copy(tiny(LAYOUTS[2]), &clip).unwrap();
    let error = open_checkpoint(&clip, None, None).err().unwrap().to_string();
    assert!(error.contains("--heads"), "{error}");
    let config = r#"{"vision_config": {"hidden_size": 32, "num_attention_heads": 4}, "text_config": {"hidden_size": 24, "num_attention_heads": 3}}"#;
    fs::write(folder.path().join("config.json"), config).unwrap();
    let checkpoint = open_checkpoint(&clip, None, None).unwrap();
    assert_eq!((checkpoint.vision().heads, checkpoint.text().unwrap().heads), (4, 3));
    assert_eq!(open_checkpoint(&clip, Some(2), None).unwrap().vision().heads, 2);
    assert!(matches!(open_checkpoint(&clip, Some(5), None), Err(BundleError::Options(_))));
}

// ---------------------------------------------------------------- bad checkpoints

/// Writes the tiny Hugging Face file with its tensors changed.
fn altered(path: &Path, change: impl Fn(&mut BTreeMap<String, (Vec<usize>, Vec<u8>)>)) {
    let bytes = fs::read(tiny(LAYOUTS[2])).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let f32s = file.tensors().into_iter().filter(|(_, t)| t.dtype() == safetensors::Dtype::F32);
    let mut map = f32s.map(|(n, t)| (n, (t.shape().to_vec(), t.data().to_vec()))).collect();
    change(&mut map);
    let views = map.iter().map(|(n, (shape, data))| {
        (n, safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), data).unwrap())
    });
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

#[test]
fn bad_checkpoints_are_named_and_leave_the_old_bundle() {
    let folder = tempdir().unwrap();
    let clip = folder.path().join("clip.safetensors");
    let out = folder.path().join("bundle");
    let before = run(&options(tiny(LAYOUTS[2]), out.clone())).unwrap();
    let fails = |options: &ConvertOptions| run(options).unwrap_err();
    let still_there = || {
        let bundle = BundleFolder::open(&out).unwrap();
        bundle.verify().unwrap();
        assert_eq!(bundle.manifest(), &before);
        let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert!(names.len() <= 2, "something was left behind: {names:?}");
    };

    let name = "vision_model.encoder.layers.2.self_attn.k_proj.weight";
    altered(&clip, |map| drop(map.remove(name)));
    let error = fails(&options(clip.clone(), out.clone()));
    assert!(matches!(&error, BundleError::MissingTensor { name: found, .. } if found == name), "{error}");
    still_there();

    altered(&clip, |map| map.get_mut(name).unwrap().0 = vec![16, 64]);
    let error = fails(&options(clip.clone(), out.clone()));
    assert!(
        matches!(&error, BundleError::Shape { name: found, expected, found: shape, .. }
            if found == name && *expected == [32, 32] && *shape == [16, 64]),
        "{error}"
    );
    still_there();

    altered(&clip, |map| map.get_mut(name).unwrap().1[40..44].copy_from_slice(&f32::NAN.to_le_bytes()));
    let error = fails(&options(clip.clone(), out.clone()));
    assert!(matches!(&error, BundleError::NotFinite { name: found, index: 10 } if found == name), "{error}");
    still_there();

    altered(&clip, |map| {
        map.get_mut("text_projection.weight").unwrap().1[..4].copy_from_slice(&1e6f32.to_le_bytes());
    });
    let mut half = options(clip.clone(), out.clone());
    half.dtype = Dtype::F16;
    assert!(matches!(fails(&half), BundleError::HalfOverflow { value: 1e6, .. }));
    still_there();

    altered(&clip, |map| drop(map.remove("vision_model.encoder.layers.1.layer_norm1.bias")));
    let mut early = options(clip.clone(), out.clone());
    early.levels = Some(vec![1]);
    run(&early).unwrap();
    assert_ne!(BundleFolder::open(&out).unwrap().manifest(), &before, "a good conversion replaces the bundle");
}

#[test]
fn adapters_must_fit_the_tower() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("bundle");
    let adapters = folder.path().join("adapters.safetensors");
    let mut with = options(tiny(LAYOUTS[1]), out.clone());
    with.adapters = Some(adapters.clone());
    let write = |geometry: &formula::Geometry| {
        formula::write_safetensors(&adapters, &formula::adapter_shapes(geometry), 1).unwrap();
    };
    write(&formula::Geometry { width: 48, ..formula::TINY });
    assert!(matches!(run(&with), Err(BundleError::AdapterWidth { expected: 32, found: 48 })));
    write(&formula::Geometry { levels: 3, ..formula::TINY });
    assert!(matches!(run(&with), Err(BundleError::AdapterLevels { expected: 4, found: 3 })));
    write(&formula::Geometry { bottleneck: 20, ..formula::TINY });
    assert!(matches!(run(&with), Err(BundleError::AdapterBottleneck { expected: 24, found: 20 })));
    let mut shapes = formula::adapter_shapes(&formula::TINY);
    shapes.retain(|(name, _)| name != "det_adapters.1.fc2.0.weight");
    formula::write_safetensors(&adapters, &shapes, 1).unwrap();
    assert!(
        matches!(run(&with), Err(BundleError::MissingTensor { name, .. }) if name == "det_adapters.1.fc2.0.weight")
    );
    with.adapters = Some(tiny(LAYOUTS[1]));
    assert!(matches!(run(&with), Err(BundleError::UnknownCheckpoint { .. })));
    let swapped = run(&options(tiny("adapters.pth"), out.clone())).unwrap_err().to_string();
    assert!(swapped.contains("MVFA adapters"), "{swapped}");
    assert!(!out.exists());
    with.adapters = None;
    with.levels = Some(vec![2, 5]);
    assert!(matches!(run(&with), Err(BundleError::Options(_))));
    with.levels = Some(vec![2]);
    with.objects = vec![known_object("his").unwrap(), known_object("his").unwrap()];
    assert!(matches!(run(&with), Err(BundleError::Options(_))));
}

#[test]
fn files_that_are_no_checkpoints_are_errors() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("file.pt");
    let open = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        open_checkpoint(&path, Some(2), None).err().expect("an error")
    };
    for (bytes, part) in [
        (b"".as_slice(), "empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "torch.save"),
        (b"PK\x03\x04 and no more", "zip directory"),
        (b"\x20\0\0\0\0\0\0\0{\"a\":", "header"),
    ] {
        let message = open(bytes).to_string();
        assert!(message.contains(part), "{message}");
    }
    let mut state = 1u64;
    for size in 0..200 {
        let mut random = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        let bytes: Vec<u8> = (0..size).map(&mut random).collect();
        open(&bytes);
        open(&[b"PK\x05\x06".as_slice(), &bytes].concat());
        open(&[&(size as u64).to_le_bytes(), b"{".as_slice(), &bytes].concat());
    }
    assert!(matches!(open_checkpoint(&folder.path().join("none"), None, None), Err(BundleError::Io { .. })));
}

#[test]
fn cut_checkpoints_are_errors() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("cut");
    for layout in LAYOUTS {
        let whole = fs::read(tiny(layout)).unwrap();
        let ends = (1..40).map(|n| whole.len() * n / 40).chain(whole.len() - 30..whole.len());
        for end in ends {
            fs::write(&path, &whole[..end]).unwrap();
            let mut wrong = options(path.clone(), folder.path().join("bundle"));
            wrong.heads = Some(2);
            assert!(run(&wrong).is_err(), "{layout} cut at {end} of {}", whole.len());
        }
    }
}

#[test]
fn damaged_archives_are_errors_or_noticed_by_their_checksum() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("damaged.pt");
    let source = tiny(LAYOUTS[1]);
    let opens = |path: &Path| open_checkpoint(path, Some(2), None).map(drop);

    rewrite(&source, &path, CompressionMethod::Stored, |name, bytes| (!name.ends_with("data.pkl")).then_some(bytes));
    assert!(matches!(opens(&path), Err(BundleError::UnknownCheckpoint { .. })));

    rewrite(&source, &path, CompressionMethod::Stored, |name, bytes| (!name.ends_with("/data/2")).then_some(bytes));
    let read = |path: &Path| open_checkpoint(path, Some(2), None).unwrap().read("vision.patch.weight").map(drop);
    assert!(matches!(read(&path), Err(BundleError::DamagedCheckpoint { .. })));

    rewrite(&source, &path, CompressionMethod::Stored, |name, bytes| {
        Some(if name.ends_with("/data/2") { bytes[..bytes.len() - 1].to_vec() } else { bytes })
    });
    assert!(matches!(read(&path), Err(BundleError::DamagedCheckpoint { .. })));

    // One bit of a weight: only the archive's checksum can tell.
    let mut bytes = fs::read(&source).unwrap();
    let weights = archived(&source, "/data/2");
    let at = bytes.windows(64).position(|w| w == &weights[..64]).unwrap();
    bytes[at + 20] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(error.to_lowercase().contains("checksum"), "{error}");
}

#[test]
fn altered_pickles_never_panic() {
    let pickle = archived(&tiny("adapters.pth"), "data.pkl");
    assert_eq!(flatten(&read_pickle(&pickle).unwrap()).unwrap().len(), 16);
    for end in 0..pickle.len() {
        assert!(read_pickle(&pickle[..end]).is_err(), "cut at {end}");
    }
    for at in 0..pickle.len() {
        for value in [0, 1, b'(', b')', b'.', b'0', b'R', b'b', b'h', b'q', b't', b'u', 0x80, 0x85, 0x8d, 0xff] {
            let mut altered = pickle.clone();
            altered[at] = value;
            if let Ok(pickle) = read_pickle(&altered) {
                let _ = flatten(&pickle);
            }
        }
    }
}

fn archived(path: &Path, end: &str) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(fs::read(path).unwrap())).unwrap();
    let name = archive.file_names().find(|n| n.ends_with(end)).unwrap().to_owned();
    let mut bytes = Vec::new();
    archive.by_name(&name).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// Copies an archive file by file; what `change` drops is left out.
fn rewrite(from: &Path, to: &Path, method: CompressionMethod, change: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>) {
    let mut archive = ZipArchive::new(Cursor::new(fs::read(from).unwrap())).unwrap();
    let mut written = ZipWriter::new(fs::File::create(to).unwrap());
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let name = file.name().to_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        if let Some(bytes) = change(&name, bytes) {
            written.start_file(name, SimpleFileOptions::default().compression_method(method)).unwrap();
            written.write_all(&bytes).unwrap();
        }
    }
    written.finish().unwrap();
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(from) {
            found.extend(to);
            at += from.len();
        } else {
            found.push(bytes[at]);
            at += 1;
        }
    }
    found
}

// ---------------------------------------------------------------- damaged bundles

#[test]
fn damaged_bundles_are_errors() {
    let (folder, manifest) = converted(LAYOUTS[1], Dtype::F16);
    let bundle = folder.path().join("bundle");
    let verify = || BundleFolder::open(&bundle).and_then(|b| b.verify());
    verify().unwrap();
    let shard = bundle.join(&manifest.files[0].path);
    let bytes = fs::read(&shard).unwrap();

    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    fs::write(&shard, &flipped).unwrap();
    assert!(matches!(verify(), Err(BundleError::Hash { path, .. }) if path == manifest.files[0].path));
    fs::write(&shard, &bytes[1..]).unwrap();
    assert!(matches!(verify(), Err(BundleError::Size { .. })));
    fs::write(&shard, [&bytes[..], b"more"].concat()).unwrap();
    let expected = bytes.len() as u64;
    assert!(matches!(verify(), Err(BundleError::Size { found, .. }) if found == expected + 4));
    fs::remove_file(&shard).unwrap();
    assert!(matches!(verify(), Err(BundleError::MissingFile { .. })));
    fs::write(&shard, &bytes).unwrap();
    verify().unwrap();

    let text = fs::read_to_string(bundle.join("manifest.json")).unwrap();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        fs::write(bundle.join("manifest.json"), text.replacen(from, to, 1)).unwrap();
        verify().unwrap_err()
    };
    assert!(matches!(with("\"format\": 1", "\"format\": 2"), BundleError::Format { found: 2, expected: 1 }));
    assert!(matches!(with("vision-000", "../vision-000"), BundleError::Manifest(_)));
    assert!(matches!(with("\"heads\": 2", "\"heads\": 5"), BundleError::Manifest(_)));
    assert!(matches!(with("pil_bicubic", "nearest"), BundleError::Manifest(_)));
    assert!(matches!(with("\"format\": 1", "\"format\": "), BundleError::Manifest(_)));
    fs::remove_file(bundle.join("manifest.json")).unwrap();
    assert!(matches!(verify(), Err(BundleError::MissingFile { .. })));
}

// ---------------------------------------------------------------- full size

/// Peak memory of a full-size conversion. Writes 4 GB; run with
/// `cargo test --release --test parity_convert -- --ignored --nocapture`.
#[test]
#[ignore = "writes 4 GB"]
fn a_full_size_checkpoint_is_never_held_whole() {
    let folder = tempdir().unwrap();
    let clip = folder.path().join("clip.safetensors");
    let adapters = folder.path().join("adapters.safetensors");
    formula::write_safetensors(&clip, &formula::clip_shapes(&formula::VIT_L14_336), 1).unwrap();
    formula::write_safetensors(&adapters, &formula::adapter_shapes(&formula::VIT_L14_336), 1).unwrap();
    for dtype in [Dtype::F16, Dtype::F32, Dtype::I8] {
        let mut options = ConvertOptions::new(clip.clone(), folder.path().join("bundle"));
        options.adapters = Some(adapters.clone());
        options.dtype = dtype;
        let started = std::time::Instant::now();
        options.objects = vec![known_object("brain").unwrap()];
        let manifest = run(&options).unwrap();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
        let bytes: u64 = manifest.files.iter().map(|f| f.bytes).sum();
        println!(
            "{dtype:?}: file {} bytes, bundle {bytes} bytes in {} files, {:.1} s with one verification, peak {peak}",
            fs::metadata(&clip).unwrap().len(),
            manifest.files.len(),
            started.elapsed().as_secs_f32(),
        );
        assert_eq!(manifest.vision.levels, [6, 12, 18, 24]);
        assert_eq!((manifest.vision.heads, manifest.text.as_ref().unwrap().heads), (16, 12));
        let peak_kib: u64 = peak.trim_end_matches(" kB").parse().expect("/proc/self/status tells the peak memory");
        assert!(peak_kib < 600 * 1024, "{peak}");
    }
}
