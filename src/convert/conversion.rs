//! A checkpoint on its way to a bundle, in steps: between two of them a caller can tell how far it is, stop, or put away
//! the files that are finished.
//!
//! Comes in: [`Sources`] and [`ConvertOptions`], or a [`FinishedModel`] and a [`Change`] of its adapters; and an [`Output`].
//! Goes out: shard after shard, the card, and last the manifest. Fails with [`BundleError`]. Never holds more than one tensor and one shard, or one block of a tower with what
//! goes through it. A conversion that ended early goes on from the files it had [`Kept`], with the same result.

use std::collections::{HashMap, VecDeque};

use crate::bundle::error::BundleError;
use crate::bundle::import::{AdapterFile, Checkpoint};
use crate::bundle::manifest::{Dtype, FileEntry, Group, Manifest};
use crate::bundle::names::{NamedShape, adapter_tensors, prompt_tensor, text_tensors, vision_tensors};
use crate::bundle::objects::check_distinct;
use crate::bundle::position::resize_position_table;
use crate::bundle::shard::visit_shard;
use crate::bundle::writer::{BundleWriter, CARD, Kept, Output};
use crate::clip::sentences::SentenceRun;
use crate::clip::tokenizer::{Tokenizer, VOCABULARY_SIZE};
use crate::convert::card::card;
use crate::convert::change::{Change, FinishedModel, is_of_tower};
use crate::convert::options::ConvertOptions;
use crate::convert::plan::plan;
use crate::convert::sources::Sources;
use crate::mvfa::StreamedTest;

/// What a step works on, with how far it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// A tensor; bytes (as f32) done and in all.
    Tensors {
        /// Its canonical name.
        name: String,
        /// Bytes done.
        done: u64,
        /// Bytes of all tensors.
        total: u64,
    },
    /// The words of an object; steps done and in all.
    Words {
        /// The object's prompt word.
        prompt: String,
        /// Steps done.
        done: usize,
        /// Steps of this object.
        total: usize,
    },
    /// The self-test; files read and in all.
    SelfTest {
        /// Files read.
        done: usize,
        /// Files to read.
        total: usize,
    },
}

/// What is to be done, in the order of the files.
enum Job {
    /// A tensor from its row on.
    Tensor(NamedShape, Group, usize),
    /// Text features of the object at this place.
    Words(usize),
}

/// A tensor of which some rows are written.
struct Open {
    tensor: NamedShape,
    group: Group,
    values: Vec<f32>,
    row: usize,
}

/// Where the towers come from.
enum Tower {
    /// Tensors that are written anew.
    Checkpoint(Box<Checkpoint>),
    /// Files that stay as they are.
    Model(Box<FinishedModel>),
}

/// A bundle in the making.
pub struct Conversion<O> {
    tower: Tower,
    adapters: Option<AdapterFile>,
    card: String,
    manifest: Manifest,
    writer: BundleWriter<O>,
    jobs: VecDeque<Job>,
    open: Option<Open>,
    /// The object whose words are on their way.
    words: Option<(usize, SentenceRun)>,
    tokenizer: Option<Tokenizer>,
    /// Two of MVFA's objects share a prompt word.
    by_prompt: HashMap<String, Vec<f32>>,
    stage: Stage,
    done_bytes: u64,
    total_bytes: u64,
    is_written: bool,
    test: StreamedTest,
    to_test: VecDeque<FileEntry>,
    tests: usize,
}

impl<O: Output> Conversion<O> {
    /// Plans everything; nothing is written yet. `kept` are the files of an earlier run with the same sources and options.
    ///
    /// # Errors
    /// What checkpoint, adapters and options have wrong together.
    pub fn new(options: ConvertOptions, sources: Sources, output: O, kept: Kept) -> Result<Self, BundleError> {
        let manifest = plan(&options, &sources)?;
        let Sources { checkpoint, adapters } = sources;
        let card = card(&options, &checkpoint, &manifest);
        Self::begin(Tower::Checkpoint(Box::new(checkpoint)), adapters, card, manifest, options.dtype, output, kept)
    }

    /// As [`Conversion::new`], with the tower of a model that is whole: `output` gets only the files that are new, and the
    /// others are named as the model names them. `kept` may hold its files too.
    ///
    /// # Errors
    /// What does not fit the model.
    pub fn of_model(model: FinishedModel, change: Change, output: O, kept: Kept) -> Result<Self, BundleError> {
        let manifest = model.plan(&change)?;
        let card = model.card(&change, &manifest);
        let (kept, dtype) = (model.kept(kept), model.manifest().dtype());
        let adapters = change.adapters.map(|(_, file)| file);
        Self::begin(Tower::Model(Box::new(model)), adapters, card, manifest, dtype, output, kept)
    }

    fn begin(
        tower: Tower,
        adapters: Option<AdapterFile>,
        card: String,
        mut manifest: Manifest,
        dtype: Dtype,
        output: O,
        kept: Kept,
    ) -> Result<Self, BundleError> {
        check_distinct(&manifest.objects)?;
        check_vocabulary(&manifest)?;
        let mut jobs = VecDeque::new();
        let (mut done_bytes, mut total_bytes) = (0, 0);
        for (list, group) in tensors(&manifest) {
            if group == Group::Text {
                jobs.extend(words(&mut manifest, &kept));
            }
            if is_of_tower(group) && matches!(tower, Tower::Model(_)) {
                continue;
            }
            for tensor in list {
                total_bytes += f32_bytes(&tensor);
                let rows = kept.rows(&tensor.0);
                if rows < tensor.1.first().copied().unwrap_or(1) {
                    jobs.push_back(Job::Tensor(tensor, group, rows));
                } else {
                    done_bytes += f32_bytes(&tensor);
                }
            }
        }
        let writer = BundleWriter::to(output, dtype, kept);
        Ok(Self {
            test: StreamedTest::new(&manifest),
            stage: Stage::Tensors { name: String::new(), done: done_bytes, total: total_bytes },
            tower,
            adapters,
            card,
            manifest,
            writer,
            jobs,
            open: None,
            words: None,
            tokenizer: None,
            by_prompt: HashMap::new(),
            done_bytes,
            total_bytes,
            is_written: false,
            to_test: VecDeque::new(),
            tests: 0,
        })
    }

    /// How far it is.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The files that are finished, for a run that goes on later.
    pub fn kept(&self) -> &Kept {
        self.writer.kept()
    }

    /// Where the files go.
    pub(super) fn writer(&self) -> &BundleWriter<O> {
        &self.writer
    }

    /// Does one step of the writing. False when all files but the manifest are written.
    ///
    /// # Errors
    /// What the checkpoint, the adapters or the output have wrong; see [`BundleError`].
    pub fn step(&mut self) -> Result<bool, BundleError> {
        if let Some(open) = self.open.take() {
            self.write_rows(open)?;
        } else if let Some((object, run)) = self.words.take() {
            self.step_words(object, run)?;
        } else {
            match self.jobs.pop_front() {
                Some(Job::Tensor(tensor, group, row)) => self.read(tensor, group, row)?,
                Some(Job::Words(object)) => self.begin_words(object)?,
                None => self.close()?,
            }
        }
        Ok(!self.is_written)
    }

    /// The next file that the self-test needs, once all are written.
    pub fn wanted(&self) -> Option<&FileEntry> {
        self.to_test.front()
    }

    /// Takes the bytes of the file that was [wanted](Conversion::wanted).
    ///
    /// # Errors
    /// [`BundleError::Size`], [`BundleError::Hash`] or [`BundleError::Shard`] if it is not what was written.
    pub fn give(&mut self, bytes: &[u8]) -> Result<(), BundleError> {
        let Some(file) = self.to_test.pop_front() else { return Ok(()) };
        visit_shard(&file, bytes, |part| {
            self.test.take(part)?;
            self.test.run()
        })?;
        self.stage = Stage::SelfTest { done: self.tests - self.to_test.len(), total: self.tests };
        Ok(())
    }

    /// Writes the manifest: the bundle is whole.
    ///
    /// # Errors
    /// A self-test that does not work, and what the output has wrong.
    pub fn finish(mut self) -> Result<Manifest, BundleError> {
        self.manifest.self_test = Some(self.test.finish()?);
        self.writer.finish(self.manifest)
    }

    /// Reads a tensor.
    fn read(&mut self, tensor: NamedShape, group: Group, row: usize) -> Result<(), BundleError> {
        let name = tensor.0.as_str();
        self.stage = Stage::Tensors { name: name.to_owned(), done: self.done_bytes, total: self.total_bytes };
        let mut values = match (&mut self.adapters, &mut self.tower, group) {
            (Some(adapters), _, Group::Adapters) => adapters.read(name)?.1,
            (_, Tower::Checkpoint(checkpoint), _) => checkpoint.read(name)?.1,
            // Its files are there; no job asks for them.
            (_, Tower::Model(_), _) => return Ok(()),
        };
        if let (Tower::Checkpoint(checkpoint), "vision.position_embedding") = (&self.tower, name) {
            let vision = &self.manifest.vision;
            let native_grid = checkpoint.vision().native_grid;
            values = resize_position_table(&values, native_grid, vision.grid(), vision.width)?;
        }
        self.write_rows(Open { tensor, group, values, row })
    }

    /// Writes as many rows as one file takes.
    fn write_rows(&mut self, open: Open) -> Result<(), BundleError> {
        let Open { tensor: (name, shape), group, values, row } = &open;
        match self.writer.add_some(name, shape, values, *group, *row)? {
            Some(row) => self.open = Some(Open { row, ..open }),
            None => self.done_bytes += f32_bytes(&open.tensor),
        }
        Ok(())
    }

    fn begin_words(&mut self, at: usize) -> Result<(), BundleError> {
        let (Some(object), Some(text)) = (self.manifest.objects.get(at), &self.manifest.text) else { return Ok(()) };
        if let Some(values) = self.by_prompt.get(&object.prompt) {
            let name = prompt_tensor(&object.id);
            return self.writer.add(&name, &[text.embed, 2], values, Group::Prompts);
        }
        let unusable = |e: &dyn std::error::Error| BundleError::Options(format!("the object {}: {e}", object.id));
        let tokenizer = match &self.tokenizer {
            Some(tokenizer) => tokenizer,
            None => self.tokenizer.insert(Tokenizer::new().map_err(|e| unusable(&e))?),
        };
        let run = SentenceRun::new(text, tokenizer, &object.prompt).map_err(|e| unusable(&e))?;
        let total = run.progress().1;
        self.stage = Stage::Words { prompt: object.prompt.clone(), done: 0, total };
        self.words = Some((at, run));
        Ok(())
    }

    fn step_words(&mut self, at: usize, mut run: SentenceRun) -> Result<(), BundleError> {
        let Some(object) = self.manifest.objects.get(at) else { return Ok(()) };
        let tower = &mut self.tower;
        let sums = run.step(&mut |names, weights| match tower {
            Tower::Checkpoint(checkpoint) => names.iter().try_for_each(|name| weights.insert(checkpoint.part(name)?)),
            Tower::Model(model) => model.tensors(names, weights),
        })?;
        let (done, total) = run.progress();
        self.stage = Stage::Words { prompt: object.prompt.clone(), done, total };
        let Some(sums) = sums else {
            self.words = Some((at, run));
            return Ok(());
        };
        let values = sums.features()?;
        let name = prompt_tensor(&object.id);
        self.writer.add(&name, &[values.len() / 2, 2], &values, Group::Prompts)?;
        self.by_prompt.insert(object.prompt.clone(), values);
        Ok(())
    }

    /// Writes what is left beside the tensors.
    fn close(&mut self) -> Result<(), BundleError> {
        self.writer.add_text(CARD, &self.card)?;
        self.manifest.files = self.writer.flush()?.to_vec();
        self.to_test = StreamedTest::files(&self.manifest).cloned().collect();
        self.tests = self.to_test.len();
        self.stage = Stage::SelfTest { done: 0, total: self.tests };
        self.is_written = true;
        Ok(())
    }
}

/// Every tensor that is copied, in the order of the files. The text tower comes last: a page loads it only when someone
/// types a prompt of their own.
pub(super) fn tensors(manifest: &Manifest) -> [(Vec<NamedShape>, Group); 3] {
    let vision = &manifest.vision;
    let adapters = manifest.adapters.as_ref().map(|a| adapter_tensors(vision.levels.len(), vision.width, a.bottleneck));
    [
        (vision_tensors(vision), Group::Vision),
        (adapters.unwrap_or_default(), Group::Adapters),
        (manifest.text.as_ref().map(text_tensors).unwrap_or_default(), Group::Text),
    ]
}

/// Raw block tokens live in another space than sentences; only adapters bring them together.
fn has_words(manifest: &Manifest) -> bool {
    manifest.adapters.is_some() && manifest.text.is_some()
}

/// What is to be encoded of the words. Each object gets the name of its text features.
fn words(manifest: &mut Manifest, kept: &Kept) -> Vec<Job> {
    let has_words = has_words(manifest);
    let mut jobs = Vec::new();
    for (at, object) in manifest.objects.iter_mut().enumerate().filter(|_| has_words) {
        let name = prompt_tensor(&object.id);
        if kept.rows(&name) == 0 {
            jobs.push(Job::Words(at));
        }
        object.text_features = Some(name);
    }
    jobs
}

fn check_vocabulary(manifest: &Manifest) -> Result<(), BundleError> {
    match &manifest.text {
        Some(text) if has_words(manifest) && text.vocabulary != VOCABULARY_SIZE => Err(BundleError::Options(format!(
            "the text tower has a vocabulary of {}, CLIP's has {VOCABULARY_SIZE}; leave --adapters out to compare with normal images only",
            text.vocabulary
        ))),
        _ => Ok(()),
    }
}

fn f32_bytes(tensor: &NamedShape) -> u64 {
    4 * tensor.1.iter().product::<usize>() as u64
}
