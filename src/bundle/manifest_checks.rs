//! What a manifest must fulfil beyond its form.
//!
//! Comes in: a [`Manifest`] that parses. Goes out: nothing if its parts agree and its numbers are such as
//! a tower can have. Fails with [`BundleError::Manifest`] that names the field, the expected and the found
//! value. Compact, for it is part of what a page downloads.

use std::collections::HashSet;

use crate::bundle::config::{TextConfig, within};
use crate::bundle::error::BundleError;
use crate::bundle::manifest::{
    Calibration, Dtype, FileEntry, Manifest, RESAMPLE, Range, SHARD_LIMIT_BYTES, TensorEntry,
};

/// Widest hidden features of adapters.
const BOTTLENECK_LIMIT: usize = 1 << 14;
/// Largest weight in the mix of tokens and adapters: those in use add up to 1.
const MIX_LIMIT: f32 = 10.0;

impl Manifest {
    /// Checks that the manifest does not contradict itself.
    ///
    /// # Errors
    /// [`BundleError::Manifest`].
    pub(super) fn validate(&self) -> Result<(), BundleError> {
        self.check_numbers().map_err(BundleError::Manifest)?;
        plain_name("card", &self.card).map_err(BundleError::Manifest)?;
        if self.preprocess.size_px != self.vision.image_px {
            return Err(BundleError::Manifest(format!(
                "preprocess.size_px must equal vision.image_px {}, found {}",
                self.vision.image_px, self.preprocess.size_px
            )));
        }
        if self.preprocess.resample != RESAMPLE {
            return Err(BundleError::Manifest(format!(
                "preprocess.resample must be {RESAMPLE:?}, found {:?}",
                self.preprocess.resample
            )));
        }
        let numbers = self.preprocess.mean.iter().chain(&self.preprocess.std);
        if !numbers.into_iter().all(|v| v.is_finite()) || self.preprocess.std.contains(&0.0) {
            return Err(BundleError::Manifest(format!(
                "preprocess.mean and .std must be finite and std not 0, found {:?} and {:?}",
                self.preprocess.mean, self.preprocess.std
            )));
        }
        let mut ids = HashSet::new();
        if let Some(object) = self.objects.iter().find(|object| !ids.insert(object.id.as_str())) {
            return Err(BundleError::Manifest(format!("objects.id {:?} is listed twice", object.id)));
        }
        let mut paths = HashSet::new();
        for file in &self.files {
            file.validate()?;
            if !paths.insert(file.path.as_str()) {
                return Err(BundleError::Manifest(format!("files.path {:?} is listed twice", file.path)));
            }
        }
        Ok(())
    }

    /// Checks the numbers that the model computes with: what no tower has makes scores that are none.
    fn check_numbers(&self) -> Result<(), String> {
        self.vision.validate()?;
        self.text.as_ref().map_or(Ok(()), TextConfig::validate)?;
        if let Some(adapters) = &self.adapters {
            within("adapters.bottleneck", adapters.bottleneck, BOTTLENECK_LIMIT)?;
            if !adapters.mix.iter().all(|weight| weight.abs() <= MIX_LIMIT) {
                return Err(format!("adapters.mix must lie in ±{MIX_LIMIT}, found {:?}", adapters.mix));
            }
        }
        if let Some(scoring) = &self.scoring {
            scoring.validate(self)?;
        }
        if let Some(test) = &self.self_test {
            let largest = test.values.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
            // A test with a larger tolerance would pass whatever the device answers.
            if !largest.is_finite() || !(0.0..=largest).contains(&test.tolerance) {
                return Err(format!("self_test.tolerance must lie in 0..={largest}, found {}", test.tolerance));
            }
        }
        for object in &self.objects {
            for range in object.calibration.iter().flat_map(Calibration::ranges) {
                if !(range.lo.is_finite() && range.hi.is_finite() && range.lo < range.hi) {
                    let id = &object.id;
                    return Err(format!("the calibration of {id} must rise from lo to hi, found {range:?}"));
                }
            }
        }
        Ok(())
    }
}

impl Calibration {
    fn ranges(&self) -> [Range; 4] {
        [self.zero_map, self.memory_map, self.zero_score, self.memory_score]
    }
}

/// A name that leads nowhere else.
fn plain_name(field: &str, name: &str) -> Result<(), String> {
    if name.contains(['/', '\\', ':']) || name.starts_with('.') || name.is_empty() || name.contains(char::is_control) {
        return Err(format!("{field} must be a plain file name beside the manifest, found {name:?}"));
    }
    Ok(())
}

impl FileEntry {
    fn validate(&self) -> Result<(), BundleError> {
        plain_name("files.path", &self.path).map_err(BundleError::Manifest)?;
        if self.bytes > SHARD_LIMIT_BYTES as u64 {
            return Err(BundleError::Manifest(format!(
                "files.bytes of {} must be at most {SHARD_LIMIT_BYTES}, found {}",
                self.path, self.bytes
            )));
        }
        for tensor in &self.tensors {
            tensor.validate()?;
        }
        Ok(())
    }
}

impl TensorEntry {
    fn validate(&self) -> Result<(), BundleError> {
        let elements = self.shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        if elements.is_none_or(|n| n > u32::MAX as usize) {
            return Err(BundleError::Manifest(format!(
                "tensor {} has the impossible shape {:?}",
                self.name, self.shape
            )));
        }
        let rows = self.shape.first().copied().unwrap_or(0);
        if self.rows.is_some_and(|[start, end]| start >= end || end > rows) {
            return Err(BundleError::Manifest(format!(
                "tensor {} lists rows {:?} of {rows}",
                self.name,
                self.rows.unwrap_or_default()
            )));
        }
        if self.dtype == Dtype::I8 && self.shape.is_empty() {
            return Err(BundleError::Manifest(format!("tensor {} is i8 without rows", self.name)));
        }
        Ok(())
    }
}
