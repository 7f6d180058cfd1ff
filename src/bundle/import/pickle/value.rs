//! What a pickle of torch can hold, as plain data.
//!
//! Values live in one flat list and refer to each other by index, so cycles, deep nesting and
//! values that are used twice cost nothing and cannot overflow a stack.

use std::sync::Arc;

use crate::bundle::import::element::Element;

/// Index of a value.
pub type Id = usize;

/// Most elements of one tensor: above the largest token table in use (250,002 × 1,024).
const ELEMENTS_LIMIT: usize = 1 << 28;
/// Most axes of one tensor.
pub(super) const AXES_LIMIT: usize = 8;
/// Most elements of a tensor that has more of them than are stored, because rows or columns share them. Buffers such as
/// position numbers are saved so; a table of weights is not, and would be large out of nothing.
const SHARED_LIMIT: usize = 1 << 16;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `None`, and everything that cannot matter here: bytes, floats, sets, calls not known.
    Other,
    /// An integer (or a bool).
    Int(i64),
    /// A text.
    Text(String),
    /// A tuple.
    Tuple(Vec<Id>),
    /// A list.
    List(Vec<Id>),
    /// A dictionary, in the order of insertion.
    Dict(Vec<(Id, Id)>),
    /// The name of a class or function, `module name`. Never looked up.
    Global(String),
    /// A block of elements in another file of the archive.
    Storage(Storage),
    /// A storage that is not read: its type.
    UnreadStorage(Arc<str>),
    /// A view of a storage.
    Tensor(StoredTensor),
    /// A tensor that is not read: why.
    UnreadTensor(Arc<str>),
    /// An object with attributes, such as a TorchScript module.
    Object(Option<Id>),
}

/// A block of elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// Name of the file below `data/`.
    pub key: Arc<str>,
    /// Type of its elements.
    pub element: Element,
    /// How many there are.
    pub elements: usize,
}

/// A strided view of a storage.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTensor {
    /// Where the elements are.
    pub storage: Storage,
    /// First element.
    pub offset: usize,
    /// Size of each axis.
    pub shape: Vec<usize>,
    /// Elements from one index to the next, for each axis.
    pub strides: Vec<usize>,
}

impl StoredTensor {
    /// Checks that a view lies within its storage.
    ///
    /// # Errors
    /// A sentence about what does not fit.
    pub fn new(storage: Storage, offset: usize, shape: Vec<usize>, strides: Vec<usize>) -> Result<Self, String> {
        if shape.len() != strides.len() || shape.len() > AXES_LIMIT {
            return Err(format!("a tensor has {} sizes and {} strides", shape.len(), strides.len()));
        }
        let count = shape.iter().try_fold(1usize, |n, size| n.checked_mul(*size));
        if count.is_none_or(|n| n > ELEMENTS_LIMIT) {
            return Err(format!("a tensor of shape {shape:?} is larger than any weight"));
        }
        let tensor = Self { storage, offset, shape, strides };
        match tensor.span() {
            Some(span) if offset.checked_add(span).is_some_and(|end| end <= tensor.storage.elements) => Ok(tensor),
            _ => Err(format!(
                "a tensor of shape {:?} and strides {:?} reaches beyond its storage of {} elements",
                tensor.shape, tensor.strides, tensor.storage.elements
            )),
        }
    }

    /// How many elements the tensor has.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it is large only because its elements share places.
    pub fn is_blown_up(&self) -> bool {
        self.count() > SHARED_LIMIT && self.count() > self.storage.elements
    }

    /// Elements from the first to one past the last, in the storage.
    pub fn span(&self) -> Option<usize> {
        if self.shape.contains(&0) {
            return Some(0);
        }
        self.shape
            .iter()
            .zip(&self.strides)
            .try_fold(1usize, |span, (size, stride)| span.checked_add(size.checked_sub(1)?.checked_mul(*stride)?))
    }

    /// Whether the elements follow each other in row-major order.
    pub fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.shape.iter().zip(&self.strides).rev().all(|(size, stride)| {
            let fits = *size == 1 || *stride == expected;
            expected *= size;
            fits
        }) || self.count() == 0
    }

    /// Row-major values from the elements of the span.
    pub fn gather(&self, span: &[f32]) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.count());
        let mut index = vec![0usize; self.shape.len()];
        for _ in 0..self.count() {
            let at: usize = index.iter().zip(&self.strides).map(|(i, stride)| i * stride).sum();
            values.push(span.get(at).copied().unwrap_or(f32::NAN));
            for (i, size) in index.iter_mut().zip(&self.shape).rev() {
                *i += 1;
                if *i < *size {
                    break;
                }
                *i = 0;
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(offset: usize, shape: &[usize], strides: &[usize]) -> Result<StoredTensor, String> {
        let storage = Storage { key: "0".into(), element: Element::F32, elements: 6 };
        StoredTensor::new(storage, offset, shape.to_vec(), strides.to_vec())
    }

    #[test]
    fn gathers_a_transposed_view() {
        let tensor = view(0, &[3, 2], &[1, 3]).unwrap();
        assert!(!tensor.is_contiguous());
        assert_eq!(tensor.gather(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert!(view(0, &[2, 3], &[3, 1]).unwrap().is_contiguous());
        assert!(view(2, &[1, 4], &[99, 1]).is_ok_and(|t| t.is_contiguous()), "one row has no stride");
        assert_eq!(view(5, &[], &[]).unwrap().gather(&[7.0]), [7.0]);
    }

    #[test]
    fn elements_that_share_places_are_known() {
        assert!(view(0, &[1 << 17, 2], &[0, 1]).unwrap().is_blown_up());
        assert!(!view(0, &[77, 6], &[0, 1]).unwrap().is_blown_up(), "position numbers are saved so");
    }

    #[test]
    fn refuses_views_beyond_the_storage() {
        for (offset, shape, strides) in [
            (1, vec![2, 3], vec![3, 1]),
            (0, vec![7], vec![1]),
            (0, vec![2], vec![6]),
            (usize::MAX, vec![1], vec![1]),
            (0, vec![3], vec![usize::MAX]),
            (0, vec![usize::MAX, usize::MAX], vec![0, 0]),
            (0, vec![1 << 29], vec![0]),
            (0, vec![2, 3], vec![1]),
        ] {
            assert!(view(offset, &shape, &strides).is_err(), "{offset} {shape:?} {strides:?}");
        }
    }
}
