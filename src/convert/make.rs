//! A checkpoint of the disk becomes a bundle in a folder: tensors, text features and self-test; or a bundle becomes another
//! one with other adapters.
//!
//! Comes in: [`ConvertOptions`] or [`ChangeOptions`]. Goes out: the folder and its manifest. Fails with
//! [`BundleError`]; an existing bundle in the same place stays whole then.

use std::path::PathBuf;

use crate::bundle::error::BundleError;
use crate::bundle::import::{AdapterFile, open_checkpoint};
use crate::bundle::manifest::{Manifest, ObjectSpec};
use crate::bundle::shard::check_bytes;
use crate::bundle::store::{BundleFolder, read_file};
use crate::bundle::writer::{Kept, Output, Place, check_replaceable};
use crate::convert::change::{Change, FinishedModel, is_of_tower};
use crate::convert::conversion::{Conversion, Stage};
use crate::convert::options::{ConvertOptions, Progress, Teller};
use crate::convert::plan::{check_apart, plan};
use crate::convert::sources::Sources;

/// Converts a checkpoint on the processor, whose answers the self-test holds every other device to. `teller` is told
/// what of the checkpoint is taken and what is left out.
///
/// # Errors
/// What the checkpoint, the adapters, the options or the disk have wrong.
pub fn convert(
    options: &ConvertOptions,
    progress: &mut Progress<'_>,
    teller: &mut Teller<'_>,
) -> Result<Manifest, BundleError> {
    check_apart(&options.out, options.adapters.iter().chain([&options.clip]))?;
    check_replaceable(&options.out)?;
    let sources = Sources {
        checkpoint: open_checkpoint(&options.clip, options.heads, options.prefix.as_deref())?,
        adapters: options.adapters.as_deref().map(AdapterFile::open).transpose()?,
    };
    plan(options, &sources)?;
    sources.tell(options, teller);
    let output = Place::new(&options.out)?;
    finish(Conversion::new(options.clone(), sources, output, Kept::default())?, progress)
}

/// A bundle whose adapters are to change.
#[derive(Clone, Debug)]
pub struct ChangeOptions {
    /// The bundle: a folder, or its archive.
    pub bundle: PathBuf,
    /// MVFA's adapters; without, the new bundle has none.
    pub adapters: Option<PathBuf>,
    /// Folder to write.
    pub out: PathBuf,
    /// What the new bundle can be asked about; the same as before if none is given.
    pub objects: Vec<ObjectSpec>,
    /// Name shown to people; the same as before if not given.
    pub name: Option<String>,
}

/// Writes a bundle with the tower of another one and other adapters, or none. The tower's files are copied as they are.
///
/// # Errors
/// What the bundle, the adapters, the options or the disk have wrong.
pub fn change(options: &ChangeOptions, progress: &mut Progress<'_>) -> Result<Manifest, BundleError> {
    check_apart(&options.out, options.adapters.iter().chain([&options.bundle]))?;
    let bundle = BundleFolder::open(&options.bundle)?;
    let manifest = bundle.manifest().clone();
    let adapters = match &options.adapters {
        Some(path) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Some((name, AdapterFile::open(path)?))
        }
        None => None,
    };
    let mut output = Place::new(&options.out)?;
    let tower: Vec<_> = manifest.files.iter().filter(|file| is_of_tower(file.group)).collect();
    let total: u64 = tower.iter().map(|file| file.bytes).sum();
    let mut done = 0;
    for file in tower {
        let bytes = bundle.read_file(file)?;
        check_bytes(file, &bytes, None)?;
        output.write(&file.path, &[&bytes])?;
        done += file.bytes;
        progress(done, total, &file.path);
    }
    let card = bundle.card();
    let model = FinishedModel::new(manifest, card, Box::new(move |file| bundle.read_file(file)));
    let change = Change { adapters, objects: options.objects.clone(), name: options.name.clone() };
    finish(Conversion::of_model(model, change, output, Kept::default())?, progress)
}

fn finish(mut conversion: Conversion<Place>, progress: &mut Progress<'_>) -> Result<Manifest, BundleError> {
    let mut bytes = (0, 0);
    while conversion.step()? {
        if let Stage::Tensors { name, done, total } = conversion.stage() {
            progress(*done, *total, name);
            bytes = (*done, *total);
        } else {
            progress(bytes.0, bytes.1, "words");
        }
    }
    progress(bytes.1, bytes.1, "");
    while let Some(file) = conversion.wanted().cloned() {
        conversion.give(&read_file(conversion.writer().work_folder(), &file)?)?;
    }
    conversion.finish()
}
