//! Data sets among files that were dropped: the same words as `mvfa check`.

use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::dataset::{Layout, Level, Part};
use crate::web::plain;

/// A data set for the page; pictures by the numbers of their paths.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DataSet {
    folder: String,
    lines: Vec<String>,
    warnings: Vec<String>,
    errors: Vec<String>,
    /// Normal pictures to compare with: of valid, else of train.
    normals: Vec<usize>,
    /// Pictures to look at.
    tests: Vec<usize>,
}

impl DataSet {
    fn new(layout: &Layout) -> Self {
        let normal = |part: Part| layout.of_part(part).filter(|entry| !entry.abnormal).map(|entry| entry.file);
        let mut normals: Vec<usize> = normal(Part::Valid).collect();
        if normals.is_empty() {
            normals = normal(Part::Train).collect();
        }
        let texts = |level| layout.findings.iter().filter(move |f| f.level == level).map(|f| f.text.clone()).collect();
        Self {
            folder: layout.root.clone(),
            lines: layout.lines(),
            warnings: texts(Level::Warning),
            errors: texts(Level::Error),
            normals,
            tests: layout.of_part(Part::Test).map(|entry| entry.file).collect(),
        }
    }
}

/// The data sets among files by their paths, with `/` between folders; a folder without labelled pictures is none.
///
/// # Errors
/// None in practice; the signature is the serialiser's.
#[wasm_bindgen(js_name = dataSets)]
pub fn data_sets(paths: Vec<String>) -> Result<JsValue, JsValue> {
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let found = Layout::find(&paths);
    plain(&found.iter().filter(|set| !set.entries.is_empty()).map(DataSet::new).collect::<Vec<_>>())
}
