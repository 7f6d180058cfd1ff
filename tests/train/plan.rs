//! Which pictures a plan takes, and what a step of several pictures is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use burn::tensor::Tensor;
use mvfa_web::bundle::manifest::{Group, MemoryFeatures, ObjectKind};
use mvfa_web::bundle::store::BundleFolder;
use mvfa_web::eval::{Dataset, Sample, Split, read_mask};
use mvfa_web::image::{Limits, WindowChoice, decode, resize_bicubic, to_planes};
use mvfa_web::train::{
    Change, DataSet, EpochRecord, FewOptions, Model, Normals, Pace, Plan, Purpose, RunOptions, Selection, Source,
    StepReport, Target, Watch, ZeroOptions, order, plan_few, plan_zero, run,
};

use crate::common::{assert_close, max_difference};
use crate::tools::{Place, phantoms};

fn options(target: Option<&str>, selection: Selection) -> ZeroOptions {
    ZeroOptions {
        target: target.map(str::to_owned),
        normals: Vec::new(),
        synthetic_each: 2,
        limit: 1,
        selection,
        validation_limit: None,
        seed: 1,
    }
}

#[test]
fn the_object_left_out_is_never_trained_on() {
    let place = Place::new();
    let data = place.path("all");
    let counts = ["--object", "all", "--normal", "4", "--abnormal", "4", "--valid-share", "0.5", "--size", "64"];
    phantoms(&data, &counts);
    let manifest = BundleFolder::open(&place.bundle).unwrap().manifest().clone();
    let folders = [
        ("brain", "Brain_AD"),
        ("liver", "Liver_AD"),
        ("resc", "Retina_RESC_AD"),
        ("oct17", "Retina_OCT2017_AD"),
        ("chest", "Chest_AD"),
        ("his", "Histopathology_AD"),
    ];
    let is_in = |source: &Source, folder: &str| source.sample.image.starts_with(data.join(folder));
    for (target, of_target) in folders {
        for selection in [Selection::Valid, Selection::Test, Selection::Last] {
            let plan = plan_zero(&manifest, std::slice::from_ref(&data), &options(Some(target), selection)).unwrap();
            assert!(!plan.train.iter().any(|s| is_in(s, of_target)), "{target} {selection:?}");
            // One picture of each class of each other set.
            for (_, folder) in folders.iter().filter(|(object, _)| *object != target) {
                assert_eq!(plan.train.iter().filter(|s| is_in(s, folder)).count(), 2, "{folder}");
            }
            let kept = &plan.validation;
            match selection {
                Selection::Valid => assert!(kept.len() == 20 && !kept.iter().any(|s| is_in(s, of_target))),
                // The limit of training is none of the choice.
                Selection::Test => assert!(kept.len() == 4 && kept.iter().all(|s| is_in(s, of_target))),
                Selection::Last => assert!(kept.is_empty()),
            }
            assert!(plan.references.is_empty());
        }
    }
    let mut leaky = options(Some("brain"), Selection::Last);
    leaky.normals = vec![Normals { object: "brain".to_owned(), files: vec![PathBuf::from("a.png")] }];
    let error = plan_zero(&manifest, &[data], &leaky).unwrap_err().to_string();
    assert!(error.contains("leave out") && error.contains("--normals"), "{error}");
}

/// Other pictures of a person that is trained on choose no epoch.
#[test]
fn persons_are_either_trained_on_or_chosen_by() {
    let place = Place::new();
    for class in ["good", "Ungood"] {
        for (n, file) in place.files(&format!("valid/{class}/img")).iter().enumerate() {
            // Two pictures of each of two persons.
            let person = file.parent().unwrap().join(format!("{class} {}", n / 2));
            std::fs::create_dir_all(&person).unwrap();
            std::fs::rename(file, person.join(file.file_name().unwrap())).unwrap();
        }
    }
    let data = Dataset::open(&place.data.join("Brain_AD")).unwrap();
    let manifest = BundleFolder::open(&place.bundle).unwrap().manifest().clone();
    let options =
        FewOptions { shots: 1, normal_only: false, selection: Selection::Valid, validation_limit: None, seed: 3 };
    let plan = plan_few(&data, manifest.object("brain").unwrap(), &options).unwrap();
    let persons = |sources: &[Source]| -> BTreeSet<String> {
        sources.iter().map(|source| source.sample.person.clone().unwrap()).collect()
    };
    let (trained, chosen_by) = (persons(&plan.train), persons(&plan.validation));
    assert_eq!((trained.len(), chosen_by.len(), plan.validation.len()), (2, 2, 4), "{trained:?} {chosen_by:?}");
    assert!(trained.is_disjoint(&chosen_by), "{trained:?} {chosen_by:?}");
}

struct Quiet;

impl Watch for Quiet {
    fn preparing(&mut self, _: usize, _: usize) {}
    fn step(&mut self, _: &StepReport) {}
    fn validating(&mut self, _: usize, _: usize) {}
    fn epoch(&mut self, _: &EpochRecord) {}
    fn note(&mut self, _: &str) {}
}

/// Gradients of one picture's losses at `parameters`.
fn gradients(
    model: &Model,
    parameters: &mvfa_web::train::Parameters,
    text: &Tensor<2>,
    sample: &Sample,
) -> Vec<Option<Tensor<1>>> {
    let side_px = model.manifest().preprocess.size_px;
    let picture = decode(&std::fs::read(&sample.image).unwrap(), &Limits::default()).unwrap();
    let planes = to_planes(&resize_bicubic(&picture.to_rgb8(WindowChoice::Auto), side_px));
    let mask = match &sample.mask {
        Some(path) => read_mask(path, &sample.image, None, side_px).unwrap(),
        None => vec![0; side_px * side_px],
    };
    let leaves = parameters.leaves();
    let tokens = model.early_tokens(&planes).unwrap();
    let features = model.features(&mut parameters.weights_of(&leaves), tokens).unwrap();
    let target = Target { mask: Some(model.mask(&mask)), abnormal: sample.abnormal };
    let total = model.losses(&features, text, &target).total().unwrap();
    leaves.gradients(&mut total.backward())
}

#[test]
fn a_batch_is_one_step_on_the_mean_of_its_gradients() {
    const SEED: u64 = 3;
    const RATE: f64 = 1e-3;
    let place = Place::new();
    let bundle = BundleFolder::open(&place.bundle).unwrap();
    let brain = bundle.manifest().object("brain").unwrap().clone();
    assert_eq!(brain.kind, ObjectKind::Segmentation);
    let pool = Dataset::open(&place.data.join("Brain_AD")).unwrap().split(Split::Valid).unwrap();
    let three = [pool[0].clone(), pool[pool.len() - 1].clone(), pool[pool.len() - 2].clone()];
    assert!(!three[0].abnormal && three[1].abnormal);

    let source = |sample: &Sample| Source { sample: sample.clone(), object: 0, set: 0, change: Change::View(0) };
    let set = DataSet { object: "brain".into(), folder: "x".into(), part: String::new(), lists_files: false };
    let plan = Plan {
        protocol: "few",
        objects: vec![brain.clone()],
        published: vec![brain.clone()],
        memory: MemoryFeatures::Adapted,
        train: three.iter().map(source).collect(),
        references: Vec::new(),
        validation: Vec::new(),
        selection: Selection::Last,
        kept: String::new(),
        sets: vec![set],
        opened: Vec::new(),
    };
    let options = RunOptions {
        out: place.path("three"),
        pace: Pace {
            seed: SEED,
            epochs: 1,
            batch: 2,
            learning_rate: RATE,
            validate_every: 1,
            save_every: Duration::from_secs(60),
        },
        strict: true,
        name: None,
        new_words: false,
        zero_shot_note: None,
    };
    run(&bundle, &plan, &options, &mut Quiet).unwrap();

    let bottleneck = bundle.manifest().adapters.as_ref().unwrap().bottleneck;
    let model = Model::open(&bundle, bottleneck).unwrap();
    let name = brain.text_features.as_ref().unwrap();
    let text = mvfa_web::compute::Weights::load(&bundle, &[Group::Prompts], model.device())
        .unwrap()
        .take(name, [bottleneck, 2])
        .unwrap();
    let start = model.initial_adapters(SEED);
    // Batches of two and of one. Adam's step hardly feels the size of the first gradient, only how it
    // compares with the second: a sum in place of the mean shows there.
    let order = order(SEED, Purpose::Order, 0, three.len());
    let by_hand = |share: fn(usize) -> f64| {
        let mut parameters = model.parameters(start.clone());
        for batch in order.chunks(2) {
            let all: Vec<_> = batch.iter().map(|n| gradients(&model, &parameters, &text, &three[*n])).collect();
            let joint = (0..start.len()).map(|n| {
                let parts = all.iter().filter_map(|g| g[n].clone());
                parts.reduce(|a, b| a + b).map(|sum| sum * share(batch.len()))
            });
            let joint = joint.collect();
            parameters.step(joint, RATE);
        }
        parameters.save().unwrap()
    };
    let (mean, sum) = (by_hand(|count| 1.0 / count as f64), by_hand(|_| 1.0));
    let trained = adapters(&place.path("three"), &mean.iter().map(|t| (&*t.name, &*t.shape)).collect::<Vec<_>>());
    let mut from_sum = 0.0_f32;
    for ((found, mean), sum) in trained.iter().zip(&mean).zip(&sum) {
        assert_close(&mean.name, found, &mean.values, 1e-6);
        from_sum = from_sum.max(max_difference(found, &sum.values));
    }
    println!("from a step on the sum: {from_sum:.2e}");
    assert!(from_sum > 1e-5, "{from_sum}");
}

fn adapters(folder: &Path, tensors: &[(&str, &[usize])]) -> Vec<Vec<f32>> {
    let device = mvfa_web::compute::open_cpu("test").device;
    let bundle = BundleFolder::open(folder).unwrap();
    let mut weights = mvfa_web::compute::Weights::load(&bundle, &[Group::Adapters], &device).unwrap();
    let take = |(name, shape): &(&str, &[usize])| {
        weights.take(name, [shape[0], shape[1]]).unwrap().into_data().try_to_vec().unwrap()
    };
    tensors.iter().map(take).collect()
}
