//! The memory scored by rules of its own, and left compared with right, against an independent program.
//!
//! Golden values are made by `make_golden.py` beside this file: numpy, scipy and Pillow, no code of this project.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod methods;

use std::path::Path;

use common::{Golden, Straight, assert_close, fixture};
use mvfa_web::bundle::manifest::{Group, Manifest};
use mvfa_web::bundle::scoring::{ImageScores, PatchPlaces, Scoring};
use mvfa_web::bundle::store::BundleFolder;
use mvfa_web::compute::{Kernels, Weights, open_cpu};
use mvfa_web::image::{Limits, Rgb8, WindowChoice, decode};
use mvfa_web::mvfa::{Analysis, Engine, EngineError, ImageScore, Mode, PixelBox, Regions, Request};

/// What the independent program computes by.
fn rules() -> Scoring {
    Scoring {
        levels: Some(vec![6, 9]),
        patches: PatchPlaces::PatchCentres,
        smoothing_px: 4.0,
        image_score: ImageScores { segmentation: ImageScore::Top(0.01), detection: ImageScore::Top(0.05) },
        class_rows: false,
    }
}

/// The order of the scores in the golden file: of each map by both rules.
const MAPS: [&str; 3] = ["plain", "bilateral", "self"];
const SIDE_PX: usize = 240;
const LIMIT: f32 = 1e-4;

const GROUPS: [(&str, [&str; 3], [&str; 6]); 2] = [
    (
        "Brain_AD",
        ["valid/good/img/brain2_004", "test/good/img/brain2_005", "test/good/img/brain2_016"],
        [
            "test/good/img/brain1_002",
            "test/good/img/brain1_006",
            "test/good/img/brain1_009",
            "test/Ungood/img/brain1_014",
            "test/Ungood/img/brain1_015",
            "test/Ungood/img/brain1_017",
        ],
    ),
    (
        "Lung_AD",
        ["test/good/img/lung1_003", "test/good/img/lung1_015", "test/good/img/lung1_027"],
        [
            "test/good/img/lung2_027",
            "test/good/img/lung2_039",
            "test/good/img/lung2_051",
            "test/Ungood/img/lung2_019",
            "test/Ungood/img/lung2_022",
            "test/Ungood/img/lung2_025",
        ],
    ),
];

fn picture(group: &str, name: &str) -> Rgb8 {
    let bytes = std::fs::read(fixture(&format!("bmad/{group}/{name}.png"))).unwrap();
    decode(&bytes, &Limits::default()).unwrap().to_rgb8(WindowChoice::Auto)
}

fn engine(kernels: Kernels, change: impl FnOnce(&mut Manifest)) -> Engine {
    let bundle = BundleFolder::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default")).unwrap();
    let open = open_cpu("test");
    let weights = Weights::load(&bundle, &[Group::Vision, Group::Adapters, Group::Prompts], &open.device).unwrap();
    let mut manifest = bundle.manifest().clone();
    manifest.scoring = Some(rules());
    change(&mut manifest);
    Engine::with_kernels(manifest, weights, open, kernels).unwrap()
}

fn request(object: &str, mode: Mode, bilateral: bool) -> Request {
    Request { bilateral: Some(bilateral), ..Request::new(object, mode) }
}

fn analyse(engine: &mut Engine, picture: &Rgb8, request: &Request) -> Analysis {
    pollster::block_on(engine.analyse(picture, request, &mut Straight)).unwrap()
}

/// Every fourth pixel, beginning with the third.
fn sampled(map: &[f32]) -> Vec<f32> {
    let places = (2..SIDE_PX).step_by(4);
    places.clone().flat_map(|y| places.clone().map(move |x| map[y * SIDE_PX + x])).collect()
}

/// All slices on one tier.
fn follows(kernels: Kernels) {
    let golden = Golden::open("scoring/golden.safetensors");
    let mut engine = engine(kernels, |_| {});
    for (group, references, slices) in GROUPS {
        engine.clear_references();
        for name in references {
            engine.add_reference(&picture(group, name));
        }
        for name in slices {
            let picture = picture(group, name);
            let key = name.rsplit('/').next().unwrap();
            let scores = golden.values(&format!("{key}.scores"));
            let modes = [(Mode::Few, false), (Mode::Few, true), (Mode::Itself, true)];
            for ((n, map), (mode, bilateral)) in MAPS.iter().enumerate().zip(modes) {
                let what = format!("{key} {map} {kernels:?}");
                let by_mask = analyse(&mut engine, &picture, &request("brain", mode, bilateral));
                let found = by_mask.memory.unwrap();
                assert_close(&what, &sampled(&found), &golden.values(&format!("{key}.{map}")), LIMIT);
                assert_eq!(by_mask.overlay, found, "patches are at their true places already");
                let by_label = analyse(&mut engine, &picture, &request("chest", mode, bilateral));
                assert_close(&what, &[by_mask.score, by_label.score], &scores[2 * n..2 * n + 2], LIMIT);
                let of_mirror = golden.values(&format!("{key}.s"));
                let channel = by_mask.levels.last().unwrap();
                match (mode, bilateral) {
                    (Mode::Itself, _) => assert_close(&what, channel, &of_mirror, LIMIT),
                    (_, true) => {
                        let half: Vec<f32> = of_mirror.iter().map(|s| 0.5 * s).collect();
                        assert_close(&what, channel, &half, LIMIT);
                    }
                    _ => {
                        let sum: Vec<f32> =
                            by_mask.levels[0].iter().zip(&by_mask.levels[1]).map(|(a, b)| a + b).collect();
                        assert_close(&what, &sum, &golden.values(&format!("{key}.d")), LIMIT);
                    }
                }
            }
        }
    }
}

#[test]
fn maps_and_scores_follow_an_independent_program_on_the_processor_tier() {
    follows(Kernels::Packed);
}

#[test]
fn maps_and_scores_follow_an_independent_program_in_burns_operations() {
    follows(Kernels::Plain);
}

#[test]
fn words_and_the_papers_rules_are_as_without_the_section() {
    let (group, references, slices) = GROUPS[0];
    let mut engines = [
        engine(Kernels::Packed, |m| m.objects.iter_mut().for_each(|o| o.bilateral = false)),
        engine(Kernels::Packed, |m| {
            m.scoring = None;
            m.objects.iter_mut().for_each(|o| o.bilateral = false);
        }),
        engine(Kernels::Packed, |m| {
            m.objects.iter_mut().for_each(|o| o.bilateral = true);
            *m = m.clone().with_paper_rules();
        }),
    ];
    let image = picture(group, slices[0]);
    let [own, none, paper] = &mut engines;
    for mode in [Mode::Zero, Mode::Few] {
        let request = Request { bilateral: None, ..request("brain", mode, false) };
        let [own, none, paper] = [&mut *own, &mut *none, &mut *paper].map(|engine| {
            engine.clear_references();
            references.iter().for_each(|name| _ = engine.add_reference(&picture(group, name)));
            analyse(engine, &image, &request)
        });
        assert_eq!((none.map(), none.score, &none.overlay), (paper.map(), paper.score, &paper.overlay));
        assert_eq!(own.score == none.score, mode == Mode::Zero);
        assert_eq!(own.map() == none.map(), mode == Mode::Zero);
        assert_eq!((own.levels.len(), none.levels.len()), if mode == Mode::Zero { (4, 4) } else { (2, 4) });
        // The likeness of whole images reads the first level under all rules.
        assert_eq!(own.unlikeness, none.unlikeness);
    }
    // Nine blocks instead of eleven.
    assert_eq!((own.steps(), none.steps()), (9, 11));
}

#[test]
fn two_engines_share_views_of_a_memory_with_rules_of_its_own() {
    let (group, references, slices) = GROUPS[0];
    let mut engines = [engine(Kernels::Packed, |_| {}), engine(Kernels::Packed, |_| {})];
    for engine in &mut engines {
        references.iter().for_each(|name| _ = engine.add_reference(&picture(group, name)));
    }
    let request = request("brain", Mode::Few, true);
    let [one, other] = &mut engines;
    let image = picture(group, slices[3]);
    // The first view travels before its signature is read, the others after.
    let augment = one.manifest().augment;
    for (n, (id, view)) in one.lacking_views(augment).into_iter().enumerate() {
        pollster::block_on(one.encode_view(id, augment, view, (0, 1), &mut Straight)).unwrap();
        if n == 0 {
            let rows = pollster::block_on(one.view_rows(id, augment, view, &mut Straight)).unwrap();
            // Two levels without class rows, and two vectors that stand for the whole.
            assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [289 * 384, 289 * 384, 2 * 384]);
        }
    }
    let alone = analyse(one, &image, &request);
    for (id, view) in other.lacking_views(augment) {
        let rows = pollster::block_on(one.view_rows(id, augment, view, &mut Straight)).unwrap();
        other.give_view(id, augment, view, rows).unwrap();
    }
    let shared = analyse(other, &image, &request);
    assert_eq!((alone.memory, alone.score, alone.unlikeness), (shared.memory, shared.score, shared.unlikeness));
    assert_eq!(alone.support_scores, shared.support_scores);
    // A score below the highest place of any normal picture's map.
    let highest = alone.support_scores.unwrap().into_iter().fold(f32::NEG_INFINITY, f32::max);
    assert!(alone.normal_top.unwrap() > highest);
}

#[test]
fn regions_left_out_reach_no_pixel_of_a_smoothed_map() {
    let (group, references, slices) = GROUPS[0];
    let mut engine = engine(Kernels::Packed, |_| {});
    references.iter().for_each(|name| _ = engine.add_reference(&picture(group, name)));
    let image = picture(group, slices[3]);
    let request = request("brain", Mode::Few, false);
    let part = PixelBox { x: 0, y: 0, width: image.width_px as u32, height: image.height_px as u32 / 3 };
    engine.leave_out(&Regions::new(&[part], image.width_px, image.height_px).unwrap()).unwrap();
    let found = analyse(&mut engine, &image, &request);
    let (map, left_out) = (found.memory.unwrap(), found.left_out.unwrap());
    assert!(map.iter().zip(&left_out).all(|(value, out)| value.is_nan() == *out) && left_out.contains(&true));
    assert!(found.overlay.iter().all(|value| value.is_finite()));
    let kept: Vec<f32> = map.into_iter().filter(|value| !value.is_nan()).collect();
    let count = (kept.len() as f32 / 100.0).ceil() as usize;
    let mut highest = kept;
    highest.sort_unstable_by(|a, b| b.total_cmp(a));
    let mean = highest[..count].iter().sum::<f32>() / count as f32;
    assert!((found.score - mean).abs() < 1e-5, "{} and {mean}", found.score);
}

#[test]
fn an_object_without_like_sides_is_compared_with_itself_only_if_asked() {
    let (group, _, slices) = GROUPS[0];
    let mut engine = engine(Kernels::Packed, |_| {});
    let image = picture(group, slices[0]);
    for bilateral in [None, Some(false)] {
        let request = Request { bilateral, ..request("liver", Mode::Itself, true) };
        let error = pollster::block_on(engine.analyse(&image, &request, &mut Straight)).unwrap_err();
        assert!(matches!(&error, EngineError::NotBilateral { object } if object == "liver"), "{error}");
    }
    let found = analyse(&mut engine, &image, &request("liver", Mode::Itself, true));
    assert!(found.score > 0.0 && found.score_calibrated.is_none() && found.support_scores.is_none());
}
