//! The conversion as the worker holds it: what was found first, then step by step.

use std::rc::Rc;

use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::bundle::error::BundleError;
use crate::bundle::manifest::{Dtype, FileEntry, Manifest, ObjectSpec};
use crate::bundle::objects::default_objects;
use crate::bundle::writer::Kept;
use crate::convert::{Change, Conversion, FinishedModel, Sources, Stage, Told, adapters_alone, bundle_bytes, plan};
use crate::web::error::WebError;
use crate::web::lab::given::{Given, GivenFiles};
use crate::web::lab::options::{changes, options};
use crate::web::lab::shelf::Shelf;
use crate::web::plain;

/// What is known of the files before anything is converted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    name: String,
    checkpoint: String,
    adapters: Option<String>,
    taken: Vec<String>,
    left_out: Vec<String>,
    /// Whether it will compare with words.
    zero_shot: bool,
    objects: Vec<ObjectName>,
    size_px: usize,
    bytes: Bytes,
}

#[derive(Serialize)]
struct ObjectName {
    id: String,
    name: String,
}

/// Of the bundle, for each element type.
#[derive(Serialize)]
struct Bytes {
    f16: f64,
    i8: f64,
    f32: f64,
}

/// How far a conversion is.
#[derive(Serialize)]
struct How<'a> {
    stage: &'static str,
    done: f64,
    total: f64,
    /// The tensor, or the prompt word.
    what: &'a str,
}

/// Looks at files that a person chose.
///
/// # Errors
/// Throws `ModelError` with what the checkpoint or the adapters have wrong, or `UsageError`.
#[wasm_bindgen]
pub fn inspect(given: Given, choices: JsValue) -> Result<JsValue, JsValue> {
    console_error_panic_hook::set_once();
    let mut options = options(choices)?;
    let sources = Sources::find(&GivenFiles(Rc::new(given)), &mut options).map_err(WebError::from)?;
    let manifest = plan(&options, &sources).map_err(WebError::from)?;
    let (mut taken, mut left_out) = (Vec::new(), Vec::new());
    sources.tell(&options, &mut |told| match told {
        Told::Taken(what) => taken.push(what.to_owned()),
        Told::LeftOut(what) => left_out.push(what.to_owned()),
    });
    let bytes = |dtype| bundle_bytes(&manifest, dtype) as f64;
    plain(&Found {
        checkpoint: options.clip.display().to_string(),
        adapters: options.adapters.map(|path| path.display().to_string()),
        taken,
        left_out,
        zero_shot: manifest.adapters.is_some() && manifest.text.is_some(),
        objects: names(&manifest.objects),
        size_px: manifest.preprocess.size_px,
        bytes: Bytes { f16: bytes(Dtype::F16), i8: bytes(Dtype::I8), f32: bytes(Dtype::F32) },
        name: manifest.name,
    })
}

/// MVFA's adapters, without a checkpoint.
#[derive(Serialize)]
struct Adapters {
    /// The file that holds them.
    file: String,
    levels: usize,
    width: usize,
    /// For each of the models whether they can be added to it.
    fits: Vec<bool>,
    /// MVFA's objects, one of which they were trained for as a rule.
    objects: Vec<ObjectName>,
}

/// Looks whether the files are adapters alone; undefined if they are not. `manifests` are the texts of those models that they
/// may be added to.
///
/// # Errors
/// Throws `ModelError` if they are damaged.
#[wasm_bindgen(js_name = adaptersAlone)]
pub fn inspect_adapters(given: Given, manifests: Vec<String>) -> Result<JsValue, JsValue> {
    console_error_panic_hook::set_once();
    let Some((file, adapters)) = adapters_alone(&GivenFiles(Rc::new(given))).map_err(WebError::from)? else {
        return Ok(JsValue::UNDEFINED);
    };
    let fits = |text: &String| {
        Manifest::parse(text.as_bytes()).is_ok_and(|manifest| {
            let none = Box::new(|_: &FileEntry| Ok(Vec::new()));
            FinishedModel::new(manifest, String::new(), none).check(&adapters).is_ok()
        })
    };
    let fits = manifests.iter().map(fits).collect();
    let (levels, width) = (adapters.levels(), adapters.width());
    plain(&Adapters { file, levels, width, fits, objects: names(&default_objects()) })
}

/// Checks a manifest as opening a model does.
///
/// # Errors
/// Throws `ModelError`.
#[wasm_bindgen(js_name = checkManifest)]
pub fn parse_manifest(text: &str) -> Result<(), JsValue> {
    Manifest::parse(text.as_bytes()).map_err(WebError::from)?;
    Ok(())
}

/// A conversion under way.
#[wasm_bindgen(js_name = Conversion)]
pub struct WebConversion(Conversion<Shelf>);

#[wasm_bindgen(js_class = Conversion)]
impl WebConversion {
    /// Begins, or goes on with what [`WebConversion::kept`] said when an earlier one of the same files and choices ended.
    ///
    /// # Errors
    /// As [`inspect`].
    #[wasm_bindgen(constructor)]
    pub fn new(given: Given, shelf: Shelf, choices: JsValue, kept: Option<String>) -> Result<WebConversion, JsValue> {
        console_error_panic_hook::set_once();
        let mut options = options(choices)?;
        let kept = earlier(kept)?;
        let sources = Sources::find(&GivenFiles(Rc::new(given)), &mut options).map_err(WebError::from)?;
        Ok(Self(Conversion::new(options, sources, shelf, kept).map_err(WebError::from)?))
    }

    /// Begins another model with the tower of one that is whole, which `manifest` and `card` describe and whose text files
    /// `tower` has: with the adapters of `given`, or with none if that has no files. Goes on as [`WebConversion::new`].
    ///
    /// # Errors
    /// Throws `ModelError` if they do not belong together, or `UsageError`.
    #[wasm_bindgen(js_name = ofModel)]
    pub fn of_model(
        manifest: &str,
        card: String,
        tower: Given,
        given: Given,
        shelf: Shelf,
        choices: JsValue,
        kept: Option<String>,
    ) -> Result<WebConversion, JsValue> {
        console_error_panic_hook::set_once();
        let manifest = Manifest::parse(manifest.as_bytes()).map_err(WebError::from)?;
        let tower = GivenFiles(Rc::new(tower));
        let read = Box::new(move |file: &FileEntry| tower.whole(&file.path, file.bytes));
        let model = FinishedModel::new(manifest, card, read);
        let (ids, name) = changes(choices)?;
        let objects = model.objects(&ids).map_err(WebError::from)?;
        let given = GivenFiles(Rc::new(given));
        let is_less = given.is_empty();
        let adapters = if is_less { None } else { adapters_alone(&given).map_err(WebError::from)? };
        if !is_less && adapters.is_none() {
            return Err(WebError::Usage("the files hold no MVFA adapters; choose one .pth of them".to_owned()).into());
        }
        let change = Change { adapters, objects, name };
        let kept = earlier(kept)?;
        Ok(Self(Conversion::of_model(model, change, shelf, kept).map_err(WebError::from)?))
    }

    /// Does one step. False when all files but the manifest are written.
    ///
    /// # Errors
    /// Throws `ModelError`.
    pub fn step(&mut self) -> Result<bool, JsValue> {
        Ok(self.0.step().map_err(WebError::from)?)
    }

    /// How far it is.
    ///
    /// # Errors
    /// None in practice; the signature is the serialiser's.
    pub fn stage(&self) -> Result<JsValue, JsValue> {
        let how = match self.0.stage() {
            Stage::Tensors { name, done, total } => {
                How { stage: "tensors", done: *done as f64, total: *total as f64, what: name }
            }
            Stage::Words { prompt, done, total } => {
                How { stage: "words", done: *done as f64, total: *total as f64, what: prompt }
            }
            Stage::SelfTest { done, total } => {
                How { stage: "self-test", done: *done as f64, total: *total as f64, what: "" }
            }
        };
        plain(&how)
    }

    /// The finished files, for a conversion that goes on later.
    ///
    /// # Errors
    /// None in practice; the signature is the serialiser's.
    pub fn kept(&self) -> Result<String, JsValue> {
        Ok(serde_json::to_string(self.0.kept()).map_err(|e| WebError::Usage(e.to_string()))?)
    }

    /// The SHA-256 of the next file that the self-test needs; none when it needs no more.
    pub fn wanted(&self) -> Option<String> {
        self.0.wanted().map(|file| file.sha256.clone())
    }

    /// Takes the bytes of the file that was wanted.
    ///
    /// # Errors
    /// Throws `ModelError` if they are not what was written.
    pub fn give(&mut self, bytes: &[u8]) -> Result<(), JsValue> {
        Ok(self.0.give(bytes).map_err(WebError::from)?)
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// Throws `ModelError`.
    pub fn finish(self) -> Result<(), JsValue> {
        self.0.finish().map_err(|error: BundleError| WebError::from(error))?;
        Ok(())
    }
}

fn names(objects: &[ObjectSpec]) -> Vec<ObjectName> {
    objects.iter().map(|object| ObjectName { id: object.id.clone(), name: object.name.clone() }).collect()
}

/// The files of a conversion that ended early.
fn earlier(kept: Option<String>) -> Result<Kept, WebError> {
    kept.map_or_else(
        || Ok(Kept::default()),
        |text| serde_json::from_str(&text).map_err(|e| WebError::Usage(e.to_string())),
    )
}
