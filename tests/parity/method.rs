//! The whole method on the tiny model, against the independent reference.
//!
//! Limits are ten times the agreement between the reference and the published code (README of
//! the reference), the convention for two programs in 32-bit floats.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

use burn::tensor::Tensor;
use common::{Golden, Straight, assert_close, fixture, json, open_engine, tiny_bundle};
use mvfa_web::bundle::manifest::{Augment, Calibration, Group, ObjectKind, Range};
use mvfa_web::bundle::store::BundleFolder;
use mvfa_web::compute::{Kernels, Weights, open_cpu};
use mvfa_web::image::{Limits, Rgb8, WindowChoice, augment_mvfa, decode, resize_bicubic, to_planes};
use mvfa_web::mvfa::{AdaptedEncoder, Engine, Facts, Mode, PixelBox, ReferenceId, Regions, Request, Stage, Warning};

const LAYOUTS: [&str; 3] = ["openai_jit.pt", "openclip_state_dict.pt", "huggingface.safetensors"];
const INPUTS: [&str; 3] = ["input_rgb.png", "input_grey.png", "input_grey16.png"];
const SUPPORTS: [&str; 2] = ["support_0.png", "support_1.png"];

/// Both implementations of a block keep the same limits.
const BLOCKS: [Kernels; 2] = [Kernels::Plain, Kernels::Packed];

const TOKENS: f32 = 3e-5;
const HIDDEN: f32 = 2e-5;
const TEXT: f32 = 1e-6;
const POSITION: f32 = 1e-6;
const S0: f32 = 5e-5;
const C0: f32 = 2e-5;
const SM: f32 = 5e-6;
const CM: f32 = 1e-6;
const FUSED: f32 = 1e-5;
const MEMORY_ROWS: f32 = 3e-5;

/// The golden's names of our object ids.
const OBJECTS: [(&str, &str); 6] = [
    ("brain", "Brain"),
    ("liver", "Liver"),
    ("resc", "Retina_RESC"),
    ("oct17", "Retina_OCT2017"),
    ("chest", "Chest"),
    ("his", "Histopathology"),
];

fn golden() -> Golden {
    Golden::open("reference/tiny/golden.safetensors")
}

fn picture(name: &str) -> Rgb8 {
    let bytes = std::fs::read(fixture(&format!("reference/tiny/{name}"))).unwrap();
    decode(&bytes, &Limits::default()).unwrap().to_rgb8(WindowChoice::Pil)
}

fn encoder(folder: &std::path::Path, blocks: Kernels) -> AdaptedEncoder {
    let bundle = BundleFolder::open(folder).unwrap();
    let open = open_cpu("test");
    let mut weights = Weights::load(&bundle, &[Group::Vision, Group::Adapters], &open.device).unwrap();
    AdaptedEncoder::take(&mut weights, bundle.manifest(), blocks, None).unwrap()
}

fn flat<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

#[test]
fn pixels_are_the_references_bit_for_bit() {
    let golden = golden();
    for (i, name) in INPUTS.iter().enumerate() {
        let planes = to_planes(&resize_bicubic(&picture(name), 70));
        assert_eq!(planes.values, golden.values(&format!("image{i}.pixels")), "{name}");
    }
    for (i, name) in SUPPORTS.iter().enumerate() {
        let planes = to_planes(&resize_bicubic(&picture(name), 70));
        assert_eq!(planes.values, golden.values(&format!("support{i}.pixels")), "{name}");
    }
}

#[test]
fn tokens_and_hidden_features_follow_the_reference_in_every_layout() {
    let golden = golden();
    for layout in LAYOUTS {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("bundle");
        tiny_bundle(layout, &out, |_| {});
        for (i, blocks) in (0..INPUTS.len()).flat_map(|i| BLOCKS.map(|blocks| (i, blocks))) {
            let encoder = encoder(&out, blocks);
            let mut run = encoder.start(golden.values(&format!("image{i}.pixels"))).with_last_mix();
            let name = |what: &str| format!("image{i}.{what}");
            assert_close(
                &format!("{layout} {blocks:?} ln_pre"),
                &flat(run.tokens()),
                &golden.values(&name("ln_pre")),
                TOKENS,
            );
            while run.step() {
                let block = run.done();
                let premix = run.premix().expect("every block of the tiny model ends a level");
                let expected = golden.values(&name(&format!("block{block}.premix")));
                assert_close(
                    &format!("{layout} {blocks:?} block {block} before mixing"),
                    &flat(premix),
                    &expected,
                    TOKENS,
                );
                let expected = golden.values(&name(&format!("block{block}")));
                assert_close(&format!("{layout} {blocks:?} block {block}"), &flat(run.tokens()), &expected, TOKENS);
            }
            let features = run.finish();
            for (l, (seg, det)) in features.segmentation.into_iter().zip(features.detection).enumerate() {
                let level = l + 1;
                assert_close("seg", &flat(seg), &golden.values(&name(&format!("seg{level}"))), HIDDEN);
                assert_close("det", &flat(det), &golden.values(&name(&format!("det{level}"))), HIDDEN);
            }
        }
    }
}

#[test]
fn quick_gelu_is_a_switch() {
    let golden = golden();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    tiny_bundle("openai_jit.pt", &out, |o| o.activation = mvfa_web::bundle::config::Activation::QuickGelu);
    let device = open_cpu("test").device;
    for (i, blocks) in (0..INPUTS.len()).flat_map(|i| BLOCKS.map(|blocks| (i, blocks))) {
        let encoder = encoder(&out, blocks);
        let pixels = golden.values(&format!("image{i}.pixels"));
        for (l, seg) in encoder.encode(pixels).segmentation.into_iter().enumerate() {
            let expected = golden.values(&format!("image{i}.quick_gelu.seg{}", l + 1));
            assert_close(&format!("quick gelu seg {blocks:?}"), &flat(seg), &expected, HIDDEN);
        }
    }
    let bundle = BundleFolder::open(&out).unwrap();
    let mut weights = Weights::load(&bundle, &[Group::Prompts], &device).unwrap();
    let found = flat(weights.take::<2>("prompts.chest", [24, 2]).unwrap());
    assert_close("quick gelu text", &found, &golden.values("quick_gelu.text.Chest"), TEXT);
}

#[test]
fn text_features_and_position_embedding_follow_the_reference_in_every_layout() {
    let golden = golden();
    for layout in LAYOUTS {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("bundle");
        tiny_bundle(layout, &out, |_| {});
        let bundle = BundleFolder::open(&out).unwrap();
        let device = open_cpu("test").device;
        let mut weights = Weights::load(&bundle, &[Group::Vision, Group::Prompts], &device).unwrap();
        for (id, key) in OBJECTS {
            let found = flat(weights.take::<2>(&format!("prompts.{id}"), [24, 2]).unwrap());
            assert_close(&format!("{layout} text {id}"), &found, &golden.values(&format!("text.{key}")), TEXT);
        }
        let found = flat(weights.take::<2>("vision.position_embedding", [26, 32]).unwrap());
        assert_close("position", &found, &golden.values("resized_position_embedding"), POSITION);
    }
}

#[test]
fn memory_rows_follow_the_reference() {
    let golden = golden();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    tiny_bundle("openai_jit.pt", &out, |_| {});
    let encoder = encoder(&out, Kernels::Plain);
    // Golden rows: by kind of view, then by picture, then by token.
    for (s, name) in SUPPORTS.iter().enumerate() {
        let planes = to_planes(&resize_bicubic(&picture(name), 70));
        for (kind, view) in augment_mvfa(&planes).into_iter().enumerate() {
            let features = encoder.encode(view.values);
            for (bank, levels) in [("seg", features.segmentation), ("det", features.detection)] {
                for (l, level) in levels.into_iter().enumerate() {
                    let (_, rows) = golden.get(&format!("memory.{bank}{}", l + 1));
                    let start = (kind * SUPPORTS.len() + s) * 26 * 24;
                    assert_close(&format!("{bank} {kind}"), &flat(level), &rows[start..start + 26 * 24], MEMORY_ROWS);
                }
            }
        }
    }
}

fn with_constants(engine_folder: &std::path::Path) -> Engine {
    // The golden's fused values use stated constants in place of a test set's extremes.
    let constants = &json("reference/tiny/golden.json")["min_max"];
    let range = |key: &str| Range {
        lo: constants[key][0].as_f64().unwrap() as f32,
        hi: constants[key][1].as_f64().unwrap() as f32,
    };
    let bundle = BundleFolder::open(engine_folder).unwrap();
    let mut manifest = bundle.manifest().clone();
    let chest = manifest.objects.iter().find(|o| o.id == "chest").unwrap().clone();
    for object in &mut manifest.objects {
        object.calibration = Some(Calibration {
            zero_map: range("S0"),
            memory_map: range("Sm"),
            zero_score: range("c0"),
            memory_score: range("cm"),
        });
    }
    // The golden scores one text by both rules; give the same prompt to an object of the other kind.
    let mut map_scored = chest;
    map_scored.id = "chest_map".to_owned();
    map_scored.kind = ObjectKind::Segmentation;
    map_scored.calibration = manifest.objects[0].calibration;
    manifest.objects.push(map_scored);
    let open = open_cpu("test");
    let groups = [Group::Vision, Group::Adapters, Group::Prompts];
    let weights = Weights::load(&bundle, &groups, &open.device).unwrap();
    Engine::new(manifest, weights, open).unwrap()
}

#[test]
fn maps_and_scores_follow_the_reference() {
    let golden = golden();
    let scores = &json("reference/tiny/golden.json")["scores"];
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    tiny_bundle("openai_jit.pt", &out, |_| {});
    let mut engine = with_constants(&out);
    for name in SUPPORTS {
        engine.add_reference(&picture(name));
    }
    let number = |v: &serde_json::Value| v.as_f64().unwrap() as f32;
    for (i, name) in INPUTS.iter().enumerate() {
        let expected = &scores[*name];
        for (id, key) in OBJECTS {
            let request = Request::new(id, Mode::Zero);
            let found = pollster::block_on(engine.analyse(&picture(name), &request, &mut Straight)).unwrap();
            assert_close("c0", &[found.score], &[number(&expected["c0"][key])], C0);
        }
        let few = |object: &str| Request { augment: Some(Augment::Mvfa), ..Request::new(object, Mode::Few) };
        let detection = pollster::block_on(engine.analyse(&picture(name), &few("chest"), &mut Straight)).unwrap();
        assert_close("S0", detection.zero.as_ref().unwrap(), &golden.values(&format!("image{i}.S0")), S0);
        assert_close("Sm", detection.memory.as_ref().unwrap(), &golden.values(&format!("image{i}.Sm")), SM);
        assert_close("fused", detection.fused.as_ref().unwrap(), &golden.values(&format!("image{i}.fused")), FUSED);
        assert_close("cm", &[detection.score_memory.unwrap()], &[number(&expected["cm"])], CM);
        assert_close("det score", &[detection.score], &[number(&expected["image_score_from_det"])], FUSED);
        let map = pollster::block_on(engine.analyse(&picture(name), &few("chest_map"), &mut Straight)).unwrap();
        assert_close("map score", &[map.score], &[number(&expected["image_score_from_fused_map"])], FUSED);
    }
}

#[test]
fn leaving_a_reference_out_equals_not_having_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    tiny_bundle("openai_jit.pt", &out, |_| {});
    let mut engine = with_constants(&out);
    for name in SUPPORTS {
        engine.add_reference(&picture(name));
    }
    let request = Request::new("chest_map", Mode::Few);
    let both = pollster::block_on(engine.analyse(&picture(INPUTS[0]), &request, &mut Straight)).unwrap();
    let left_out = both.support_scores.expect("two references give leave-one-out scores");
    engine.clear_references();
    engine.add_reference(&picture(SUPPORTS[1]));
    let alone = pollster::block_on(engine.analyse(&picture(SUPPORTS[0]), &request, &mut Straight)).unwrap();
    assert_close("left out", &left_out[..1], &[alone.score], 1e-5);
    assert_eq!(alone.support_scores, None);
}

#[test]
fn choosing_among_references_equals_having_those_only() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    tiny_bundle("openai_jit.pt", &out, |_| {});
    let [mut all, mut one] = [open_engine(&out), open_engine(&out)];
    let ids: Vec<_> = SUPPORTS.iter().map(|name| all.add_reference(&picture(name))).collect();
    one.add_reference(&picture(SUPPORTS[1]));
    let analyse = |engine: &mut Engine, among: Option<Vec<ReferenceId>>| {
        let request = Request { augment: Some(Augment::None), among, ..Request::new("brain", Mode::Few) };
        pollster::block_on(engine.analyse(&picture(INPUTS[0]), &request, &mut Straight))
    };
    let expected = analyse(&mut one, None).unwrap();
    let among_one = analyse(&mut all, Some(vec![ids[1]])).unwrap();
    assert_eq!((among_one.memory, among_one.score), (expected.memory, expected.score));
    assert_eq!(among_one.support_scores, None, "one alone has no scale");
    assert!(analyse(&mut all, Some(vec![])).unwrap_err().to_string().contains("needs at least one"));
    let with_all = analyse(&mut all, None).unwrap();
    assert_eq!(
        with_all.support_scores.map(|scores| scores.len()),
        Some(SUPPORTS.len()),
        "the choice is for one picture"
    );
}

#[test]
fn a_remembered_reference_is_as_its_picture_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    tiny_bundle("openai_jit.pt", &out, |_| {});
    let [mut first, mut later] = [open_engine(&out), open_engine(&out)];
    for augment in [Augment::Mvfa, Augment::None] {
        first.clear_references();
        later.clear_references();
        let request = Request { augment: Some(augment), ..Request::new("chest", Mode::Few) };
        SUPPORTS.iter().for_each(|name| _ = first.add_reference(&picture(name)));
        let expected = pollster::block_on(first.analyse(&picture(INPUTS[0]), &request, &mut Straight)).unwrap();
        for id in first.references() {
            let facts = first.facts(id).unwrap();
            let read = Facts::new(&facts.pixels(), facts.brightness().to_vec()).unwrap();
            assert_eq!(read, *facts);
            let kept = later.add_remembered(read);
            for (_, view) in later.lacking_views(augment) {
                let rows = pollster::block_on(first.view_rows(id, augment, view, &mut Straight)).unwrap();
                later.give_view(kept, augment, view, rows).unwrap();
            }
        }
        let found = pollster::block_on(later.analyse(&picture(INPUTS[0]), &request, &mut Straight)).unwrap();
        assert_eq!((found.memory, found.fused), (expected.memory, expected.fused));
        assert_eq!((found.score, found.support_scores), (expected.score, expected.support_scores));
        let again = pollster::block_on(later.analyse(&picture(SUPPORTS[0]), &request, &mut Straight)).unwrap();
        assert!(again.warnings.contains(&Warning::AmongReferences));
        let other = if augment == Augment::None { Augment::Mvfa } else { Augment::None };
        let request = Request { augment: Some(other), ..Request::new("chest", Mode::Few) };
        let error = pollster::block_on(later.analyse(&picture(INPUTS[0]), &request, &mut Straight)).unwrap_err();
        assert!(error.to_string().contains("add their pictures again"), "{error}");
    }
    for (pixels, count) in [("", 256), ("zz", 256), (&"0".repeat(64)[..], 255)] {
        assert!(Facts::new(pixels, vec![0.0; count]).unwrap_err().to_string().contains("damaged"));
    }
    assert!(Facts::new(&"0".repeat(64), vec![f32::NAN; 256]).is_err());
}

/// All views of all references, each encoded by one of two engines and given to the other.
#[test]
fn two_engines_that_share_the_views_of_references_are_as_one_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    for (name, adapters) in [("adapted", true), ("raw", false)] {
        let out = folder.path().join(name);
        tiny_bundle("openai_jit.pt", &out, |o| {
            if !adapters {
                o.adapters = None;
            }
        });
        let mut engines: Vec<Engine> = (0..3).map(|_| open_engine(&out)).collect();
        for engine in &mut engines {
            SUPPORTS.iter().for_each(|name| _ = engine.add_reference(&picture(name)));
        }
        let [alone, one, other] = &mut engines[..] else { panic!("three engines") };
        let views = one.lacking_views(Augment::Mvfa);
        assert_eq!(views.len(), 2 * 11);
        for (n, (id, view)) in views.into_iter().enumerate() {
            let (encoding, given) = if n % 3 == 0 { (&mut *one, &mut *other) } else { (&mut *other, &mut *one) };
            assert!(pollster::block_on(encoding.view_rows(id, Augment::Mvfa, view, &mut Straight)).is_err());
            pollster::block_on(encoding.encode_view(id, Augment::Mvfa, view, (0, 1), &mut Straight)).unwrap();
            let rows = pollster::block_on(encoding.view_rows(id, Augment::Mvfa, view, &mut Straight)).unwrap();
            let short = rows.iter().map(|level| level[1..].to_vec()).collect();
            let error = given.give_view(id, Augment::Mvfa, view, short).unwrap_err().to_string();
            assert!(error.contains("share them within one model"), "{error}");
            given.give_view(id, Augment::Mvfa, view, rows).unwrap();
            assert_eq!(one.lacking_views(Augment::Mvfa).len(), 21 - n);
        }
        for augment in [Augment::Mvfa, Augment::None] {
            let request = Request { augment: Some(augment), ..Request::new("chest", Mode::Few) };
            let analyse = |engine: &mut Engine| {
                let found = pollster::block_on(engine.analyse(&picture(INPUTS[0]), &request, &mut Straight)).unwrap();
                (found.memory, found.score_memory, found.support_scores)
            };
            let expected = analyse(alone);
            assert_eq!(analyse(one), expected, "{name}, {augment:?}");
            assert_eq!(analyse(other), expected, "{name}, {augment:?}");
        }
        // Complete references are given away view by view, too.
        let mut late = open_engine(&out);
        let id = late.add_reference(&picture(SUPPORTS[0]));
        pollster::block_on(one.analyse(
            &picture(INPUTS[0]),
            &Request { augment: Some(Augment::Mvfa), ..Request::new("chest", Mode::Few) },
            &mut Straight,
        ))
        .unwrap();
        for (late_id, view) in late.lacking_views(Augment::Mvfa) {
            assert_eq!(late_id, id);
            let rows = pollster::block_on(one.view_rows(id, Augment::Mvfa, view, &mut Straight)).unwrap();
            late.give_view(id, Augment::Mvfa, view, rows.clone()).unwrap();
            let back = pollster::block_on(late.view_rows(id, Augment::Mvfa, view, &mut Straight)).unwrap();
            assert_eq!(back, rows);
        }
        assert!(late.lacking_views(Augment::Mvfa).is_empty());
    }
}

#[test]
fn a_smaller_memory_is_the_memory_where_it_is_large_enough_and_near_it_where_not() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    tiny_bundle("openai_jit.pt", &out, |_| {});
    let mut engine = with_constants(&out);
    for name in SUPPORTS {
        engine.add_reference(&picture(name));
    }
    // The object is scored by the second bank, so both must shrink.
    let mut analyse = |bank_rows| {
        let request = Request { augment: Some(Augment::None), bank_rows, ..Request::new("chest", Mode::Few) };
        pollster::block_on(engine.analyse(&picture(INPUTS[0]), &request, &mut Straight)).unwrap()
    };
    let all = analyse(None);
    // Two references of 26 rows.
    let as_large = analyse(Some(52));
    assert_eq!((&as_large.memory, as_large.score), (&all.memory, all.score));
    assert_eq!(as_large.support_scores, all.support_scores);
    let small = analyse(Some(20));
    let (small_map, all_map) = (small.memory.unwrap(), all.memory.as_ref().unwrap());
    assert_ne!(&small_map, all_map);
    assert_ne!(small.score_memory, all.score_memory);
    assert_ne!(small.support_scores, all.support_scores);
    let mean = |map: &[f32]| map.iter().sum::<f32>() / map.len() as f32;
    let (small_mean, all_mean) = (mean(&small_map), mean(all_map));
    assert!(small_mean > 0.5 * all_mean && small_mean < 2.0 * all_mean, "{small_mean} and {all_mean}");
    assert_eq!(analyse(None).memory, all.memory, "no trace of the smaller memory");
}

#[test]
fn the_self_test_accepts_its_own_device_and_refuses_other_weights() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    tiny_bundle("openai_jit.pt", &one, |_| {});
    tiny_bundle("openai_jit.pt", &two, |o| o.adapters = None);
    pollster::block_on(open_engine(&one).self_test(&mut Straight)).unwrap();
    // The same tensors under another model's expectations.
    let bundle = BundleFolder::open(&one).unwrap();
    let mut manifest = bundle.manifest().clone();
    let other = BundleFolder::open(&two).unwrap().manifest().self_test.clone();
    assert!(other.is_some());
    manifest.self_test = other;
    let open = open_cpu("test");
    let weights = Weights::load(&bundle, &[Group::Vision, Group::Adapters, Group::Prompts], &open.device).unwrap();
    let mut engine = Engine::new(manifest, weights, open).unwrap();
    assert!(pollster::block_on(engine.self_test(&mut Straight)).is_err());
}

#[test]
fn the_native_size_of_clip_gives_577_tokens_and_a_map() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    tiny_bundle("openai_jit.pt", &out, |o| o.size_px = 336);
    let mut engine = open_engine(&out);
    pollster::block_on(engine.self_test(&mut Straight)).unwrap();
    let planes = to_planes(&resize_bicubic(&picture(INPUTS[0]), 336));
    let features = pollster::block_on(engine.encode(&planes, Mode::Few, Stage::Encode, (0, 4), &mut Straight)).unwrap();
    assert!(features.segmentation.iter().all(|level| level.dims() == [577, 24]));
    engine.add_reference(&picture(SUPPORTS[0]));
    let request = Request { augment: Some(Augment::None), ..Request::new("chest", Mode::Few) };
    let found = pollster::block_on(engine.analyse(&picture(INPUTS[0]), &request, &mut Straight)).unwrap();
    for map in [found.zero.unwrap(), found.memory.unwrap()] {
        assert_eq!(map.len(), 336 * 336);
        let (lowest, highest) = map.iter().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        assert!(map.iter().all(|v| v.is_finite()) && highest - lowest > 0.1, "{lowest} to {highest}");
    }
}

#[test]
fn regions_left_out_take_their_part_of_scores_and_scale_and_nothing_of_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    tiny_bundle("openai_jit.pt", &out, |_| {});
    let mut engine = open_engine(&out);
    for name in SUPPORTS {
        engine.add_reference(&picture(name));
    }
    let image = picture(INPUTS[0]);
    let (width_px, height_px) = (image.width_px, image.height_px);
    let half = PixelBox { x: 0, y: 0, width: width_px as u32 / 2, height: height_px as u32 };
    let regions = Regions::new(&[half], width_px, height_px).unwrap();
    for object in ["brain", "chest"] {
        let request = Request { augment: Some(Augment::None), ..Request::new(object, Mode::Few) };
        let mut analyse = |regions: &Regions| {
            engine.leave_out(regions).unwrap();
            pollster::block_on(engine.analyse(&image, &request, &mut Straight)).unwrap()
        };
        let whole = analyse(&Regions::default());
        let part = analyse(&regions);
        let again = analyse(&Regions::default());
        assert_eq!((&again.memory, again.score), (&whole.memory, whole.score), "no trace of the regions");
        assert_eq!(again.support_scores, whole.support_scores);

        let (left_out, whole_map) = (part.left_out.unwrap(), whole.memory.unwrap());
        let map = part.memory.unwrap();
        assert!(map.iter().zip(&left_out).all(|(value, out)| value.is_nan() == *out));
        // Right of the fourth patch's centre (pixel 51.75 of 70) nothing changes: distances are those to the whole memory.
        let far = |n: &usize| n % 70 >= 52;
        assert!((0..map.len()).filter(far).all(|n| map[n] == whole_map[n]));
        assert!(part.overlay.iter().all(|value| value.is_finite()));
        if object == "brain" {
            let highest = map.iter().copied().filter(|value| !value.is_nan()).fold(f32::NEG_INFINITY, f32::max);
            assert!((part.score_memory.unwrap() - highest).abs() < 1e-5);
        } else {
            // The other features' mean has no map to be compared with.
            assert_ne!(part.score_memory, whole.score_memory);
        }
        assert_ne!(part.support_scores, whole.support_scores, "the references' own scores follow the same rule");
    }
    let everything = PixelBox { width: width_px as u32, ..half };
    assert!(engine.leave_out(&Regions::new(&[everything], width_px, height_px).unwrap()).is_err());
}
