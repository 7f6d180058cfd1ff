//! The methods that stand around MVFA, each against a plain reimplementation in 64 bits on the tiny model.

use mvfa_web::bundle::manifest::{Augment, Manifest};
use mvfa_web::image::{Rgb8, resize_bicubic, to_planes};
use mvfa_web::mvfa::{Analysis, Engine, Geometry, Matching, Mode, ReferenceId, Request, upsample};

use super::common::{Straight, assert_close, open_engine_as, tiny_bundle};

const GRID: usize = 5;
const SIDE_PX: usize = 70;
const COMPONENTS: usize = 8;
const PROTOTYPES: usize = 6;
const LIMIT: f32 = 1e-5;

/// A row of the tower, of length 1.
type Row = Vec<f64>;
/// Per level the rows of a picture, the class row first.
type Levels = Vec<Vec<Row>>;

/// The tiny model with raw tokens in its memory, sides alike or not.
fn engine(change: impl Fn(&mut Manifest)) -> Engine {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    tiny_bundle("openai_jit.pt", &out, |_| {});
    open_engine_as(&out, |manifest| {
        let mut manifest = manifest.with_raw_memory();
        change(&mut manifest);
        manifest
    })
}

/// Stripes and spots, others for each number.
fn picture(n: usize) -> Rgb8 {
    let side_px = 70;
    let value = |i: usize| {
        let (x, y) = ((i % side_px) as f64, (i / side_px) as f64);
        let stripe = (x * (0.05 + 0.03 * n as f64) + y * 0.11 * (n % 3) as f64).sin();
        let spot = (-((x - 20.0 - 3.0 * n as f64).powi(2) + (y - 35.0).powi(2)) / 60.0).exp();
        (127.0 + 70.0 * stripe + 50.0 * spot) as u8
    };
    let bytes = (0..side_px * side_px).flat_map(|i| [value(i), value(i + n), value(i / 2)]).collect();
    Rgb8 { width_px: side_px, height_px: side_px, bytes }
}

fn levels(engine: &Engine, picture: &Rgb8) -> Levels {
    let planes = to_planes(&resize_bicubic(picture, SIDE_PX));
    let tokens = pollster::block_on(engine.raw_tokens(&planes, &mut Straight)).unwrap();
    let unit = |row: &[f32]| -> Row {
        let length = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        row.iter().map(|v| f64::from(*v) / length).collect()
    };
    tokens.iter().map(|level| level.chunks(level.len() / (GRID * GRID + 1)).map(unit).collect()).collect()
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Distance to the nearest of some rows.
fn nearest<'a>(patch: &[f64], rows: impl IntoIterator<Item = &'a Row>) -> f64 {
    1.0 - rows.into_iter().map(|row| cosine(patch, row)).fold(f64::NEG_INFINITY, f64::max)
}

fn place_of_nearest(row: &[f64], centres: &[Row]) -> usize {
    let cosines: Vec<f64> = centres.iter().map(|centre| cosine(row, centre)).collect();
    (0..centres.len()).rev().max_by(|a, b| cosines[*a].total_cmp(&cosines[*b])).unwrap()
}

/// Spherical k-means: it begins with the first row, then each time with the one furthest from all centres; twenty rounds.
fn k_means(rows: &[Row], count: usize) -> (Vec<Row>, Vec<usize>) {
    let mut centres = vec![rows[0].clone()];
    while centres.len() < count.min(rows.len()) {
        let furthest =
            (0..rows.len()).rev().max_by(|a, b| nearest(&rows[*a], &centres).total_cmp(&nearest(&rows[*b], &centres)));
        centres.push(rows[furthest.unwrap()].clone());
    }
    let mut of_row: Vec<usize> = rows.iter().map(|row| place_of_nearest(row, &centres)).collect();
    for _ in 0..20 {
        for (n, centre) in centres.iter_mut().enumerate() {
            let own: Vec<&Row> = rows.iter().zip(&of_row).filter(|(_, of)| **of == n).map(|(row, _)| row).collect();
            let sum: Row = (0..centre.len()).map(|d| own.iter().map(|row| row[d]).sum()).collect();
            let length = cosine(&sum, &sum).sqrt();
            if length > 0.0 {
                *centre = sum.iter().map(|v| v / length).collect();
            }
        }
        of_row = rows.iter().map(|row| place_of_nearest(row, &centres)).collect();
    }
    (centres, of_row)
}

fn analyse(engine: &mut Engine, picture: &Rgb8, request: &Request) -> Analysis {
    pollster::block_on(engine.analyse(picture, request, &mut Straight)).unwrap()
}

fn request(mode: Mode, matching: Matching) -> Request {
    Request { matching, augment: Some(Augment::None), bilateral: Some(false), ..Request::new("brain", mode) }
}

fn check(what: &str, found: &Analysis, expected: &[Vec<f64>]) {
    assert_eq!(found.levels.len(), expected.len(), "{what}");
    for (n, (found, expected)) in found.levels.iter().zip(expected).enumerate() {
        let expected: Vec<f32> = expected.iter().map(|v| *v as f32).collect();
        assert_close(&format!("{what}, level {n}"), found, &expected, LIMIT);
    }
    let map = map_of(expected);
    assert_close(what, found.memory.as_ref().unwrap(), &map, 4.0 * LIMIT);
    let highest = map.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    assert_close(what, &[found.score], &[highest], 4.0 * LIMIT);
}

/// By the paper's rules, which the tiny model has.
fn map_of(levels: &[Vec<f64>]) -> Vec<f32> {
    let mut sum = vec![0.0; SIDE_PX * SIDE_PX];
    for level in levels {
        let level: Vec<f32> = level.iter().map(|v| *v as f32).collect();
        sum.iter_mut().zip(upsample(&level, GRID, SIDE_PX, Geometry::Reference)).for_each(|(s, v)| *s += v);
    }
    sum
}

/// A picture, some others, and the levels of all.
fn set(engine: &mut Engine, count: usize) -> (Rgb8, Levels, Vec<ReferenceId>, Vec<Levels>) {
    let query = picture(0);
    let others: Vec<Rgb8> = (1..=count).map(picture).collect();
    let ids = others.iter().map(|other| engine.add_reference(other)).collect();
    let of_others = others.iter().map(|other| levels(engine, other)).collect();
    (query.clone(), levels(engine, &query), ids, of_others)
}

#[test]
fn memory_is_the_nearest_of_all_rows() {
    let mut engine = engine(|_| {});
    let (query, own, _, references) = set(&mut engine, 3);
    let found = analyse(&mut engine, &query, &request(Mode::Few, Matching::Nearest));
    let level = |(l, rows): (usize, &Vec<Row>)| -> Vec<f64> {
        rows[1..].iter().map(|patch| nearest(patch, references.iter().flat_map(|r| &r[l]))).collect()
    };
    check("memory", &found, &own.iter().enumerate().map(level).collect::<Vec<_>>());
}

#[test]
fn components_match_within_a_kind_of_tissue_and_leave_a_reference_out_for_its_own_score() {
    let mut engine = engine(|_| {});
    let (query, own, ids, references) = set(&mut engine, 4);
    let found = analyse(&mut engine, &query, &request(Mode::Few, Matching::Components));
    let (mut of_query, mut of_references) = (Vec::new(), vec![Vec::new(); ids.len()]);
    for (l, rows) in own.iter().enumerate() {
        let all: Vec<Row> = references.iter().flat_map(|r| r[l].clone()).collect();
        let owners: Vec<usize> = references.iter().enumerate().flat_map(|(n, r)| vec![n; r[l].len()]).collect();
        let (centres, of_row) = k_means(&all, COMPONENTS);
        let distance = |patch: &Row, without: Option<usize>| {
            let component = place_of_nearest(patch, &centres);
            let others = || (0..all.len()).filter(|n| Some(owners[*n]) != without);
            let same: Vec<&Row> = others().filter(|n| of_row[*n] == component).map(|n| &all[n]).collect();
            if same.is_empty() { nearest(patch, others().map(|n| &all[n])) } else { nearest(patch, same) }
        };
        of_query.push(rows[1..].iter().map(|patch| distance(patch, None)).collect::<Vec<f64>>());
        for (n, reference) in references.iter().enumerate() {
            of_references[n].push(reference[l][1..].iter().map(|patch| distance(patch, Some(n))).collect::<Vec<f64>>());
        }
    }
    check("components", &found, &of_query);
    let highest = |levels: &Vec<Vec<f64>>| map_of(levels).into_iter().fold(f32::NEG_INFINITY, f32::max);
    let expected: Vec<f32> = of_references.iter().map(highest).collect();
    assert_eq!(found.support_ids.as_deref(), Some(&ids[..]));
    assert_close("normal pictures", found.support_scores.as_ref().unwrap(), &expected, 4.0 * LIMIT);

    let memory = analyse(&mut engine, &query, &request(Mode::Few, Matching::Nearest));
    assert!(memory.levels.iter().zip(&found.levels).all(|(m, c)| m.iter().zip(c).all(|(m, c)| *c >= m - LIMIT)));
    assert_ne!(memory.levels, found.levels, "another kind of tissue excuses some patch");
    // Fewer references, other components.
    let few = Request { among: Some(ids[..2].to_vec()), ..request(Mode::Few, Matching::Components) };
    assert_ne!(analyse(&mut engine, &query, &few).levels, found.levels);
    assert_eq!(analyse(&mut engine, &query, &request(Mode::Few, Matching::Components)).levels, found.levels);
}

#[test]
fn a_batch_judges_by_the_nearest_three_tenths_of_the_others() {
    let mut engine = engine(|_| {});
    let (query, own, ids, others) = set(&mut engine, 11);
    // The picture itself is one of the batch and does not judge itself.
    let itself = engine.add_reference(&query);
    let request = Request { among: Some(ids), ..request(Mode::Few, Matching::Mutual) };
    let found = analyse(&mut engine, &query, &request);
    let level = |(l, rows): (usize, &Vec<Row>)| -> Vec<f64> {
        let judged = |patch: &Row| {
            let mut distances: Vec<f64> = others.iter().map(|other| nearest(patch, &other[l])).collect();
            distances.sort_by(f64::total_cmp);
            distances[..3].iter().sum::<f64>() / 3.0
        };
        rows[1..].iter().map(judged).collect()
    };
    check("batch", &found, &own.iter().enumerate().map(level).collect::<Vec<_>>());
    assert!(found.support_scores.is_none() && found.normal_top.is_none() && found.score_calibrated.is_none());
    assert!(found.warnings.is_empty(), "one of the batch is no normal picture: {:?} {itself:?}", found.warnings);
}

#[test]
fn a_picture_by_itself_is_measured_from_what_most_of_it_looks_like() {
    let mut engine = engine(|_| {});
    let query = picture(0);
    let own = levels(&engine, &query);
    let scale = 1.0 / (own.len() as f64).sqrt();
    let joined: Vec<Row> = (1..=GRID * GRID)
        .map(|patch| own.iter().flat_map(|level| level[patch].iter().map(|v| scale * v)).collect())
        .collect();
    let (centres, of_row) = k_means(&joined, PROTOTYPES);
    let held = |n: &usize| of_row.iter().filter(|of| *of == n).count() as f64 >= 0.05 * joined.len() as f64;
    let prototypes: Vec<Row> = (0..centres.len()).filter(held).map(|n| centres[n].clone()).collect();
    let expected: Vec<f64> = joined.iter().map(|patch| nearest(patch, &prototypes)).collect();
    let found = analyse(&mut engine, &query, &request(Mode::Itself, Matching::Prototypes));
    check("itself", &found, &[expected]);

    // Where sides look alike, the left-right channel is beside it, whole.
    let sides = |matching| Request { bilateral: Some(true), ..request(Mode::Itself, matching) };
    let mirrored = analyse(&mut engine, &query, &sides(Matching::Nearest));
    let both = analyse(&mut engine, &query, &sides(Matching::Prototypes));
    assert_eq!(both.levels, [found.levels[0].clone(), mirrored.levels[0].clone()]);
}
