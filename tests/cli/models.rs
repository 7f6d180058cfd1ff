//! Models and checkpoints that are not right: said before, or instead of, a number that is none.

use std::fs;
use std::path::Path;

use mvfa_web::bundle::shard::sha256_hex;
use serde_json::{Value, json};

use crate::tools::{changed_bundle, mvfa, names, text, tiny};

/// Where the values of a tensor of a safetensors file are.
fn range(bytes: &[u8], tensor: &str) -> std::ops::Range<usize> {
    let header = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let lines: Value = serde_json::from_slice(&bytes[8..8 + header]).unwrap();
    let offset = |n: usize| 8 + header + lines[tensor]["data_offsets"][n].as_u64().unwrap() as usize;
    offset(0)..offset(1)
}

/// Sets every value of a tensor.
fn fill(bytes: &mut [u8], tensor: &str, value: f32) {
    let range = range(bytes, tensor);
    bytes[range.clone()].chunks_exact_mut(4).for_each(|four| four.copy_from_slice(&value.to_le_bytes()));
    // A tensor of one value is refused for that alone.
    bytes[range].first_chunk_mut::<4>().unwrap().copy_from_slice(&(value / 2.0).to_le_bytes());
}

/// A bundle whose second block overflows, without the self-test that would say so.
fn overflowing(folder: &Path) -> String {
    changed_bundle(folder, |manifest, out| {
        manifest.as_object_mut().unwrap().remove("self_test");
        let files = manifest["files"].as_array_mut().unwrap();
        let entry = files.iter_mut().find(|f| f["path"] == "vision-000.safetensors").unwrap();
        let path = out.join("vision-000.safetensors");
        let mut bytes = fs::read(&path).unwrap();
        fill(&mut bytes, "vision.blocks.1.mlp.fc1.weight", 3e38);
        entry["sha256"] = sha256_hex(&bytes).into();
        fs::write(&path, bytes).unwrap();
    })
}

#[test]
fn a_map_that_is_no_number_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = overflowing(folder.path());
    let (one, two, out) = (tiny("input_rgb.png"), tiny("input_grey.png"), folder.path().join("out"));
    for json in [&["--json"][..], &[]] {
        let fixed = ["predict", "--bundle", &bundle, "--object", "brain", "--npy", "--out"];
        let answer = mvfa(fixed.iter().chain(&[text(&out).as_str(), &one, &two]).chain(json)).expect(1);
        assert_eq!(answer.stdout, "");
        let complaints: Vec<&str> = answer.stderr.lines().collect();
        assert_eq!(complaints.len(), 2, "each picture is told: {}", answer.stderr);
        assert!(complaints.iter().all(|c| c.contains("its map holds values that are no numbers")), "{complaints:?}");
        assert!(complaints[0].contains("input_rgb.png") && complaints[1].contains("input_grey.png"), "{complaints:?}");
        assert_eq!(names(&out), [""; 0], "nothing is drawn");
    }
}

#[test]
fn a_manifest_that_does_not_fit_its_weights_fails_the_self_test_on_the_processor() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = changed_bundle(folder.path(), |manifest, _| manifest["vision"]["heads"] = 1.into());
    let answer = mvfa(["predict", "--bundle", &bundle, "--object", "brain", &tiny("input_rgb.png")]).expect(1);
    assert_eq!(answer.stdout, "");
    assert!(answer.stderr.contains("cpu device failed its self-test"), "{}", answer.stderr);
    assert!(answer.stderr.contains("convert the checkpoint again"), "{}", answer.stderr);
    assert!(!answer.stderr.contains("choose the cpu device"), "{}", answer.stderr);
}

#[test]
fn numbers_of_a_manifest_have_bounds() {
    let range = |lo: f64, hi: f64| json!({ "lo": lo, "hi": hi });
    let calibration = |zero_map: Value| json!({ "zero_map": zero_map, "memory_map": range(0.0, 1.0), "zero_score": range(0.0, 1.0), "memory_score": range(0.0, 1.0) });
    let cases: [(&str, Value, &str); 20] = [
        ("/vision/norm_eps", json!(-1), "vision.norm_eps"),
        ("/vision/norm_eps", json!(0), "vision.norm_eps"),
        ("/vision/norm_eps", json!(1e300), "vision.norm_eps"),
        ("/vision/width", json!(1u64 << 40), "vision.width"),
        ("/vision/layers", json!(1u64 << 40), "vision.layers"),
        ("/vision/mlp_width", json!(1u64 << 40), "vision.mlp_width"),
        ("/vision/patch_px", json!(1u64 << 62), "vision.patch_px"),
        ("/vision/image_px", json!(1u64 << 62), "vision.image_px"),
        ("/vision/image_px", json!(14 * 129), "vision.image_px"),
        ("/text/vocabulary", json!(1u64 << 40), "text.vocabulary"),
        ("/text/context", json!(1u64 << 40), "text.context"),
        ("/adapters/mix", json!([9e15, 0.1, 0.1]), "adapters.mix"),
        ("/adapters/mix", json!([1e39, 0.1, 0.1]), "adapters.mix"),
        ("/adapters/bottleneck", json!(0), "adapters.bottleneck"),
        ("/self_test/tolerance", json!(-1), "self_test.tolerance"),
        ("/self_test/tolerance", json!(1e9), "self_test.tolerance"),
        ("/card", json!("../../card.md"), "card"),
        ("/objects/1/id", json!("brain"), "objects.id"),
        ("/objects/0/calibration", calibration(range(0.5, 0.5)), "calibration of brain"),
        ("/objects/0/calibration", calibration(range(0.5, 0.25)), "calibration of brain"),
    ];
    for (pointer, value, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        let shown = format!("{pointer} = {value}");
        let bundle = changed_bundle(folder.path(), |manifest, _| {
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            let parent = manifest.pointer_mut(parent).unwrap();
            parent[field] = value;
        });
        let answer = mvfa(["info", "--bundle", &bundle]).expect(1);
        assert!(answer.stderr.contains(words) && answer.stderr.contains("not valid"), "{shown}: {}", answer.stderr);
    }
    let folder = tempfile::tempdir().unwrap();
    let good = changed_bundle(folder.path(), |m, _| m["objects"][0]["calibration"] = calibration(range(0.25, 0.5)));
    mvfa(["info", "--bundle", &good]).expect(0);
}

/// A checkpoint of Hugging Face's layout, its bytes changed.
fn checkpoint(folder: &Path, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> String {
    let path = folder.join("clip.safetensors");
    fs::write(&path, change(fs::read(tiny("huggingface.safetensors")).unwrap())).unwrap();
    text(&path)
}

fn convert(clip: &str, out: &Path, more: &[&str]) -> crate::tools::Answer {
    let out = text(out);
    let fixed = ["convert", "--clip", clip, "--out", &out, "--size", "70", "--levels", "1,2,3,4", "--heads", "2"];
    mvfa(fixed.iter().chain(more))
}

#[test]
fn a_text_tower_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made");
    let table = "text_model.embeddings.token_embedding.weight";
    let clip = checkpoint(folder.path(), |bytes| {
        let header = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
        let mut lines: Value = serde_json::from_slice(&bytes[8..8 + header]).unwrap();
        lines[table]["dtype"] = "F8_E5M2".into();
        let text = lines.to_string();
        [&(text.len() as u64).to_le_bytes()[..], text.as_bytes(), &bytes[8 + header..]].concat()
    });
    let adapters = tiny("adapters.pth");
    let answer = convert(&clip, &out, &["--adapters", &adapters]).expect(0);
    let notes: Vec<&str> = answer.stderr.lines().filter(|line| line.contains("left out: the text tower")).collect();
    assert_eq!(notes.len(), 1, "{}", answer.stderr);
    assert!(
        notes[0].contains("the text tower") && notes[0].contains(table) && notes[0].contains("F8_E5M2"),
        "{notes:?}"
    );
    let whole = convert(&tiny("huggingface.safetensors"), &folder.path().join("whole"), &[]).expect(0);
    assert!(!whole.stderr.contains("left out: the text tower"), "{}", whole.stderr);
}

#[test]
fn weights_that_overflow_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made");
    let clip = checkpoint(folder.path(), |mut bytes| {
        fill(&mut bytes, "vision_model.encoder.layers.1.mlp.fc1.weight", 3e38);
        bytes
    });
    let answer = convert(&clip, &out, &["--dtype", "f32"]).expect(1);
    let words = ["overflow", "3e38", "vision.blocks.1.mlp.fc1.weight"];
    assert!(words.iter().all(|word| answer.stderr.contains(word)), "{}", answer.stderr);
    assert_eq!(names(folder.path()), ["clip.safetensors"]);
}
