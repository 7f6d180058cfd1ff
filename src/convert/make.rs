//! A checkpoint of the disk becomes a bundle in a folder: tensors, text features and self-test.
//!
//! Comes in: [`ConvertOptions`]. Goes out: the folder and its manifest. Fails with
//! [`BundleError`]; an existing bundle in the same place stays whole then.

use crate::bundle::error::BundleError;
use crate::bundle::import::{AdapterFile, open_checkpoint};
use crate::bundle::manifest::Manifest;
use crate::bundle::store::read_file;
use crate::bundle::writer::{Kept, Place, check_replaceable};
use crate::convert::conversion::{Conversion, Stage};
use crate::convert::options::{ConvertOptions, Progress, Teller};
use crate::convert::plan::{check_inputs, plan};
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
    check_inputs(options)?;
    check_replaceable(&options.out)?;
    let sources = Sources {
        checkpoint: open_checkpoint(&options.clip, options.heads, options.prefix.as_deref())?,
        adapters: options.adapters.as_deref().map(AdapterFile::open).transpose()?,
    };
    plan(options, &sources)?;
    sources.tell(options, teller);
    let output = Place::new(&options.out)?;
    let mut conversion = Conversion::new(options.clone(), sources, output, Kept::default())?;
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
