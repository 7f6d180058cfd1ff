//! Which pictures a model was trained on.
//!
//! Comes in: a bundle's `training.json`. Goes out: whether a picture is in it, by its pixels. Bundles of before hold file
//! names only; then names decide, and it is only likely. A bundle without such a file was not trained here.

use std::collections::HashSet;
use std::path::Path;

use serde::Deserialize;

use crate::bundle::writer::TRAINING;
use crate::image::PixelHash;

#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    data: Vec<DataRecord>,
}

#[derive(Deserialize)]
struct DataRecord {
    #[serde(default)]
    folder: String,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    pixels: Vec<String>,
}

/// The pictures of a training record.
#[derive(Debug, Default)]
pub struct Trained {
    pixels: HashSet<String>,
    /// Folder of the set and file name, where no pixels are on record.
    names: HashSet<(String, String)>,
}

impl Trained {
    /// Of the bundle in a folder; nothing if there is no record, or none that can be read.
    pub fn of_bundle(folder: &Path) -> Self {
        let bytes = std::fs::read(folder.join(TRAINING)).unwrap_or_default();
        let record = serde_json::from_slice::<Record>(&bytes).unwrap_or(Record { data: Vec::new() });
        let mut this = Self::default();
        for data in record.data {
            if data.pixels.is_empty() {
                this.names.extend(data.files.into_iter().map(|file| (data.folder.clone(), file)));
            }
            this.pixels.extend(data.pixels);
        }
        this
    }

    /// Whether a picture of a set in this folder was trained on.
    pub fn knows(&self, set: &str, file: &str, pixels: Option<PixelHash>) -> bool {
        pixels.is_some_and(|hash| self.pixels.contains(&hash.short()))
            || self.names.contains(&(set.to_owned(), file.to_owned()))
    }
}
