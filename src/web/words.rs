//! A person's own words in the engine: text features that the lab's module made, and what lines of them resemble.
//!
//! Comes in: typed arrays. Goes out: typed arrays. Fails by throwing `UsageError`, `ImageError`, `DeviceError` or `AbortError`.

use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use crate::web::engine::WebEngine;
use crate::web::error::WebError;
use crate::web::pacer::WorkerPacer;
use crate::web::picture::Source;

#[wasm_bindgen(js_class = Engine)]
impl WebEngine {
    /// Puts text features `[dim, columns]` in the place of an object's; without features the bundle's come back.
    ///
    /// # Errors
    /// Throws `UsageError`.
    #[wasm_bindgen(js_name = setWords)]
    pub fn set_words(&mut self, object: &str, features: Option<Vec<f32>>, columns: usize) -> Result<(), JsValue> {
        let own = features.as_deref().map(|features| (features, columns));
        Ok(self.engine.set_words(object, own).map_err(WebError::from)?)
    }

    /// Mean cosines of lines `[lines, dim]` with the patches of a picture that are marked with 1, and with the others: two
    /// numbers a line. The picture as for `analyse`; the one that was compared with words last is not encoded again.
    ///
    /// # Errors
    /// Throws `UsageError`, `ImageError`, `DeviceError` or `AbortError`.
    #[allow(clippy::too_many_arguments)]
    pub async fn similarities(
        &mut self,
        bytes: Vec<u8>,
        is_input: bool,
        object: String,
        lines: Vec<f32>,
        count: usize,
        patches: Vec<u8>,
        on_progress: Function,
        signal: AbortSignal,
    ) -> Result<Vec<f32>, JsValue> {
        let side_px = self.engine.manifest().preprocess.size_px;
        let (rgb, _) = Source::new(bytes, is_input, None).rgb(side_px)?;
        let rows: Vec<Vec<f32>> = lines.chunks(lines.len() / count.max(1)).map(<[f32]>::to_vec).collect();
        let chosen: Vec<bool> = patches.iter().map(|mark| *mark != 0).collect();
        let mut pacer = WorkerPacer::new(&on_progress, &signal);
        let found = self.engine.similarities(&rgb, &object, &rows, &chosen, &mut pacer).await;
        Ok(found.map_err(WebError::from)?.iter().flat_map(|one| [one.inside, one.outside]).collect())
    }
}
