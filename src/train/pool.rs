//! The pictures that a part of a data set offers to training.
//!
//! Comes in: a data set. Goes out: its samples, also where masks are missing: such a picture is told
//! and left out when it is prepared, as any other that cannot be used, and does not stop a run on its
//! own. Fails with [`TrainError::Data`].

use std::path::{Path, PathBuf};

use crate::eval::{Dataset, DatasetError, Sample, Split};
use crate::train::error::TrainError;

/// Endings of picture files, as evaluation knows them.
const ENDINGS: [&str; 7] = ["png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff"];

/// The samples of a part, normal ones first. A mask that is missing is named all the same.
///
/// # Errors
/// [`TrainError::Data`] where there is no such part or nothing in it.
pub fn samples(dataset: &Dataset, split: Split) -> Result<Vec<Sample>, TrainError> {
    match dataset.split(split) {
        Err(DatasetError::MissingMask { folder, .. }) => Ok(with_missing_masks(Path::new(&folder))?),
        other => Ok(other?),
    }
}

/// The samples beside a folder of masks, `Ungood/anomaly_mask`.
fn with_missing_masks(masks: &Path) -> Result<Vec<Sample>, DatasetError> {
    let ungood = masks.parent().unwrap_or(masks);
    let good = ungood.with_file_name("good");
    let found = list(masks)?;
    let mask_of = |image: &Path| {
        let own = found.iter().find(|mask| mask.file_stem() == image.file_stem()).cloned();
        own.unwrap_or_else(|| masks.join(image.file_name().unwrap_or_default()))
    };
    let normal = pictures(&good)?.into_iter().map(|image| Sample { image, mask: None, abnormal: false });
    let abnormal =
        pictures(ungood)?.into_iter().map(|image| Sample { mask: Some(mask_of(&image)), image, abnormal: true });
    Ok(normal.chain(abnormal).collect())
}

fn pictures(class: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let inner = class.join("img");
    let folder = if inner.is_dir() { inner } else { class.to_owned() };
    if folder.is_dir() { list(&folder) } else { Ok(Vec::new()) }
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let io = |source| DatasetError::Io { path: folder.display().to_string(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_file() && !hidden && ENDINGS.contains(&ending.as_str()) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_mask_is_named_and_changes_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let test = folder.path().join("test");
        for name in ["good/img/n.png", "Ungood/img/a.png", "Ungood/img/b.png", "Ungood/img/.c.png"] {
            let path = test.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let masks = test.join("Ungood/anomaly_mask");
        std::fs::create_dir_all(&masks).unwrap();
        std::fs::write(masks.join("a.jpg"), "").unwrap();
        std::fs::write(masks.join("b.png"), "").unwrap();
        let dataset = Dataset::open(folder.path()).unwrap();
        let whole = samples(&dataset, Split::Test).unwrap();
        assert_eq!(whole, dataset.split(Split::Test).unwrap());
        std::fs::remove_file(masks.join("b.png")).unwrap();
        assert!(dataset.split(Split::Test).is_err());
        assert_eq!(samples(&dataset, Split::Test).unwrap(), whole);
        assert!(samples(&dataset, Split::Valid).is_err());
    }
}
