//! Where finished files go: to JavaScript, which puts them into the browser's storage between two steps.

use wasm_bindgen::prelude::*;

use crate::bundle::error::BundleError;
use crate::bundle::writer::Output;

#[wasm_bindgen]
extern "C" {
    /// Finished files that wait.
    pub type Shelf;

    /// Begins a file of this many bytes.
    #[wasm_bindgen(method)]
    fn begin(this: &Shelf, name: &str, bytes: usize);

    /// Adds to the file that was begun last.
    #[wasm_bindgen(method)]
    fn add(this: &Shelf, piece: &[u8]);
}

impl Output for Shelf {
    fn write(&mut self, name: &str, pieces: &[&[u8]]) -> Result<(), BundleError> {
        self.begin(name, pieces.iter().map(|piece| piece.len()).sum());
        pieces.iter().for_each(|piece| self.add(piece));
        Ok(())
    }

    fn complete(&mut self) -> Result<(), BundleError> {
        Ok(())
    }
}
