//! Normal slices that lie nearest to a slice, where both are slices of volumes.
//!
//! Comes in: the pictures of a run and the normal pictures, with their names in the engine. Goes out: per picture which
//! of them it is compared with. Fails with what is no slice of a volume.

use mvfa_formats::SlicePlace;

use super::inputs::Input;
use super::usage::BadUsage;
use crate::mvfa::ReferenceId;

/// Per picture the `count` normal slices that lie nearest.
///
/// # Errors
/// [`BadUsage`] with the first that is no slice of a volume.
pub(super) fn nearest(
    images: &[Input],
    normals: &[(ReferenceId, &Input)],
    count: usize,
) -> Result<Vec<Vec<ReferenceId>>, BadUsage> {
    let places = normals.iter().map(|(_, input)| place(input)).collect::<Result<Vec<_>, _>>()?;
    let chosen = |image: &Input| {
        let nearest = place(image)?.nearest(&places, count);
        Ok(nearest.into_iter().filter_map(|n| normals.get(n)).map(|(id, _)| *id).collect())
    };
    images.iter().map(chosen).collect()
}

fn place(input: &Input) -> Result<SlicePlace, BadUsage> {
    let place = input.slice.as_ref().and_then(|slice| SlicePlace::of(&slice.of.series, slice.frame));
    place.ok_or_else(|| {
        BadUsage(format!(
            "--nearest compares slices of volumes by their place, and {} is no slice of one; leave it out, or --nearest",
            input.name()
        ))
    })
}
