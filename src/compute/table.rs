//! What is added to the products of the patches: one table for class token, bias, positions and registers.
//!
//! Comes in: the tensors of a tower's embedding. Goes out: values `[tokens + registers, width]`. Fails with [`BundleError`].

use crate::bundle::config::VisionConfig;
use crate::bundle::error::BundleError;
use crate::compute::Weights;

/// Takes class embedding, bias and position embedding.
pub(crate) fn take(weights: &mut Weights, config: &VisionConfig) -> Result<Vec<f32>, BundleError> {
    let width = config.width;
    let bias = if config.patch_bias {
        weights.take_values("vision.patch.bias", &[width])?.into_f32()
    } else {
        vec![0.0; width]
    };
    let class = weights.take_values("vision.class_embedding", &[width])?.into_f32();
    let mut table = weights.take_values("vision.position_embedding", &[config.tokens(), width])?.into_f32();
    for (token, row) in table.chunks_exact_mut(width.max(1)).enumerate() {
        let added = if token == 0 { &class } else { &bias };
        row.iter_mut().zip(added).for_each(|(value, more)| *value += more);
    }
    table.extend(registers(weights, config)?);
    Ok(table)
}

/// Register tokens `[registers, width]`, which have no positions.
pub(crate) fn registers(weights: &mut Weights, config: &VisionConfig) -> Result<Vec<f32>, BundleError> {
    if config.registers == 0 {
        return Ok(Vec::new());
    }
    Ok(weights.take_values("vision.register_tokens", &[config.registers, config.width])?.into_f32())
}
