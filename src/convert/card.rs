//! The model card of a converted checkpoint, as Markdown.

use std::path::PathBuf;

use crate::bundle::import::Checkpoint;
use crate::bundle::manifest::Manifest;
use crate::convert::options::ConvertOptions;

/// Says what the bundle was made from.
pub(super) fn card(options: &ConvertOptions, checkpoint: &Checkpoint, manifest: &Manifest) -> String {
    let file = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let adapters = match &options.adapters {
        Some(path) => format!("MVFA adapters from `{}`", file(path)),
        None => "none; the tower's own tokens are the features".to_owned(),
    };
    let text = if manifest.text.is_some() { "included" } else { "none; no zero-shot analysis" };
    format!(
        "# {}\n\n\
         | | |\n|---|---|\n\
         | Weights | `{}` ({}{}) |\n\
         | Adapters | {adapters} |\n\
         | Text tower | {text} |\n\
         | Features after blocks | {:?} |\n\
         | Input | {} px square |\n\
         | Licence of the weights | {} |\n\
         | Intended use | {} |\n",
        manifest.name,
        file(&options.clip),
        checkpoint.title(),
        if checkpoint.prefix().is_empty() { String::new() } else { format!(", prefix `{}`", checkpoint.prefix()) },
        manifest.vision.levels,
        manifest.preprocess.size_px,
        manifest.licence,
        manifest.intended_use,
    )
}
