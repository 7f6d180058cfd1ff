//! The place of the model that is used without `--bundle`.
//!
//! Comes in: the environment. Goes out: the folder of the bundle. Fails with the places that were looked at and the
//! command that puts the model into one of them.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::usage::BadUsage;
use crate::bundle::store::MANIFEST;

/// Names the folder in which models lie.
const VARIABLE: &str = "MVFA_MODELS";
/// Below a folder of a person or a program.
const PLACES: [&str; 2] = ["models/default", "default"];

/// The first of: `$MVFA_MODELS`, the current folder, the folders around the program, the person's data folder.
///
/// # Errors
/// None of them holds a model.
pub(super) fn default_bundle() -> Result<PathBuf> {
    let chosen = env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = chosen {
        // A folder that the user names is taken as it is, without a fallback.
        return first(&[&folder]).ok_or_else(|| {
            BadUsage(format!(
                "{VARIABLE} is {}, and there is no default/{MANIFEST} in it; correct or unset it",
                folder.display()
            ))
            .into()
        });
    }
    let data = data_folder();
    let program = env::current_exe().ok();
    let mut folders: Vec<&Path> = vec![Path::new(".")];
    folders.extend(program.iter().flat_map(|file| file.ancestors().skip(1)));
    folders.extend(data.as_deref());
    first(&folders).ok_or_else(|| {
        let data = data.map_or_else(String::new, |folder| format!(", or in {}", folder.display()));
        BadUsage(format!(
            "there is no models/default here, beside the program{data}; run `cargo xtask install` in the source of this \
             program, which puts it there, name its folder in {VARIABLE}, or name another model with --bundle DIR"
        ))
        .into()
    })
}

/// `$XDG_DATA_HOME/mvfa`, as a desktop keeps what belongs to a program and a person.
fn data_folder() -> Option<PathBuf> {
    let base = env::var_os("XDG_DATA_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = base.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".local/share")))?;
    Some(base.join("mvfa"))
}

fn first(folders: &[&Path]) -> Option<PathBuf> {
    let places = folders.iter().flat_map(|folder| PLACES.map(|place| folder.join(place)));
    places.into_iter().find(|bundle| bundle.join(MANIFEST).is_file())
}
