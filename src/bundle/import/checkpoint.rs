//! A published checkpoint under canonical names.
//!
//! Comes in: a file in any of the containers and namings. Goes out: its geometry, read from the
//! tensors' shapes, its tensors one at a time under the names of a bundle, and what was chosen and left out on the way.
//! Fails with [`BundleError`] that names a tensor as the checkpoint does, or the family that is not supported.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::bundle::config::{Activation, Family, TextConfig};
use crate::bundle::error::BundleError;
use crate::bundle::import::constant::{constant, constant_matrix, is_judged, only_value};
use crate::bundle::import::families::{Names, unsupported};
use crate::bundle::import::files::Files;
use crate::bundle::import::geometry::{Beside, VisionGeometry};
use crate::bundle::import::open::{Opened, open_in, open_source};
use crate::bundle::import::scan::{Scan, missing, without_leading_ones};
use crate::bundle::import::tower::{Tower, chosen, is_of, listed, towers};
use crate::bundle::names::{text_tensors, vision_tensors};
use crate::bundle::source::{TensorPart, TensorSource, check_finite};

/// An open checkpoint.
pub struct Checkpoint {
    path: String,
    source: Box<dyn TensorSource>,
    tower: Tower,
    /// Prefixes of the others, for messages.
    others: String,
    vision: VisionGeometry,
    has_class_row: bool,
    text: Option<TextConfig>,
    trained_with: Option<Activation>,
    shapes: BTreeMap<String, Vec<usize>>,
    notes: Vec<String>,
    left_out: Vec<String>,
}

/// Opens a checkpoint whatever its layout: a file, an index of several, or the folder that holds them.
///
/// `heads` is the user's number of attention heads; a `config.json` of Hugging
/// Face beside the file comes second, width / 64 third. For the text tower width / 64 comes before
/// `heads`, because one number rarely fits both towers. `prefix` is the user's choice among several towers.
///
/// # Errors
/// [`BundleError::UnknownCheckpoint`], [`BundleError::Unsupported`], [`BundleError::DamagedCheckpoint`],
/// [`BundleError::Part`], [`BundleError::Index`], [`BundleError::MissingTensor`], [`BundleError::Shape`],
/// [`BundleError::Constant`], [`BundleError::Options`] if the heads cannot be known or no tower has the prefix,
/// [`BundleError::Io`].
pub fn open_checkpoint(path: &Path, heads: Option<usize>, prefix: Option<&str>) -> Result<Checkpoint, BundleError> {
    Checkpoint::new(open_source(path)?, heads, prefix)
}

impl Checkpoint {
    /// The tower of opened files; see [`open_checkpoint`].
    ///
    /// # Errors
    /// As [`open_checkpoint`].
    pub fn new(opened: Opened, heads: Option<usize>, prefix: Option<&str>) -> Result<Self, BundleError> {
        let Opened { mut source, place: path, config, mut notes } = opened;
        let names = source.names();
        let all = all_towers(&*source, &path)?;
        let candidates = match prefix {
            Some(prefix) => chosen(&all, prefix).map_err(BundleError::Options)?,
            None => all.clone(),
        };
        let tower = take_trained(candidates, &mut *source, &mut notes)?;
        let others = listed(all.iter().filter(|other| other.prefix != tower.prefix));
        let scan = Scan { source: &*source, names: &names, tower: &tower, path: &path };
        refuse_unsupported(&scan, &all, &others)?;
        let with_others = |error| or_another(error, &others);
        let beside = Beside::read(&config);
        let vision = scan.vision(heads, &beside).map_err(with_others)?;
        let text = scan.text(heads, &beside).map_err(with_others)?;
        let position_rows = tower.raw("vision.position_embedding").and_then(|raw| source.shape(&raw));
        let position_rows = position_rows.and_then(|shape| without_leading_ones(&shape).first().copied());
        let has_class_row = scan.has_class_row(position_rows.unwrap_or(0));
        let mut left_out = Vec::new();
        if let (None, Some(why)) = (&text, scan.lack_of_text()) {
            left_out.push(format!("{why}; the model has no words without it"));
        }
        let native = vision.config(vision.native_grid * vision.patch_px, &[vision.layers], Activation::Gelu);
        let mut shapes: BTreeMap<_, _> = vision_tensors(&native).into_iter().collect();
        shapes.extend(text.iter().flat_map(text_tensors));
        left_out.extend(not_used(&names, &tower, &all, &shapes));
        let trained_with = beside.activation;
        Ok(Self { path, source, tower, others, vision, has_class_row, text, trained_with, shapes, notes, left_out })
    }

    /// The tower of one of some files; see [`open_checkpoint`].
    ///
    /// # Errors
    /// As [`open_checkpoint`].
    pub fn of(files: &dyn Files, name: &str, heads: Option<usize>, prefix: Option<&str>) -> Result<Self, BundleError> {
        Self::new(open_in(files, name)?, heads, prefix)
    }

    /// Something to be told of how it was found, before what is told of it.
    pub fn note(&mut self, note: Option<String>) {
        self.notes.splice(0..0, note);
    }

    /// The naming it was found to have.
    pub fn title(&self) -> &'static str {
        self.tower.layout.title
    }

    /// What stands before all names of its tensors.
    pub fn prefix(&self) -> &str {
        &self.tower.prefix
    }

    /// The vision tower.
    pub fn vision(&self) -> &VisionGeometry {
        &self.vision
    }

    /// The text tower, if present.
    pub fn text(&self) -> Option<&TextConfig> {
        self.text.as_ref()
    }

    /// The activation that it was trained with, where a `config.json` says it.
    pub fn trained_with(&self) -> Option<Activation> {
        self.trained_with
    }

    /// What was taken, in sentences: files, family, layout, prefix and what else there was to choose from.
    pub fn taken(&self) -> Vec<String> {
        let VisionGeometry { family, width, heads, layers, patch_px, native_grid, registers, .. } = self.vision;
        let family = match (family, registers) {
            (Family::Clip, _) => "CLIP".to_owned(),
            (Family::Dinov2, 0) => "DINOv2".to_owned(),
            (Family::Dinov2, _) => format!("DINOv2 with {registers} registers"),
        };
        let prefix = if self.prefix().is_empty() {
            "without a prefix".to_owned()
        } else {
            format!("prefix {:?}", self.prefix())
        };
        let others = match self.others.as_str() {
            "" => String::new(),
            others => format!("; not taken: {others} (choose with --prefix)"),
        };
        let text = match &self.text {
            Some(text) => format!("text tower of width {}, {} blocks", text.width, text.layers),
            None => "no text tower".to_owned(),
        };
        let mut sentences = self.notes.clone();
        sentences.push(format!("{family}, named as {}, {prefix}{others}", self.title()));
        sentences.push(format!(
            "vision tower of width {width}, {layers} blocks, {heads} heads, {native_grid} x {native_grid} patches of {patch_px} px; {text}"
        ));
        sentences
    }

    /// What of the checkpoint is not taken over, in words.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Reads one tensor by its canonical name: its shape and row-major values. The position table
    /// comes on the grid of the checkpoint.
    ///
    /// # Errors
    /// [`BundleError::MissingTensor`], [`BundleError::Shape`], [`BundleError::NotFinite`] and [`BundleError::Constant`]
    /// under the checkpoint's own names; [`BundleError::DamagedCheckpoint`].
    pub fn read(&mut self, name: &str) -> Result<(Vec<usize>, Vec<f32>), BundleError> {
        let (Some(shape), Some(recipe)) = (self.shapes.get(name).cloned(), self.tower.layout.recipe(name)) else {
            return Err(BundleError::MissingTensor {
                name: name.to_owned(),
                hint: format!("{} has no such part", self.path),
            });
        };
        let mut expected = part_shape(name, &shape, recipe.parts.len(), recipe.transposed, self.vision.patch_px);
        let mut values: Vec<f32> = Vec::new();
        if name == "vision.position_embedding" && !self.has_class_row {
            // Where the table has no row for the class token, nothing is added to it.
            values.resize(self.vision.width, 0.0);
            expected.iter_mut().take(1).for_each(|rows| *rows -= 1);
        }
        for raw in &recipe.parts {
            let raw = format!("{}{raw}", self.tower.prefix);
            let found = self
                .source
                .shape(&raw)
                .ok_or_else(|| or_another(missing(&raw, &self.path, &*self.source), &self.others))?;
            if without_leading_ones(&found) != without_leading_ones(&expected) {
                let hint = format!("{} is damaged, or of a variant that is not supported", self.path);
                return Err(BundleError::Shape { name: raw, expected, found, hint });
            }
            let part = self.source.read(&raw)?;
            check_finite(&raw, &part)?;
            if let (true, Some(value)) = (is_judged(name, &shape), only_value(&part)) {
                return Err(constant(raw, value, &self.others));
            }
            if values.is_empty() {
                values = part;
                values.reserve_exact(values.len() * (recipe.parts.len() - 1));
            } else {
                values.extend(part);
            }
        }
        if recipe.transposed
            && let [rows, columns] = shape[..]
        {
            values =
                (0..rows * columns).filter_map(|n| values.get(n % columns * rows + n / columns).copied()).collect();
        }
        Ok((shape, values))
    }

    /// Reads one tensor as [`Checkpoint::read`] does, ready for `Weights::insert`.
    ///
    /// # Errors
    /// As [`Checkpoint::read`].
    pub fn part(&mut self, name: &str) -> Result<TensorPart, BundleError> {
        let (shape, values) = self.read(name)?;
        Ok(TensorPart::whole(name, shape, values))
    }
}

/// Every vision tower of a file.
fn all_towers(source: &dyn TensorSource, path: &str) -> Result<Vec<Tower>, BundleError> {
    let names = source.names();
    // A patch projection that cannot be read is told of when it is needed.
    let unread = source.unread().into_iter().map(|unread| unread.name);
    let every: Vec<String> = names.iter().cloned().chain(unread).collect();
    let found = towers(&every);
    if !found.is_empty() {
        return Ok(found);
    }
    let all: Vec<&str> = every.iter().map(String::as_str).collect();
    let shape = |name: &str| source.shape(name);
    let known = Names { of_tower: all.clone(), all, shape: &shape, layout: None, is_tower: false };
    if let Some(known) = unsupported(&known) {
        let (family, why, instead) = (known.family.to_owned(), known.why, known.instead.to_owned());
        return Err(BundleError::Unsupported { path: path.to_owned(), family, why, instead });
    }
    let reason = if names.iter().any(|n| n.contains("_adapters.")) {
        "it holds MVFA adapters (give it as the adapters, and a CLIP checkpoint beside it)".to_owned()
    } else {
        format!("none of its {} tensors is the patch projection of a vision tower", names.len())
    };
    Err(BundleError::UnknownCheckpoint { path: path.to_owned(), reason })
}

/// The first tower with trained weights; those passed over are noted.
fn take_trained(
    candidates: Vec<Tower>,
    source: &mut dyn TensorSource,
    notes: &mut Vec<String>,
) -> Result<Tower, BundleError> {
    let mut first = None;
    for tower in &candidates {
        let Some((name, value)) = constant_matrix(tower, source) else { return Ok(tower.clone()) };
        notes.push(format!("not taken: {:?}, for its {name} holds {value} in all places", tower.prefix));
        first.get_or_insert((name, value));
    }
    let (name, value) = first.unwrap_or_default();
    Err(constant(name, value, ""))
}

/// Refuses what is known and not supported, by its name.
fn refuse_unsupported(scan: &Scan<'_>, towers: &[Tower], others: &str) -> Result<(), BundleError> {
    let unread: Vec<String> = scan.source.unread().into_iter().map(|unread| unread.name).collect();
    let every = scan.names.iter().chain(&unread).map(String::as_str);
    let all: Vec<&str> = every.filter(|name| is_of(name, scan.tower, towers)).collect();
    let of_tower = all.iter().copied().filter(|name| name.starts_with(&scan.tower.prefix)).collect();
    let shape = |name: &str| scan.source.shape(name);
    let layout = Some(scan.tower.layout);
    let Some(known) = unsupported(&Names { all, of_tower, shape: &shape, layout, is_tower: scan.is_tower() }) else {
        return Ok(());
    };
    let mut instead = known.instead.to_owned();
    if !others.is_empty() {
        instead = format!("{instead}, or another tower of this file with --prefix {others}");
    }
    let (path, family) = (scan.path.to_owned(), known.family.to_owned());
    Err(BundleError::Unsupported { path, family, why: known.why, instead })
}

/// Says that the file has other towers, where one is not whole.
fn or_another(error: BundleError, others: &str) -> BundleError {
    match error {
        BundleError::MissingTensor { name, hint } if !others.is_empty() => {
            BundleError::MissingTensor { name, hint: format!("{hint}; or choose another tower with --prefix {others}") }
        }
        other => other,
    }
}

/// What of a tower's own tensors, and of those of no tower, nothing is made of.
fn not_used(
    names: &[String],
    tower: &Tower,
    towers: &[Tower],
    shapes: &BTreeMap<String, Vec<usize>>,
) -> Option<String> {
    const MOST: usize = 8;
    let parts = shapes.keys().filter_map(|name| tower.layout.recipe(name)).flat_map(|recipe| recipe.parts);
    let used: BTreeSet<String> = parts.map(|part| format!("{}{part}", tower.prefix)).collect();
    let unused = names.iter().filter(|name| is_of(name, tower, towers) && !used.contains(*name));
    // As far as a person needs to know which part it is: `visual.ln_post`, `optimizer`.
    let group = |name: &String| {
        let parts = if name.starts_with(&tower.prefix) { 2 + tower.prefix.matches('.').count() } else { 1 };
        name.split('.').take(parts).collect::<Vec<_>>().join(".")
    };
    let groups: BTreeSet<String> = unused.map(group).collect();
    let more = if groups.len() > MOST { format!(" and {} more", groups.len() - MOST) } else { String::new() };
    let first: Vec<String> = groups.into_iter().take(MOST).collect();
    (!first.is_empty()).then(|| format!("{}{more}, which no map is computed from", first.join(", ")))
}

/// Shape of each raw part of a canonical tensor.
fn part_shape(name: &str, shape: &[usize], parts: usize, transposed: bool, patch_px: usize) -> Vec<usize> {
    let mut shape = shape.to_vec();
    if name == "vision.patch.weight" {
        shape.truncate(1);
        shape.extend([3, patch_px, patch_px]);
    } else if transposed {
        shape.reverse();
    } else if let Some(rows) = shape.first_mut() {
        *rows /= parts.max(1);
    }
    shape
}
