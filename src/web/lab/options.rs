//! A person's choices, from JavaScript: what `mvfa convert` takes, under the same names.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

use crate::bundle::config::Activation;
use crate::bundle::manifest::{Augment, Dtype, ObjectSpec};
use crate::bundle::objects::{known_object, parse_object};
use crate::convert::ConvertOptions;
use crate::web::error::WebError;

/// All may be left out.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Choices {
    dtype: Option<Dtype>,
    size: Option<usize>,
    levels: Option<Vec<usize>>,
    heads: Option<usize>,
    prefix: Option<String>,
    #[serde(default)]
    objects: Vec<String>,
    /// Of a person's own: `ID=PROMPT WORD:KIND`.
    #[serde(default)]
    object: Vec<String>,
    name: Option<String>,
    licence: Option<String>,
    augment: Option<Augment>,
    #[serde(default)]
    quick_gelu: bool,
}

/// What may be chosen where a model's adapters change.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    #[serde(default)]
    objects: Vec<String>,
    name: Option<String>,
}

/// Ids of objects, and a name.
pub(super) fn changes(choices: JsValue) -> Result<(Vec<String>, Option<String>), WebError> {
    let Changes { objects, name } = given(choices)?;
    Ok((objects, name.filter(|name| !name.trim().is_empty())))
}

fn given<T: Default + DeserializeOwned>(choices: JsValue) -> Result<T, WebError> {
    if choices.is_undefined() || choices.is_null() {
        return Ok(T::default());
    }
    serde_wasm_bindgen::from_value(choices).map_err(|e| usage(&e))
}

fn usage(e: &dyn std::fmt::Display) -> WebError {
    WebError::Usage(format!("the options of the conversion are not right: {e}"))
}

/// The method's defaults with a person's choices.
pub(super) fn options(choices: JsValue) -> Result<ConvertOptions, WebError> {
    let choices: Choices = given(choices)?;
    let mut options = ConvertOptions::new(String::new().into(), String::new().into());
    let known = choices.objects.iter().map(|id| known_object(id.trim()).map_err(|e| usage(&e)));
    let own = choices.object.iter().map(|text| parse_object(text).map_err(|e| usage(&e)));
    let objects: Vec<ObjectSpec> = known.chain(own).collect::<Result<_, _>>()?;
    if !objects.is_empty() {
        options.objects = objects;
    }
    options.dtype = choices.dtype.unwrap_or(options.dtype);
    options.size_px = choices.size.unwrap_or(options.size_px);
    options.levels = choices.levels;
    options.heads = choices.heads;
    options.prefix = choices.prefix;
    options.augment = choices.augment.unwrap_or(options.augment);
    options.name = choices.name.filter(|name| !name.trim().is_empty());
    options.licence = choices.licence.filter(|licence| !licence.trim().is_empty());
    if choices.quick_gelu {
        options.activation = Activation::QuickGelu;
    }
    Ok(options)
}
