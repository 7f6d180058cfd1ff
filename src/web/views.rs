//! Views of normal pictures, so that several workers can share the encoding of them.
//!
//! Comes in: which view of which normal picture, or its rows from another worker. Goes out: typed arrays. Fails by
//! throwing `UsageError`, `DeviceError` or `AbortError`.

use js_sys::{Array, Float32Array, Function};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use crate::bundle::manifest::Augment;
use crate::mvfa::ReferenceId;
use crate::web::engine::WebEngine;
use crate::web::error::WebError;
use crate::web::pacer::WorkerPacer;

#[wasm_bindgen(js_class = Engine)]
impl WebEngine {
    /// The views that a few-shot analysis would encode first, as id, view, id, view and so on.
    ///
    /// # Errors
    /// Throws `UsageError`.
    #[wasm_bindgen(js_name = lackingViews)]
    pub fn lacking_views(&self, augment: JsValue) -> Result<Vec<u32>, JsValue> {
        let augment = self.augment(augment)?;
        let views = self.engine.lacking_views(augment);
        Ok(views.into_iter().flat_map(|(id, view)| [id.0, view as u32]).collect())
    }

    /// Rows of one view per level `[tokens, dim]` for each bank that is kept, encoded now if missing.
    ///
    /// # Errors
    /// Throws `UsageError`, `DeviceError` or `AbortError`.
    #[wasm_bindgen(js_name = viewRows)]
    pub async fn view_rows(
        &mut self,
        id: u32,
        view: u32,
        augment: JsValue,
        on_progress: Function,
        signal: AbortSignal,
    ) -> Result<Array, JsValue> {
        let augment = self.augment(augment)?;
        let (id, view) = (ReferenceId(id), view as usize);
        let mut pacer = WorkerPacer::new(&on_progress, &signal);
        if self.engine.lacking_views(augment).contains(&(id, view)) {
            let steps = (0, self.engine.steps());
            self.engine.encode_view(id, augment, view, steps, &mut pacer).await.map_err(WebError::from)?;
        }
        let levels = self.engine.view_rows(id, augment, view, &mut pacer).await.map_err(WebError::from)?;
        Ok(levels.iter().map(|level| JsValue::from(Float32Array::from(level.as_slice()))).collect())
    }

    /// Takes the rows of one view that another worker with the same model answered.
    ///
    /// # Errors
    /// Throws `UsageError`.
    #[wasm_bindgen(js_name = giveView)]
    pub fn give_view(
        &mut self,
        id: u32,
        view: u32,
        augment: JsValue,
        levels: Vec<Float32Array>,
    ) -> Result<(), JsValue> {
        let augment = self.augment(augment)?;
        let levels = levels.iter().map(Float32Array::to_vec).collect();
        let given = self.engine.give_view(ReferenceId(id), augment, view as usize, levels);
        Ok(given.map_err(WebError::from)?)
    }

    /// How normal pictures are used: as requested, else as in the manifest.
    fn augment(&self, wanted: JsValue) -> Result<Augment, WebError> {
        let wanted: Option<Augment> =
            serde_wasm_bindgen::from_value(wanted).map_err(|e| WebError::Usage(e.to_string()))?;
        Ok(wanted.unwrap_or(self.engine.manifest().augment))
    }
}
