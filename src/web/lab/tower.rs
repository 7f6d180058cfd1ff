//! A person's own words through a model's text tower, as the worker holds it.
//!
//! Comes in: a manifest's text, its files of the group `text`, and lists of words. Goes out: what was found in them, text
//! features and mean embeddings of the lines. Fails by throwing `UsageError` or `ModelError`.

use std::rc::Rc;

use js_sys::{Float32Array, Object};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::bundle::error::BundleError;
use crate::bundle::manifest::{FileEntry, Manifest};
use crate::clip::prompt_check::Problem;
use crate::clip::prompts::Prompts;
use crate::clip::tower_files::TowerFiles;
use crate::clip::words::{WordTower, WordsError};
use crate::web::error::WebError;
use crate::web::lab::given::{Given, GivenFiles};
use crate::web::plain;

/// Reads one of the files.
type Read = Box<dyn FnMut(&FileEntry) -> Result<Vec<u8>, BundleError>>;

/// The text tower of one model.
#[wasm_bindgen(js_name = Tower)]
pub struct WebTower {
    manifest: Manifest,
    tower: WordTower,
    files: TowerFiles<Read>,
    prompts: Option<Prompts>,
}

/// What the lists came to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Looked {
    /// Without space around the lines, and without empty ones.
    prompts: Prompts,
    problems: Vec<Problem>,
    /// Something must be changed before they can be encoded.
    stops: bool,
}

/// How far the encoding is.
#[derive(Serialize)]
struct How {
    done: usize,
    total: usize,
}

#[wasm_bindgen(js_class = Tower)]
impl WebTower {
    /// Of the model that a manifest describes; files are read when they are needed.
    ///
    /// # Errors
    /// Throws `ModelError`, or `UsageError` if the model has no tower that can be used.
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &str, given: Given) -> Result<WebTower, JsValue> {
        console_error_panic_hook::set_once();
        let manifest = Manifest::parse(manifest.as_bytes()).map_err(WebError::from)?;
        let tower = WordTower::new(&manifest).map_err(WebError::from)?;
        let given = GivenFiles(Rc::new(given));
        let read: Read = Box::new(move |file: &FileEntry| given.whole(&file.path, file.bytes));
        Ok(Self { files: TowerFiles::new(&manifest, read), manifest, tower, prompts: None })
    }

    /// The method's own words for an object.
    ///
    /// # Errors
    /// Throws `UsageError` for an unknown object.
    pub fn paper(&self, object: &str) -> Result<JsValue, JsValue> {
        let object = self.manifest.object(object).map_err(|e| WebError::Usage(e.to_string()))?;
        plain(&Prompts::paper(&object.prompt))
    }

    /// Looks at lists, and begins to encode what is new in them unless something stops it.
    ///
    /// # Errors
    /// Throws `UsageError`.
    pub fn begin(&mut self, prompts: JsValue) -> Result<JsValue, JsValue> {
        let prompts: Prompts = serde_wasm_bindgen::from_value(prompts)
            .map_err(|e| WebError::Usage(format!("expected organ, normal and abnormal, found something else: {e}")))?;
        let prompts = prompts.tidy();
        let problems = self.tower.check(&prompts).map_err(WebError::from)?;
        let stops = problems.iter().any(|problem| problem.stops);
        if !stops {
            self.tower.begin(&prompts).map_err(WebError::from)?;
        }
        self.prompts = (!stops).then(|| prompts.clone());
        plain(&Looked { prompts, problems, stops })
    }

    /// Does one step; false when all is encoded.
    ///
    /// # Errors
    /// Throws `ModelError`.
    pub fn step(&mut self) -> Result<bool, JsValue> {
        let files = &mut self.files;
        Ok(self.tower.step(&mut |names, weights| files.tensors(names, weights)).map_err(WebError::from)?)
    }

    /// How far it is.
    ///
    /// # Errors
    /// None in practice; the signature is the serialiser's.
    pub fn stage(&self) -> Result<JsValue, JsValue> {
        let (done, total) = self.tower.progress();
        plain(&How { done, total })
    }

    /// `{ features, columns, lines, dim }`: text features `[dim, columns]`, and mean embeddings `[lines, dim]`.
    ///
    /// # Errors
    /// Throws `UsageError` before all is encoded.
    pub fn words(&self) -> Result<Object, JsValue> {
        let words = self.prompts.as_ref().and_then(|prompts| self.tower.words(prompts));
        let Some(words) = words else {
            return Err(WebError::Usage("the words are not encoded yet; go on with the steps".to_owned()).into());
        };
        let out = Object::new();
        // Plain properties cannot be refused.
        let set = |name: &str, value: JsValue| _ = js_sys::Reflect::set(&out, &name.into(), &value);
        set("features", Float32Array::from(&words.features[..]).into());
        set("columns", words.columns.into());
        set("dim", (words.features.len() / words.columns.max(1)).into());
        set("lines", Float32Array::from(&words.lines.concat()[..]).into());
        Ok(out)
    }
}

impl From<WordsError> for WebError {
    fn from(error: WordsError) -> Self {
        match error {
            WordsError::Model(error) => Self::Model(error),
            other => Self::Usage(other.to_string()),
        }
    }
}
