//! What passes between files and towers: one tensor, or some rows of one, as a file stores it.
//!
//! Comes in: names. Goes out: row-major values with their shape. Fails with
//! [`BundleError`] if a name is unknown or its bytes cannot be read.

use crate::bundle::error::BundleError;
use crate::bundle::values::Values;

/// A tensor that a file holds and this build does not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its name there.
    pub name: String,
    /// Why.
    pub why: String,
}

/// A file that gives tensors one at a time, so that no more than one is ever in memory.
pub trait TensorSource {
    /// Every tensor there is, sorted.
    fn names(&self) -> Vec<String>;

    /// Shape of a tensor, without reading it; `None` for an unknown name.
    fn shape(&self, name: &str) -> Option<Vec<usize>>;

    /// Tensors that are there and not among [`TensorSource::names`].
    fn unread(&self) -> Vec<Unread> {
        Vec::new()
    }

    /// Row-major values, widened to f32.
    ///
    /// # Errors
    /// [`BundleError::MissingTensor`] for an unknown name, and whatever is wrong with the file.
    fn read(&mut self, name: &str) -> Result<Vec<f32>, BundleError>;
}

/// One tensor, or the rows of one that a shard holds.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorPart {
    /// Canonical name of the whole tensor.
    pub name: String,
    /// Shape of the whole tensor.
    pub shape: Vec<usize>,
    /// First and one-past-last row along the first axis, if this is only a part.
    pub rows: Option<[usize; 2]>,
    /// Row-major values of the part.
    pub values: Values,
}

impl TensorPart {
    /// A whole tensor.
    pub fn whole(name: impl Into<String>, shape: Vec<usize>, values: impl Into<Values>) -> Self {
        Self { name: name.into(), shape, rows: None, values: values.into() }
    }

    /// The rows of the whole tensor that are here. A scalar has one row.
    pub fn row_range(&self) -> [usize; 2] {
        self.rows.unwrap_or([0, self.shape.first().copied().unwrap_or(1)])
    }
}

/// Checks that every value is a finite number.
///
/// # Errors
/// [`BundleError::NotFinite`] with the first element that is not.
pub fn check_finite(name: &str, values: &[f32]) -> Result<(), BundleError> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(BundleError::NotFinite { name: name.to_owned(), index }),
        None => Ok(()),
    }
}
