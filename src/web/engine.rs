//! The engine as the worker holds it: one loaded model and its references.

use js_sys::{Array, Float32Array, Function, Object};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use crate::bundle::manifest::{Augment, Group, Manifest, ObjectKind};
use crate::bundle::scoring::{ImageScores, PatchPlaces, Scoring};
use crate::compute::DeviceChoice;
use crate::image::Planes;
use crate::mvfa::{
    Analysis, Engine, Facts, LEFT_OUT_AT_MOST, Matching, MirrorAxis, Mode, PixelBox, ReferenceId, Regions, Request,
    Warning,
};
use crate::render::ColourMap;
use crate::web::error::WebError;
use crate::web::files::ModelFiles;
use crate::web::loader::{Loader, loaded_files};
use crate::web::pacer::{WorkerPacer, now_ms};
use crate::web::picture::{self, Source};
use crate::web::plain;

/// One loaded model and its references.
#[wasm_bindgen(js_name = Engine)]
pub struct WebEngine {
    pub(super) engine: Engine,
    weight_bytes: u64,
}

/// Options of `analyse`.
#[derive(Deserialize)]
struct AnalyseOptions {
    object: String,
    mode: String,
    /// Without it, the model as it is.
    method: Option<String>,
    augment: Option<Augment>,
    #[serde(rename = "bankRows")]
    bank_rows: Option<usize>,
    bilateral: Option<bool>,
    #[serde(default)]
    axis: MirrorAxis,
    /// Ids of the normal pictures to compare with; all without it.
    among: Option<Vec<u32>>,
    window: Option<String>,
    /// In pixels of the picture.
    #[serde(rename = "leaveOut", default)]
    leave_out: Vec<PixelBox>,
    /// Width and height of the picture whose `input` comes, in pixels.
    size: Option<[usize; 2]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    name: &'a str,
    revision: &'a str,
    licence: &'a str,
    card: &'a str,
    intended_use: &'a str,
    size_px: usize,
    augment: Augment,
    scoring: ScoringInfo,
    memory: &'static str,
    zero_shot: bool,
    zero_shot_reason: Option<&'static str>,
    zero_shot_note: Option<&'a str>,
    text_bytes: Option<u64>,
    few_shot_words: bool,
    objects: Vec<ObjectInfo<'a>>,
    device: DeviceInfo<'a>,
    weight_bytes: u64,
    compared_at_most: usize,
    colour_maps: [&'static str; ColourMap::ALL.len()],
}

/// How the comparison with normal images is scored.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScoringInfo {
    blocks: Vec<usize>,
    patches: PatchPlaces,
    smoothing_px: f32,
    image_score: ImageScores,
    class_rows: bool,
}

impl ScoringInfo {
    fn of(manifest: &Manifest) -> Self {
        let Scoring { levels, patches, smoothing_px, image_score, class_rows } =
            manifest.scoring.clone().unwrap_or_default();
        let blocks = levels.unwrap_or_else(|| manifest.vision.levels.clone());
        Self { blocks, patches, smoothing_px, image_score, class_rows }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ObjectInfo<'a> {
    id: &'a str,
    name: &'a str,
    prompt: &'a str,
    kind: ObjectKind,
    bilateral: bool,
    zero_shot: bool,
}

#[derive(Serialize)]
struct DeviceInfo<'a> {
    tier: &'static str,
    name: &'a str,
    reason: &'a str,
}

/// The parts of a result that are not arrays.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Scalars<'a> {
    object: &'a str,
    mode: &'static str,
    device: &'static str,
    score: f32,
    calibrated: Option<f32>,
    score_zero: Option<f32>,
    score_memory: Option<f32>,
    size: usize,
    map_min: f32,
    map_max: f32,
    support_scores: Option<&'a [f32]>,
    support_places: Option<Vec<usize>>,
    support_unlike: Vec<usize>,
    support_twins: Vec<usize>,
    normal_top: Option<f32>,
    warnings: &'a [Warning],
    timings: TimingsInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TimingsInfo {
    decode_ms: f64,
    references_ms: f64,
    preprocess_ms: f64,
    encode_ms: f64,
    score_ms: f64,
    total_ms: f64,
}

#[wasm_bindgen(js_class = Engine)]
impl WebEngine {
    /// Loads the bundle that `files` gives onto the wanted device (`auto`, `cpu`, `gpu`).
    ///
    /// `on_progress(stage, loaded_bytes, total_bytes)` with stages `model` and `self-test`.
    ///
    /// # Errors
    /// Throws `ModelError`, `DeviceError`, `AbortError` or `UsageError`.
    pub async fn open(
        files: ModelFiles,
        device: String,
        on_progress: Function,
        signal: AbortSignal,
    ) -> Result<WebEngine, JsValue> {
        console_error_panic_hook::set_once();
        let choice: DeviceChoice = device.parse().map_err(WebError::from)?;
        let engine = Loader::new(files, on_progress, signal).await?.open(choice).await?;
        let weight_bytes = loaded_files(engine.manifest()).map(|file| file.bytes).sum();
        Ok(WebEngine { engine, weight_bytes })
    }

    /// What the model is and can do.
    ///
    /// # Errors
    /// None in practice; the signature is the serialiser's.
    pub fn info(&self) -> Result<JsValue, JsValue> {
        let manifest = self.engine.manifest();
        let open = self.engine.device();
        let zero_shot = manifest.objects.iter().any(|o| self.engine.has_zero_shot(&o.id));
        let info = Info {
            name: &manifest.name,
            revision: &manifest.revision,
            licence: &manifest.licence,
            card: &manifest.card,
            intended_use: &manifest.intended_use,
            size_px: manifest.preprocess.size_px,
            augment: manifest.augment,
            scoring: ScoringInfo::of(manifest),
            memory: if manifest.memory_is_raw() { "raw" } else { "adapted" },
            zero_shot,
            zero_shot_reason: (!zero_shot).then(|| self.engine.zero_shot_lack()),
            zero_shot_note: manifest.zero_shot_note.as_deref(),
            text_bytes: manifest.can_take_words().then(|| manifest.bytes(&[Group::Text])),
            few_shot_words: manifest.few_shot_has_words(),
            objects: manifest
                .objects
                .iter()
                .map(|o| ObjectInfo {
                    id: &o.id,
                    name: &o.name,
                    prompt: &o.prompt,
                    kind: o.kind,
                    bilateral: o.bilateral,
                    zero_shot: self.engine.has_zero_shot(&o.id),
                })
                .collect(),
            device: DeviceInfo { tier: open.tier.name(), name: &open.name, reason: &open.reason },
            weight_bytes: self.weight_bytes,
            compared_at_most: LEFT_OUT_AT_MOST,
            colour_maps: ColourMap::ALL.map(ColourMap::name),
        };
        plain(&info)
    }

    /// Remembers a normal picture and returns its id: a decoded picture, or what `decode` returned as `input`.
    ///
    /// # Errors
    /// Throws `ImageError` or `UsageError`.
    #[wasm_bindgen(js_name = addSupport)]
    pub fn add_support(&mut self, bytes: Vec<u8>, is_input: bool, window: Option<String>) -> Result<u32, JsValue> {
        let (rgb, _) = Source::new(bytes, is_input, window).rgb(self.side_px())?;
        Ok(self.engine.add_reference(&rgb).0)
    }

    /// Remembers a normal picture whose rows another engine of the model made, `giveView` gives them: from what
    /// `supportFacts` answered there.
    ///
    /// # Errors
    /// Throws `UsageError`.
    #[wasm_bindgen(js_name = addRemembered)]
    pub fn add_remembered(&mut self, pixels: &str, brightness: Vec<f32>) -> Result<u32, JsValue> {
        let facts = Facts::new(pixels, brightness).map_err(WebError::from)?;
        Ok(self.engine.add_remembered(facts).0)
    }

    /// What describes a normal picture beside its rows, `{ pixels, brightness }`; undefined when there is none.
    #[wasm_bindgen(js_name = supportFacts)]
    pub fn support_facts(&self, id: u32) -> Option<Object> {
        let facts = self.engine.facts(ReferenceId(id))?;
        let out = Object::new();
        picture::set(&out, "pixels", &facts.pixels().into());
        picture::set(&out, "brightness", &Float32Array::from(facts.brightness()).into());
        Some(out)
    }

    /// Takes a normal picture anew, through another window, under its old id; false when there was none.
    ///
    /// # Errors
    /// Throws `ImageError` or `UsageError`.
    #[wasm_bindgen(js_name = replaceSupport)]
    pub fn replace_support(&mut self, id: u32, bytes: Vec<u8>, window: Option<String>) -> Result<bool, JsValue> {
        let (rgb, _) = Source::new(bytes, false, window).rgb(self.side_px())?;
        Ok(self.engine.replace_reference(ReferenceId(id), &rgb))
    }

    /// Forgets one reference; false when there was none.
    #[wasm_bindgen(js_name = removeSupport)]
    pub fn remove_support(&mut self, id: u32) -> bool {
        self.engine.remove_reference(ReferenceId(id))
    }

    /// Forgets all references.
    #[wasm_bindgen(js_name = clearSupport)]
    pub fn clear_support(&mut self) {
        self.engine.clear_references();
    }

    /// Scores one picture: a decoded one, or what `decode` returned as `input`. `on_progress(stage, done, total)` with
    /// stages `references`, `encode`, `score`.
    ///
    /// # Errors
    /// Throws `ImageError`, `DeviceError`, `AbortError` or `UsageError`.
    pub async fn analyse(
        &mut self,
        bytes: Vec<u8>,
        is_input: bool,
        options: JsValue,
        on_progress: Function,
        signal: AbortSignal,
    ) -> Result<Object, JsValue> {
        let options: AnalyseOptions =
            serde_wasm_bindgen::from_value(options).map_err(|e| WebError::Usage(e.to_string()))?;
        let (mode, matching) = self.way(&options.mode, options.method.as_deref())?;
        let start = now_ms();
        let (rgb, shown) = Source::new(bytes, is_input, options.window).rgb(self.side_px())?;
        let size = options.size.or((!is_input).then_some([rgb.width_px, rgb.height_px]));
        let regions = match (options.leave_out.as_slice(), size) {
            ([], _) => Regions::default(),
            (boxes, Some([width_px, height_px])) => Regions::new(boxes, width_px, height_px).map_err(WebError::from)?,
            (_, None) => {
                let next = "give `decode`'s whole answer, with its width and height, where regions are left out";
                return Err(WebError::Usage(next.to_owned()).into());
            }
        };
        self.engine.leave_out(&regions).map_err(WebError::from)?;
        let decode_ms = now_ms() - start;
        let AnalyseOptions { object, augment, bank_rows, bilateral, axis, among, .. } = options;
        let among = among.map(|ids| ids.into_iter().map(ReferenceId).collect());
        let request = Request { matching, augment, bank_rows, bilateral, axis, among, ..Request::new(&object, mode) };
        let mut pacer = WorkerPacer::new(&on_progress, &signal);
        let mut analysis = self.engine.analyse(&rgb, &request, &mut pacer).await.map_err(WebError::from)?;
        // An `input` has lost the size of its file: what the file alone shows, `decode` has told.
        if !is_input {
            analysis.warnings.splice(0..0, Warning::of_image(&rgb));
        }
        let out = self.result(&analysis, &request, decode_ms, now_ms() - start)?;
        picture::set(&out, "window", &shown.map_or(JsValue::NULL, |shown| picture::window_of(&shown).into()));
        Ok(out)
    }

    /// Per level the raw block tokens `[tokens, width]` of planes `[3, side, side]` in 0..1 at the model's
    /// size, for people who build on the tower alone. `on_progress` as in `analyse`.
    ///
    /// # Errors
    /// Throws `DeviceError`, `AbortError` or `UsageError`.
    pub async fn tokens(&self, planes: Vec<f32>, on_progress: Function, signal: AbortSignal) -> Result<Array, JsValue> {
        let side_px = self.engine.manifest().preprocess.size_px;
        let expected = 3 * side_px * side_px;
        if planes.len() != expected {
            let found = planes.len();
            let text = format!("expected {expected} values (3 planes of {side_px} × {side_px}), found {found}");
            return Err(WebError::Usage(text).into());
        }
        let mut pacer = WorkerPacer::new(&on_progress, &signal);
        let planes = Planes { values: planes, side_px };
        let levels = self.engine.raw_tokens(&planes, &mut pacer).await.map_err(WebError::from)?;
        Ok(levels.iter().map(|level| JsValue::from(Float32Array::from(level.as_slice()))).collect())
    }

    /// What pictures are compared with, and how.
    fn way(&self, mode: &str, method: Option<&str>) -> Result<(Mode, Matching), WebError> {
        let usage = |text: String| Err(WebError::Usage(text));
        match (mode, method) {
            ("batch", _) | ("few", Some("memory" | "components")) if !self.engine.manifest().memory_is_raw() => usage(
                "this model compares normal pictures by its adapters: choose mode few, without a method".to_owned(),
            ),
            ("zero", None) => Ok((Mode::Zero, Matching::Nearest)),
            ("few", None | Some("memory")) => Ok((Mode::Few, Matching::Nearest)),
            ("few", Some("components")) => Ok((Mode::Few, Matching::Components)),
            ("batch", None) => Ok((Mode::Few, Matching::Mutual)),
            ("self", None) => Ok((Mode::Itself, Matching::Nearest)),
            ("self", Some("self")) => Ok((Mode::Itself, Matching::Prototypes)),
            (_, None) => usage(format!("unknown mode {mode:?}; choose zero, few, self or batch")),
            (_, Some(method)) => usage(format!(
                "there is no method {method:?} in mode {mode:?}; choose memory or components in few, self in self"
            )),
        }
    }

    /// Side of the model's input in pixels.
    fn side_px(&self) -> usize {
        self.engine.manifest().preprocess.size_px
    }

    fn result(&self, analysis: &Analysis, request: &Request, decode_ms: f64, total_ms: f64) -> Result<Object, JsValue> {
        let map = analysis.map();
        let timings = analysis.timings;
        let place = |id: &ReferenceId| self.engine.place_of(*id);
        let out: Object = plain(&Scalars {
            object: &request.object,
            mode: if request.matching == Matching::Mutual { "batch" } else { request.mode.name() },
            device: self.engine.device().tier.name(),
            score: analysis.score,
            calibrated: analysis.score_calibrated,
            score_zero: analysis.score_zero,
            score_memory: analysis.score_memory,
            size: analysis.side_px,
            map_min: map.iter().copied().fold(f32::INFINITY, f32::min),
            map_max: map.iter().copied().fold(f32::NEG_INFINITY, f32::max),
            support_scores: analysis.support_scores.as_deref(),
            support_places: analysis.support_ids.as_ref().map(|ids| ids.iter().map(place).collect()),
            support_unlike: analysis.support_unlike.iter().map(place).collect(),
            support_twins: self.engine.twins().iter().map(|(twin, _)| place(twin)).collect(),
            normal_top: analysis.normal_top,
            warnings: &analysis.warnings,
            timings: TimingsInfo {
                decode_ms,
                references_ms: timings.references_ms,
                preprocess_ms: timings.preprocess_ms,
                encode_ms: timings.encode_ms,
                score_ms: timings.score_ms,
                total_ms,
            },
        })?
        .unchecked_into();
        let array = |values: &[f32]| JsValue::from(Float32Array::from(values));
        let optional = |values: &Option<Vec<f32>>| values.as_ref().map_or(JsValue::NULL, |v| array(v));
        picture::set(&out, "map", &array(map));
        picture::set(&out, "overlay", &array(&analysis.overlay));
        picture::set(&out, "zero", &optional(&analysis.zero));
        picture::set(&out, "memory", &optional(&analysis.memory));
        picture::set(&out, "fused", &optional(&analysis.fused));
        let levels: Array = analysis.levels.iter().map(|l| array(l)).collect();
        picture::set(&out, "levels", &levels);
        Ok(out)
    }
}
