//! From a plan to a bundle: gather, train, choose, write.
//!
//! Comes in: a bundle with a frozen tower and a [`Plan`] of which pictures are for what. Goes out:
//! a new bundle with adapters. Fails with [`TrainError`]; an interrupted run resumes when it is
//! started again with the same plan.

use std::path::{Path, PathBuf};

use burn::tensor::Tensor;
use serde::Serialize;

use crate::bundle::manifest::{Group, Manifest, MemoryFeatures, ObjectKind, ObjectSpec};
use crate::bundle::store::BundleFolder;
use crate::bundle::writer::check_replaceable;
use crate::clip::text::TextTower;
use crate::clip::tokenizer::Tokenizer;
use crate::compute::Weights;
use crate::disk::RunWindow;
use crate::eval::Dataset;
use crate::image::WindowChoice;
use crate::train::error::TrainError;
use crate::train::few::Selection;
use crate::train::items::gather;
use crate::train::ledger::FileNames;
use crate::train::model::Model;
use crate::train::progress::Progress;
use crate::train::publish::{Finished, publish};
use crate::train::record::{DataSet, chooser, records};
use crate::train::sample::Source;
use crate::train::session::{Pace, Session};
use crate::train::state::{StateFolder, state_folder};
use crate::train::validate::Validator;
use crate::train::watch::Watch;
use crate::train::words::{Words, initial_tower, small_tower};

/// Which pictures are for what.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `few` or `zero`.
    pub protocol: &'static str,
    /// What is trained on, by number.
    pub objects: Vec<ObjectSpec>,
    /// What the finished bundle can be asked about.
    pub published: Vec<ObjectSpec>,
    /// What its memory holds.
    pub memory: MemoryFeatures,
    /// Pictures to train on.
    pub train: Vec<Source>,
    /// Normal references of validation, all views.
    pub references: Vec<Source>,
    /// Pictures to choose the best epoch by.
    pub validation: Vec<Source>,
    /// Which pictures those are meant to be.
    pub selection: Selection,
    /// The same in words, such as `the valid folder`.
    pub kept: String,
    /// The data sets of the pictures to train on, by number.
    pub sets: Vec<DataSet>,
    /// Where the pictures are; volumes are here in slices as long as this lives.
    pub opened: Vec<Dataset>,
}

/// How to run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Folder of the new bundle.
    pub out: PathBuf,
    /// Numbers.
    pub pace: Pace,
    /// Stop at the first picture that cannot be read.
    pub strict: bool,
    /// Name of the new bundle.
    pub name: Option<String>,
    /// Let a new small text tower learn along, whatever words the model has.
    pub new_words: bool,
    /// A sentence shown wherever the new bundle compares with words.
    pub zero_shot_note: Option<String>,
}

/// What a finished run has to show.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The new bundle.
    pub manifest: Manifest,
    /// All epochs and the best of them.
    pub progress: Progress,
}

/// What must be the same for a run to go on.
#[derive(Serialize)]
struct Settings<'a> {
    protocol: &'a str,
    model: &'a str,
    objects: Vec<&'a str>,
    seed: u64,
    epochs: usize,
    batch: usize,
    learning_rate: f64,
    validate_every: usize,
    new_words: bool,
    /// Empty if each picture has its own.
    #[serde(skip_serializing_if = "String::is_empty")]
    window: String,
    train: Vec<String>,
    references: Vec<String>,
    validation: Vec<String>,
}

/// Runs a plan.
///
/// # Errors
/// [`TrainError`].
pub fn run(
    bundle: &BundleFolder,
    plan: &Plan,
    options: &RunOptions,
    watch: &mut dyn Watch,
) -> Result<Outcome, TrainError> {
    let pace = options.pace;
    check(bundle, plan, options)?;
    let window = window_of(&plan.references);
    let names = FileNames::of(&plan.opened);
    let settings = Settings {
        protocol: plan.protocol,
        model: &bundle.manifest().revision,
        objects: plan.objects.iter().map(|o| o.id.as_str()).collect(),
        seed: pace.seed,
        epochs: pace.epochs,
        batch: pace.batch,
        learning_rate: pace.learning_rate,
        validate_every: pace.validate_every,
        new_words: options.new_words,
        window: window.to_string(),
        train: list(&plan.train, &names),
        references: list(&plan.references, &names),
        validation: list(&plan.validation, &names),
    };
    let state = StateFolder::open(&options.out, &settings)?;
    let model = Model::open(bundle, bottleneck(bundle.manifest()))?;
    let words = words(bundle, &model, &plan.objects, options.new_words)?;
    if window.shared.is_some() {
        watch.note(&window.to_string());
    }
    let groups = [plan.train.as_slice(), &plan.references, &plan.validation];
    let gathered = gather(&model, groups, window, (&state, &names), pace.seed, options.strict, watch)?;
    let [items, references, validation] = &gathered.groups;
    let chooser = chooser(plan, validation);
    watch.note(&format!(
        "training on {} pictures (views included), {} left out; the best epoch is chosen by {}",
        items.len(),
        gathered.left_out.len(),
        chooser.words
    ));
    let mut store = gathered.store;
    let kinds: Vec<ObjectKind> = plan.objects.iter().map(|o| o.kind).collect();
    let validator = Validator { model: &model, words: &words, objects: &plan.objects, references, items: validation };
    let mut session =
        Session { model: &model, words: &words, kinds: &kinds, items, store: &mut store, state: &state, pace };
    let fresh = || {
        let mut tensors = model.initial_adapters(pace.seed);
        tensors.extend(words.config().map(|c| initial_tower(c, pace.seed)).unwrap_or_default());
        model.parameters(tensors)
    };
    let mut validate: Box<crate::train::session::Validate<'_>> = if chooser.chooses {
        Box::new(|parameters, store, watch| validator.score(parameters, store, watch))
    } else {
        Box::new(|_, _, _| Ok(None))
    };
    let progress = session.run(fresh, &mut *validate, watch)?;
    drop(validate);

    let tensors = state.load_best()?;
    let published = published_words(bundle, &model, &words, plan, &tensors)?;
    let finished = Finished {
        plan,
        options,
        tensors: &tensors,
        words: &published,
        tower: words.config(),
        text_words: words.learned_words(),
        progress: &progress,
        data: &records(&plan.sets, &plan.train, items, &gathered.pixels),
        pictures: items.len(),
        left_out: &gathered.left_out,
        selected_on: &chooser.words,
    };
    let manifest = publish(bundle, &model, &finished)?;
    state.remove()?;
    Ok(Outcome { manifest, progress })
}

/// Everything that can be refused before the work begins.
fn check(bundle: &BundleFolder, plan: &Plan, options: &RunOptions) -> Result<(), TrainError> {
    let pace = options.pace;
    if pace.epochs == 0 || pace.batch == 0 || plan.train.is_empty() {
        return Err(TrainError::Settings(
            "there is nothing to train: epochs, batch and pictures must be 1 or more".to_owned(),
        ));
    }
    if !pace.learning_rate.is_finite() || pace.learning_rate <= 0.0 {
        let found = pace.learning_rate;
        return Err(TrainError::Settings(format!("the learning rate must be a number above 0, found {found}")));
    }
    state_folder(&options.out)?;
    let known = options.out.canonicalize().ok();
    if known.is_some() && known == bundle.folder().canonicalize().ok() {
        let out = options.out.display();
        return Err(TrainError::Out(format!("{out} is the model that is trained on; choose another --out folder")));
    }
    check_replaceable(&options.out)?;
    Ok(())
}

/// Width of the hidden features: the text features' if the model has a text tower, else three
/// quarters of the tokens', as the released adapters on ViT-L/14.
fn bottleneck(manifest: &Manifest) -> usize {
    let from_text = manifest.text.as_ref().map(|t| t.embed);
    from_text.or(manifest.adapters.as_ref().map(|a| a.bottleneck)).unwrap_or(manifest.vision.width * 3 / 4)
}

/// Text features of the bundle if it has them; else a small tower is trained too.
fn words(bundle: &BundleFolder, model: &Model, objects: &[ObjectSpec], new_words: bool) -> Result<Words, TrainError> {
    let fixed = if new_words { None } else { fixed_features(bundle, model, objects)? };
    match fixed {
        Some(features) => Ok(Words::Fixed(features)),
        None => {
            let prompts: Vec<String> = objects.iter().map(|o| o.prompt.clone()).collect();
            Ok(Words::learned(small_tower(model.adapters().bottleneck), &prompts, model.device())?)
        }
    }
}

/// Text features from the bundle's own text tower, or as they lie in it.
fn fixed_features(
    bundle: &BundleFolder,
    model: &Model,
    objects: &[ObjectSpec],
) -> Result<Option<Vec<Tensor<2>>>, TrainError> {
    let manifest = bundle.manifest();
    if let Some(config) = &manifest.text {
        let mut weights = Weights::load(bundle, &[Group::Text], model.device())?;
        let tower = TextTower::take(&mut weights, config, model.device())?;
        let tokenizer = Tokenizer::new().map_err(crate::clip::text::TextError::from)?;
        let features = objects.iter().map(|o| {
            let values = tower.features(&tokenizer, &o.prompt)?;
            let data = burn::tensor::TensorData::new(values, [config.embed, 2]);
            Ok(Tensor::from_data(data, model.device()))
        });
        return features.collect::<Result<_, TrainError>>().map(Some);
    }
    let names: Option<Vec<&String>> = objects.iter().map(|o| o.text_features.as_ref()).collect();
    let Some(names) = names.filter(|n| !n.is_empty()) else { return Ok(None) };
    let mut features = Vec::with_capacity(names.len());
    for name in names {
        // Two objects may share a tensor, which leaves the weights once.
        let mut weights = Weights::load(bundle, &[Group::Prompts], model.device())?;
        features.push(weights.take(name, [model.adapters().bottleneck, 2])?);
    }
    Ok(Some(features))
}

/// Text features of every published object with the finished tensors, row-major `[dim, 2]`.
fn published_words(
    bundle: &BundleFolder,
    model: &Model,
    words: &Words,
    plan: &Plan,
    tensors: &[crate::train::parameters::Saved],
) -> Result<Vec<Option<Vec<f32>>>, TrainError> {
    let parameters = model.parameters(tensors.to_vec());
    let features: Vec<Option<Tensor<2>>> = match words.config() {
        Some(config) => {
            let prompts: Vec<String> = plan.published.iter().map(|o| o.prompt.clone()).collect();
            let all = Words::learned(config.clone(), &prompts, model.device())?;
            (0..prompts.len())
                .map(|n| all.complete(n, &mut parameters.weights()).map(Some))
                .collect::<Result<_, _>>()?
        }
        None => match fixed_features(bundle, model, &plan.published)? {
            Some(features) => features.into_iter().map(Some).collect(),
            // Some of the other objects have no words; the trained ones do.
            None => plan
                .published
                .iter()
                .map(|o| {
                    let n = plan.objects.iter().position(|trained| trained.id == o.id);
                    n.map(|n| words.complete(n, &mut parameters.weights())).transpose()
                })
                .collect::<Result<_, _>>()?,
        },
    };
    features.into_iter().map(|f| f.map(crate::train::model::read).transpose()).collect()
}

/// The window that the memory's references have together; without references each picture has its own.
fn window_of(references: &[Source]) -> RunWindow {
    let mut files: Vec<&Path> = references.iter().map(|source| source.sample.image.as_path()).collect();
    // A picture is there once for each of its views.
    files.dedup();
    RunWindow::of(files, WindowChoice::Auto)
}

fn list(sources: &[Source], names: &FileNames) -> Vec<String> {
    sources.iter().map(|source| names.kept(source.line())).collect()
}
