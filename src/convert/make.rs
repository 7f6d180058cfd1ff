//! A checkpoint becomes a complete bundle: tensors, text features and self-test.
//!
//! Comes in: [`ConvertOptions`]. Goes out: the folder and its manifest. Fails with
//! [`BundleError`]; an existing bundle in the same place stays whole then.

use crate::bundle::error::BundleError;
use crate::bundle::manifest::Manifest;
use crate::convert::options::{ConvertOptions, Progress, Teller};
use crate::convert::sentences::Sentences;
use crate::convert::write::write;
use crate::mvfa::self_test_of;

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
    let mut sentences = Sentences::new(options.adapters.is_some());
    let written = write(options, &mut sentences, progress, teller)?;
    // Its memory is needed for the engine.
    drop(sentences);
    let self_test = self_test_of(&written.folder())?;
    written.finish(Some(self_test))
}
