//! Weights that were never trained, or were lost when a file was written: one value in all places of a matrix.
//!
//! Comes in: the values of a tensor. Goes out: nothing, or [`BundleError::Constant`]. Vectors may be constant: biases of
//! zero and scales of one are usual.

use crate::bundle::error::BundleError;
use crate::bundle::import::tower::Tower;
use crate::bundle::source::TensorSource;

/// The matrices by which a whole tower is judged before it is taken.
const JUDGED: [&str; 4] = [
    "vision.patch.weight",
    "vision.blocks.0.attn.qkv.weight",
    "vision.blocks.0.mlp.fc1.weight",
    "vision.blocks.0.mlp.fc2.weight",
];

/// The one value of a matrix that has no other.
pub(super) fn only_value(values: &[f32]) -> Option<f32> {
    let (first, rest) = values.split_first()?;
    (!rest.is_empty() && rest.iter().all(|value| value == first)).then_some(*first)
}

/// Whether a canonical tensor is a matrix of weights that no training leaves constant.
pub(super) fn is_judged(name: &str, shape: &[usize]) -> bool {
    shape.len() == 2 && !name.ends_with("position_embedding") && !name.ends_with("register_tokens")
}

/// The first matrix of a tower that is constant, by its raw name, among the few that decide.
pub(super) fn constant_matrix(tower: &Tower, source: &mut dyn TensorSource) -> Option<(String, f32)> {
    JUDGED.iter().filter_map(|name| tower.raw(name)).find_map(|raw| {
        let values = source.read(&raw).ok()?;
        only_value(&values).map(|value| (raw, value))
    })
}

/// The error for a constant matrix.
pub(super) fn constant(name: String, value: f32, other_towers: &str) -> BundleError {
    let hint = if other_towers.is_empty() {
        "use the checkpoint as it was published, or save it again from the program that trained it".to_owned()
    } else {
        format!("choose another tower with --prefix {other_towers}")
    };
    BundleError::Constant { name, value, hint }
}
