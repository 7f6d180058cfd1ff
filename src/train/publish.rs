//! Writing the finished bundle.
//!
//! Comes in: the bundle that was trained on and the best tensors. Goes out: a new bundle with the
//! same tower, the adapters, text features, `training.json` and `adapters.pth`. Fails with
//! [`TrainError`]; a bundle that was at the target is still there then.

use serde::Serialize;

use crate::bundle::config::TextConfig;
use crate::bundle::error::BundleError;
use crate::bundle::export::{Matrix, adapters_pth};
use crate::bundle::manifest::{Group, Manifest, MemoryFeatures};
use crate::bundle::names::prompt_tensor;
use crate::bundle::source::TensorPart;
use crate::bundle::store::BundleFolder;
use crate::bundle::writer::{ADAPTERS_PTH, BundleWriter, CARD, Place, TRAINING};
use crate::mvfa::self_test_of;
use crate::train::error::TrainError;
use crate::train::items::LeftOut;
use crate::train::model::Model;
use crate::train::parameters::Saved;
use crate::train::progress::{Best, EpochRecord, Progress, Validation};
use crate::train::record::DataRecord;
use crate::train::run::{Plan, RunOptions};

/// What a run ended with.
pub struct Finished<'a> {
    /// What was planned.
    pub plan: &'a Plan,
    /// How it was run.
    pub options: &'a RunOptions,
    /// The best epoch's tensors.
    pub tensors: &'a [Saved],
    /// Text features of the published objects, row-major `[dim, 2]`.
    pub words: &'a [Option<Vec<f32>>],
    /// The text tower that learned along, where one did.
    pub tower: Option<&'a TextConfig>,
    /// The words it has read.
    pub text_words: Option<Vec<String>>,
    /// Curves.
    pub progress: &'a Progress,
    /// What was trained on.
    pub data: &'a [DataRecord],
    /// How many pictures that are, with all their views.
    pub pictures: usize,
    /// Pictures that could not be used.
    pub left_out: &'a [LeftOut],
    /// What the best epoch was chosen by, in words.
    pub selected_on: &'a str,
}

/// `training.json`.
#[derive(Serialize)]
struct Record<'a> {
    program: String,
    protocol: &'a str,
    trained_on: &'a str,
    data: &'a [DataRecord],
    pictures: usize,
    left_out: &'a [LeftOut],
    seed: u64,
    epochs: usize,
    batch: usize,
    learning_rate: f64,
    optimiser: &'static str,
    selected_on: &'a str,
    best: Option<&'a Best>,
    curves: &'a [EpochRecord],
    seconds: f64,
}

/// Writes the bundle to `options.out`.
///
/// # Errors
/// [`TrainError::Model`] where the disk or the finished model fails.
pub fn publish(bundle: &BundleFolder, model: &Model, finished: &Finished<'_>) -> Result<Manifest, TrainError> {
    let Finished { plan, options, tensors, words, tower, text_words, progress, .. } = finished;
    let source = bundle.manifest();
    let mut manifest = Manifest {
        name: options.name.clone().unwrap_or_else(|| format!("{}, trained ({}-shot)", source.name, plan.protocol)),
        revision: String::new(),
        card: CARD.to_owned(),
        adapters: Some(model.adapters().clone()),
        text: tower.cloned().or_else(|| source.text.clone()),
        text_words: if tower.is_some() { text_words.clone() } else { source.text_words.clone() },
        memory: plan.memory,
        scoring: source.scoring.clone().filter(|_| plan.memory == MemoryFeatures::Raw),
        zero_shot_note: options.zero_shot_note.clone(),
        objects: plan.published.clone(),
        self_test: None,
        files: Vec::new(),
        ..source.clone()
    };
    let calibration = progress.best.as_ref().map(|b| &b.calibration);
    for (object, words) in manifest.objects.iter_mut().zip(*words) {
        object.text_features = words.as_ref().map(|_| prompt_tensor(&object.id));
        // Trained adapters are scored as the paper has it.
        object.bilateral &= manifest.memory == MemoryFeatures::Raw;
        object.calibration = calibration.and_then(|c| c.get(&object.id)).copied();
    }

    let mut writer = BundleWriter::create(&options.out, source.dtype())?;
    copy(bundle, Group::Vision, &mut writer)?;
    let (adapters, text): (Vec<&Saved>, Vec<&Saved>) = tensors.iter().partition(|t| t.name.starts_with("adapters."));
    for tensor in &adapters {
        writer.add(&tensor.name, &tensor.shape, &tensor.values, Group::Adapters)?;
    }
    for (object, words) in manifest.objects.iter().zip(*words) {
        if let Some(values) = words {
            writer.add(&prompt_tensor(&object.id), &[values.len() / 2, 2], values, Group::Prompts)?;
        }
    }
    if tower.is_some() {
        for tensor in text {
            writer.add(&tensor.name, &tensor.shape, &tensor.values, Group::Text)?;
        }
    } else {
        copy(bundle, Group::Text, &mut writer)?;
    }
    let record = Record {
        program: format!("mvfa {}", env!("CARGO_PKG_VERSION")),
        protocol: plan.protocol,
        trained_on: &source.name,
        data: finished.data,
        pictures: finished.pictures,
        left_out: finished.left_out,
        seed: options.pace.seed,
        epochs: options.pace.epochs,
        batch: options.pace.batch,
        learning_rate: options.pace.learning_rate,
        optimiser: "Adam, betas 0.5 and 0.999",
        selected_on: finished.selected_on,
        best: progress.best.as_ref(),
        curves: &progress.epochs,
        seconds: progress.seconds.round(),
    };
    let json = serde_json::to_string_pretty(&record).map_err(|e| BundleError::Manifest(e.to_string()))?;
    writer.add_text(TRAINING, &(json + "\n"))?;
    writer.add_text(CARD, &card(&manifest, &record))?;
    writer.add_file(ADAPTERS_PTH, &pth(&adapters)?)?;
    manifest.files = writer.flush()?.to_vec();
    let written = BundleFolder::with_manifest(writer.work_folder(), manifest.clone());
    manifest.self_test = Some(self_test_of(&written)?);
    Ok(writer.finish(manifest)?)
}

/// Copies a group, one whole tensor at a time.
fn copy(bundle: &BundleFolder, group: Group, writer: &mut BundleWriter<Place>) -> Result<(), BundleError> {
    let mut open: Option<TensorPart> = None;
    bundle.visit(&[group], |part| {
        let mut whole = match open.take() {
            Some(mut begun) if begun.name == part.name => {
                begun.values.append(part.values);
                begun
            }
            _ => part,
        };
        whole.rows = None;
        if whole.values.len() == whole.shape.iter().product::<usize>() {
            writer.add(&whole.name, &whole.shape, &whole.values.into_f32(), group)
        } else {
            open = Some(whole);
            Ok(())
        }
    })
}

fn pth(adapters: &[&Saved]) -> Result<Vec<u8>, BundleError> {
    let matrices: Vec<Matrix<'_>> = adapters
        .iter()
        .filter_map(|t| Some(Matrix { name: &t.name, shape: *t.shape.first_chunk()?, values: &t.values }))
        .collect();
    adapters_pth(&matrices)
}

fn card(manifest: &Manifest, record: &Record<'_>) -> String {
    let data: String = record.data.iter().map(|d| format!("- {} ({}): {}\n", d.folder, d.object, d.used)).collect();
    let left_out = match record.left_out.len() {
        0 => String::new(),
        count => format!("Left out, for they could not be used: {count}, named in `{TRAINING}`.\n\n"),
    };
    format!(
        "# {}\n\n{}\n\n## Training\n\nProtocol `{}` on {}, {} pictures with all their views, {} epochs, seed {}. Data:\n\n{data}\n\
         {left_out}The epoch ({}) was chosen by {}.\n\n## Measured\n\n{}\n\nLicence of the weights: {}. Everything else about \
         the run: `{TRAINING}`.\n",
        manifest.name,
        manifest.intended_use,
        record.protocol,
        record.trained_on,
        record.pictures,
        record.epochs,
        record.seed,
        record.best.map_or(0, |b| b.epoch),
        record.selected_on,
        measured(record.best.and_then(|b| b.validation)),
        manifest.licence,
    )
}

fn measured(validation: Option<Validation>) -> String {
    let measure = "Measure on pictures of your own with `mvfa eval` before you believe anything.";
    let Some(validation) = validation else { return format!("Nothing. {measure}") };
    let percent = |v: Option<f64>| v.map_or_else(|| "not measured".to_owned(), |v| format!("{:.1} %", 100.0 * v));
    format!(
        "| | AUROC there |\n|---|---|\n| pixels | {} |\n| pictures | {} |\n\nThese pictures chose the epoch, so the \
         figures flatter. {measure}",
        percent(validation.pixel_auroc),
        percent(validation.image_auroc),
    )
}
