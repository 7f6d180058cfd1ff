//! Where the files of a bundle go: a folder, or a browser's storage.

use crate::bundle::error::BundleError;

/// Takes finished files.
pub trait Output {
    /// Takes one file in pieces. A file of the same name is replaced.
    ///
    /// # Errors
    /// What keeps it from being written.
    fn write(&mut self, name: &str, pieces: &[&[u8]]) -> Result<(), BundleError>;

    /// The manifest was the last file: the bundle is whole.
    ///
    /// # Errors
    /// What keeps it from its place.
    fn complete(&mut self) -> Result<(), BundleError>;
}
